"""A server that means harm: by itself as correct as any, and with a quirk as bad as its name says.

Take one quirk at a time: silent, endless-response, huge-literal, literal-too-long, deep-nesting, spoofed-tag,
starttls-injection, greeting-garbage, endless-bye ...
"""

from .base import Server


class Vendor(Server):
    help = "nobody: correct until a quirk is named"
    after = Server.after + " QRESYNC STATUS=SIZE COMPRESS=DEFLATE"

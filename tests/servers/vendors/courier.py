"""Courier: everything under INBOX., no MOVE, CONDSTORE, LITERAL+ or ESEARCH; `* 0 FETCH`."""

from .base import Server


class Vendor(Server):
    help = "Courier: INBOX. names, no MOVE, CONDSTORE, LITERAL+, ESEARCH or SPECIAL-USE"
    before = "IMAP4rev1 UIDPLUS CHILDREN NAMESPACE THREAD=ORDEREDSUBJECT THREAD=REFERENCES SORT QUOTA IDLE " \
             "AUTH=PLAIN AUTH=LOGIN STARTTLS ENABLE UTF8=ACCEPT"
    after = before.replace("AUTH=PLAIN AUTH=LOGIN STARTTLS ", "")
    greeting = "* OK [CAPABILITY %s] Courier-IMAP ready." % before
    capability_at_login = False
    delimiter = "."
    folders = (("INBOX", None), ("INBOX.Sent", None), ("INBOX.Drafts", None), ("INBOX.Trash", None),
               ("INBOX.Archive", None))
    habits = ("fetch-zero", "line-limit")
    line_limit = 16384

    def wrong_password(self):
        return "NO Login failed."

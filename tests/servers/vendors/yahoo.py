"""Yahoo: no IDLE and no CONDSTORE, so a client polls; OBJECTID; short command lines."""

from .base import Server


class Vendor(Server):
    help = "Yahoo: no IDLE, CONDSTORE or ESEARCH; OBJECTID; 1000 bytes of command line"
    greeting = "* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN AUTH=XOAUTH2 AUTH=OAUTHBEARER ID MOVE NAMESPACE] IMAP4rev1 Hello"
    before = "IMAP4rev1 SASL-IR AUTH=PLAIN AUTH=XOAUTH2 AUTH=OAUTHBEARER ID MOVE NAMESPACE"
    after = "IMAP4rev1 ID MOVE NAMESPACE UIDPLUS LITERAL+ CHILDREN UNSELECT OBJECTID"
    folders = (("INBOX", None), ("Sent", None), ("Draft", None), ("Trash", None), ("Bulk Mail", None), ("Archive", None))
    line_limit = 1000

    def own_item(self, message, name):
        if name in ("EMAILID", "THREADID"):
            return b"%s (%s%d)" % (name.encode(), b"M" if name == "EMAILID" else b"T", message.uid)
        return super().own_item(message, name)

    def wrong_password(self):
        return "NO [AUTHENTICATIONFAILED] LOGIN Invalid credentials"

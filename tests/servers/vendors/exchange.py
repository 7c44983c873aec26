"""Exchange Online: no CONDSTORE, ESEARCH or SPECIAL-USE; throttles; loose with the grammar."""

from .base import Server


class Vendor(Server):
    help = "Exchange Online: neither CONDSTORE nor ESEARCH; `+CRLF`, trailing spaces, odd dispositions"
    greeting = "* OK The Microsoft Exchange IMAP4 service is ready. [QQBBAEIAQwA=]"
    before = "IMAP4 IMAP4rev1 AUTH=PLAIN AUTH=XOAUTH2 SASL-IR UIDPLUS MOVE ID UNSELECT CHILDREN IDLE NAMESPACE LITERAL+"
    after = before
    capability_at_login = False
    folders = (("INBOX", None), ("Sent Items", None), ("Deleted Items", None), ("Drafts", None), ("Junk Email", None),
               ("Archive", None), ("Outbox", None))
    habits = ("bare-continuation", "status-space", "envelope-space", "dsp-string", "missing-host", "id-empty-bad",
              "pipeline-limit")

    def wrong_password(self):
        return "NO AUTHENTICATE failed."

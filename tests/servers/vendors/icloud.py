"""iCloud: QRESYNC that is enabled without a word, no MOVE, no LITERAL+, RFC822 that sends nothing."""

from .base import Server


class Vendor(Server):
    help = "iCloud: CONDSTORE and QRESYNC, no MOVE, SPECIAL-USE, COMPRESS or LITERAL+"
    greeting = "* OK [CAPABILITY XAPPLEPUSHSERVICE IMAP4 IMAP4rev1 SASL-IR AUTH=ATOKEN AUTH=PLAIN] ready"
    before = "XAPPLEPUSHSERVICE IMAP4 IMAP4rev1 SASL-IR AUTH=ATOKEN AUTH=PLAIN"
    after = "XAPPLEPUSHSERVICE IMAP4 IMAP4rev1 CONDSTORE ENABLE QRESYNC QUOTA NAMESPACE UIDPLUS CHILDREN BINARY UNSELECT " \
            "SORT ESEARCH ESORT WITHIN CONTEXT=SORT ID IDLE LIST-EXTENDED LIST-STATUS"
    folders = (("INBOX", None), ("Sent Messages", None), ("Deleted Messages", None), ("Drafts", None), ("Archive", None),
               ("Junk", None), ("Notes", None))
    habits = ("enable-silent", "rfc822-empty")

    def wrong_password(self):
        return "NO [AUTHENTICATIONFAILED] Authentication Failed"

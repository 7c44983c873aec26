"""Proton Bridge: on loopback, STARTTLS, a window into labels; SEARCH RETURN and SPECIAL-USE get BAD."""

from .base import Server


class Vendor(Server):
    help = "Proton Bridge: STARTTLS, no CONDSTORE, ESEARCH, LITERAL+ or NAMESPACE; labels and folders by prefix"
    before = "IMAP4rev1 ID IDLE MOVE STARTTLS UIDPLUS UNSELECT AUTH=PLAIN"
    after = "IMAP4rev1 ID IDLE MOVE UIDPLUS UNSELECT"
    greeting = "* OK [CAPABILITY %s] Proton Mail Bridge ready" % before
    folders = (("INBOX", None), ("Sent", "\\Sent"), ("Drafts", "\\Drafts"), ("Trash", "\\Trash"), ("Spam", "\\Junk"),
               ("Archive", "\\Archive"), ("All Mail", "\\All"), ("Folders", None), ("Folders/office", None),
               ("Labels", None))
    habits = ("search-return-bad", "special-use-bad")

    def fill(self, count, seed):
        super().fill(count, seed)
        for message in self.by_name["INBOX"].messages:
            self.by_name["All Mail"].add(message.raw, message.flags, message.date)

    def parents(self):
        return ("Folders", "Labels")

    def wrong_password(self):
        return "NO no such user"

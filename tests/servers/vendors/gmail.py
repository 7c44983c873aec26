"""Gmail: labels as folders, All Mail, X-GM-EXT-1, DEFLATE, no QRESYNC, localised names when asked."""

from .base import Server
from .wire import quoted


class Vendor(Server):
    help = "Gmail: X-GM-EXT-1, labels, XLIST, COMPRESS, CONDSTORE without QRESYNC"
    greeting = "* OK Gimap ready for requests from 127.0.0.1"
    before = "IMAP4rev1 UNSELECT IDLE NAMESPACE QUOTA ID XLIST CHILDREN X-GM-EXT-1 XYZZY SASL-IR AUTH=XOAUTH2 " \
             "AUTH=PLAIN AUTH=PLAIN-CLIENTTOKEN AUTH=OAUTHBEARER"
    after = "IMAP4rev1 UNSELECT IDLE NAMESPACE QUOTA ID XLIST CHILDREN X-GM-EXT-1 UIDPLUS COMPRESS=DEFLATE ENABLE MOVE " \
            "CONDSTORE ESEARCH UTF8=ACCEPT LIST-EXTENDED LIST-STATUS LITERAL- SPECIAL-USE APPENDLIMIT=35651584"
    folders = (("INBOX", None), ("[Gmail]", None), ("[Gmail]/All Mail", "\\All"), ("[Gmail]/Drafts", "\\Drafts"),
               ("[Gmail]/Sent Mail", "\\Sent"), ("[Gmail]/Spam", "\\Junk"), ("[Gmail]/Starred", "\\Flagged"),
               ("[Gmail]/Trash", "\\Trash"), ("office", None))
    habits = ("highestmodseq-bare", "alternative-childless", "bracket-flags", "connection-limit")
    line_limit = 16384
    local_names = {"[Gmail]/All Mail": "[Gmail]/Alle Nachrichten", "[Gmail]/Sent Mail": "[Gmail]/Gesendet",
                   "[Gmail]/Trash": "[Gmail]/Papierkorb", "[Gmail]/Drafts": "[Gmail]/Entw&APw-rfe"}

    def fill(self, count, seed):
        super().fill(count, seed)
        for message in self.by_name["INBOX"].messages:
            message.labels = {"\\Inbox"}
            whole = self.by_name["[Gmail]/All Mail"].add(message.raw, message.flags, message.date)
            whole.labels = message.labels
            whole.gm_id = message.gm_id = 1500000000000000000 + message.uid

    def parents(self):
        return ("[Gmail]",)

    def visible(self, name):
        return self.local_names.get(name, name) if self.q("localised-inbox") else name

    def wrong_password(self):
        return "NO [AUTHENTICATIONFAILED] Invalid credentials (Failure)"

    def own_item(self, message, name):
        number = getattr(message, "gm_id", 1600000000000000000 + message.uid)
        if name in ("X-GM-MSGID", "X-GM-THRID"):
            return b"%s %d" % (name.encode(), number)
        if name == "X-GM-LABELS":
            return self.labels(message)
        raise ValueError("unknown item " + name)

    def labels(self, message):
        return b"X-GM-LABELS (%s)" % b" ".join(quoted(label) for label in sorted(message.labels))

    def store(self, message, what, values):
        if "X-GM-LABELS" not in what:
            return None
        message.labels = {"+": message.labels | values, "-": message.labels - values}.get(what[0], set(values))
        return self.labels(message)

    def own_criterion(self, message, name, arguments):
        if name == "X-GM-RAW":
            return arguments[0].encode("latin-1").lower() in message.raw.lower()
        if name in ("X-GM-MSGID", "X-GM-THRID"):
            return int(arguments[0]) == getattr(message, "gm_id", 0)
        return super().own_criterion(message, name, arguments)

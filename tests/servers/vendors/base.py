"""The server under all vendors: what it has, what it holds, and what a test may do to it.

A vendor says its capabilities before and after login, its folders and its habits (quirks that are always on), and
adds what only it speaks. Whatever it does not advertise it refuses with BAD, so a client that guesses is found out.
"""

import asyncio
import re
import secrets
import time

import mailbox

from .quirks import QUIRKS
from .session import Session
from .store import Folder

FOLDERS = (("INBOX", None), ("Sent", "\\Sent"), ("Drafts", "\\Drafts"), ("Trash", "\\Trash"),
           ("Archive", "\\Archive"), ("Junk", "\\Junk"))


class Server:
    greeting = "* OK IMAP4rev1 ready"
    before = "IMAP4rev1 SASL-IR STARTTLS AUTH=PLAIN AUTH=LOGIN AUTH=XOAUTH2 AUTH=OAUTHBEARER"
    after = "IMAP4rev1 IDLE NAMESPACE ID UIDPLUS MOVE UNSELECT ENABLE CONDSTORE ESEARCH LITERAL+ SPECIAL-USE LIST-STATUS " \
            "MULTIAPPEND"
    capability_at_login = True  # told in the OK of the login; else the client must ask
    capability_in_greeting = False
    folders = FOLDERS
    delimiter = "/"
    habits = ()
    line_limit = 65536
    help = "no vendor's: everything right, IMAP4rev1 with CONDSTORE"

    def __init__(self, quirks=(), without=(), messages=20, seed="1", password=None, user="home"):
        unknown = [name for name in (*quirks, *without) if name not in QUIRKS]
        if unknown:
            raise ValueError("unknown quirk: " + ", ".join(unknown))
        self.quirks = (set(self.habits) | set(quirks)) - set(without)
        self.settings = {"limit": 15, "backoff": 1500, "throttled": 2, "still_here": 0.2, "stumbles": 1,
                         "largest": 100_000}
        self.user, self.password, self.token = user, password or secrets.token_hex(12), secrets.token_hex(24)
        self.sessions, self.connections, self.logins, self.commands, self.trouble = set(), 0, 0, [], []
        self.by_name = {}
        for name, use in self.folders:
            self.by_name[name] = Folder(name, use)
        self.fill(messages, seed)

    def fill(self, count, seed):
        words = {"S": "\\Seen", "F": "\\Flagged", "R": "\\Answered", "a": "$Forwarded", "b": "office"}
        for raw, flags, date in mailbox.Mailbox(seed, count, self.user + "@example.org"):
            self.by_name["INBOX"].add(raw.replace(b"\n", b"\r\n"), [words[letter] for letter in flags], date)

    def q(self, name):
        assert name in QUIRKS, name
        return name in self.quirks

    def capabilities(self, session):
        words = (self.after if session.state != "fresh" else self.before).split()
        if session.secure and session.state == "fresh":
            words = [word for word in words if word not in ("STARTTLS", "LOGINDISABLED")]
        if self.q("literal-space"):
            words = ["LITERAL +" if word == "LITERAL+" else word for word in words]
        return words

    def has(self, word):
        return word in self.after.split()

    def folder(self, name):
        return self.by_name["INBOX" if name.upper() == "INBOX" else name]

    def visible(self, name):
        """A folder's name as LIST tells it."""
        return name

    def parents(self):
        """Names in LIST that hold folders and cannot be selected."""
        return ()

    def wrong_password(self):
        return "NO [AUTHENTICATIONFAILED] Invalid credentials"

    def store(self, message, what, values):
        """STORE of something other than flags: what FETCH says of it then; None for flags."""
        return None

    def own_item(self, message, name):
        """A FETCH item that only this vendor knows; None: there is nothing to say about it."""
        raise ValueError("unknown item " + name)

    def own_criterion(self, message, name, arguments):
        raise ValueError("unknown criterion " + name)

    def own_commands(self, session):
        """NAME -> coroutine(session, tag, arguments) for commands that only this vendor has."""
        return {}

    async def changed(self, folder, by=None):
        """Told to everyone who looks at that folder and may be told now."""
        for session in list(self.sessions):
            if session.folder is folder and session.idling and session is not by and not self.q("idle-stale"):
                await session.say_changes()

    async def serve(self, tls):
        """Listens on two ports, plain and TLS; returns them."""
        async def plain(reader, writer):
            await Session(self, reader, writer, tls, False).run()

        async def secure(reader, writer):
            await Session(self, reader, writer, tls, True).run()

        servers = [await asyncio.start_server(plain, "127.0.0.1", 0, backlog=200),
                   await asyncio.start_server(secure, "127.0.0.1", 0, ssl=tls, backlog=200)]
        return [server.sockets[0].getsockname()[1] for server in servers]

    # -- what a test may ask for; see vendor.py

    async def deliver(self, request):
        """{"do": "deliver", "folder": "INBOX", "count": 1, "message": "..."?} -> the new UIDs"""
        folder = self.folder(request.get("folder", "INBOX"))
        if "message" in request:
            made = [re.sub(r"\r?\n", "\r\n", request["message"]).encode()]
        else:
            made = [raw.replace(b"\n", b"\r\n") for raw, _, _ in
                    mailbox.Mailbox(secrets.token_hex(4), request.get("count", 1), self.user + "@example.org",
                                    int(time.time()))]
        uids = [folder.add(raw, request.get("flags", ())).uid for raw in made]
        await self.changed(folder)
        return {"uids": uids}

    async def expunge(self, request):
        """{"do": "expunge", "folder": "INBOX", "uids": [..]}: another client removes them for good"""
        folder = self.folder(request.get("folder", "INBOX"))
        folder.remove([message for message in folder.messages if message.uid in request["uids"]])
        await self.changed(folder)

    async def flag(self, request):
        """{"do": "flag", "folder": "INBOX", "uids": [..], "add": [..], "remove": [..]}: another client does"""
        folder = self.folder(request.get("folder", "INBOX"))
        for message in folder.messages:
            if message.uid in request["uids"]:
                folder.change(message, message.flags.union(request.get("add", ())) - set(request.get("remove", ())))
        await self.changed(folder)

    async def renew(self, request):
        """{"do": "renew", "folder": "INBOX"}: the folder is made anew: another UIDVALIDITY, other UIDs"""
        folder = self.folder(request.get("folder", "INBOX"))
        folder.uidvalidity += 1
        for number, message in enumerate(folder.messages, 1):
            message.uid = number
        folder.uidnext = len(folder.messages) + 1
        await self.kick({})

    async def kick(self, request):
        """{"do": "kick"}: every connection is closed"""
        for session in list(self.sessions):
            session.writer.close()

    async def quirk(self, request):
        """{"do": "quirk", "on": [..], "off": [..], "set": {"backoff": 100}}"""
        for name in request.get("on", []):
            self.q(name)
            self.quirks.add(name)
        self.quirks -= set(request.get("off", []))
        self.settings.update(request.get("set", {}))

    async def report(self, request):
        """{"do": "report"} -> connections and logins so far, open ones, the commands' names and what was wrong"""
        return {"connections": self.connections, "logins": self.logins, "open": len(self.sessions),
                "commands": self.commands[-2000:], "trouble": self.trouble,
                "folders": {name: {"uids": [message.uid for message in folder.messages],
                                   "flags": {message.uid: sorted(message.flags) for message in folder.messages}}
                            for name, folder in self.by_name.items()}}

"""What the proofs stand on: a real Dovecot, accounts made on demand, another client, our store and sync as a process.

A message is known by its key, which stands in its subject and in a header of its own; so whatever UIDs and folders it
goes through, it can be counted: never missing, never doubled.
"""

import collections
import hashlib
import imaplib
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "tests", "servers"))
sys.dont_write_bytecode = True

import dovecot  # noqa: E402
import program  # noqa: E402

imaplib._MAXLINE = 100_000_000
TOOLS = os.path.join(os.environ.get("HIMALAYA_BUILD_DIR") or os.path.join(ROOT, "build"), "tests")
FLAGS = {"\\Seen": 1, "\\Flagged": 2, "\\Answered": 4, "\\Draft": 8, "$Forwarded": 16, "\\Deleted": 32}
FOLDERS = ("INBOX", "Archive", "Drafts", "Junk", "Sent", "Trash")
PATIENCE = 30
LONG_PATIENCE = 120
MOST_ACCOUNTS = 20_000


class Lost(Exception):
    """Server and store do not agree, or not with what was done."""


class Died(Exception):
    """The process under test ended."""


def make_message(key, size=300, message_id=True):
    rng = random.Random(key)
    head = "From: a@example.org\r\nTo: home@example.org\r\nSubject: %s\r\nX-Key: %s\r\nDate: Mon, 02 Nov 2026 10:%02d:%02d +0000\r\n" % (
        key, key, rng.randrange(60), rng.randrange(60))
    if message_id:
        head += "Message-ID: <%s@example.org>\r\n" % key
    body = "".join("%s line %d\r\n" % (key, i) for i in range(max(1, size // 20)))
    if size > 1 << 20:  # what zstd cannot shrink below the size where a body becomes a file
        noise = rng.randbytes(size).hex()
        body = "\r\n".join(noise[at:at + 76] for at in range(0, len(noise), 76)) + "\r\n"
    return (head + "MIME-Version: 1.0\r\n\r\n" + body).encode()


class World:
    """One Dovecot of a tier, and a folder for stores; both gone at the end."""

    def __init__(self, tier=1, without=(), extra=()):
        arguments = ["--tier", str(tier), "--user", "first", "--mechanisms", "plain", *extra]
        for word in without:
            arguments += ["--without", word]
        self.folder = tempfile.mkdtemp(prefix="himalaya-proof-")
        self.server = dovecot.Dovecot(dovecot.parse(arguments))
        self.count = 0
        # Dovecot sees a change of this file only in the next second, so every name there may be is there from the start.
        for number in range(1, MOST_ACCOUNTS):
            name = "user%d" % number
            home = os.path.join(self.server.folder, "home", name)
            self.server.users[name] = {"password": "word", "token": "", "home": home, "bytes": 0,
                                       "maildir": os.path.join(home, "Maildir")}
        self.server.write_users()
        try:
            self.server.start()
        except BaseException:
            self.close()
            raise

    def close(self):
        self.server.remove()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def account(self, letters=()):
        """A fresh user with these (key, bytes, Maildir flags) in INBOX."""
        self.count += 1
        name = "user%d" % self.count
        user = self.server.users[name]
        home = user["home"]
        owner = self.server.owner[:2] if os.getuid() == 0 else (-1, -1)
        for part in ("", "cur", "new", "tmp"):
            os.makedirs(os.path.join(user["maildir"], part), exist_ok=True)
        for at, (_, data, flags) in enumerate(letters):
            stored = data.replace(b"\r\n", b"\n")
            file = os.path.join(user["maildir"], "cur", "%d.M%07dP1.example,S=%d,W=%d:2,%s" % (
                1793613600 + at, at, len(stored), len(data), flags))
            with open(file, "wb") as out:
                out.write(stored)
            os.chown(file, *owner)
        for place in (home, user["maildir"], *(os.path.join(user["maildir"], p) for p in ("cur", "new", "tmp"))):
            os.chown(place, *owner)
        return Account(self, name)


class Account:
    def __init__(self, world, name):
        self.world, self.name = world, name
        self.data = os.path.join(world.folder, name)
        self.agents = []
        self.port = world.server.port

    def agent(self, *arguments, **settings):
        one = Agent(self, *arguments, **settings)
        self.agents.append(one)
        return one

    def other(self):
        return Other(self.world.server.port, self.name)

    def close(self, keep=False):
        for agent in self.agents:
            agent.kill()
        if not keep:
            shutil.rmtree(self.data, ignore_errors=True)
            shutil.rmtree(self.world.server.users[self.name]["home"], ignore_errors=True)


class Agent:
    """Our store and sync, as build/tests/one_account."""

    def __init__(self, account, *arguments, port=None, data=None, under=()):
        if "--timeout" not in arguments:  # no harm comes to the line, so only the machine can be slow
            arguments = ("--timeout", 1000 * LONG_PATIENCE, *arguments)
        self.errors = tempfile.TemporaryFile(mode="w+")
        self.process = subprocess.Popen(
            [*under, os.path.join(TOOLS, "one_account"), "--data", data or account.data, "--port",
             str(port or account.port), "--user", account.name, "--password", "word", *map(str, arguments)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors, text=True,
            preexec_fn=program.die_with_parent)
        self.opened = None

    def open(self):
        """The first line: how opening the store went."""
        if self.opened is None:
            self.opened = self.answer()
        return self.opened

    def answer(self):
        line = self.process.stdout.readline()
        if not line.endswith("\n"):
            self.process.wait()
            raise Died(self.said())
        return json.loads(line)

    def said(self):
        self.errors.seek(0)
        return (self.errors.read().strip().split("\n")[-1] + " (exit %s)" % self.process.poll()).strip()

    def __call__(self, do, **request):
        """The answer, whatever it is."""
        opened = self.open()
        if not opened["ok"]:
            raise Died(opened["error"])
        try:
            self.process.stdin.write(json.dumps({"do": do, **request}) + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            self.process.wait()
            raise Died(self.said()) from None
        return self.answer()

    def good(self, do, **request):
        answer = self(do, **request)
        if not answer["ok"]:
            raise Lost("%s %s: %s (%s)" % (do, request, answer["error"], answer["code"]))
        return answer

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self.errors):
            try:
                stream.close()
            except BrokenPipeError:
                pass


class Other:
    """Another client of the same account, which shares no line of code with ours."""

    def __init__(self, port, user):
        self.imap = imaplib.IMAP4("127.0.0.1", port, timeout=PATIENCE)
        self.imap.login(user, "word")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self.imap.logout()
        except (OSError, imaplib.IMAP4.error):
            pass

    def ok(self, reply):
        if reply[0] != "OK":
            raise imaplib.IMAP4.error(str(reply))
        return reply[1]

    def folders(self):
        names = []
        for line in self.ok(self.imap.list()):
            names.append(re.match(rb'\([^)]*\) "." "?([^"]*)"?$', line)[1].decode())
        return sorted(names)

    def append(self, folder, data, flags=""):
        self.ok(self.imap.append('"%s"' % folder, flags and "(%s)" % flags, None, data))

    def select(self, folder):
        self.ok(self.imap.select('"%s"' % folder))

    def uid(self, *words):
        return self.ok(self.imap.uid(*words))

    def find(self, folder, key):
        self.select(folder)
        return [int(n) for n in self.uid("SEARCH", "HEADER", "X-Key", '"%s"' % key)[0].split()]

    def flag(self, folder, key, change, flags):
        for uid in self.find(folder, key):
            self.uid("STORE", str(uid), change + "FLAGS", "(%s)" % flags)

    def expunge(self, folder, key):
        for uid in self.find(folder, key):
            self.uid("STORE", str(uid), "+FLAGS", "(\\Deleted)")
            self.uid("EXPUNGE", str(uid))

    def all(self):
        """{folder: {uid: (key, flags, keywords, hash of the body)}}"""
        everything = {}
        for folder in self.folders():
            self.ok(self.imap.select('"%s"' % folder, readonly=True))
            found = everything[folder] = {}
            reply = self.uid("FETCH", "1:*", "(UID FLAGS BODY.PEEK[])")
            for part in reply:
                if not isinstance(part, tuple):
                    continue
                head, data = part
                uid = int(re.search(rb"UID (\d+)", head)[1])
                words = re.search(rb"FLAGS \(([^)]*)\)", head)[1].decode().split()
                bits = sum(FLAGS.get(word, 0) for word in words)
                keywords = sorted(word for word in words if word not in FLAGS and word != "\\Recent")
                key = re.search(rb"^X-Key: (\S+)", data, re.M)
                found[uid] = (key[1].decode() if key else "?", bits, " ".join(keywords),
                              hashlib.sha256(data).hexdigest()[:32])
        return everything


def ours(dump):
    """What the store shows, in Other.all()'s shape; raises for what can only be wrong."""
    everything = {}
    for folder, told in dump["folders"].items():
        found = everything[folder] = {}
        shown = 0
        for message in told["messages"]:
            if message["hidden"] or message["pending"] or not message["uid"]:
                raise Lost("unsettled in %s: %s" % (folder, message))
            if message["uid"] in found:
                raise Lost("two rows of UID %d in %s" % (message["uid"], folder))
            shown += 1
            found[message["uid"]] = (message["subject"], message["flags"], message["keywords"], message.get("body"))
        if told["total"] != shown:
            raise Lost("%s counts %d messages and has %d" % (folder, told["total"], shown))
        unread = sum(1 for m in told["messages"] if not m["flags"] & 1)
        if told["unread"] != unread:
            raise Lost("%s counts %d unread and has %d" % (folder, told["unread"], unread))
    return everything


def difference(server, store):
    lines = []
    for folder in sorted(set(server) | set(store)):
        there, here = server.get(folder, {}), store.get(folder, {})
        for uid in sorted(set(there) | set(here)):
            if there.get(uid) != here.get(uid):
                lines.append("%s %d: server %s, store %s" % (folder, uid, there.get(uid), here.get(uid)))
    return "\n".join(lines)


def converge(account, agent, patience=PATIENCE):
    """Syncs until nothing waits and both sides say the same; what the server has then."""
    deadline = time.monotonic() + patience
    rounds, why = 0, ""
    with account.other() as other:
        while True:
            rounds += 1
            agent.good("later")
            synced = agent("sync", kind="full")
            dump = agent.good("dump")
            server = other.all()
            try:
                if not synced["ok"]:
                    raise Lost("the sync fails: " + synced["error"])
                if dump["ops"]:
                    raise Lost("%d changes wait" % dump["ops"])
                why = difference(server, ours(dump))
                if not why:
                    return server
            except Lost as lost:
                why = str(lost)
            # A server may need a moment for its own indexes; three rounds are ours.
            if rounds >= 4 and time.monotonic() > deadline - patience + 6 or time.monotonic() > deadline:
                raise Lost("after %d syncs server and store differ:\n%s" % (rounds, why))


def places(server):
    """{(key, folder): how often}, and {(key, folder): (flags, keywords)}"""
    counts, flags = collections.Counter(), {}
    for folder, messages in server.items():
        for key, bits, keywords, _ in messages.values():
            counts[key, folder] += 1
            flags[key, folder] = (bits, keywords)
    return counts, flags

#!/usr/bin/env python3
"""A private Dovecot on loopback for tests, benches and the demo; as root or as an ordinary user; 2.3 or 2.4.

    dovecot.py [--user home]... [--messages 5000] [--tier 1|2|3|4] [--without MOVE]... [--format mdbox] ...

Prints one JSON line when it answers:
    {"host", "port" (plain), "tls_port", "ca_file", "certificate", "key", "version", "capabilities": [...], "pid", "log",
     "users": {"home": {"password", "token" (OAUTHBEARER, XOAUTH2), "maildir", "bytes"}}}
then obeys JSON lines on stdin (see COMMANDS below) and, at stdin's end or SIGTERM, stops and removes everything.
Exit 3: this machine has no Dovecot.
"""

import argparse
import http.server
import imaplib
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

import certificates
import mailbox
import program
import settings

READY_WITHIN = 20


class Dovecot:
    def __init__(self, options):
        self.options = options
        self.format, self.mechanisms = options.format, options.mechanisms.split(",")
        self.max_connections, self.still_here = options.max_connections, options.still_here
        self.compress = not options.no_compress
        self.capability, self.process, self.log, self.runs = "", None, None, 0
        self.owner = settings.mail_owner()
        self.folder = private_folder()
        try:
            self.prepare()
        except BaseException:
            self.remove()
            raise

    def prepare(self):
        self.users = {name: {"password": options_password(self.options), "token": secrets.token_hex(24),
                             "home": os.path.join(self.folder, "home", name)} for name in self.options.user}
        self.tokens = {user["token"]: name for name, user in self.users.items()}
        self.certificates = certificates.make(os.path.join(self.folder, "tls"), self.options.certificate)
        os.chmod(self.certificates[0], 0o644)
        os.makedirs(os.path.join(self.folder, "state"))
        self.write_users()
        for name, user in self.users.items():
            self.fill(name, user)
        self.introspection_port = None
        if {"oauthbearer", "xoauth2"} & set(self.mechanisms):
            self.introspection_port = introspection(self.tokens)

    def write_users(self):
        uid, gid = self.owner[:2]
        with open(os.path.join(self.folder, "users"), "w") as out:
            for name, user in self.users.items():
                out.write("%s:{PLAIN}%s:%d:%d::%s::\n" % (name, user["password"], uid, gid, user["home"]))

    def fill(self, name, user):
        """The generated messages; Maildir files are the start of every format."""
        own = self.owner[:2] if os.getuid() == 0 else None
        os.makedirs(user["home"])
        if own:
            os.chown(user["home"], *own)
        user["maildir"] = os.path.join(user["home"], "Maildir")
        generated = mailbox.Mailbox(self.options.seed, self.options.messages, "%s@example.org" % name,
                                    self.options.last_date or mailbox.LAST_DATE)
        path = user["maildir"] if self.format == "maildir" else os.path.join(user["home"], "generated")
        user["bytes"] = mailbox.write_maildir(path, generated, own)

    # -- running

    def start(self):
        """Starts the server and waits until both ports answer; another process may snatch a free port, so thrice."""
        for attempt in range(3):
            self.port, self.tls_port = program.free_ports(2)
            try:
                self.run()
                break
            except RuntimeError:
                if attempt == 2:
                    raise
        cuts = set(settings.TIERS[self.options.tier]) | set(word.upper() for word in self.options.without)
        if self.format != "maildir":
            self.import_generated()
        full = self.capabilities()
        if cuts:
            self.capability = " ".join(word for word in full if word not in cuts)
            self.halt()
            self.run()
        if self.options.warm:
            for name in self.users:
                self.doveadm("index", "-u", name, "INBOX")

    def run(self):
        # A folder of sockets per run: the one before may have been killed, and a stale socket is tried for seconds.
        self.runs += 1
        self.base_dir = os.path.join(self.folder, "run%d" % self.runs)
        os.makedirs(self.base_dir)
        self.configuration = os.path.join(self.folder, "dovecot.conf")
        with open(self.configuration, "w") as out:
            out.write((settings.for_24 if settings.version() >= (2, 4) else settings.for_23)(self))
        self.log = open(os.path.join(self.folder, "output"), "ab")
        self.process = subprocess.Popen([settings.program("dovecot"), "-F", "-c", self.configuration],
                                        stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log,
                                        start_new_session=True, preexec_fn=program.die_with_parent)
        deadline = time.monotonic() + READY_WITHIN
        while True:
            if self.process.poll() is not None:
                raise RuntimeError("Dovecot ended at once: " + self.tail())
            try:
                with imaplib.IMAP4("127.0.0.1", self.port, timeout=READY_WITHIN):
                    return
            except (OSError, imaplib.IMAP4.error):
                if time.monotonic() > deadline:
                    self.halt()
                    raise RuntimeError("Dovecot does not answer: " + self.tail())
                time.sleep(0.01)

    def tail(self):
        text = ""
        for name in ("output", "log"):
            path = os.path.join(self.folder, name)
            if os.path.exists(path):
                with open(path, errors="replace") as lines:
                    text += lines.read()[-2000:]
        return text.strip()

    def capabilities(self):
        name, user = next(iter(self.users.items()))
        with imaplib.IMAP4("127.0.0.1", self.port, timeout=READY_WITHIN) as client:
            client.login(name, user["password"])
            found = client.capability()[1][0].decode().split()
        # Dovecot counts a connection a moment longer, which may be the only one that it allows.
        deadline = time.monotonic() + READY_WITHIN
        while self.max_connections == 1 and name in self.doveadm("who", "-1") and time.monotonic() < deadline:
            time.sleep(0.01)
        return found

    def import_generated(self):
        for name, user in self.users.items():
            if self.options.messages:
                self.doveadm("import", "-u", name, "maildir:" + os.path.join(user["home"], "generated"), "", "all")
            shutil.rmtree(os.path.join(user["home"], "generated"))

    def doveadm(self, *arguments, stdin=None):
        done = subprocess.run([settings.program("doveadm"), "-c", self.configuration, *arguments],
                              input=stdin, capture_output=True, timeout=300)
        if done.returncode != 0:
            raise RuntimeError("doveadm %s: %s" % (arguments[0], done.stderr.decode(errors="replace").strip()))
        return done.stdout.decode(errors="replace")

    def halt(self, grace=0.3):
        """Stops the whole group: time for sessions to put down their locks, not the second the master takes to end."""
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(grace)
            except subprocess.TimeoutExpired:
                pass
            try:
                os.killpg(self.process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            self.process.wait()
        if self.log:
            self.log.close()

    def remove(self):
        self.halt()
        shutil.rmtree(self.folder, ignore_errors=True)

    # -- what the starter may ask for

    def ready(self):
        return {"host": "127.0.0.1", "port": self.port, "tls_port": self.tls_port, "ca_file": self.certificates[0],
                "certificate": self.certificates[1], "key": self.certificates[2],
                "version": "%d.%d" % settings.version(), "capabilities": self.capabilities(), "folder": self.folder,
                "pid": self.process.pid, "log": os.path.join(self.folder, "log"),
                "users": {name: {key: user[key] for key in ("password", "token", "maildir", "bytes")}
                          for name, user in self.users.items()}}

    def deliver(self, request):
        """{"do": "deliver", "user", "folder": "INBOX", "count": 1, "seed": 7, "message": "..."?}: new mail arrives."""
        name, count = request["user"], request.get("count", 1)
        folder, now = request.get("folder", "INBOX"), int(time.time())
        if "message" in request:
            messages = [request["message"].replace("\r\n", "\n").encode()]
        else:
            seed = request.get("seed") or secrets.token_hex(6)
            messages = [data for data, _, _ in mailbox.Mailbox(seed, count, name + "@example.org", now)]
        for data in messages:
            # Through Dovecot as its LDA does: a file put into new/ in the second of the last look is not always seen.
            self.doveadm("save", "-u", name, "-m", folder, stdin=data)
        return {"count": len(messages)}

    def commands(self):
        def doveadm(request):
            """{"do": "doveadm", "args": ["flags", "add", "-u", "home", "\\\\Seen", "mailbox", "INBOX", "uid", "1"]}"""
            return {"out": self.doveadm(*request["args"], stdin=request.get("stdin", "").encode() or None)}

        def password(request):
            """{"do": "password", "user", "password"}: the account's password changes."""
            self.users[request["user"]]["password"] = request["password"]
            self.write_users()

        def revoke(request):
            """{"do": "revoke", "user"}: its token is refused from now on; the answer carries a new one."""
            user = self.users[request["user"]]
            self.tokens.pop(user["token"], None)
            user["token"] = secrets.token_hex(24)
            self.tokens[user["token"]] = request["user"]
            return {"token": user["token"]}

        def kick(request):
            """{"do": "kick", "user"}: every connection of that user is closed by the server."""
            try:
                self.doveadm("kick", request["user"])
            except RuntimeError:
                return {"kicked": False}  # it has no connection
            return {"kicked": True}

        return {"deliver": self.deliver, "doveadm": doveadm, "password": password, "revoke": revoke, "kick": kick,
                "halt": lambda _: self.halt(), "run": lambda _: self.run(), "ready": lambda _: self.ready(),
                "log": lambda _: {"text": self.tail()}}


def options_password(options):
    return options.password or secrets.token_hex(12)


def private_folder():
    """Short, because Dovecot puts unix sockets under it and their paths may have 107 bytes; and, started by root,
    where the mail's owner gets to."""
    # In memory where there is plenty: what is measured is the client, not the disk under its server.
    if os.access("/dev/shm", os.W_OK) and room_in("/dev/shm") > 3 << 30 and available_memory() > 6 << 30:
        place = "/dev/shm"
    else:
        place = os.path.realpath(os.environ.get("TMPDIR") or "/tmp")
    parents = [place[:i] or "/" for i, letter in enumerate(place + "/") if letter == "/"]
    closed = os.getuid() == 0 and not all(os.stat(parent).st_mode & 0o001 for parent in parents)
    folder = tempfile.mkdtemp(prefix="hdv-", dir="/tmp" if closed or len(place) > 50 else place)
    if os.getuid() == 0:
        os.chmod(folder, 0o711)
    return folder


def room_in(place):
    found = os.statvfs(place)
    return found.f_bavail * found.f_frsize


def available_memory():
    try:
        with open("/proc/meminfo") as lines:
            return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable"))
    except (OSError, StopIteration):
        return 0


def introspection(tokens):
    """A token's introspection (RFC 7662) on loopback: `tokens` maps a token to its user, and may change."""

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            token = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query).get("token", [""])[0]
            known = {"active": "true", "username": tokens[token]} if token in tokens else {"active": "false"}
            body = json.dumps(known).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]


def parse(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--user", action="append", help="an account's name; several times; default: home")
    parser.add_argument("--password", help="of all users; default: a random one each")
    parser.add_argument("--messages", type=int, default=0, help="generated messages in each INBOX")
    parser.add_argument("--seed", default="1")
    parser.add_argument("--last-date", type=int, help="epoch of the newest generated message")
    parser.add_argument("--format", choices=("maildir", "mdbox", "sdbox"), default="maildir")
    parser.add_argument("--warm", action="store_true", help="fill the server's index and cache before ready")
    parser.add_argument("--tier", type=int, choices=(1, 2, 3, 4), default=1)
    parser.add_argument("--without", action="append", default=[], help="a capability to leave out; several times")
    parser.add_argument("--no-compress", action="store_true", help="no COMPRESS=DEFLATE")
    parser.add_argument("--mechanisms", default=",".join(settings.MECHANISMS))
    parser.add_argument("--certificate", choices=tuple(certificates.KINDS), default="good")
    parser.add_argument("--max-connections", type=int, default=500, help="per user and address")
    parser.add_argument("--still-here", default="2 mins", help="interval of the untagged OK during IDLE")
    options = parser.parse_args(arguments)
    options.user = options.user or ["home"]
    return options


def main():
    options = parse()
    if settings.version() is None:
        print("Dovecot is not installed (Debian: dovecot-imapd)", file=sys.stderr)
        sys.exit(3)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    server = Dovecot(options)
    try:
        server.start()
        ready = server.ready()
    except BaseException:
        server.remove()
        raise
    program.serve(ready, server.commands(), server.remove)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""The servers' own tests, by Python's imaplib and plain sockets: what specs stand on must be right first.

    selftest.py [unittest arguments]
"""

import imaplib
import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import unittest
import zlib

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, HERE)
sys.dont_write_bytecode = True

import mailbox  # noqa: E402
import settings  # noqa: E402

PROXY = os.path.join(os.environ.get("HIMALAYA_BUILD_DIR") or os.path.join(ROOT, "build"), "tests", "proxy")


class Program:
    """A program with the manners of program.py."""

    def __init__(self, *argv):
        if argv[0].endswith(".py"):
            argv = (sys.executable, os.path.join(HERE, argv[0]), *argv[1:])
        self.process = subprocess.Popen([str(part) for part in argv], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True)
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError("%s did not start" % argv[1])
        self.ready = json.loads(line)

    def __getitem__(self, key):
        return self.ready[key]

    def __call__(self, do, **request):
        self.process.stdin.write(json.dumps({"do": do, **request}) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        if not answer["ok"]:
            raise RuntimeError(answer["error"])
        return answer

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        code = self.process.wait(20)
        self.process.stdout.close()
        assert code == 0, code

    def client(self, port=None, user="home"):
        client = imaplib.IMAP4("127.0.0.1", port or self["port"], timeout=20)
        if user:
            client.login(user, self["users"][user]["password"])
        return client

    def tls_client(self, port=None):
        context = ssl.create_default_context(cafile=self["ca_file"])
        return imaplib.IMAP4_SSL("localhost", port or self["tls_port"], ssl_context=context, timeout=20)


class Mailboxes(unittest.TestCase):
    def test_same_seed_same_mail(self):
        first, again, other = (list(mailbox.Mailbox(seed, 300)) for seed in (1, 1, 2))
        self.assertEqual(first, again)
        self.assertNotEqual(first, other)

    def test_every_shape_and_language_is_sound_mime(self):
        import email
        made = mailbox.Mailbox(3, 2000)
        for data, _, _ in made:
            message = email.message_from_bytes(data)
            for part in message.walk():
                self.assertEqual(part.defects, [])
                if part.get_content_type() == "text/plain":
                    part.get_payload(decode=True).decode(part.get_content_charset("ascii"), errors="replace")
        self.assertEqual(set(made.shapes), set(mailbox.SHAPES))
        self.assertEqual(set(made.languages), set(range(len(mailbox.LANGUAGES))))

    def test_sizes_are_realistic(self):
        sizes = sorted(len(data) + data.count(b"\n") for data, _, _ in mailbox.Mailbox(1, 3000))
        self.assertTrue(3000 < sum(sizes) / len(sizes) < 4600, sum(sizes) / len(sizes))
        self.assertGreater(sizes[-1], 40000)


@unittest.skipUnless(settings.version(), "no Dovecot here")
class Dovecot(unittest.TestCase):
    def test_ports_users_mail_and_tls(self):
        with Program("dovecot.py", "--user", "home", "--user", "office", "--messages", 40) as server:
            for user in ("home", "office"):
                client = server.client(user=user)
                self.assertEqual(client.select()[1], [b"40"])
                got = client.fetch("1:*", "(RFC822.SIZE)")[1]
                self.assertEqual(sum(int(line.split()[-1].rstrip(b")")) for line in got), server["users"][user]["bytes"])
                client.logout()
            with server.tls_client() as client:
                client.login("home", server["users"]["home"]["password"])
            with self.assertRaises(ssl.SSLError):
                imaplib.IMAP4_SSL("localhost", server["tls_port"], ssl_context=ssl.create_default_context())

    def test_each_tier_says_what_it_has(self):
        expected = {1: ("QRESYNC", "CONDSTORE", "IDLE"), 2: ("CONDSTORE", "IDLE"), 3: ("IDLE",), 4: ()}
        for tier, words in expected.items():
            with Program("dovecot.py", "--tier", tier, "--without", "MOVE") as server:
                have = [word for word in ("QRESYNC", "CONDSTORE", "IDLE", "MOVE") if word in server["capabilities"]]
                self.assertEqual(have, list(words))
                self.assertIn("UIDPLUS", server["capabilities"])

    def test_tokens(self):
        with Program("dovecot.py") as server:
            def login(mechanism, token):
                client = server.client(user=None)
                words = {"XOAUTH2": "user=home\1auth=Bearer %s\1\1", "OAUTHBEARER": "n,a=home,\1auth=Bearer %s\1\1"}
                first = (words[mechanism] % token).encode()
                try:
                    client.authenticate(mechanism, lambda asked: b"" if asked else first)
                finally:
                    client.shutdown()
            old = server["users"]["home"]["token"]
            for mechanism in ("XOAUTH2", "OAUTHBEARER"):
                login(mechanism, old)
            new = server("revoke", user="home")["token"]
            login("XOAUTH2", new)
            with self.assertRaises(imaplib.IMAP4.error):
                login("XOAUTH2", old)

    def test_mail_arrives_and_the_server_comes_back(self):
        for kind in ("maildir", "mdbox"):
            with Program("dovecot.py", "--messages", 5, "--format", kind) as server:
                server("deliver", user="home", count=2)
                server("deliver", user="home", folder="Archive", message="Subject: one\r\n\r\ntext\r\n")
                client = server.client()
                self.assertEqual(client.select()[1], [b"7"])
                self.assertEqual(client.select("Archive")[1], [b"1"])
                self.assertTrue(server("kick", user="home")["kicked"])
                server("halt")
                with self.assertRaises(OSError):
                    socket.create_connection(("127.0.0.1", server["port"]), 5)
                server("run")
                self.assertEqual(server.client().select()[1], [b"7"])

    def test_nothing_is_left(self):
        server = Program("dovecot.py", "--messages", 3)
        server.process.terminate()
        server.process.wait(20)
        server.process.stdin.close()
        server.process.stdout.close()
        self.assertFalse(os.path.exists(server["folder"]))
        self.assertFalse(os.path.exists("/proc/%d" % server["pid"]))

    @unittest.skipUnless(os.getuid() == 0 and shutil.which("setpriv"), "only root can become somebody else")
    def test_as_an_ordinary_user(self):
        program = [shutil.which("setpriv"), "--reuid", "65534", "--regid", "65534", "--clear-groups", "env", "TMPDIR=/tmp",
                   "/usr/bin/python3", os.path.join(HERE, "dovecot.py"), "--messages", "3"]
        with Program(*program) as server:
            self.assertEqual(server.client().select()[1], [b"3"])


@unittest.skipUnless(os.path.exists(PROXY), "the proxy is not built")
class Proxy(unittest.TestCase):
    """Against a small server of lines: `* OK`, then `TAG OK` for each line."""

    def setUp(self):
        self.server = Program("vendor.py", "courier", "--messages", 5)
        self.addCleanup(self.server.__exit__)
        self.proxy = Program(PROXY, "--to", self.server["port"])
        self.addCleanup(self.proxy.__exit__)

    def client(self):
        return self.server.client(self.proxy["port"])

    def wait_for(self, condition):
        deadline = time.monotonic() + 10
        while not condition():
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.005)

    def test_round_trips_and_delay(self):
        self.proxy("set", delay=25)
        start = time.monotonic()
        client = self.client()
        client.noop()
        took = time.monotonic() - start
        # TCP, the greeting it waits for, imaplib's CAPABILITY, LOGIN, NOOP: the first two are one.
        report = self.proxy("report")
        self.assertEqual(report["connections"][0]["round_trips"], 4)
        self.assertTrue(0.15 <= took < 0.6, took)
        self.proxy("forget")
        client.noop()
        self.assertEqual(self.proxy("report")["round_trips"], 1)
        client.logout()

    def test_cut_and_stall_at_a_byte_or_a_command(self):
        for where in ({"byte": 60}, {"command": 2}, {"direction": "up", "byte": 9}):
            self.proxy("fault", harm="cut", **where)
            with self.assertRaises((imaplib.IMAP4.abort, OSError)):
                client = self.client()
                client.select()
            with self.client() as again:  # only the next connection suffers
                again.select()
        self.proxy("fault", harm="stall", byte=120)
        with socket.create_connection(("127.0.0.1", self.proxy["port"]), 5) as raw:
            raw.sendall(b"a CAPABILITY\r\nb CAPABILITY\r\n")
            got = b""
            while len(got) < 120:
                got += raw.recv(4096)
            raw.settimeout(0.2)
            with self.assertRaises(socket.timeout):
                raw.recv(1)
            self.assertEqual(len(got), 120)

    def test_new_connections(self):
        self.proxy("set", new="refuse")
        self.wait_for(lambda: socket.socket().connect_ex(("127.0.0.1", self.proxy["port"])) != 0)
        self.proxy("set", new="drop")
        self.wait_for(lambda: socket.socket().connect_ex(("127.0.0.1", self.proxy["port"])) == 0)
        with self.assertRaises((imaplib.IMAP4.abort, OSError)):
            self.client()
        self.proxy("set", new="silent")
        with socket.create_connection(("127.0.0.1", self.proxy["port"]), 5) as raw:
            raw.settimeout(0.2)
            with self.assertRaises(socket.timeout):
                raw.recv(1)
        self.proxy("set", new="pass")
        self.client().logout()

    def test_lines_are_kept_with_their_time(self):
        self.proxy("watch", lines=[" EXISTS"], forbid=["NOOP"])
        before = time.monotonic_ns()
        client = self.client()
        client.select()
        client.noop()
        report = self.proxy("report")
        self.assertIn("EXISTS", report["lines"][0]["text"])
        self.assertTrue(before < report["lines"][0]["at"] < time.monotonic_ns())
        self.assertEqual(len(report["forbidden"]), 1)
        client.logout()

    @unittest.skipUnless(settings.version(), "no Dovecot here")
    def test_bandwidth_and_tls_on_both_sides(self):
        with Program("dovecot.py", "--messages", 2000) as dovecot:
            def read_all(proxy, tls):
                client = dovecot.tls_client(proxy["port"]) if tls else imaplib.IMAP4("127.0.0.1", proxy["port"])
                client.login("home", dovecot["users"]["home"]["password"])
                client.select()
                start = time.monotonic()
                got = client.fetch("1:*", "(BODY.PEEK[])")[1]
                took = time.monotonic() - start
                client.logout()
                return sum(len(part[1]) for part in got if isinstance(part, tuple)), took
            with Program(PROXY, "--to", dovecot["port"], "--mbit", 100) as limited:
                size, took = read_all(limited, False)
                self.assertEqual(size, dovecot["users"]["home"]["bytes"])
                rate = size * 8 / took / 1e6
                self.assertTrue(60 < rate < 106, rate)
            with Program(PROXY, "--to", dovecot["tls_port"]) as through:
                self.assertEqual(read_all(through, True)[0], dovecot["users"]["home"]["bytes"])
            with Program(PROXY, "--to", dovecot["port"], "--certificate", dovecot["certificate"], "--key",
                         dovecot["key"], "--delay", 5) as ending:
                ending("watch", lines=[" EXISTS"])
                self.assertEqual(read_all(ending, True)[0], dovecot["users"]["home"]["bytes"])
                self.assertEqual(len(ending("report")["lines"]), 1)

# quirk -> (what a client says after login, what must come); the login is `a LOGIN`.
SELECT = b"b SELECT INBOX\r\n"
FETCH = SELECT + b"c UID FETCH 1:* (FLAGS ENVELOPE BODYSTRUCTURE INTERNALDATE RFC822.SIZE MODSEQ)\r\n"
BODIES = SELECT + b"c UID FETCH 1:* (FLAGS BODY.PEEK[])\r\n"
EXCHANGES = {
    "greeting-garbage": (b"", rb"^Welcome"),
    "bye-greeting": (b"", rb"^\* BYE"),
    "preauth": (b"", rb"^\* PREAUTH"),
    "tagged-bye": (b"b LOGOUT\r\n", rb"\r\nb BYE"),
    "endless-bye": (b"b LOGOUT\r\n", rb"(\* BYE[^\n]*\n){5000}"),
    "bye-in-fetch": (FETCH, rb"\* 10 FETCH .*\* BYE"),
    "close-in-fetch": (FETCH, rb"\{1000\}\r\nhalf$"),
    "throttle": (SELECT, rb"b BAD Request is throttled. Suggested Backoff Time: 1500 milliseconds"),
    "overquota": (FETCH, rb"c NO \[OVERQUOTA\]"),
    "app-password": (b"", rb"a NO \[ALERT\] Application-specific"),
    "unavailable": (b"", rb"a NO \[UNAVAILABLE\]"),
    "search-return-bad": (SELECT + b"c UID SEARCH RETURN (ALL) ALL\r\n", rb"c BAD"),
    "special-use-bad": (b'b LIST (SPECIAL-USE) "" "*"\r\n', rb"b BAD"),
    "id-empty-bad": (b"b ID NIL\r\n", rb"b BAD"),
    "reverse-sets-bad": (SELECT + b"c UID FETCH 9:1 FLAGS\r\n", rb"c BAD"),
    "line-limit": (SELECT + b"c UID FETCH " + b"1," * 9000 + b"1 FLAGS\r\n", rb"c BAD"),
    "pipeline-limit": (b"".join(b"p%d NOOP\r\n" % i for i in range(80)), rb"p0 BAD Too many"),
    "list-status-nothing": (b'b LIST "" "*" RETURN (STATUS (MESSAGES))\r\n', rb"(?s)^(?!.*STATUS INBOX).*b OK"),
    "nil-delimiter": (b'b LIST "" "*"\r\n', rb"\* LIST \([^)]*\) NIL INBOX"),
    "control-in-names": (b'b LIST "" "*"\r\n', rb"Archive\x01"),
    "status-space": (b"b STATUS INBOX (MESSAGES)\r\n", rb"\(MESSAGES 20\) \r\n"),
    "enable-silent": (b"b ENABLE CONDSTORE\r\n", rb"(?s)^(?!.*ENABLED).*b OK"),
    "rev2-unasked": (b"b ENABLE IMAP4rev2\r\n" + SELECT + b"c UID SEARCH ALL\r\n", rb'ESEARCH \(TAG "c"\) UID\r\n'),
    "highestmodseq-bare": (SELECT, rb"\[HIGHESTMODSEQ \d+\]\r\n"),
    "uidnext-missing": (SELECT, rb"(?s)^(?!.*UIDNEXT).*b OK"),
    "uidnext-zero": (SELECT, rb"\[UIDNEXT 0\]"),
    "uidvalidity-zero": (SELECT, rb"\[UIDVALIDITY 0\]"),
    "nil-flags": (FETCH, rb"\* FLAGS NIL.*FLAGS NIL"),
    "bracket-flags": (SELECT, rb"\[a\]b"),
    "bare-continuation": (b"b APPEND INBOX {3}\r\n", rb"\n\+\r\n$"),
    "ok-error": (b"b NOOP\r\n", rb'b OK \[Error="'),
    "copyuid-invalid": (SELECT + b"c UID COPY 1:2 Archive\r\n", rb"COPYUID \d+ 1:2 [\d:]+:9999"),
    "copyuid-untagged": (SELECT + b"c UID COPY 1:2 Archive\r\n", rb"\* \[COPYUID"),
    "appenduid-missing": (b"b APPEND INBOX {3+}\r\nx\r\n\r\n", rb"b OK completed"),
    "literal-space": (b"b CAPABILITY\r\n", rb"LITERAL \+"),
    "modseq-negative": (FETCH, rb"MODSEQ \(-1\)"),
    "decimal-integers": (FETCH, rb"RFC822.SIZE \d+\.0"),
    "spoofed-tag": (b"b NOOP\r\n", rb"ZZ99 OK"),
    "fetch-zero": (FETCH, rb"\* 0 FETCH"),
    "rfc822-empty": (SELECT + b"c FETCH 1 RFC822\r\n", rb"\* 1 FETCH \(\)"),
    "uids-descending": (FETCH, rb"UID 20 .*UID 19 .*UID 1 "),
    "expunge-in-fetch": (FETCH, rb"FETCH [^\n]*\n\* 1 EXPUNGE\r\n\* \d+ FETCH"),
    "flags-in-fetch": (FETCH, rb"\* 1 FETCH \(UID \d+ FLAGS \([^)]*\) MODSEQ [^\n]*\n\* \d+ FETCH"),
    "envelope-space": (FETCH, rb"ENVELOPE \([^\n]*\)  \("),
    "envelope-parens": (FETCH, rb"ENVELOPE \(\("),
    "zero-date": (FETCH, rb"00-Jan-0000"),
    "missing-host": (FETCH, rb"\.MISSING-HOST-NAME\."),
    "long-address": (FETCH, rb'"example.org" "extra"\)'),
    "unescaped-quotes": (FETCH, rb'"a "quoted" word"'),
    "alternative-childless": (FETCH, rb'\("ALTERNATIVE"\)'),
    "dsp-string": (FETCH, rb' NIL "inline" NIL NIL\)'),
    "dsp-lang-swapped": (FETCH, rb'NIL "en" \("INLINE" NIL\)'),
    "negative-lines": (FETCH, rb" -1 -1"),
    "nil-media": (FETCH, rb"BODYSTRUCTURE \(NIL NIL"),
    "literal-too-long": (BODIES, rb"BODY\[\] \{\d+\}.*\)\r\n$"),
    "endless-response": (BODIES, rb"x{500000}"),
    "endless-lines": (BODIES, rb"(\* OK and another thing\r\n){5000}"),
    "huge-literal": (BODIES, rb"\{4294967295\}"),
    "deep-nesting": (FETCH, rb"\({10000}"),
}
# Quirks that need more than an exchange; each has a test of its own below, or a spec.
ELSEWHERE = {"silent", "mute", "connection-limit", "starttls-injection", "login-literal-bad", "localised-inbox",
             "stale-status", "idle-no-done", "idle-hangs", "idle-stale", "still-here"}


class Vendors(unittest.TestCase):
    def start(self, name, *arguments):
        server = Program("vendor.py", name, *arguments)
        self.addCleanup(server.__exit__)
        return server

    def exchange(self, server, words, until):
        """Logs in over a plain socket and says `words`; everything that comes, until `until` is in it."""
        with socket.create_connection(("127.0.0.1", server["port"]), 10) as raw:
            raw.settimeout(5)
            login = b"a LOGIN home %s\r\n" % server["users"]["home"]["password"].encode()
            got = b""
            try:
                raw.sendall(login + words)
                while not re.search(until, got, re.S):
                    part = raw.recv(1 << 20)
                    if not part:
                        break
                    got += part
            except (socket.timeout, ConnectionError):
                pass
            return got

    def test_every_quirk_has_a_test(self):
        from vendors.quirks import QUIRKS
        self.assertEqual(set(QUIRKS), set(EXCHANGES) | ELSEWHERE)

    def test_exchanges(self):
        server = self.start("hostile")
        for quirk, (words, expected) in EXCHANGES.items():
            with self.subTest(quirk):
                plain = b"" if quirk == "bare-continuation" else self.exchange(server, words + b"z NOOP\r\n",
                                                                                 rb"\r\nz (OK|BAD|NO)")
                server("quirk", on=[quirk])
                got = self.exchange(server, words, expected)
                server("quirk", off=[quirk], set={"throttled": 2})
                self.assertTrue(re.search(expected, got, re.S), (expected, got[-2000:]))
                if quirk not in ("appenduid-missing", "list-status-nothing", "uidnext-missing", "enable-silent"):
                    self.assertFalse(re.search(expected, plain, re.S), plain[-500:])
        self.assertEqual([line for line in server("report")["trouble"] if "ParseError" in line], [])

    def test_each_vendor_serves_an_ordinary_client(self):
        for name in ("plain", "gmail", "exchange", "icloud", "yahoo", "courier", "proton", "hostile"):
            with self.subTest(name):
                server = self.start(name)
                for client in (server.client(), server.tls_client()):
                    if client.state != "AUTH":
                        client.login("home", server["users"]["home"]["password"])
                    names = b" ".join(client.list()[1])
                    self.assertIn(b"INBOX", names)
                    client.select()
                    kind, got = client.uid("FETCH", "5", "(FLAGS ENVELOPE BODYSTRUCTURE BODY.PEEK[])")
                    self.assertEqual(kind, "OK")
                    self.assertTrue(any(isinstance(part, tuple) for part in got))
                    self.assertEqual(client.append("INBOX", None, None, b"Subject: x\r\n\r\ny\r\n")[0], "OK")
                    self.assertEqual(client.store("1", "+FLAGS", "(\\Deleted)")[0], "OK")
                    self.assertEqual(client.expunge()[1], [b"1"])
                    client.logout()
                self.assertEqual(server("report")["trouble"], [])

    def test_what_is_not_advertised_is_refused_and_noted(self):
        server = self.start("yahoo")
        client = server.client()
        client.select()
        with self.assertRaises(imaplib.IMAP4.error):
            client.uid("SEARCH", "RETURN", "(ALL)", "ALL")
        self.assertIn("SEARCH RETURN without its capability", server("report")["trouble"])
        client.logout()

    def test_push_reaches_an_idle_client(self):
        server = self.start("gmail", "--quirk", "still-here")
        client = server.client()
        client.select()
        client.send(b"i IDLE\r\n")
        lines = [client.readline()]
        server("deliver", count=1)
        while b"* 21 EXISTS\r\n" not in lines:
            lines.append(client.readline())
        while b"* OK Still here\r\n" not in lines:
            lines.append(client.readline())
        client.send(b"DONE\r\n")
        while not lines[-1].startswith(b"i OK"):
            lines.append(client.readline())
        client.logout()

    def test_starttls_and_what_is_injected_there(self):
        server = self.start("proton", "--quirk", "starttls-injection")
        client = imaplib.IMAP4("127.0.0.1", server["port"], timeout=10)
        client.send(b"s STARTTLS\r\n")
        got = b""
        while b"injected" not in got:
            got += client.sock.recv(4096)
        self.assertIn(b"* CAPABILITY IMAP4rev1 INJECTED", got)
        client.shutdown()
        server("quirk", off=["starttls-injection"])
        with imaplib.IMAP4("127.0.0.1", server["port"], timeout=10) as client:
            context = ssl.create_default_context(cafile=server["ca_file"])
            context.check_hostname = False
            client.starttls(context)
            client.login("home", server["users"]["home"]["password"])

    def test_the_connection_limit(self):
        server = self.start("gmail", "--set", "limit=3")
        held = [server.client() for _ in range(3)]
        with self.assertRaises(imaplib.IMAP4.error):
            server.client()
        for client in held:
            client.logout()

    def test_silence(self):
        for quirk, first in (("silent", b""), ("mute", b"* OK")):
            server = self.start("plain", "--quirk", quirk)
            with socket.create_connection(("127.0.0.1", server["port"]), 5) as raw:
                raw.settimeout(0.3)
                raw.sendall(b"a CAPABILITY\r\n")
                if first:
                    self.assertTrue(raw.recv(4096).startswith(first))
                with self.assertRaises(socket.timeout):
                    raw.recv(1)

    def test_compressed(self):
        server = self.start("gmail")
        with socket.create_connection(("127.0.0.1", server["port"]), 5) as raw:
            raw.sendall(b"a LOGIN home %s\r\nb COMPRESS DEFLATE\r\n" % server["users"]["home"]["password"].encode())
            got = b""
            while b"b OK deflate\r\n" not in got:
                got += raw.recv(4096)
            pack, unpack, got = zlib.compressobj(6, zlib.DEFLATED, -15), zlib.decompressobj(-15), b""
            raw.sendall(pack.compress(FETCH) + pack.flush(zlib.Z_SYNC_FLUSH))
            while b"c OK" not in got:
                got += unpack.decompress(raw.recv(65536))
            self.assertIn(b"* 20 FETCH", got)


if __name__ == "__main__":
    unittest.main()

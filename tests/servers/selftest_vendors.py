"""The scripted vendors' own tests, a part of selftest.py: every quirk is spoken as it is named."""

import imaplib
import re
import socket
import ssl
import unittest
import zlib

from under_test import Program

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
# Quirks that need more than an exchange; each has a test of its own below, a spec, or a proof.
ELSEWHERE = {"silent", "mute", "connection-limit", "starttls-injection", "login-literal-bad", "localised-inbox",
             "stale-status", "idle-no-done", "idle-hangs", "idle-stale", "still-here", "stumbling", "append-limit",
             "close-in-append"}


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

#!/usr/bin/env python3
"""The servers' own tests, by Python's imaplib and plain sockets: what specs stand on must be right first.

    selftest.py [unittest arguments]
"""

import imaplib
import os
import shutil
import socket
import ssl
import sys
import time
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import mailbox  # noqa: E402
import settings  # noqa: E402
from selftest_vendors import Vendors  # noqa: E402, F401  (found by its name)
from under_test import HERE, PROXY, Program  # noqa: E402


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
                    part.get_payload(decode=True).decode(part.get_content_charset("ascii"))
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
        self.assertTrue(0.15 <= took < 5, took)
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
            with Program(PROXY, "--to", dovecot["port"]) as free:
                size, unhindered = read_all(free, False)
            with Program(PROXY, "--to", dovecot["port"], "--mbit", 20) as limited:
                size, took = read_all(limited, False)
                self.assertEqual(size, dovecot["users"]["home"]["bytes"])
                needed = size * 8 / 20e6
                # Never faster than the line; slower only by what the machine takes for it anyway.
                self.assertGreater(took, needed / 1.06)
                self.assertLess(took, needed * 1.7 + 4 * unhindered + 3)
            with Program(PROXY, "--to", dovecot["tls_port"]) as through:
                self.assertEqual(read_all(through, True)[0], dovecot["users"]["home"]["bytes"])
            with Program(PROXY, "--to", dovecot["port"], "--certificate", dovecot["certificate"], "--key",
                         dovecot["key"], "--delay", 5) as ending:
                ending("watch", lines=[" EXISTS"])
                self.assertEqual(read_all(ending, True)[0], dovecot["users"]["home"]["bytes"])
                self.assertEqual(len(ending("report")["lines"]), 1)


if __name__ == "__main__":
    unittest.main()

#!/usr/bin/env python3
"""What becomes of changes that a server answers with BAD or NO, tried on a scripted one.

    faults.py [unittest arguments]
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import types
import unittest

from world import ROOT, Agent, Other, make_message, program


class Vendor:
    """A scripted server of tests/servers/vendors, and a store of its account."""

    def __init__(self, name, *quirks, messages=20, without=()):
        arguments = [word for quirk in quirks for word in ("--quirk", quirk)]
        arguments += [word for capability in without for word in ("--without", capability)]
        self.process = subprocess.Popen(
            [sys.executable, os.path.join(ROOT, "tests", "servers", "vendor.py"), name, "--password", "word",
             "--messages", str(messages), *arguments],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, preexec_fn=program.die_with_parent)
        self.port = json.loads(self.process.stdout.readline())["port"]
        self.data = tempfile.mkdtemp(prefix="himalaya-proof-")
        self.agent = Agent(types.SimpleNamespace(name="home", data=self.data, port=self.port))

    def ask(self, do, **request):
        self.process.stdin.write(json.dumps({"do": do, **request}) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        assert answer["ok"], answer

    def stumble(self, times):
        self.ask("quirk", set={"stumbles": times})

    def found(self, folder, *criteria):
        """How many messages of a folder another client finds."""
        with Other(self.port, "home") as other:
            other.select(folder)
            return len(other.uid("SEARCH", *criteria)[0].split())

    def close(self):
        self.agent.kill()
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()
        shutil.rmtree(self.data, ignore_errors=True)


class PassingFaults(unittest.TestCase):
    """A server that answers BAD now, and does the same thing later."""

    def begin(self):
        vendor = Vendor("plain", "stumbling")
        self.addCleanup(vendor.close)
        vendor.stumble(0)
        vendor.agent.good("sync", kind="full")
        ids = [message["id"] for message in vendor.agent.good("dump")["folders"]["INBOX"]["messages"]]
        return vendor, vendor.agent, ids

    def waiting(self, agent):
        return agent.good("ops")["result"]

    def test_what_a_server_stumbles_over_is_done_a_little_later_and_once(self):
        vendor, agent, ids = self.begin()
        # Asked again at once where that may help, so two BADs in a row.
        for times, act in (
                (1, lambda: agent.good("flag", folder="INBOX", ids=ids[:3], add=0, remove=0, add_keywords=["mine"])),
                (2, lambda: agent.good("move", folder="INBOX", ids=ids[3:5], target="Archive")),
                (2, lambda: agent.good("copy", folder="INBOX", ids=ids[5:7], target="Archive")),
                (1, lambda: agent.good("append", folder="Drafts", message=make_message("mine").decode(),
                                       subject="mine", message_id="<mine@example.org>"))):
            vendor.stumble(times)
            act()
            self.assertEqual([], agent.good("sync", kind="full")["refused"])
            self.assertEqual(1, self.waiting(agent))
            # Not before its time.
            self.assertEqual([], agent.good("sync", kind="full")["refused"])
            self.assertEqual(1, self.waiting(agent))
            agent.good("later")
            self.assertEqual([], agent.good("sync", kind="full")["refused"])
            self.assertEqual(0, self.waiting(agent))
        self.assertEqual(3, vendor.found("INBOX", "KEYWORD", "mine"))
        self.assertEqual(18, vendor.found("INBOX", "ALL"))
        self.assertEqual(4, vendor.found("Archive", "ALL"))
        self.assertEqual(1, vendor.found("Drafts", "ALL"))

    def test_a_message_that_is_refused_holds_back_none_that_shared_its_command(self):
        for without in ((), ("MULTIAPPEND",)):
            vendor = Vendor("plain", "append-limit", without=without)
            self.addCleanup(vendor.close)
            agent = vendor.agent
            agent.good("sync", kind="full")
            for i in range(5):
                key = "n%d" % i
                size = 150_000 if i == 2 else 300
                agent.good("append", folder="Drafts", message=make_message(key, size).decode(), subject=key,
                           message_id="<%s@example.org>" % key)
            self.assertEqual(1, len(agent.good("sync", kind="full")["refused"]))
            self.assertEqual(0, self.waiting(agent))
            self.assertEqual(4, vendor.found("Drafts", "ALL"))
            self.assertEqual(0, vendor.found("Drafts", "SUBJECT", "n2"))

    def test_what_a_server_never_makes_sense_of_is_refused_in_the_end(self):
        vendor, agent, ids = self.begin()
        vendor.stumble(1000)
        agent.good("move", folder="INBOX", ids=ids[:2], target="Archive")
        for _ in range(3):
            self.assertEqual([], agent.good("sync", kind="full")["refused"])
            self.assertEqual(1, self.waiting(agent))
            agent.good("later")
        self.assertEqual(1, len(agent.good("sync", kind="full")["refused"]))
        self.assertEqual(0, self.waiting(agent))
        shown = [message["id"] for message in agent.good("dump")["folders"]["INBOX"]["messages"]]
        self.assertEqual(sorted(ids), sorted(shown))
        self.assertEqual(20, vendor.found("INBOX", "ALL"))


class LinesThatBreak(unittest.TestCase):
    """A server that closes the connection at one change, each time."""

    def test_it_holds_up_neither_new_mail_nor_other_changes(self):
        for without in ((), ("MULTIAPPEND",)):
            vendor = Vendor("plain", "close-in-append", without=without)
            self.addCleanup(vendor.close)
            agent = vendor.agent
            agent.good("sync", kind="full")
            for i in range(8):
                key = "n%d" % i
                text = make_message(key, 300).decode()
                agent.good("append", folder="Drafts", message=text + ("unbearable\r\n" if i == 2 else ""), subject=key,
                           message_id="<%s@example.org>" % key)
            ids = [message["id"] for message in agent.good("dump")["folders"]["INBOX"]["messages"]]
            agent.good("flag", folder="INBOX", ids=ids[:3], add=0, remove=0, add_keywords=["mine"])
            with Other(vendor.port, "home") as other:
                other.append("INBOX", make_message("late"))
            agent("sync", kind="full")
            # Once it is known, all else goes first.
            refused = agent.good("sync", kind="full")["refused"]
            self.assertEqual([], refused)
            self.assertEqual(3, vendor.found("INBOX", "KEYWORD", "mine"))
            self.assertEqual(21, len(agent.good("dump")["folders"]["INBOX"]["messages"]))
            # It is found among those that shared its command, and tried by itself in the end.
            for _ in range(8):
                agent.good("later")
                refused = agent.good("sync", kind="full")["refused"]
            self.assertEqual(1, agent.good("ops")["result"])
            self.assertEqual(7, vendor.found("Drafts", "ALL"))
            self.assertEqual(1, len(refused))
            self.assertIn("is lost each time", refused[0])
            # Not before its time.
            self.assertEqual([], agent.good("sync", kind="full")["refused"])
            # A server that has learned to bear it gets it.
            vendor.ask("quirk", off=["close-in-append"])
            agent.good("later")
            self.assertEqual([], agent.good("sync", kind="full")["refused"])
            self.assertEqual(0, agent.good("ops")["result"])
            self.assertEqual(8, vendor.found("Drafts", "ALL"))


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[1:]], verbosity=2)

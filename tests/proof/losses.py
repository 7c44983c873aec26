#!/usr/bin/env python3
"""Ways in which other programs lost or doubled mail, each tried on us against a real server.

    losses.py [unittest arguments]
"""

import json
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import types
import unittest

from cuts import Proxy
from world import ROOT, Agent, Died, Other, World, converge, make_message, places, program


class Greeter:
    """Says the same to everybody who connects, and hangs up."""

    def __init__(self, greeting):
        self.greeting = greeting
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()

    def serve(self):
        while True:
            try:
                peer, _ = self.listener.accept()
            except OSError:
                return
            with peer:
                peer.sendall(self.greeting)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join()


class Case(unittest.TestCase):
    TIER, WITHOUT = 1, ()
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.world = World(cls.TIER, cls.WITHOUT, ("--no-compress",))

    @classmethod
    def tearDownClass(cls):
        cls.world.close()

    def begin(self, count=6, **change):
        account = self.world.account([("m%03d" % i, make_message("m%03d" % i, **change), "S") for i in range(count)])
        self.addCleanup(account.close)
        agent = account.agent()
        agent.good("sync", kind="full")
        return account, agent

    def ids(self, agent, folder, *keys):
        there = agent.good("dump")["folders"][folder]["messages"]
        found = [m["id"] for m in there if m["subject"] in keys]
        self.assertEqual(len(found), len(keys))
        return found

    def server(self, account):
        with account.other() as other:
            return places(other.all())[0]

    def where(self, account, agent):
        return places(converge(account, agent))[0]


class Losses(Case):
    def test_a_second_sync_deletes_nothing(self):
        account, agent = self.begin(191)
        before = self.server(account)
        for _ in range(3):
            answer = agent.good("sync", kind="full")
            self.assertEqual((0, 0, 0), (answer["new"], answer["expunged"], answer["uploaded"]))
        self.assertEqual(before, self.server(account))
        self.assertEqual(before, self.where(account, agent))

    def test_an_empty_store_is_not_the_users_deletion_of_everything(self):
        account, agent = self.begin(30)
        agent.kill()
        for name in os.listdir(account.data):
            if name.startswith("mail.db"):
                os.remove(os.path.join(account.data, name))
        agent = account.agent()
        before = self.server(account)
        self.assertEqual(30, agent.good("sync", kind="full")["new"])
        self.assertEqual(before, self.server(account))
        self.assertEqual(before, self.where(account, agent))

    def test_a_folder_that_is_suddenly_empty_is_asked_about(self):
        account, agent = self.begin(30)
        with account.other() as other:
            for name in ("Work",):
                other.ok(other.imap.create(name))
            other.select("INBOX")
            other.uid("COPY", "1:*", "Work")
        agent.good("sync", kind="full")
        with account.other() as other:
            other.ok(other.imap.delete("Work"))
            other.ok(other.imap.create("Work"))
            other.append("Work", make_message("fresh"))
        agent.kill()  # the next one's connection never had the old folder open
        agent = account.agent()
        self.assertEqual(["Work"], agent.good("sync", kind="full")["withheld"])
        told = agent.good("dump")["folders"]["Work"]
        self.assertEqual(31, len(told["messages"]))  # new mail goes on
        agent.good("allow", folder="Work")
        self.assertEqual(1, self.where(account, agent)["fresh", "Work"])
        self.assertEqual(1, len(agent.good("dump")["folders"]["Work"]["messages"]))

    def test_an_old_state_brought_back_deletes_nothing(self):
        account, agent = self.begin(10)
        agent.kill()
        shutil.copytree(account.data, account.data + ".old")
        agent = account.agent()
        agent.good("move", folder="INBOX", ids=self.ids(agent, "INBOX", "m001", "m002"), target="Archive")
        agent.good("sync", kind="full")
        with account.other() as other:
            other.append("INBOX", make_message("later"))
            other.expunge("INBOX", "m003")
        agent.good("sync", kind="full")
        before = self.server(account)
        agent.kill()
        shutil.rmtree(account.data)
        os.rename(account.data + ".old", account.data)
        agent = account.agent()
        self.assertEqual(before, self.where(account, agent))
        self.assertEqual(before, self.server(account))

    def test_another_uidvalidity_never_takes_another_message(self):
        account, agent = self.begin(8)
        with account.other() as other:
            other.ok(other.imap.create("Work"))
            other.select("INBOX")
            other.uid("COPY", "1:*", "Work")
        agent.good("sync", kind="full")
        agent.good("delete", folder="Work", ids=self.ids(agent, "Work", "m002"))
        agent.good("flag", folder="Work", ids=self.ids(agent, "Work", "m004"), add=2)
        with account.other() as other:
            other.ok(other.imap.delete("Work"))
            other.ok(other.imap.create("Work"))
            for i in reversed(range(8)):
                other.append("Work", make_message("m%03d" % i))
        there = self.where(account, agent)
        self.assertEqual({"m002"}, {key for key, folder in there if folder == "Trash"})
        self.assertEqual({"m%03d" % i for i in range(8) if i != 2}, {key for key, f in there if f == "Work"})
        told = agent.good("dump")["folders"]["Work"]["messages"]
        self.assertEqual(["m004"], [m["subject"] for m in told if m["flags"] & 2])

    def test_a_move_ends_with_a_word_when_its_message_went_with_the_folder(self):
        account, agent = self.begin(4)
        with account.other() as other:
            other.ok(other.imap.create("Work"))
            other.select("INBOX")
            other.uid("COPY", "1:*", "Work")
        agent.good("sync", kind="full")
        agent.good("move", folder="Work", ids=self.ids(agent, "Work", "m001", "m002"), target="Archive")
        with account.other() as other:
            other.ok(other.imap.delete("Work"))
            other.ok(other.imap.create("Work"))
            for key in ("m000", "m002", "m003"):
                other.append("Work", make_message(key))
        refused = agent.good("sync", kind="full")["refused"]
        there = self.where(account, agent)
        self.assertEqual(["A message that you moved out of Work is not on the server any more."], refused)
        self.assertEqual({"m002"}, {key for key, folder in there if folder == "Archive"})
        self.assertEqual({"m000", "m003"}, {key for key, folder in there if folder == "Work"})
        self.assertEqual([], agent.good("sync", kind="full")["refused"])

    def test_a_body_that_was_cut_short_is_no_body(self):
        account = self.world.account([("whole", make_message("whole"), ""),
                                      ("large", make_message("large", 1_200_000), "")])
        self.addCleanup(account.close)
        proxy = Proxy(self.world.server.port)
        self.addCleanup(proxy.close)
        proxy("fault", harm="cut", byte=900_000, times=9)
        agent = account.agent(port=proxy.port)
        self.assertFalse(agent("sync", kind="full")["ok"])
        bodies = {m["subject"]: m.get("body") for m in agent.good("dump")["folders"]["INBOX"]["messages"]}
        self.assertIsNone(bodies["large"])
        proxy("fault", harm="none")
        converge(account, agent)

    def test_no_hole_is_left_where_a_sync_was_cut(self):
        account = self.world.account([("m%03d" % i, make_message("m%03d" % i, 60), "") for i in range(300)])
        self.addCleanup(account.close)
        proxy = Proxy(self.world.server.port)
        self.addCleanup(proxy.close)
        agent = account.agent("--no-bodies", port=proxy.port)
        for byte in range(2_000, 80_000, 6_000):
            proxy("harm", harm="cut")
            proxy("fault", harm="cut", byte=byte, times=1)
            agent("sync", kind="full")
        proxy("fault", harm="none")
        agent.good("sync", kind="full")
        uids = sorted(m["uid"] for m in agent.good("dump")["folders"]["INBOX"]["messages"])
        self.assertEqual(list(range(1, 301)), uids)

    def test_changes_outlive_whatever_stands_where_the_server_was(self):
        # What answers before the login says nothing of the changes that wait, whatever code it says it with.
        for i, greeting in enumerate((b"", b"* OK [CAPABIL", b"HTTP/1.1 302 Found\r\nLocation: /login\r\n\r\n",
                                      b"* BYE [CANNOT] closed on Sundays\r\n", b"* BYE [NONEXISTENT] who?\r\n",
                                      b"* OK hello\r\n* NO\r\nT1 OK what?\r\n")):
            with self.subTest(greeting), Greeter(greeting) as stranger:
                account, agent = self.begin(4)
                agent.good("flag", folder="INBOX", ids=self.ids(agent, "INBOX", "m000"), add=2, add_keywords=["todo"])
                agent.good("move", folder="INBOX", ids=self.ids(agent, "INBOX", "m001"), target="Archive")
                agent.good("copy", folder="INBOX", ids=self.ids(agent, "INBOX", "m002"), target="Archive")
                agent.good("delete", folder="INBOX", ids=self.ids(agent, "INBOX", "m003"))
                agent.good("append", folder="Drafts", message=make_message("draft").decode(), subject="draft",
                           message_id="<draft@example.org>")
                agent.kill()
                agent = account.agent("--timeout", 2000, port=stranger.port)
                for _ in range(3):
                    self.assertFalse(agent("sync", kind="full")["ok"])
                agent.kill()
                server = converge(account, account.agent())
                there = {(key, folder) for folder in server for key, *_ in server[folder].values()}
                self.assertEqual({("m000", "INBOX"), ("m001", "Archive"), ("m002", "INBOX"), ("m002", "Archive"),
                                  ("m003", "Trash"), ("draft", "Drafts")}, there)
                self.assertEqual([(3, "todo")], [m[1:3] for m in server["INBOX"].values() if m[0] == "m000"])

    def test_one_connection_is_enough(self):
        # Texts are read beside the folders' lists, from folders of their own: they take turns.
        account = self.world.account([("m%03d" % i, make_message("m%03d" % i, 3_000), "") for i in range(1_500)])
        self.addCleanup(account.close)
        with account.other() as other:
            for name in ("Play", "Work"):
                other.ok(other.imap.create(name))
                other.select("INBOX")
                other.uid("COPY", "1:400", name)
        agent = account.agent("--connections", 1)
        agent.good("sync", kind="full")
        server = converge(account, agent)
        self.assertEqual([1_500, 400, 400], [len(server[name]) for name in ("INBOX", "Play", "Work")])

    def test_a_message_without_a_message_id_is_moved(self):
        account, agent = self.begin(3, message_id=False)
        agent.good("move", folder="INBOX", ids=self.ids(agent, "INBOX", "m001"), target="Archive")
        self.assertEqual(1, self.where(account, agent)["m001", "Archive"])

    def test_a_folder_that_was_renamed_keeps_flags_rows_and_what_waits(self):
        account, agent = self.begin(5)
        with account.other() as other:
            other.ok(other.imap.create("Work"))
            other.select("INBOX")
            other.uid("COPY", "1:*", "Work")
        agent.good("sync", kind="full")
        before = self.ids(agent, "Work", "m001", "m002", "m003")
        agent.good("flag", folder="Work", ids=before[:1], add=2, add_keywords=["todo"])
        with account.other() as other:
            other.ok(other.imap.rename("Work", "Play"))
        server = converge(account, agent)
        self.assertEqual(before, self.ids(agent, "Play", "m001", "m002", "m003"))
        flags = {key: (bits, words) for key, bits, words, _ in server["Play"].values()}
        self.assertEqual((3, "todo"), flags["m001"])
        self.assertEqual((1, ""), flags["m002"])

    def test_a_change_of_what_has_just_come_is_done(self):
        # The connection may have had the folder open since before: a server answers OK and does nothing.
        account, agent = self.begin(6)
        for i in range(6):
            key = "m%03d" % i
            agent.good("move", folder="INBOX", ids=self.ids(agent, "INBOX", key), target="Archive")
            agent.good("flag", folder="Archive", ids=self.ids(agent, "Archive", key), add=2)
            agent.good("move", folder="Archive", ids=self.ids(agent, "Archive", key), target="Junk")
            agent.good("sync", kind="full" if i % 2 else "inbox")
        server = converge(account, agent)
        self.assertEqual({("m%03d" % i, 3) for i in range(6)}, {m[:2] for m in server["Junk"].values()})

    def test_an_empty_list_of_folders_or_messages_is_not_believed_blindly(self):
        account, agent = self.begin(40)
        with account.other() as other:
            other.select("INBOX")
            other.uid("STORE", "1:*", "+FLAGS", "(\\Deleted)")
            other.uid("EXPUNGE", "1:30")
        # This server says what it expunged, and then it is no guess.
        self.assertEqual(10, sum(self.where(account, agent).values()))

    def test_a_damaged_body_is_fetched_again(self):
        account, agent = self.begin(2)
        agent.kill()
        with sqlite3.connect(os.path.join(account.data, "mail.db")) as database:
            database.execute("UPDATE body SET packed = zeroblob(length(packed)) WHERE id = 1")
        agent = account.agent()
        damaged = [m["id"] for m in agent.good("dump")["folders"]["INBOX"]["messages"] if m["body"] == "damaged"]
        self.assertEqual(1, len(damaged))
        agent.good("body", id=damaged[0])
        converge(account, agent)


class Anew(Case):
    """A folder made anew while a connection of ours has the old one open."""

    def test_it_is_noticed_by_the_next_sync(self):
        account, agent = self.begin(3)
        with account.other() as other:
            other.ok(other.imap.create("Work"))
            other.select("INBOX")
            other.uid("COPY", "1:*", "Work")
        agent.good("sync", kind="full")
        with account.other() as other:
            other.append("Work", make_message("late"))
        agent.good("sync", kind="folder", folder="Work")  # which leaves it open
        with account.other() as other:
            other.ok(other.imap.delete("Work"))
            other.ok(other.imap.create("Work"))
            other.append("Work", make_message("fresh"))
        self.assertEqual(1, agent.good("sync", kind="full")["new"])
        told = agent.good("dump")["folders"]["Work"]["messages"]
        self.assertEqual(["fresh"], [m["subject"] for m in told])
        self.where(account, agent)


class AnewWithoutListStatus(Anew):
    WITHOUT = ("LIST-STATUS",)


class AnewWithoutQresync(Anew):
    TIER = 2


class Keywords(Case):
    def test_keywords_of_others_come_and_go(self):
        account, agent = self.begin(4)
        with account.other() as other:
            other.flag("INBOX", "m001", "+", "$Label1 todo")
        agent.good("sync", kind="full")
        with account.other() as other:
            other.flag("INBOX", "m001", "-", "todo")
            other.flag("INBOX", "m002", "+", "later")
        agent.good("flag", folder="INBOX", ids=self.ids(agent, "INBOX", "m001", "m002"), add_keywords=["mine"])
        server = converge(account, agent)
        words = {key: words for key, _, words, _ in server["INBOX"].values()}
        self.assertEqual("$Label1 mine", words["m001"])
        self.assertEqual("later mine", words["m002"])


class KeywordsWithoutQresync(Keywords):
    TIER = 2


class KeywordsWithoutCondstore(Keywords):
    TIER = 3


class Poor(Case):
    """A server without MOVE and UIDPLUS: it names nothing that is made, and can expunge only all at once."""

    TIER, WITHOUT = 3, ("MOVE", "UIDPLUS", "MULTIAPPEND")

    def test_an_append_that_is_not_named_is_there_once(self):
        account, agent = self.begin(2)
        agent.good("append", folder="Drafts", message=make_message("draft").decode(), subject="draft",
                   message_id="<draft@example.org>")
        agent.good("append", folder="Drafts", message=make_message("bare", message_id=False).decode(), subject="bare")
        for _ in range(3):
            agent.good("sync", kind="full")
        there = self.where(account, agent)
        self.assertEqual((1, 1), (there["draft", "Drafts"], there["bare", "Drafts"]))

    def test_flags_given_between_the_halves_of_a_move_come_along(self):
        for at in range(200):
            account, agent = self.begin(1)
            agent.good("move", folder="INBOX", ids=self.ids(agent, "INBOX", "m000"), target="Archive")
            agent.good("arm", harm="kill", at=at)
            try:
                agent("sync", kind="full")
                self.fail("there was no moment between copy and expunge")
            except Died:
                agent.kill()
            there = self.server(account)
            if there["m000", "INBOX"] and there["m000", "Archive"]:
                break
            account.close()
        with account.other() as other:
            other.flag("INBOX", "m000", "+", "\\Answered $Label1")
        server = converge(account, account.agent())
        self.assertEqual([], list(server["INBOX"]))
        self.assertEqual([("m000", 5, "$Label1")], [m[:3] for m in server["Archive"].values()])

    def test_a_move_that_the_server_refuses_marks_nothing_as_deleted(self):
        account, agent = self.begin(3)
        with account.other() as other:
            other.ok(other.imap.create("Work"))
        agent.good("sync", kind="full")
        agent.good("move", folder="INBOX", ids=self.ids(agent, "INBOX", "m001"), target="Work")
        with account.other() as other:
            other.ok(other.imap.delete("Work"))
        self.assertEqual(1, len(agent.good("sync", kind="full")["refused"]))
        server = converge(account, agent)
        self.assertEqual([], [key for key, bits, _, _ in server["INBOX"].values() if bits & 32])
        self.assertEqual(3, len(server["INBOX"]))

    def test_what_others_marked_is_not_expunged_with_ours(self):
        account, agent = self.begin(4)
        with account.other() as other:
            other.flag("INBOX", "m000", "+", "\\Deleted")
        agent.good("sync", kind="full")
        agent.good("expunge", folder="INBOX", ids=self.ids(agent, "INBOX", "m001"))
        agent.good("move", folder="INBOX", ids=self.ids(agent, "INBOX", "m002"), target="Archive")
        for _ in range(3):
            agent.good("later")
            agent.good("sync", kind="full")
        there = self.server(account)
        self.assertEqual((1, 1), (there["m000", "INBOX"], there["m002", "Archive"]))
        with account.other() as other:
            other.flag("INBOX", "m000", "-", "\\Deleted")
        there = self.where(account, agent)
        self.assertEqual({("m000", "INBOX"): 1, ("m003", "INBOX"): 1, ("m002", "Archive"): 1}, dict(there))


class Imports(Case):
    """Many messages of the user's own at once; a tagged answer that never comes must double none of them."""

    def through_a_proxy(self):
        account, agent = self.begin(2)
        agent.kill()
        proxy = Proxy(self.world.server.port)
        self.addCleanup(proxy.close)
        account.port = proxy.port
        agent = account.agent("--timeout", 2000)
        agent.good("sync", kind="full")
        return account, agent, proxy

    def bring(self, agent, count):
        """Some without a Message-ID, two of them alike in all but the key."""
        for i in range(count):
            key, named = "i%03d" % i, i % 4 != 0
            agent.good("append", folder="Archive", message=make_message(key, message_id=named).decode(), subject=key,
                       message_id="<%s@example.org>" % key if named else "")
        for _ in range(2):
            agent.good("append", folder="Archive", message=make_message("twin", message_id=False).decode(),
                       subject="twin")

    def brought(self, account, agent, count):
        there = self.where(account, agent)
        wanted = {("i%03d" % i, "Archive"): 1 for i in range(count)}
        wanted["twin", "Archive"] = 2
        self.assertEqual(wanted, {place: n for place, n in there.items() if place[1] == "Archive"})

    def test_they_take_few_round_trips(self):
        account, agent, proxy = self.through_a_proxy()
        self.bring(agent, 118)

        def trips():
            return sum(connection["round_trips"] for connection in proxy("report")["connections"])
        before = trips()
        self.assertEqual([], agent.good("sync", kind="full")["refused"])
        self.assertLess(trips() - before, 40)
        self.brought(account, agent, 118)

    def test_a_line_that_breaks_in_the_middle_doubles_and_loses_none(self):
        broken = 0
        for direction, places_ in (("up", (900, 4000, 11000)), ("down", range(600, 1900, 180))):
            for byte in places_:
                with self.subTest(direction=direction, byte=byte):
                    account, agent, proxy = self.through_a_proxy()
                    self.bring(agent, 28)
                    proxy("fault", harm="cut", direction=direction, byte=byte, times=2)
                    proxy("harm", harm="cut")  # the open ones, so that new ones suffer
                    for _ in range(3):
                        broken += not agent("sync", kind="full")["ok"]
                    proxy("fault", harm="none")
                    self.brought(account, agent, 28)
                    account.close()
        self.assertGreater(broken, 5)


class ImportsOneByOne(Imports):
    WITHOUT = ("MULTIAPPEND",)


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


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[1:]], verbosity=2)

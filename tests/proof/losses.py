#!/usr/bin/env python3
"""Ways in which other programs lost or doubled mail, each tried on us against a real server.

    losses.py [unittest arguments]
"""

import os
import shutil
import socket
import sqlite3
import sys
import threading
import unittest

from case import Case
from cuts import Proxy
from world import Died, converge, make_message


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

    def test_a_folder_that_was_renamed_and_made_anew_keeps_them_too(self):
        account, agent = self.begin(1)
        with account.other() as other:
            other.ok(other.imap.create("Work"))
            for number in range(30):
                other.append("Work", make_message("w%03d" % number))
        agent.good("sync", kind="full")
        agent.good("flag", folder="Work", ids=self.ids(agent, "Work", "w003"), add=2, add_keywords=["kept"])
        agent.good("move", folder="Work", ids=self.ids(agent, "Work", "w004"), target="Archive")
        with account.other() as other:
            other.ok(other.imap.rename("Work", "Work-2025"))
            other.ok(other.imap.create("Work"))
        self.assertEqual([], agent.good("sync", kind="full")["withheld"])
        server = converge(account, agent)
        self.assertEqual((0, 29, 1), tuple(len(server[name]) for name in ("Work", "Work-2025", "Archive")))
        self.assertEqual([("w003", 2, "kept")], [m[:3] for m in server["Work-2025"].values() if m[0] == "w003"])

    def test_what_a_refused_move_was_followed_by_is_done(self):
        account, agent = self.begin(2)
        with account.other() as other:
            other.ok(other.imap.create("Work"))
        agent.good("sync", kind="full")
        agent.good("move", folder="INBOX", ids=self.ids(agent, "INBOX", "m001"), target="Work")
        agent.good("flag", folder="Work", ids=self.ids(agent, "Work", "m001"), add=2, add_keywords=["kept"])
        with account.other() as other:
            other.ok(other.imap.delete("Work"))
        agent.good("sync", kind="full")
        server = converge(account, agent)
        self.assertEqual([("m001", 3, "kept")], [m[:3] for m in server["INBOX"].values() if m[0] == "m001"])

    def test_a_text_that_was_refused_goes_where_it_is_moved(self):
        account, agent = self.begin(1)
        with account.other() as other:
            other.ok(other.imap.create("Work"))
        agent.good("sync", kind="full")
        for key in ("before", "after"):
            agent.good("append", folder="Work", message=make_message(key).decode(), subject=key,
                       message_id="<%s@example.org>" % key)
        agent.good("move", folder="Work", ids=self.ids(agent, "Work", "before"), target="Archive")
        with account.other() as other:
            other.ok(other.imap.delete("Work"))
        agent.good("sync", kind="full")
        with account.other() as other:
            other.ok(other.imap.create("Work"))
        agent.good("sync", kind="full")
        agent.good("move", folder="Work", ids=self.ids(agent, "Work", "after"), target="Archive")
        there = self.where(account, agent)
        self.assertEqual((1, 1), (there["before", "Archive"], there["after", "Archive"]))

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


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[1:]], verbosity=2)

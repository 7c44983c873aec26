#!/usr/bin/env python3
"""Many messages of the user's own on their way to a real server, whole or broken off.

    imports.py [unittest arguments]
"""

import sys
import unittest

from case import Case
from cuts import Proxy
from world import make_message


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
        # One by one they would be 120, each with a wait of its own; how many go together depends on the machine.
        self.assertLess(trips() - before, 80)
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


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[1:]], verbosity=2)

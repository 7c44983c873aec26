"""What the tests of losses.py and imports.py share: an account whose first sync is done, and where its mail is."""

import unittest

from world import World, converge, make_message, places


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

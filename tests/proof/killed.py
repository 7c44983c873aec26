#!/usr/bin/env python3
"""A sync is killed at every place where it touches the world, resumed, and has lost nothing.

    killed.py [--tier 1]... [--harm kill|torn|power] [--share 1/20] [--seed N] [--from N] [--to N] [--without MOVE]...
              [--minutes 5] [--keep]

One history of a user: a first sync, changes of every kind, their way to the server. At point N (fault_points.hpp: every
write, sync, rename and removal of a file, everything sent to the server or heard from it) the process dies. Then
another client adds, flags and expunges; a new process goes on where the first was. At the end server and store say the
same, and both are what the history says: no message missing or doubled, no flag lost. An action that was not answered
may have happened or not, but nothing between.
"""

import argparse
import collections
import random
import sys
import time

from world import FOLDERS, Died, Lost, World, converge, make_message, places

LARGE = (1 << 20) + 5000


def letters():
    made = []
    for i in range(14):
        key = "m%d" % i
        made.append((key, make_message(key, 200 + 40 * i, message_id=i not in (5, 6)), "S" if i % 3 else ""))
    made.append(("large", make_message("large", LARGE), ""))
    return made


class Model:
    """Where every key is and what it is flagged with, as the history says."""

    def __init__(self):
        self.places = {}

    def copy(self):
        twin = Model()
        twin.places = {place: set(flags) for place, flags in self.places.items()}
        return twin

    def add(self, key, folder, *flags):
        self.places[key, folder] = set(flags)

    def flag(self, key, folder, *flags):
        self.places[key, folder] |= set(flags)

    def move(self, key, folder, to):
        self.places[key, to] = self.places.pop((key, folder))

    def twin(self, key, folder, to):
        self.places[key, to] = set(self.places[key, folder])

    def remove(self, key, folder):
        del self.places[key, folder]

    def compare(self, server):
        counts, flags = places(server)
        wrong = []
        for place in sorted(set(counts) | set(self.places)):
            if counts[place] != (place in self.places):
                wrong.append("%s in %s: %d times, not %d" % (*place, counts[place], place in self.places))
            elif self.places[place] - words(flags[place]):
                wrong.append("%s in %s lacks %s" % (*place, self.places[place] - words(flags[place])))
        return wrong


def words(flags):
    bits, keywords = flags
    names = {1: "seen", 2: "flagged", 4: "answered"}
    return {name for bit, name in names.items() if bits & bit} | set(keywords.split())


# What the user does: (action, key, folder, more). None: a sync.
HISTORY = (
    None,
    ("flag", "m0", "INBOX", {"add": 2, "add_keywords": ["todo"]}),
    ("flag", "m1", "INBOX", {"add": 4}),
    ("move", "m2", "INBOX", "Archive"),
    ("move", "m5", "INBOX", "Archive"),  # without a Message-ID
    ("copy", "m3", "INBOX", "Archive"),
    ("copy", "m6", "INBOX", "Archive"),
    ("append", "a0", "Drafts", None),
    # Several in one command, where the server takes that; one without a Message-ID.
    ("append", "b0", "Archive", None),
    ("append", "b1", "Archive", "bare"),
    ("append", "b2", "Archive", None),
    ("delete", "m4", "INBOX", None),
    ("expunge", "m7", "INBOX", None),
    None,
    # Several changes of one message before the server hears of any.
    ("move", "m8", "INBOX", "Archive"),
    ("flag", "m8", "Archive", {"add": 2}),
    ("move", "m8", "Archive", "Junk"),
    ("copy", "m9", "INBOX", "Archive"),
    ("move", "m9", "Archive", "Drafts"),
    ("move", "m2", "Archive", "INBOX"),
    ("append", "a1", "Drafts", None),
    None,
)


class Run:
    def __init__(self, world, letters_there):
        self.account = world.account(letters_there)
        self.model = Model()
        self.maybe = None  # the model, had the unanswered action happened
        for key, _, flags in letters_there:
            self.model.add(key, "INBOX", *(["seen"] if flags else []))

    def act(self, agent, step):
        if step is None:
            answer = agent("sync", kind="full")
            if not answer["ok"]:
                raise Lost("a sync failed: %s" % answer["error"])
            if answer["refused"]:
                raise Lost("the server refused: %s" % answer["refused"])
            return
        do, key, folder, more = step
        after = self.model.copy()
        if do == "append":
            after.add(key, folder)
            request = {"folder": folder, "message": make_message(key, message_id=not more).decode(), "subject": key,
                       "message_id": "" if more else "<%s@example.org>" % key}
        else:
            dump = agent.good("dump")["folders"][folder]["messages"]
            ids = [m["id"] for m in dump if m["subject"] == key and not m["hidden"]]
            if len(ids) != 1:
                raise Lost("%s is in %s %d times, so it cannot be changed" % (key, folder, len(ids)))
            request = {"folder": folder, "ids": ids}
        if do == "flag":
            request.update(more)
            named = [name for bit, name in ((2, "flagged"), (4, "answered")) if more.get("add", 0) & bit]
            after.flag(key, folder, *named, *more.get("add_keywords", ()))
        elif do == "move":
            request["target"] = more
            after.move(key, folder, more)
        elif do == "copy":
            request["target"] = more
            after.twin(key, folder, more)
        elif do == "delete":
            after.move(key, folder, "Trash")
        elif do == "expunge":
            after.remove(key, folder)
        self.maybe = after
        agent.good(do, **request)
        self.model, self.maybe = after, None

    def disturb(self, other):
        """The other client, between the death and the resumption."""
        other.append("INBOX", make_message("n0"))
        other.append("Archive", make_message("n1"), "\\Seen")
        other.flag("INBOX", "m10", "+", "\\Answered $Label1")
        other.flag("INBOX", "m11", "-", "\\Seen")
        other.expunge("INBOX", "m12")
        for model in (self.model, self.maybe):
            if model:
                model.add("n0", "INBOX")
                model.add("n1", "Archive", "seen")
                model.flag("m10", "INBOX", "answered", "$Label1")
                model.places["m11", "INBOX"].discard("seen")
                model.remove("m12", "INBOX")

    def through(self, harm, at):
        """The whole history with one death in it; how many points it would have had, and where it died."""
        agent = self.account.agent("--harm", harm, "--at", at)
        done, where = 0, None
        try:
            agent.open()
            for done, step in enumerate(HISTORY):
                self.act(agent, step)
            points = agent.good("points")["points"]
            self.agree(agent, "nowhere")
            return points, None
        except Died as death:
            where = "%s, in step %d" % (death, done)
        agent.kill()
        with self.account.other() as other:
            self.disturb(other)
        agent = self.account.agent()
        opened = agent.open()
        if not opened["ok"]:
            raise Lost("the store does not open again: " + opened["error"])
        if opened["noticed"]:
            raise Lost("the store was damaged: " + opened["noticed"])
        # The interrupted sync is begun again. Whether an action that was not answered happened is seen in the store, and
        # holds from here on; the user repeats one that did not.
        unanswered, self.maybe = self.maybe, None
        rest = HISTORY[done:]
        if unanswered and self.which(agent, unanswered) is unanswered:
            self.model, rest = unanswered, rest[1:]
        for step in rest:
            self.act(agent, step)
        self.agree(agent, where)
        return None, where

    def agree(self, agent, where):
        wrong = self.model.compare(converge(self.account, agent))
        if wrong:
            raise Lost("%s; died at %s" % ("; ".join(wrong), where))

    def which(self, agent, happened):
        shown = collections.Counter()
        flags = {}
        for folder, told in agent.good("dump")["folders"].items():
            for m in told["messages"]:
                if not m["hidden"]:
                    shown[m["subject"], folder] += 1
                    flags[m["subject"], folder] = words((m["flags"], m["keywords"]))
        for model in (self.model, happened):
            mine = {place: want for place, want in model.places.items() if place[0][0] in "abm"}
            ours = {place: count for place, count in shown.items() if place[0][0] in "abm"}
            differs = set(mine) ^ set(ours)
            # The other client's expunge is not here yet.
            differs.discard(("m12", "INBOX"))
            changed = [p for p in set(self.model.places) & set(happened.places)
                       if self.model.places[p] != happened.places[p]]
            if not differs and all(model.places[p] <= flags[p] or model is self.model for p in changed):
                if model is self.model and changed and all(happened.places[p] <= flags[p] for p in changed):
                    continue
                return model
        raise Lost("an action that was cut off is neither done nor not done: %s" % (shown,))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tier", type=int, action="append")
    parser.add_argument("--harm", default="kill", choices=("kill", "torn", "power"))
    parser.add_argument("--share", default="1/1")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--from", dest="first", type=int, default=0)
    parser.add_argument("--to", dest="last", type=int)
    parser.add_argument("--without", action="append", default=[])
    parser.add_argument("--minutes", type=float, default=600)
    parser.add_argument("--keep", action="store_true")
    options = parser.parse_args()
    part, whole = map(int, options.share.split("/"))
    deadline = time.monotonic() + options.minutes * 60
    failures = runs = 0
    there = letters()
    for tier in options.tier or (1, 2, 3, 4):
        with World(tier, options.without) as world:
            run = Run(world, there)
            points, _ = run.through("kill", -1)
            run.account.close()
            rng = random.Random("%d %d" % (options.seed, tier))
            chosen = [p for p in range(options.first, options.last or points) if rng.randrange(whole) < part]
            rng.shuffle(chosen)  # so that what the time allows for is a share of the whole history too
            print("tier %d: %d points, %d of them tried, seed %d" % (tier, points, len(chosen), options.seed), flush=True)
            for tried, point in enumerate(chosen):
                if time.monotonic() > deadline:
                    print("time is up after %d of them" % tried)
                    break
                run = Run(world, there)
                failed = True
                try:
                    run.through(options.harm, point)
                    failed = False
                except (Lost, Died) as lost:
                    failures += 1
                    print("LOST in tier %d at point %d (--harm %s --from %d --to %d): %s" % (
                        tier, point, options.harm, point, point + 1, lost), flush=True)
                runs += 1
                run.account.close(keep=failed and options.keep)
    print("%d deaths by %s, %d with a loss" % (runs, options.harm, failures))
    sys.exit(1 if failures or not runs else 0)


if __name__ == "__main__":
    main()

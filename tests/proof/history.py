#!/usr/bin/env python3
"""Random histories of one mailbox with two sides: they always end with server and store saying the same, nothing lost.

    history.py [--tier 1]... [--seed N] [--runs 3] [--steps 60] [--without MOVE]... [--minutes 5] [--verbose] [--keep]

Two of our processes share one store; one of them leads. They flag, move, copy, delete, append and undo, they sync, are
killed at random places and started again; between, another client adds, flags, expunges, moves and copies mail, makes,
renames and deletes folders, and makes folders anew with another UIDVALIDITY. A run is one seed; --seed N --runs 1 is
that run again, as far as two processes and a server repeat themselves.

What must hold at the end: both sides are the same; a message that nobody deleted is there; one that nobody copied is
there once; a flag that one side alone changed is as that side left it.
"""

import argparse
import collections
import imaplib
import os
import random
import sys
import time

from world import Agent, Died, Lost, World, converge, make_message

OWN = ("Work", "Projects")  # folders that come and go
KEYWORDS = ("todo", "later", "$Label1")


class History:
    def __init__(self, world, seed, steps, tier, verbose):
        self.rng = random.Random("history %d" % seed)
        self.steps, self.verbose = steps, verbose
        self.made = 0
        there = [self.letter() for _ in range(self.rng.randrange(5, 30))]
        self.account = world.account([(key, data, "S" if self.rng.random() < 0.5 else "") for key, data in there])
        self.keys = {key for key, _ in there}
        self.deleted, self.copied = set(), set()
        self.touched = collections.defaultdict(dict)  # (key, flag) -> {side: is it set}
        self.agents = [None, None]
        self.log = []

    def letter(self):
        self.made += 1
        key = "k%04d" % self.made
        size = 2_200_000 if self.rng.random() < 0.02 else self.rng.randrange(50, 4000)
        return key, make_message(key, size, message_id=self.rng.random() < 0.85)

    def note(self, text):
        self.log.append(text)
        if self.verbose:
            print("   ", text, flush=True)

    # -- our side

    def agent(self):
        at = self.rng.randrange(2)
        if self.agents[at] is None:
            self.agents[at] = self.account.agent("--timeout", 5000)
            opened = self.agents[at].open()
            if not opened["ok"] or opened["noticed"]:
                raise Lost("the store does not open cleanly: %s" % opened)
        return at, self.agents[at]

    def ours(self):
        at, agent = self.agent()
        try:
            self.our_step(at, agent)
        except Died as death:
            self.note("%d died: %s" % (at, death))
            self.agents[at].kill()
            self.agents[at] = None

    def our_step(self, at, agent):
        do = self.rng.choices(("sync", "flag", "move", "copy", "delete", "append", "undo", "arm", "kill"),
                              (30, 18, 16, 6, 8, 5, 3, 8, 3))[0]
        if do == "kill":
            agent.kill()
            self.agents[at] = None
            return self.note("%d killed" % at)
        if do == "arm":
            harm = self.rng.choice(("kill", "torn", "power", "cut"))
            agent.good("arm", harm=harm, at=self.rng.randrange(150))
            return self.note("%d will suffer %s" % (at, harm))
        if do == "sync":
            kind = self.rng.choice(("full", "full", "inbox"))
            answer = agent("sync", kind=kind)
            agent.good("mend")
            return self.note("%d syncs %s: %s" % (at, kind, answer.get("error") or {
                k: answer[k] for k in ("new", "updated", "expunged", "uploaded", "refused", "withheld")}))
        if do == "undo":
            return self.undo(at, agent)
        if do == "append":
            key, data = self.letter()
            folder = self.rng.choice(("Drafts", "Sent"))
            named = b"Message-ID" in data
            self.note("%d appends %s to %s" % (at, key, folder))
            self.keys.add(key)
            self.deleted.add(key)  # until it is said to be there
            if agent("append", folder=folder, message=data.decode(), subject=key,
                     message_id="<%s@example.org>" % key if named else "")["ok"]:
                self.deleted.discard(key)
            return None
        folders = agent.good("dump")["folders"]
        shown = {folder: [m for m in told["messages"] if not m["hidden"]] for folder, told in folders.items()}
        full = [folder for folder in sorted(shown) if shown[folder]]
        if not full:
            return None
        folder = self.rng.choice(full)
        some = self.rng.sample(shown[folder], min(len(shown[folder]), self.rng.choice((1, 1, 1, 2, 5))))
        ids, keys = [m["id"] for m in some], [m["subject"] for m in some]
        request = {"folder": folder, "ids": ids}
        changes = []
        if do == "flag":
            bits = self.rng.choice((1, 2, 4))
            word = self.rng.choice(KEYWORDS)
            on = self.rng.random() < 0.6
            if self.rng.random() < 0.5:
                request["add" if on else "remove"] = bits
                changes = [(bits, on)]
            else:
                request["add_keywords" if on else "remove_keywords"] = [word]
                changes = [(word, on)]
        elif do in ("move", "copy"):
            request["target"] = self.rng.choice(sorted(shown))
        for key in keys:
            for flag, on in changes:
                self.touched[key, flag]["ours"] = "either"  # not answered, it may have happened or not
            if do == "copy":
                self.copied.add(key)
            if do == "delete" and folder == "Trash":
                self.deleted.add(key)
        self.note("%d: %s %s in %s %s" % (at, do, keys, folder, {k: v for k, v in request.items() if k not in (
            "ids", "folder")}))
        agent(do, **request)
        for key in keys:
            for flag, on in changes:
                self.touched[key, flag]["ours"] = on
        return None

    def undo(self, at, agent):
        """Which action it takes back is the store's to know: those keys are free of claims afterwards."""
        before = agent.good("dump")
        answer = agent("undo")
        after = agent.good("dump")
        flags = lambda dump: {m["id"]: (folder, m["flags"], m["keywords"], m["subject"]) for folder, told in  # noqa: E731
                              dump["folders"].items() for m in told["messages"]}
        was, now = flags(before), flags(after)
        changed = {(was.get(i) or now.get(i))[3] for i in set(was) | set(now) if was.get(i) != now.get(i)}
        for key, flag in list(self.touched):
            if key in changed:
                self.touched[key, flag]["ours"] = "either"
        # An append or a copy that is taken back is deleted.
        gone = {was[i][3] for i in was if i not in now or any(
            m["id"] == i and m["hidden"] for told in after["folders"].values() for m in told["messages"])}
        self.deleted |= gone
        self.note("%d takes back: %s" % (at, answer.get("error") or sorted(changed)))

    # -- the other side

    def theirs(self):
        with self.account.other() as other:
            try:
                self.their_step(other)
            except imaplib.IMAP4.error as error:
                self.note("the other client: %s" % error)

    def their_step(self, other):
        do = self.rng.choices(("append", "flag", "move", "copy", "expunge", "create", "rename", "delete", "anew"),
                              (25, 20, 8, 4, 8, 4, 3, 2, 3))[0]
        folders = other.folders()
        own = [folder for folder in folders if folder.split("-")[0] in OWN]
        if do == "append":
            for _ in range(self.rng.choice((1, 1, 3))):
                key, data = self.letter()
                folder = self.rng.choice(["INBOX"] * 3 + folders)
                self.note("other appends %s to %s" % (key, folder))
                other.append(folder, data, self.rng.choice(("", "\\Seen", "\\Flagged todo")))
                self.keys.add(key)
            return
        if do == "create":
            name = "%s-%d" % (self.rng.choice(OWN), self.rng.randrange(1000))
            self.note("other makes the folder %s" % name)
            other.ok(other.imap.create(name))
            return
        if do in ("rename", "delete", "anew") and not own:
            return
        if do == "rename":
            old, new = self.rng.choice(own), "%s-%d" % (self.rng.choice(OWN), self.rng.randrange(1000))
            self.note("other renames %s to %s" % (old, new))
            other.ok(other.imap.rename(old, new))
            return
        if do in ("delete", "anew"):
            folder = self.rng.choice(own)
            there = list(other.all()[folder].values())
            if do == "delete":
                self.note("other deletes %s with %s" % (folder, [m[0] for m in there]))
                self.deleted |= {m[0] for m in there}
                other.ok(other.imap.delete(folder))
                return
            # The same mail under other UIDs and another UIDVALIDITY.
            self.note("other makes %s anew with %s" % (folder, [m[0] for m in there]))
            other.ok(other.imap.select(folder))
            data = []
            for uid in other.uid("SEARCH", "ALL")[0].split():
                part = next(p for p in other.uid("FETCH", uid.decode(), "(FLAGS BODY.PEEK[])") if isinstance(p, tuple))
                data.append((imaplib.ParseFlags(part[0]), part[1]))
            other.ok(other.imap.close())
            other.ok(other.imap.delete(folder))
            other.ok(other.imap.create(folder))
            self.rng.shuffle(data)
            for flags, message in data:
                other.append(folder, message, " ".join(f.decode() for f in flags if f != b"\\Recent"))
            return
        everything = {folder: list(found.values()) for folder, found in other.all().items()}
        full = [folder for folder in sorted(everything) if everything[folder]]
        if not full:
            return
        folder = self.rng.choice(full)
        key = self.rng.choice(everything[folder])[0]
        if do == "flag":
            flag = self.rng.choice((1, 2, 4, *KEYWORDS))
            on = self.rng.random() < 0.6
            word = {1: "\\Seen", 2: "\\Flagged", 4: "\\Answered"}.get(flag, flag)
            self.note("other: %s%s on %s in %s" % ("+" if on else "-", word, key, folder))
            other.flag(folder, key, "+" if on else "-", word)
            self.touched[key, flag]["other"] = on
        elif do == "expunge":
            self.note("other expunges %s from %s" % (key, folder))
            self.deleted.add(key)
            other.expunge(folder, key)
        else:
            target = self.rng.choice(folders)
            self.note("other: %s %s from %s to %s" % (do, key, folder, target))
            if do == "copy":
                self.copied.add(key)
            # Dovecot may have no MOVE to offer in this tier; copy and expunge are what a client does then.
            for uid in other.find(folder, key):
                other.uid("COPY", str(uid), '"%s"' % target)
                if do == "move":
                    other.uid("STORE", str(uid), "+FLAGS", "(\\Deleted)")
                    other.uid("EXPUNGE", str(uid))
            self.moved_by_other.add(key)

    moved_by_other: set = set()

    def run(self):
        self.moved_by_other = set()
        for _ in range(self.steps):
            if self.rng.random() < 0.6:
                self.ours()
            else:
                self.theirs()
        for agent in self.agents:
            if agent:
                agent.kill()
        agent = self.account.agent()
        opened = agent.open()
        if not opened["ok"] or opened["noticed"]:
            raise Lost("the store does not open cleanly: %s" % opened)
        # What the guard withheld the user allows.
        agent("sync", kind="full")
        for folder, told in agent.good("dump")["folders"].items():
            if told["withheld"]:
                agent.good("allow", folder=folder)
        self.judge(converge(self.account, agent))

    def judge(self, server):
        counts, flags = collections.Counter(), collections.defaultdict(list)
        for messages in server.values():
            for key, bits, keywords, _ in messages.values():
                counts[key] += 1
                flags[key].append((bits, keywords.split()))
        wrong = []
        for key in sorted(self.keys):
            if key not in self.deleted and counts[key] == 0:
                wrong.append("%s is missing" % key)
            # Moved by both sides at once without MOVE it may be in both places; never more.
            most = 2 if key in self.moved_by_other else 1
            if key not in self.copied and counts[key] > most:
                wrong.append("%s is there %d times" % (key, counts[key]))
        for (key, flag), sides in self.touched.items():
            if len(sides) != 1 or key in self.copied or key in self.moved_by_other or len(flags[key]) != 1:
                continue
            want = next(iter(sides.values()))
            bits, keywords = flags[key][0]
            have = bool(bits & flag) if isinstance(flag, int) else flag in keywords
            if want != "either" and want != have:
                wrong.append("%s: %s is %s, %s made it %s" % (key, flag, have, next(iter(sides)), want))
        if wrong:
            raise Lost("; ".join(wrong))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tier", type=int, action="append")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--without", action="append", default=[])
    parser.add_argument("--minutes", type=float, default=600)
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("--keep", action="store_true")
    options = parser.parse_args()
    deadline = time.monotonic() + options.minutes * 60
    runs = failures = 0
    for tier in options.tier or (1, 2, 3, 4):
        with World(tier, options.without) as world:
            for seed in range(options.seed, options.seed + options.runs):
                if time.monotonic() > deadline:
                    break
                history = History(world, seed, options.steps, tier, options.verbose)
                failed = True
                try:
                    history.run()
                    failed = False
                except (Lost, Died) as lost:
                    failures += 1
                    print("LOST in tier %d with --seed %d --steps %d:\n  %s\n%s" % (
                        tier, seed, options.steps, "\n  ".join(history.log), lost), flush=True)
                runs += 1
                history.account.close(keep=failed and options.keep)
    print("%d histories from seed %d, %d with a loss" % (runs, options.seed, failures))
    sys.exit(1 if failures or not runs else 0)


if __name__ == "__main__":
    main()

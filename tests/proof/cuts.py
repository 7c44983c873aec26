#!/usr/bin/env python3
"""The line to the server breaks at any byte, in either direction, or its answers come too late: nothing is lost.

    cuts.py [--tier 1]... [--runs 10] [--seed N] [--late]

Each run is one history (killed.py) through a proxy that cuts, resets, stalls or swallows the next connections after a
random number of bytes; every sync that fails is tried again, as the timer would. Both sides agree at the end and are
what the history says. --late: instead, every answer comes after the client's patience has ended, for a while.
"""

import argparse
import itertools
import json
import os
import random
import subprocess
import sys
import time

from killed import HISTORY, Run, letters
from world import TOOLS, Died, Lost, World, program

MOST_TRIES = 12
PATIENCE = 300  # after the last harm, for a machine that has much else to do


class Proxy:
    def __init__(self, port):
        self.process = subprocess.Popen([os.path.join(TOOLS, "proxy"), "--to", str(port)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True, preexec_fn=program.die_with_parent)
        self.port = json.loads(self.process.stdout.readline())["port"]

    def __call__(self, do, **request):
        self.process.stdin.write(json.dumps({"do": do, **request}) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        if not answer["ok"]:
            raise RuntimeError(answer["error"])
        return answer

    def close(self):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


def history(run, agent, disturb, mend):
    """All steps; a sync that fails is tried again, first with the line as it is."""
    failures = 0
    for step in HISTORY:
        for attempt in itertools.count():
            if attempt <= MOST_TRIES:
                disturb(attempt)
                deadline = time.monotonic() + PATIENCE
            try:
                run.act(agent, step)
                break
            except Lost as problem:
                done = attempt >= MOST_TRIES and time.monotonic() > deadline
                if step is not None or done or "a sync failed" not in str(problem):
                    raise
                failures += 1
    mend()
    return failures


def cut(world, seed):
    rng = random.Random(seed)
    run = Run(world, letters())
    proxy = Proxy(world.server.port)
    run.account.port = proxy.port
    agent = run.account.agent("--timeout", 700)
    told = []

    def disturb(attempt):
        # Some syncs are spared, and the last tries are, so that there is an end.
        if attempt > 6 or rng.random() < 0.2:
            return proxy("fault", harm="none")
        harm = rng.choice(("cut", "cut", "reset", "stall", "swallow"))
        byte = int(2 ** rng.uniform(0, 21))
        direction = rng.choice(("down", "down", "up"))
        times = rng.choice((1, 1, 2, 3))
        told.append("%s %s at %d, %d times" % (harm, direction, byte, times))
        if rng.random() < 0.5:
            proxy("harm", harm="cut")  # those that are open, so that new ones suffer
        return proxy("fault", harm=harm, direction=direction, byte=byte, times=times)

    try:
        failures = history(run, agent, disturb, lambda: (proxy("fault", harm="none"), proxy("harm", harm="resume")))
        agent.kill()
        run.account.port = world.server.port
        run.agree(run.account.agent(), "no point")
    except (Lost, Died) as lost:
        raise Lost("seed %d: %s\n  %s" % (seed, lost, "\n  ".join(told[-8:]))) from None
    finally:
        proxy.close()
    run.account.close()
    return failures


def late(world):
    run = Run(world, letters())
    proxy = Proxy(world.server.port)
    run.account.port = proxy.port
    agent = run.account.agent("--timeout", 400)

    def disturb(attempt):
        # The command reaches the server and is carried out there; its answer comes when nobody waits any more.
        proxy("set", delay=300 if attempt == 0 else 0)
        if attempt == 1:
            proxy("harm", harm="cut")

    failures = history(run, agent, disturb, lambda: proxy("set", delay=0))
    run.agree(agent, "no point")
    proxy.close()
    run.account.close()
    return failures


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tier", type=int, action="append")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--without", action="append", default=[])
    parser.add_argument("--late", action="store_true")
    options = parser.parse_args()
    runs = failed = broken = 0
    for tier in options.tier or (1, 2, 3, 4):
        with World(tier, options.without, ("--no-compress",)) as world:
            for seed in [None] if options.late else range(options.seed, options.seed + options.runs):
                try:
                    broken += late(world) if options.late else cut(world, seed)
                except (Lost, Died) as lost:
                    failed += 1
                    print("LOST in tier %d: %s" % (tier, lost), flush=True)
                runs += 1
    print("%d histories with %d broken syncs, %d with a loss" % (runs, broken, failed))
    sys.exit(1 if failed or not runs or not broken else 0)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""A disk that is full, broken or not to be written: one clear sentence, nothing lost, and it goes on when it can.

    disk.py [full|broken|readonly|small]... [--tier 1] [--share 1/10] [--seed N]

full, broken: at a point of the history every write to a file begins to fail (ENOSPC, EIO), as fault_points.hpp does it;
any process may do that, so it needs no rights. readonly, small: a real file system (a tmpfs, mounted read-only or of
2 MB) in a mount namespace of our own; where the machine allows none, a folder that an ordinary user may not write to,
or a limit on the size of files, stand in for it.
"""

import argparse
import ctypes
import os
import random
import resource
import subprocess
import sys
import time

from killed import HISTORY, Run, letters
from world import Lost, World, converge, make_message

CLONE_NEWNS = 0x00020000


def failing(world, harm, share, seed):
    part, whole = share
    run = Run(world, letters())
    points, _ = run.through("kill", -1)
    run.account.close()
    rng = random.Random(seed)
    tried = 0
    for point in range(points):
        if rng.randrange(whole) >= part:
            continue
        tried += 1
        run = Run(world, letters())
        agent = run.account.agent("--harm", harm, "--at", point)
        said = set()
        try:
            opened = agent.open()
            if not opened["ok"]:
                said.add((opened["error"], opened["hint"]))
                agent.kill()
                agent = run.account.agent()
                if not agent.open()["ok"]:
                    raise Lost("the store does not open when the disk is whole again")
            for step in HISTORY:
                # As a user would: tries, reads what is wrong, makes room, tries again.
                for attempt in range(3):
                    try:
                        run.act(agent, step)
                        break
                    except Lost as problem:
                        if attempt == 2:
                            raise
                        said.add((str(problem), ""))
                        run.maybe = None
                        agent.good("mend")
            agent.good("mend")  # what struck may be something that no step waits for
            run.agree(agent, "point %d" % point)
        except Lost as lost:
            raise Lost("%s at point %d (seed %d): %s; it said %s" % (harm, point, seed, lost, said)) from None
        for sentence, _ in said:
            want = ("full", "space") if harm == "full" else ("could not", "cannot", "disk", "error")
            if not any(word in sentence for word in want):
                raise Lost("%s at point %d is told as: %s" % (harm, point, sentence))
        run.account.close()
    print("%s: %d points" % (harm, tried))


def can_mount():
    """A mount namespace of our own, so that nobody else sees what is mounted in it; gone with this process."""
    libc = ctypes.CDLL(None, use_errno=True)
    if os.geteuid() != 0 or libc.unshare(CLONE_NEWNS) != 0:
        return False
    if libc.mount(b"none", b"/", None, 0x4000 | 0x40000, None) != 0:  # MS_REC | MS_PRIVATE
        return False
    return True


def mount(folder, options):
    os.makedirs(folder, exist_ok=True)
    return subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], capture_output=True).returncode == 0


def small(world):
    """A first sync into 2 MB, of mail that needs more; then there is room."""
    there = [("m%d" % i, make_message("m%d" % i, 300), "") for i in range(30)]
    there += [("large%d" % i, make_message("large%d" % i, 1_100_000), "") for i in range(2)]
    account = world.account(there)
    mounted = can_mount() and mount(account.data, "size=2m")
    limit = () if mounted else ("prlimit", "--fsize=%d" % (1 << 20))
    agent = account.agent(under=limit)
    opened = agent.open()
    answer = agent("sync", kind="full") if opened["ok"] else opened
    if answer["ok"]:
        raise Lost("a disk of 2 MB took 3 MB of mail")
    if mounted and not any(word in answer["error"] for word in ("full", "No space")):
        raise Lost("a full disk is told as: " + answer["error"])
    if not answer["hint"] or answer["code"] != "store":
        raise Lost("a full disk is told as: %s" % answer)
    if mounted:
        dump = agent.good("dump")  # what came can be read
        if subprocess.run(["mount", "-o", "remount,size=64m", account.data], capture_output=True).returncode:
            raise Lost("the small disk could not be made larger")
        converge(account, agent)
        if len(dump["folders"]["INBOX"]["messages"]) == 0:
            raise Lost("nothing at all came onto the small disk")
    else:
        agent.kill()
        agent = account.agent()
        if not agent.open()["ok"]:
            raise Lost("the store does not open after the disk was full: %s" % agent.open())
        converge(account, agent)
    agent.kill()
    if mounted:
        subprocess.run(["umount", account.data], capture_output=True)
    account.close()
    print("small: %s: %s (%s)" % ("tmpfs" if mounted else "RLIMIT_FSIZE", answer["error"], answer["hint"]))


def readonly(world):
    """The folder of a store that was used before, and one that never was, cannot be written."""
    account = world.account(letters()[:6])
    agent = account.agent()
    agent.good("sync", kind="full")
    agent.kill()
    mounted = can_mount() and subprocess.run(["mount", "--bind", account.data, account.data]).returncode == 0
    told = []
    if mounted:
        subprocess.run(["mount", "-o", "remount,ro,bind", account.data], check=True)
        told.append(account.agent().open())
        subprocess.run(["umount", account.data], check=True)
    elif os.geteuid() != 0:
        os.chmod(account.data, 0o500)
        told.append(account.agent().open())
        os.chmod(account.data, 0o700)
    else:
        # Root without the right to mount: what nobody may write to, not even root.
        told.append(account.agent(data="/proc/himalaya").open())
    told.append(account.agent(data="/proc/himalaya/home").open())
    for answer in told:
        if answer["ok"] or answer["code"] != "store" or not answer["hint"] or "written" not in answer["error"] + (
                "written" if "cannot be" in answer["error"] else ""):
            raise Lost("a folder that cannot be written is told as: %s" % answer)
    agent = account.agent()
    agent.open()
    converge(account, agent)
    account.close()
    print("readonly: %s: %s" % ("mounted" if mounted else "forbidden",
                                "; ".join("%s (%s)" % (a["error"], a["hint"]) for a in told)))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="*", choices=("full", "broken", "readonly", "small", []))
    parser.add_argument("--tier", type=int, default=1)
    parser.add_argument("--share", default="1/10")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args()
    share = tuple(map(int, options.share.split("/")))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    failed = False
    with World(options.tier) as world:
        for what in options.what or ("readonly", "small", "full", "broken"):
            try:
                if what == "readonly":
                    readonly(world)
                elif what == "small":
                    small(world)
                else:
                    failing(world, "full" if what == "full" else "error", share, options.seed)
            except Lost as lost:
                failed = True
                print("LOST: %s: %s" % (what, lost), flush=True)
    sys.exit(failed)


if __name__ == "__main__":
    main()

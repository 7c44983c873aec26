#!/usr/bin/env python3
"""The demo mailbox of scripts/try where there is no mail server: Maildirs on this disk, and a new message every few
seconds.

    maildir.py [--messages 5000] [--every 4]

Prints one JSON line when they are filled: {"accounts": {NAME: {FOLDER: PATH, ...}}, "every"}; then one for each message
that arrives: {"arrived": PATH of a Maildir that holds it, "account", "folder"}. At stdin's end or SIGTERM all is gone.
"""

import argparse
import os
import random
import shutil
import sys
import tempfile
import threading
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tests", "servers"))

import mailbox  # noqa: E402
import program  # noqa: E402
import shares  # noqa: E402

EMPTY = ("Drafts", "Trash", "Junk")


def fill(root, messages):
    """Every account's folders; returns where they are."""
    accounts, now = {}, int(time.time())
    for name, share in shares.ACCOUNTS.items():
        counts = {folder: int(messages * share * part) for folder, part in shares.ELSEWHERE.items()}
        counts = {"INBOX": int(messages * share) - sum(counts.values()), **counts, **{folder: 0 for folder in EMPTY}}
        accounts[name] = {}
        for folder, count in counts.items():
            path = os.path.join(root, name, folder.replace("/", "."))
            mailbox.write_maildir(path, mailbox.Mailbox("demo %s %s" % (name, folder), count, name + "@example.org", now))
            accounts[name][folder] = path
    return accounts


def deliver_on(root, every, stopping):
    """A message every few seconds, to one account after the other, the first soon."""
    rng, names = random.Random(), list(shares.ACCOUNTS)
    pause, turn = min(1.5, every), 0
    while not stopping.wait(pause):
        name = names[turn % len(names)]
        arriving = mailbox.Mailbox("arriving %d" % rng.getrandbits(60), 1, name + "@example.org", int(time.time()))
        path = os.path.join(root, name, "arriving.%d" % turn)
        try:
            mailbox.write_maildir(path, arriving)
            program.say({"arrived": path, "account": name, "folder": "INBOX"})
        except OSError:
            return  # the folder is being taken away, or nobody reads
        turn, pause = turn + 1, every * (0.5 + rng.random())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=5000)
    parser.add_argument("--every", type=float, default=4, help="seconds between new messages, on average; 0: none")
    asked = parser.parse_args()
    root = tempfile.mkdtemp(prefix="himalaya-demo-")
    stopping = threading.Event()
    arriving = threading.Thread(target=deliver_on, args=(root, asked.every, stopping), daemon=True)
    try:
        ready = {"accounts": fill(root, asked.messages), "every": asked.every}
    except BaseException:
        shutil.rmtree(root, ignore_errors=True)
        raise
    if asked.every > 0:
        arriving.start()

    def stop():
        stopping.set()
        if asked.every > 0:
            arriving.join(5)
        shutil.rmtree(root, ignore_errors=True)

    program.serve(ready, {}, stop)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""The demo mailbox of scripts/try: four accounts on a Dovecot of its own on loopback, mail arriving every few seconds.

    server.py [--messages 5000] [--every 4] [--last-date EPOCH]

Prints one JSON line when it answers, as tests/servers/dovecot.py does: {"host", "port", "tls_port", "ca_file",
"users": {NAME: {"password", ...}}, "every"}. Obeys the same JSON lines on stdin; {"do": "deliver", "user": "home"}
brings a message at once. At stdin's end or SIGTERM everything is gone. Exit 3: no Dovecot on this machine.

The messages are shared out among the accounts' INBOXes, and a few among their other folders.
"""

import argparse
import os
import random
import signal
import sys
import threading
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tests", "servers"))

import dovecot  # noqa: E402
import mailbox  # noqa: E402
import program  # noqa: E402
import settings  # noqa: E402
from shares import ACCOUNTS, ELSEWHERE  # noqa: E402


def options(messages, last_date):
    made = dovecot.parse(["--seed", "demo"])
    made.user, made.last_date = list(ACCOUNTS), last_date or int(time.time())
    made.shares = {name: int(messages * share) for name, share in ACCOUNTS.items()}
    return made


class Demo(dovecot.Dovecot):
    def fill(self, name, user):
        share = self.options.shares[name]
        rest = {folder: int(share * part) for folder, part in ELSEWHERE.items()}
        self.options.messages = share - sum(rest.values())
        super().fill(name, user)
        own = self.owner[:2] if os.getuid() == 0 else None
        for folder, count in rest.items():
            generated = mailbox.Mailbox("demo " + folder, count, name + "@example.org", self.options.last_date)
            user["bytes"] += mailbox.write_maildir(os.path.join(user["maildir"], "." + folder.replace("/", ".")), generated,
                                                   own)

    def start(self):
        super().start()
        for name in self.users:
            self.doveadm("mailbox", "subscribe", "-u", name, "Lists/reading")


def deliver_on(server, every, stopping):
    """A message every few seconds, to one account after the other, the first soon."""
    rng, names = random.Random(), list(ACCOUNTS)
    pause, turn = min(1.5, every), 0
    while not stopping.wait(pause):
        try:
            server.deliver({"user": names[turn % len(names)], "count": 1})
        except OSError:
            return  # the folder is being taken away
        turn, pause = turn + 1, every * (0.5 + rng.random())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=5000)
    parser.add_argument("--every", type=float, default=4, help="seconds between new messages, on average; 0: none")
    parser.add_argument("--last-date", type=int, help="epoch of the newest message; now when not given")
    asked = parser.parse_args()
    if settings.version() is None:
        print("Dovecot is not installed (Debian: dovecot-imapd)", file=sys.stderr)
        sys.exit(3)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    server = Demo(options(asked.messages, asked.last_date))
    stopping = threading.Event()
    try:
        server.start()
        ready = {**server.ready(), "every": asked.every}
    except BaseException:
        server.remove()
        raise
    arriving = threading.Thread(target=deliver_on, args=(server, asked.every, stopping), daemon=True)
    if asked.every > 0:
        arriving.start()

    def stop():
        stopping.set()
        if asked.every > 0:
            arriving.join(5)
        server.remove()

    program.serve(ready, server.commands(), stop)


if __name__ == "__main__":
    main()

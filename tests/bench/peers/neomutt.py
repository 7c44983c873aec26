#!/usr/bin/env python3
"""The peer of the screen's bench: neomutt opens a Maildir, paints its index and leaves.

    neomutt.py < {"maildir": PATH, "header_cache": true?}

Prints {"seconds" (start to the end of the process), "messages", "bytes" (of the screen), "version"}; with
"header_cache" also "again_seconds", once its cache is filled. Exit 3: no neomutt here.
"""

import fcntl
import json
import os
import pty
import re
import select
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time


def run(argv):
    """The program on a terminal of 100 by 40; how long it took and what it painted."""
    start = time.monotonic()
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ["TERM"] = "xterm"
        os.execv(argv[0], argv)
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 100, 0, 0))
    screen, deadline = b"", start + 120
    while True:
        if not select.select([terminal], [], [], max(0, deadline - time.monotonic()))[0]:
            os.kill(pid, signal.SIGKILL)  # it asks something that nobody answers
            os.waitpid(pid, 0)
            raise RuntimeError("neomutt does not leave: " + repr(screen[-300:]))
        try:
            part = os.read(terminal, 65536)
        except OSError:  # the other end is closed
            break
        if not part:
            break
        screen += part
    os.close(terminal)
    os.waitpid(pid, 0)
    return time.monotonic() - start, screen


def main():
    program = shutil.which("neomutt")
    if not program:
        print("neomutt is not installed", file=sys.stderr)
        sys.exit(3)
    asked = json.load(sys.stdin)
    version = re.search(r"\d{8}", subprocess.run([program, "-v"], capture_output=True, text=True).stdout)[0]
    messages = sum(len(os.listdir(os.path.join(asked["maildir"], name))) for name in ("cur", "new"))
    folder = tempfile.mkdtemp(prefix="himalaya-neomutt-")
    try:
        with open(os.path.join(folder, "rc"), "w") as out:
            out.write("set quit=yes\nset sort=reverse-date\nset mark_old=no\nset folder='%s'\n" % folder)
            if asked.get("header_cache"):
                out.write('set header_cache="%s/cache"\n' % folder)
        argv = [program, "-n", "-R", "-F", os.path.join(folder, "rc"), "-f", asked["maildir"], "-e",
                'push "<quit>"']
        seconds, screen = run(argv)
        result = {"seconds": seconds, "messages": messages, "bytes": len(screen), "version": version}
        if asked.get("header_cache"):
            result["again_seconds"] = run(argv)[0]
        print(json.dumps(result))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()

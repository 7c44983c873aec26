#!/usr/bin/env python3
"""The peer of the IMAP and sync benches: mbsync fetches an INBOX into a Maildir of its own.

    mbsync.py < {"host", "port", "ca_file", "user", "password", "again": true?, "keep": FOLDER?}

Prints {"seconds", "messages", "bytes", "version"} of the first sync; with "again" also "again_seconds", a second one
without changes. "keep" leaves the Maildir there (FOLDER/Maildir), else nothing stays. Exit 3: no mbsync here.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

RC = """
IMAPStore far
Host {host}
Port {port}
{tls} IMAPS
CertificateFile {ca_file}
User {user}
PassCmd "cat {folder}/secret"

MaildirStore near
Path {folder}/
Inbox {folder}/Maildir
SubFolders Verbatim

Channel all
Far :far:
Near :near:
Patterns INBOX
Create Near
Sync Pull
SyncState *
"""


def main():
    program = shutil.which("mbsync")
    if not program:
        print("mbsync is not installed (Debian: isync)", file=sys.stderr)
        sys.exit(3)
    asked = json.load(sys.stdin)
    version = re.search(r"[\d.]+", subprocess.run([program, "--version"], capture_output=True, text=True).stdout)[0]
    folder = asked.get("keep") or tempfile.mkdtemp(prefix="himalaya-mbsync-")
    try:
        os.makedirs(folder, exist_ok=True)
        # The certificate is for localhost and for 127.0.0.1; 1.4 compares names only.
        with open(os.path.join(folder, "rc"), "w") as out:
            out.write(RC.format(**{**asked, "host": "localhost"}, folder=folder,
                                tls="TLSType" if version >= "1.5" else "SSLType"))
        with open(os.path.join(folder, "secret"), "w") as out:
            os.fchmod(out.fileno(), 0o600)
            out.write(asked["password"])

        def run():
            start = time.monotonic()
            subprocess.run([program, "-q", "-c", os.path.join(folder, "rc"), "all"], check=True,
                           stdin=subprocess.DEVNULL)
            return time.monotonic() - start

        result = {"seconds": run(), "version": version}
        sizes = [entry.stat().st_size for name in ("cur", "new")
                 for entry in os.scandir(os.path.join(folder, "Maildir", name))]
        result.update(messages=len(sizes), bytes=sum(sizes))
        if asked.get("again"):
            result["again_seconds"] = run()
        print(json.dumps(result))
    finally:
        if not asked.get("keep"):
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()

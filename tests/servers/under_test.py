"""A program of the tests, started and asked, for who tests it by other means than ours."""

import imaplib
import json
import os
import ssl
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
PROXY = os.path.join(os.environ.get("HIMALAYA_BUILD_DIR") or os.path.join(ROOT, "build"), "tests", "proxy")


class Program:
    """A program with the manners of program.py."""

    def __init__(self, *argv):
        if argv[0].endswith(".py"):
            argv = (sys.executable, os.path.join(HERE, argv[0]), *argv[1:])
        self.process = subprocess.Popen([str(part) for part in argv], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True)
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError("%s did not start" % argv[1])
        self.ready = json.loads(line)

    def __getitem__(self, key):
        return self.ready[key]

    def __call__(self, do, **request):
        self.process.stdin.write(json.dumps({"do": do, **request}) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        if not answer["ok"]:
            raise RuntimeError(answer["error"])
        return answer

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        code = self.process.wait(20)
        self.process.stdout.close()
        assert code == 0, code

    def client(self, port=None, user="home"):
        client = imaplib.IMAP4("127.0.0.1", port or self["port"], timeout=20)
        if user:
            client.login(user, self["users"][user]["password"])
        return client

    def tls_client(self, port=None):
        context = ssl.create_default_context(cafile=self["ca_file"])
        return imaplib.IMAP4_SSL("localhost", port or self["tls_port"], ssl_context=context, timeout=20)

#!/usr/bin/env python3
"""A scripted IMAP server that speaks as a vendor's does.

    vendor.py NAME [--quirk Q]... [--no-quirk Q]... [--without WORD]... [--set KEY=N]... [--messages N] [--certificate KIND]
    vendor.py --list            the vendors with their habits, and every quirk with where it was seen

Prints {"host", "port", "tls_port", "ca_file", "users": {"home": {"password", "token"}}, "quirks"} and obeys JSON
lines on stdin: deliver, expunge, flag, renew, kick, quirk, report (see vendors/base.py); ends when stdin does.
"""

import argparse
import asyncio
import shutil
import ssl
import sys
import tempfile
import threading

import certificates
import program
import vendors
from vendors.quirks import QUIRKS


def show():
    for name in vendors.NAMES:
        vendor = vendors.find(name)
        print("%-10s %s\n%-10s   %s" % (name, vendor.help, "", " ".join(vendor.habits)))
    for name, sentence in QUIRKS.items():
        print("  %-22s %s" % (name, sentence))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", nargs="?", choices=vendors.NAMES)
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--quirk", action="append", default=[])
    parser.add_argument("--no-quirk", action="append", default=[])
    parser.add_argument("--set", action="append", default=[], help="limit, backoff, throttled, still_here, stumbles, largest")
    parser.add_argument("--without", action="append", default=[], help="a capability that it shall not have")
    parser.add_argument("--messages", type=int, default=20)
    parser.add_argument("--seed", default="1")
    parser.add_argument("--password", help="a random one when not given")
    parser.add_argument("--certificate", choices=tuple(certificates.KINDS), default="good")
    options = parser.parse_args()
    if options.list or not options.name:
        return show()
    server = vendors.find(options.name)(options.quirk, options.no_quirk, options.messages, options.seed,
                                        options.password)
    server.after = " ".join(word for word in server.after.split() if word not in options.without)
    server.settings.update((key, float(value)) for key, value in (pair.split("=") for pair in options.set))
    folder = tempfile.mkdtemp(prefix="himalaya-vendor-")
    try:
        ca, certificate, key = certificates.make(folder, options.certificate)
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(certificate, key)
        loop = asyncio.new_event_loop()
        threading.Thread(target=loop.run_forever, daemon=True).start()

        def ask(coroutine):
            return asyncio.run_coroutine_threadsafe(coroutine, loop).result(30)

        port, tls_port = ask(server.serve(tls))
        ready = {"host": "127.0.0.1", "port": port, "tls_port": tls_port, "ca_file": ca, "certificate": certificate,
                 "key": key, "quirks": sorted(server.quirks),
                 "users": {server.user: {"password": server.password, "token": server.token}}}
        obeyed = {name: (lambda request, run=getattr(server, name): ask(run(request)))
                  for name in ("deliver", "expunge", "flag", "renew", "kick", "quirk", "report")}
        program.serve(ready, obeyed, lambda: None)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    sys.exit(0)


if __name__ == "__main__":
    main()

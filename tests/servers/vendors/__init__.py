"""IMAP servers that speak as named vendors do, for a client to survive. One base, one short file per vendor."""

import importlib

NAMES = ("plain", "gmail", "exchange", "icloud", "yahoo", "courier", "proton", "hostile")


def find(name):
    """The class of a vendor."""
    if name == "plain":
        from .base import Server
        return Server
    module = importlib.import_module("." + name, __name__)
    return module.Vendor

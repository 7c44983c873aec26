"""SEARCH's criteria, as far as clients use them."""

import calendar
import re
import time

from . import fetch
from .wire import in_set

FLAGS = {"SEEN": "\\Seen", "ANSWERED": "\\Answered", "FLAGGED": "\\Flagged", "DELETED": "\\Deleted", "DRAFT": "\\Draft"}


def matches(session, message, number, criteria):
    """Whether all of `criteria` hold."""
    place = 0
    while place < len(criteria):
        held, place = one(session, message, number, criteria, place)
        if not held:
            return False
    return True


def one(session, message, number, words, place):
    """Whether the criterion at `place` holds, and where the next one starts."""
    word = words[place]
    if isinstance(word, list):
        return matches(session, message, number, word), place + 1
    name, rest = word.upper(), words[place + 1:]
    if re.fullmatch(r"[\d:*,]+", name):
        return in_set(name, number, len(session.known)), place + 1
    if name == "ALL":
        return True, place + 1
    if name in FLAGS or name[2:] in FLAGS and name.startswith("UN"):
        wanted = name in FLAGS
        return (FLAGS[name if wanted else name[2:]] in message.flags) == wanted, place + 1
    if name in ("NEW", "RECENT", "OLD"):
        return name == "OLD", place + 1
    if name == "NOT":
        held, after = one(session, message, number, words, place + 1)
        return not held, after
    if name == "OR":
        first, after = one(session, message, number, words, place + 1)
        second, after = one(session, message, number, words, after)
        return first or second, after
    if name == "UID":
        return in_set(rest[0], message.uid, session.folder.highest()), place + 2
    if name in ("KEYWORD", "UNKEYWORD"):
        return (rest[0] in message.flags) == (name == "KEYWORD"), place + 2
    if name in ("LARGER", "SMALLER"):
        size = len(message.raw)
        return size > int(rest[0]) if name == "LARGER" else size < int(rest[0]), place + 2
    if name in ("SINCE", "BEFORE", "ON", "SENTSINCE", "SENTBEFORE", "SENTON"):
        day = calendar.timegm(time.strptime(rest[0], "%d-%b-%Y"))
        own = message.date - message.date % 86400
        return {"E": own >= day, "F": own < day, "O": own == day}[own_kind(name)], place + 2
    if name == "MODSEQ":
        skip = 1 if rest[0].isdigit() else 3
        return message.modseq >= int(rest[skip - 1]), place + 1 + skip
    if name == "HEADER":
        value = str(fetch.parsed(message).get(rest[0]) or "")
        return rest[1].lower() in value.lower() and rest[0].lower() in map(str.lower, fetch.parsed(message)), place + 3
    if name in ("SUBJECT", "FROM", "TO", "CC", "BCC"):
        return rest[0].lower() in str(fetch.parsed(message).get(name) or "").lower(), place + 2
    if name in ("TEXT", "BODY"):
        return rest[0].encode("latin-1").lower() in message.raw.lower(), place + 2
    return session.server.own_criterion(message, name, rest), place + 2


def own_kind(name):
    return "E" if name.endswith("SINCE") else "F" if name.endswith("BEFORE") else "O"

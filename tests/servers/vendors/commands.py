"""Folders and messages: the commands of a logged-in session. Each ends with its tagged OK or raises Refused."""

import asyncio
import email.utils
import fnmatch
import re
import time

from . import fetch
from .search import matches
from .wire import in_set, quoted, ranges

DATE_TIME = re.compile(r"[ \d]\d-[A-Z][a-z]{2}-\d{4} \d\d:\d\d:\d\d [-+]\d{4}")


def refuse(text):
    from .session import Refused
    raise Refused(text)


# -- folders

async def do_namespace(session, tag, arguments):
    session.send('* NAMESPACE (("" "%s")) NIL NIL' % session.server.delimiter)
    session.ok(tag)


async def do_list(session, tag, arguments, name="LIST"):
    server, q = session.server, session.q
    selection = [word.upper() for word in arguments.pop(0)] if isinstance(arguments[0], list) else []
    wanted = [str(word).upper() for word in arguments[3]] if len(arguments) > 3 else []
    if ("SPECIAL-USE" in selection + wanted) and (q("special-use-bad") or not server.has("SPECIAL-USE")):
        refuse("BAD Unknown option SPECIAL-USE")
    if wanted and not (server.has("LIST-EXTENDED") or server.has("LIST-STATUS") or server.has("SPECIAL-USE")):
        refuse("BAD Too many arguments")
    patterns = arguments[1] if isinstance(arguments[1], list) else [arguments[1]]
    delimiter = "NIL" if q("nil-delimiter") else '"%s"' % server.delimiter
    status = next((arguments[3][i + 1] for i, word in enumerate(wanted) if word == "STATUS"), None)
    if patterns == [""]:
        session.send('* %s (\\Noselect) %s ""' % (name, delimiter))
        return session.ok(tag)
    for own, folder in server.by_name.items():
        told = server.visible(own)
        if q("control-in-names") and own == "Archive":
            told = "Archive\x01\x1b old"
        hit = any(fnmatch.fnmatchcase(told.upper() if own == "INBOX" else told, pattern.replace("%", "*"))
                  for pattern in patterns)
        if not hit or "SPECIAL-USE" in selection and not folder.use or "SUBSCRIBED" in selection and not folder.subscribed:
            continue
        flags = ["\\HasNoChildren"] if own not in server.parents() else ["\\Noselect", "\\HasChildren"]
        if folder.use and (server.has("SPECIAL-USE") or name == "XLIST"):
            flags.append(folder.use)
        session.raw(b"* %s (%s) %s %s\r\n" % (name.encode(), " ".join(flags).encode(), delimiter.encode(), mailbox_name(told)))
        if status and not q("list-status-nothing") and own not in server.parents():
            say_status(session, told, folder, status)
    session.ok(tag)


async def do_xlist(session, tag, arguments):
    await do_list(session, tag, arguments, "XLIST")


async def do_lsub(session, tag, arguments):
    await do_list(session, tag, arguments, "LSUB")


def mailbox_name(name):
    if re.fullmatch(r"[A-Za-z0-9./_-]+", name):
        return name.encode()
    return b'"' + name.encode().replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'


def say_status(session, name, folder, items):
    known = {"MESSAGES": len(folder.messages), "UIDNEXT": folder.uidnext, "UIDVALIDITY": folder.uidvalidity,
             "UNSEEN": folder.unseen(), "RECENT": 0, "HIGHESTMODSEQ": folder.modseq,
             "SIZE": sum(len(message.raw) for message in folder.messages)}
    if session.q("stale-status") and session.folder is folder:
        known["MESSAGES"], known["UIDNEXT"] = session.at_select
    known["MAILBOXID"] = "(F%d)" % folder.uidvalidity
    allowed = {"HIGHESTMODSEQ": "CONDSTORE", "SIZE": "STATUS=SIZE", "MAILBOXID": "OBJECTID"}
    words = []
    for item in items:
        if not session.server.has(allowed.get(item.upper(), "IMAP4rev1")):
            refuse("BAD Unknown STATUS item " + item)
        words.append("%s %s" % (item.upper(), known[item.upper()]))
    space = b" " if session.q("status-space") else b""
    session.raw(b"* STATUS %s (%s)%s\r\n" % (mailbox_name(name), " ".join(words).encode(), space))


async def do_status(session, tag, arguments):
    say_status(session, arguments[0], session.server.folder(named(session, arguments[0])), arguments[1])
    session.ok(tag)


def named(session, told):
    """The folder that a client means by a name that LIST told it."""
    for own in session.server.by_name:
        if session.server.visible(own) == told:
            return own
    return told


async def do_create(session, tag, arguments):
    from .store import Folder
    if arguments[0] in session.server.by_name:
        refuse("NO [ALREADYEXISTS] It exists")
    session.server.by_name[arguments[0]] = Folder(arguments[0], uidvalidity=int(time.time()))
    session.ok(tag)


async def do_delete(session, tag, arguments):
    del session.server.by_name[named(session, arguments[0])]
    session.ok(tag)


async def do_rename(session, tag, arguments):
    folders = session.server.by_name
    folders[arguments[1]] = folders.pop(named(session, arguments[0]))
    session.ok(tag)


async def do_subscribe(session, tag, arguments):
    session.server.folder(named(session, arguments[0])).subscribed = True
    session.ok(tag)


async def do_unsubscribe(session, tag, arguments):
    session.server.folder(named(session, arguments[0])).subscribed = False
    session.ok(tag)


async def do_select(session, tag, arguments, read_only=False):
    server, q = session.server, session.q
    session.folder = None
    folder = server.folder(named(session, arguments[0]))
    if server.visible(folder.name) in server.parents():
        refuse("NO [NONEXISTENT] Cannot be selected")
    options = arguments[1] if len(arguments) > 1 else []
    for option in options:
        if isinstance(option, str) and not server.has(option.upper()):
            refuse("BAD Unknown option " + option)
    session.condstore = session.condstore or bool(options)
    session.folder, session.read_only = folder, read_only
    session.known = [message.uid for message in folder.messages]
    session.told, session.at_select = folder.modseq, (len(folder.messages), folder.uidnext)
    flags = "\\Answered \\Flagged \\Deleted \\Seen \\Draft $Forwarded office" + (" [a]b" if q("bracket-flags") else "")
    session.send("* %d EXISTS\r\n* 0 RECENT" % len(folder.messages))
    session.send("* FLAGS " + ("NIL" if q("nil-flags") else "(%s)" % flags))
    session.send("* OK [PERMANENTFLAGS (%s \\*)] Flags" % flags)
    session.send("* OK [UIDVALIDITY %d] valid" % (0 if q("uidvalidity-zero") else folder.uidvalidity))
    if not q("uidnext-missing"):
        session.send("* OK [UIDNEXT %d] next" % (0 if q("uidnext-zero") else folder.uidnext))
    if server.has("CONDSTORE"):
        session.send("* OK [HIGHESTMODSEQ %d]%s" % (folder.modseq, "" if q("highestmodseq-bare") else " highest"))
    for i, option in enumerate(options):
        if isinstance(option, str) and option.upper() == "QRESYNC":
            resync(session, folder, options[i + 1])
    session.ok(tag, "selected", "[READ-%s] " % ("ONLY" if read_only else "WRITE"))


def resync(session, folder, known):
    if "QRESYNC" not in session.enabled:
        refuse("BAD QRESYNC is not enabled")
    validity, since = int(known[0]), int(known[1])
    if validity != folder.uidvalidity:
        return
    wanted = known[2] if len(known) > 2 and isinstance(known[2], str) else "1:*"
    gone = [uid for modseq, uid in folder.expunged if modseq > since and in_set(wanted, uid, folder.highest())]
    if gone:
        session.send("* VANISHED (EARLIER) " + ranges(gone))
    for message in folder.messages:
        if message.modseq > since and in_set(wanted, message.uid, folder.highest()):
            session.send("* %d FETCH (UID %d FLAGS (%s) MODSEQ (%d))" % (
                session.number(message.uid), message.uid, " ".join(sorted(message.flags)), message.modseq))


async def do_examine(session, tag, arguments):
    await do_select(session, tag, arguments, True)


async def do_close(session, tag, arguments, expunge=True):
    if expunge and not session.read_only:
        session.folder.remove([message for message in session.folder.messages if "\\Deleted" in message.flags])
    session.folder = None
    session.ok(tag)


async def do_unselect(session, tag, arguments):
    await do_close(session, tag, arguments, False)


async def do_check(session, tag, arguments):
    await session.say_changes()
    session.ok(tag)


# -- messages

def chosen(session, text, by_uid):
    if not session.folder:
        refuse("BAD No folder is selected")
    if session.q("reverse-sets-bad"):
        firsts = [part.split(":") for part in text.split(",")]
        numbers = [int(end) for pair in firsts for end in pair if end != "*"]
        if numbers != sorted(numbers):
            refuse("BAD Invalid sequence set")
    present = {message.uid: message for message in session.folder.messages}
    top = max(present, default=0) if by_uid else len(session.known)
    return [(number, present[uid]) for number, uid in enumerate(session.known, 1)
            if uid in present and in_set(text, uid if by_uid else number, top)]


async def do_uid(session, tag, arguments):
    name, rest = arguments[0].upper(), arguments[1:]
    known = {"FETCH": do_fetch, "STORE": do_store, "COPY": do_copy, "MOVE": do_move, "SEARCH": do_search,
             "EXPUNGE": do_expunge}
    if name not in known or name == "MOVE" and not session.server.has("MOVE") \
            or name == "EXPUNGE" and not session.server.has("UIDPLUS"):
        session.server.trouble.append("UID " + name + " without its capability")
        refuse("BAD Unknown command UID " + name)
    await known[name](session, tag, rest, by_uid=True)


async def do_fetch(session, tag, arguments, by_uid=False):
    q, folder = session.q, session.folder
    if q("overquota"):
        refuse("NO [OVERQUOTA] Account exceeded command or bandwidth limits. (Failure)")
    picked = chosen(session, arguments[0], by_uid)
    items = fetch.items_of(arguments[1])
    modifiers = arguments[2] if len(arguments) > 2 else []
    if modifiers:
        if not session.server.has("CONDSTORE"):
            refuse("BAD Unknown modifier")
        since, session.condstore = int(modifiers[1]), True
        if "VANISHED" in [str(word).upper() for word in modifiers]:
            gone = [uid for modseq, uid in folder.expunged if modseq > since]
            if gone:
                session.send("* VANISHED (EARLIER) " + ranges(gone))
        picked = [(number, message) for number, message in picked if message.modseq > since]
    if by_uid and "UID" not in [word.upper() for word in items]:
        items = ["UID"] + items
    if modifiers and "MODSEQ" not in items:
        items.append("MODSEQ")
    session.condstore = session.condstore or "MODSEQ" in items
    if q("uids-descending"):
        picked.reverse()
    if q("fetch-zero"):
        session.send("* 0 FETCH (FLAGS ())")
    middle = len(picked) // 2
    for i, (number, message) in enumerate(picked):
        if i == middle:
            await interrupt(session, folder)
            if session.state == "gone":
                return
            number = session.number(message.uid) if message.uid in session.known else 0
        elif message.uid in session.known:
            number = session.number(message.uid)
        if not number:
            continue
        answer = fetch.answer(session.server, message, items)
        if q("literal-too-long") and b"{" in answer:
            await half_a_literal(session, number, answer)
        if q("huge-literal"):
            session.raw(b"* %d FETCH (UID %d BODY[] {4294967295}\r\nshort" % (number, message.uid))
            await asyncio.sleep(3600)
        session.raw(b"* %d FETCH (%s)\r\n" % (number, answer))
        await session.writer.drain()
        if not session.read_only and any(re.match(r"BODY\[|RFC822(\.TEXT)?$", word.upper()) for word in items):
            if "\\Seen" not in message.flags:
                folder.change(message, message.flags | {"\\Seen"})
    await session.say_changes(expunges=by_uid)
    session.ok(tag)


async def half_a_literal(session, number, answer):
    """Says a literal is longer than what comes, then nothing."""
    head, size, rest = re.split(rb"\{(\d+)\}\r\n", answer, maxsplit=1)
    session.raw(b"* %d FETCH (%s{%d}\r\n%s)\r\n" % (number, head, int(size) + 5000, rest))
    await session.writer.drain()
    while True:
        await session.more()
        session.buffer = b""


async def interrupt(session, folder):
    """What other clients, or a server at its end, do in the middle of FETCH."""
    q = session.q
    if q("expunge-in-fetch") and len(folder.messages) > 2:
        folder.remove([folder.messages[0]])
        await session.say_changes()
    if q("flags-in-fetch"):
        for message in folder.messages[:2]:
            folder.change(message, message.flags ^ {"\\Flagged"})
        await session.say_changes(expunges=False)
    if q("bye-in-fetch") or q("close-in-fetch"):
        if q("bye-in-fetch"):
            session.send("* BYE Server shutting down")
        else:
            session.raw(b"* 1 FETCH (UID 1 BODY[] {1000}\r\nhalf")
        await session.writer.drain()
        session.state = "gone"
    while q("endless-response"):
        session.raw(b"x" * 65536)
        await session.writer.drain()
        await asyncio.sleep(0)  # or nobody would hear that the client is gone
    while q("endless-lines"):
        session.raw(b"* OK and another thing\r\n" * 500)
        await session.writer.drain()
        await asyncio.sleep(0)  # or nobody would hear that the client is gone


async def do_search(session, tag, arguments, by_uid=False):
    returning = None
    if arguments and arguments[0].upper() == "RETURN":
        if session.q("search-return-bad") or not session.server.has("ESEARCH"):
            if not session.server.has("ESEARCH"):
                session.server.trouble.append("SEARCH RETURN without its capability")
            refuse("BAD Unknown search key RETURN")
        returning = [word.upper() for word in arguments[1]] or ["ALL"]
        arguments = arguments[2:]
    if arguments and arguments[0].upper() == "CHARSET":
        arguments = arguments[2:]
    modseq = "MODSEQ" in [word.upper() for word in arguments if isinstance(word, str)]
    found = [(number, message) for number, message in chosen(session, "1:*", False)
             if matches(session, message, number, arguments)]
    numbers = [message.uid if by_uid else number for number, message in found]
    highest = max((message.modseq for _, message in found), default=0)
    if returning is None and "IMAP4REV2" not in session.enabled:
        tail = " (MODSEQ %d)" % highest if modseq and numbers else ""
        session.send("* SEARCH" + "".join(" %d" % number for number in numbers) + tail)
    else:
        said = '* ESEARCH (TAG "%s")%s' % (tag, " UID" if by_uid else "")
        for word in returning or ["ALL"]:
            if word == "COUNT":
                said += " COUNT %d" % len(numbers)
            elif numbers and word == "ALL" and not (session.q("rev2-unasked") and "IMAP4REV2" in session.enabled):
                said += " ALL " + ranges(numbers)
            elif numbers and word in ("MIN", "MAX"):
                said += " %s %d" % (word, min(numbers) if word == "MIN" else max(numbers))
        session.send(said + (" MODSEQ %d" % highest if modseq and numbers else ""))
    session.ok(tag)


async def do_store(session, tag, arguments, by_uid=False):
    if session.read_only:
        refuse("NO [READ-ONLY] The folder is open for reading")
    which, rest, unchanged = arguments[0], arguments[1:], None
    if isinstance(rest[0], list):
        unchanged, rest = int(rest[0][1]), rest[1:]
    what, flags = rest[0].upper(), set(rest[1] if isinstance(rest[1], list) else rest[1:])
    failed = []
    for number, message in chosen(session, which, by_uid):
        if unchanged is not None and message.modseq > unchanged:
            failed.append(message.uid if by_uid else number)
            continue
        own = session.server.store(message, what, flags)
        new = message.flags | flags if what[0] == "+" else message.flags - flags if what[0] == "-" else flags
        if not own:
            session.folder.change(message, new)
        if not what.endswith(".SILENT"):
            modseq = b" MODSEQ (%d)" % message.modseq if session.condstore else b""
            said = own or b"FLAGS " + fetch.flag_list(message.flags)
            session.raw(b"* %d FETCH (UID %d %s%s)\r\n" % (number, message.uid, said, modseq))
        elif session.condstore:
            session.send("* %d FETCH (UID %d MODSEQ (%d))" % (number, message.uid, message.modseq))
    session.told = max(session.told, session.folder.modseq)
    await session.server.changed(session.folder, by=session)
    session.ok(tag, code="[MODIFIED %s] " % ranges(failed) if failed else "")


async def do_copy(session, tag, arguments, by_uid=False, move=False):
    picked = chosen(session, arguments[0], by_uid)
    name = named(session, arguments[1])
    if name not in session.server.by_name and name.upper() != "INBOX":
        refuse("NO [TRYCREATE] No such folder")
    target = session.server.folder(name)
    copies = [target.add(message.raw, message.flags, message.date) for _, message in picked]
    code = ""
    if copies and session.server.has("UIDPLUS"):
        new = ranges(copy.uid for copy in copies)
        old = ranges(message.uid for _, message in picked)
        code = "[COPYUID %d %s %s]" % (target.uidvalidity, old, new + ":9999" if session.q("copyuid-invalid") else new)
    if move:
        if code:
            session.send("* %s%s" % ("" if session.q("copyuid-untagged") else "OK ", code + " moved"))
        session.folder.remove([message for _, message in picked])
        await session.say_changes()
        session.ok(tag)
    else:
        if code and session.q("copyuid-untagged"):
            session.send("* " + code)
            code = ""
        session.ok(tag, code=code + " " if code else "")
    for folder in {id(f): f for f in (target, session.folder)}.values():
        await session.server.changed(folder, by=session)


async def do_move(session, tag, arguments, by_uid=False):
    await do_copy(session, tag, arguments, by_uid, True)


async def do_expunge(session, tag, arguments, by_uid=False):
    if session.read_only:
        refuse("NO [READ-ONLY] The folder is open for reading")
    doomed = [message for _, message in chosen(session, arguments[0] if by_uid else "1:*", by_uid)
              if "\\Deleted" in message.flags]
    session.folder.remove(doomed)
    await session.say_changes()
    await session.server.changed(session.folder, by=session)
    session.ok(tag)


async def do_append(session, tag, arguments):
    name = named(session, arguments[0])
    if name not in session.server.by_name and name.upper() != "INBOX":
        refuse("NO [TRYCREATE] No such folder")
    folder, rest, messages = session.server.folder(name), arguments[1:], []
    while rest:
        flags = rest.pop(0) if isinstance(rest[0], list) else []
        date = None
        if DATE_TIME.fullmatch(rest[0]):
            date = int(email.utils.parsedate_to_datetime(rest.pop(0).strip().replace("-", " ", 2)).timestamp())
        messages.append((rest.pop(0).encode("latin-1"), flags, date))
    if len(messages) > 1 and not session.server.has("MULTIAPPEND"):
        session.server.trouble.append("several messages in one APPEND without MULTIAPPEND")
        refuse("BAD Too many arguments")
    if session.q("close-in-append") and any(b"unbearable" in raw for raw, _, _ in messages):
        raise ConnectionResetError
    if session.q("append-limit") and any(len(raw) > session.server.settings["largest"] for raw, _, _ in messages):
        refuse("NO [TOOBIG] Message size exceeds fixed maximum message size")
    added = [folder.add(*message) for message in messages]
    await session.server.changed(folder, by=session)
    if session.folder is folder:
        await session.say_changes()
    told = session.server.has("UIDPLUS") and not session.q("appenduid-missing")
    code = "[APPENDUID %d %s] " % (folder.uidvalidity, ranges(message.uid for message in added))
    session.ok(tag, code=code if told else "")

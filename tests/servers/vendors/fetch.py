"""What FETCH answers: envelope, structure and sections of a message, and the ways vendors get them wrong."""

import email
import email.utils
import re
import time

from .wire import literal, quoted

SECTION = re.compile(r"(BODY(?:\.PEEK)?|BINARY(?:\.PEEK)?)\[(.*?)\](?:<(\d+)\.(\d+)>)?$", re.I)
MACROS = {"ALL": ["FLAGS", "INTERNALDATE", "RFC822.SIZE", "ENVELOPE"], "FAST": ["FLAGS", "INTERNALDATE", "RFC822.SIZE"],
          "FULL": ["FLAGS", "INTERNALDATE", "RFC822.SIZE", "ENVELOPE", "BODY"]}


def items_of(argument):
    words = argument if isinstance(argument, list) else [argument]
    flat = []
    for word in words:
        flat += MACROS.get(word.upper(), [word])
    return flat


def answer(server, message, items):
    """The bytes between FETCH's parentheses."""
    return b" ".join(part for part in (item(server, message, word) for word in items) if part is not None)


def item(server, message, word):
    name, q = word.upper(), server.q
    if name == "UID":
        return b"UID %d" % message.uid
    if name == "FLAGS":
        return b"FLAGS NIL" if q("nil-flags") else b"FLAGS " + flag_list(message.flags)
    if name == "INTERNALDATE":
        date = time.strftime("%d-%b-%Y %H:%M:%S +0000", time.gmtime(message.date))
        return b'INTERNALDATE "%s"' % (b"00-Jan-0000 00:00:00 +0000" if q("zero-date") else date.encode())
    if name == "RFC822.SIZE":
        return b"RFC822.SIZE %d%s" % (len(message.raw), b".0" if q("decimal-integers") else b"")
    if name == "MODSEQ":
        return b"MODSEQ (%d)" % (-1 if q("modseq-negative") else message.modseq)
    if name == "ENVELOPE":
        made = envelope(parsed(message), q)
        return b"ENVELOPE (%s)" % made if q("envelope-parens") else b"ENVELOPE " + made
    if name in ("BODYSTRUCTURE", "BODY"):
        if q("deep-nesting"):
            return name.encode() + b" " + b"(" * 10000 + b'"TEXT" "PLAIN" NIL NIL NIL "7BIT" 1 1' + b")" * 10000
        return name.encode() + b" " + structure(parsed(message), name == "BODYSTRUCTURE", q)
    if name in ("RFC822", "RFC822.HEADER", "RFC822.TEXT"):
        if q("rfc822-empty"):
            return None
        return name.encode() + b" " + literal(section(message.raw, name[7:]))
    found = SECTION.match(word)
    if found:
        return part(message, found)
    return server.own_item(message, name)


def part(message, found):
    which, offset, count = found[2], found[3], found[4]
    data = section(message.raw, which.upper())
    label = re.sub(r"\.PEEK", "", found[1], flags=re.I).upper() + "[%s]" % which
    if offset is not None:
        data, label = data[int(offset):int(offset) + int(count)], label + "<%s>" % offset
    return label.encode() + b" " + literal(data)


def flag_list(flags):
    return b"(" + " ".join(sorted(flags)).encode() + b")"


def parsed(message):
    if not hasattr(message, "parsed"):
        message.parsed = email.message_from_bytes(message.raw)
    return message.parsed


def split(raw):
    head, mark, body = raw.partition(b"\r\n\r\n")
    return head + mark, body


def section(raw, which):
    """BODY[which] of a whole message."""
    if not which:
        return raw
    found = re.match(r"([\d.]*\d)(?:\.(.*))?$", which)
    if found:
        return of_part(raw, [int(n) for n in found[1].split(".")], found[2] or "")
    return of_message(raw, which)


def of_message(raw, which):
    head, body = split(raw)
    if which == "HEADER":
        return head
    if which == "TEXT":
        return body
    fields = re.match(r"HEADER\.FIELDS(\.NOT)? \((.*)\)", which)
    if not fields:
        raise ValueError("unknown section " + which)
    wanted, keep = set(fields[2].upper().replace('"', "").split()), not fields[1]
    lines = re.findall(rb"[^\r\n]+(?:\r\n[ \t][^\r\n]*)*\r\n", head)
    return b"".join(line for line in lines if (line.split(b":")[0].decode("latin-1").upper() in wanted) == keep) + b"\r\n"


def of_part(raw, path, which):
    node = email.message_from_bytes(raw)
    for depth, number in enumerate(path):
        if node.get_content_type() == "message/rfc822":
            node = node.get_payload(0)
        if node.is_multipart():
            node = node.get_payload(number - 1)
        elif number != 1:
            raise ValueError("no such part")
    data = flat(node)
    head, body = split(data)
    if which == "MIME":
        return head
    if which:
        return of_message(flat(node.get_payload(0)), which)
    return body


def flat(node):
    text = node.as_bytes()
    return re.sub(rb"\r?\n", b"\r\n", text)


# -- ENVELOPE

def envelope(message, q):
    def addresses(name, fallback=None):
        found = email.utils.getaddresses([str(value) for value in message.get_all(name, [])])
        found = [pair for pair in found if pair[1]]
        if not found:
            return addresses(fallback) if fallback else b"NIL"
        gap = b" " if q("envelope-space") else b""
        return b"(" + gap.join(one(*pair) for pair in found) + b")"

    def one(name, address):
        user, _, host = address.partition("@")
        host = ".MISSING-HOST-NAME." if q("missing-host") or not host else host
        extra = b' "extra"' if q("long-address") else b""
        return b"(%s NIL %s %s%s)" % (quoted(name or None), quoted(user), quoted(host), extra)

    def text(name):
        value = message.get(name)
        return None if value is None else re.sub(r"\r?\n[ \t]*", " ", str(value))

    subject = quoted(text("Subject"))
    if q("unescaped-quotes"):
        subject = b'"a "quoted" word"'
    gap = b"  " if q("envelope-space") else b" "
    return b"(" + gap.join([
        quoted(text("Date")), subject, addresses("From"), addresses("Sender", "From"), addresses("Reply-To", "From"),
        addresses("To"), addresses("Cc"), addresses("Bcc"), quoted(text("In-Reply-To")), quoted(text("Message-ID")),
    ]) + b")"


# -- BODYSTRUCTURE

def structure(message, extended, q):
    kind, sub = message.get_content_maintype().upper().encode(), message.get_content_subtype().upper().encode()
    params = parameters(message.get_params([], "content-type")[1:])
    if message.get_content_maintype() == "multipart":
        if q("alternative-childless") and sub == b"ALTERNATIVE":
            return b'("ALTERNATIVE")'
        made = b"".join(structure(child, extended, q) for child in message.get_payload()) + b' "%s"' % sub
        return b"(" + made + (b" " + params + b" NIL NIL NIL" if extended else b"") + b")"
    data = split(flat(message))[1]
    encoding = str(message.get("Content-Transfer-Encoding", "7bit")).upper()
    size, lines = len(data), data.count(b"\r\n")
    if q("negative-lines"):
        size, lines = -1, -1
    head = b"NIL NIL" if q("nil-media") else b'"%s" "%s"' % (kind, sub)
    made = head + b" %s %s %s %s %d" % (params, quoted(message.get("Content-ID")), quoted(None),
                                        b"NIL" if q("nil-media") else quoted(encoding), size)
    if kind == b"TEXT":
        made += b" %d" % lines
    elif message.get_content_type() == "message/rfc822":
        inner = message.get_payload(0)
        made += b" %s %s %d" % (envelope(inner, q), structure(inner, extended, q), lines)
    if extended:
        disposition, language = b"NIL", b"NIL"
        if message.get("Content-Disposition"):
            words = message.get_params([], "content-disposition")
            disposition = b'("%s" %s)' % (words[0][0].upper().encode(), parameters(words[1:]))
        if q("dsp-string"):
            disposition = b'"inline"'
        if q("dsp-lang-swapped"):
            disposition, language = b'"en"', b'("INLINE" NIL)'
        made += b" NIL %s %s NIL" % (disposition, language)
    return b"(" + made + b")"


def parameters(pairs):
    if not pairs:
        return b"NIL"
    return b"(" + b" ".join(quoted(key.upper()) + b" " + quoted(value) for key, value in pairs) + b")"

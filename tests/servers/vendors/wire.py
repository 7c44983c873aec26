"""A client's command as values, and values as a server writes them."""

import re

LITERAL = re.compile(rb"\{(\d+)(\+?)\}$")


class Text(str):
    """A quoted string or literal, which is never a keyword or a number."""


def tokens(data, literals):
    """`data` is a command without its tag, each literal replaced by NUL; gives atoms (str), Text and lists."""
    found, place = read(data, 0, iter(literals), False)
    if place != len(data):
        raise ValueError("unbalanced parenthesis")
    return found


def read(data, place, literals, nested):
    found = []
    while place < len(data):
        c = data[place]
        if c == " ":
            place += 1
        elif c == ")":
            if not nested:
                raise ValueError("unbalanced parenthesis")
            return found, place + 1
        elif c == "(":
            inner, place = read(data, place + 1, literals, True)
            found.append(inner)
        elif c == '"':
            end = place + 1
            while data[end:end + 1] != '"':
                end += 2 if data[end:end + 1] == "\\" else 1
                if end >= len(data):
                    raise ValueError("unbalanced quotes")
            found.append(Text(re.sub(r"\\(.)", r"\1", data[place + 1:end])))
            place = end + 1
        elif c == "\0":
            found.append(Text(next(literals).decode("latin-1")))
            place += 1
        else:
            end = place
            while end < len(data) and data[end] not in ' ()"\0':
                if data[end] == "[":  # BODY[HEADER.FIELDS (DATE FROM)] is one word
                    end = data.index("]", end)
                end += 1
            found.append(data[place:end])
            place = end
    if nested:
        raise ValueError("unbalanced parenthesis")
    return found, place


def quoted(text):
    """A string as IMAP writes it: NIL, quoted where that is possible, else a literal."""
    if text is None:
        return b"NIL"
    data = text if isinstance(text, bytes) else text.encode("utf-8", "surrogateescape")
    if any(c in b"\r\n\0" or c > 126 for c in data) or len(data) > 1000:
        return literal(data)
    return b'"' + data.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'


def literal(data):
    return b"{%d}\r\n%s" % (len(data), data)


def in_set(text, number, highest):
    """Whether a sequence set names `number`; `*` is `highest`."""
    for part in text.split(","):
        ends = [highest if end == "*" else int(end) for end in part.split(":")]
        if min(ends) <= number <= max(ends):
            return True
    return False


def ranges(numbers):
    """1,2,3,7 as 1:3,7."""
    parts, numbers = [], sorted(numbers)
    for number in numbers:
        if parts and parts[-1][1] == number - 1:
            parts[-1][1] = number
        else:
            parts.append([number, number])
    return ",".join(str(a) if a == b else "%d:%d" % (a, b) for a, b in parts)

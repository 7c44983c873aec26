"""One connection to a scripted server: bytes in and out, the login, and the order of a command's reply."""

import asyncio
import base64
import hmac
import re
import zlib

from . import commands
from .wire import LITERAL, quoted, tokens

CHANGES = ("STORE", "COPY", "MOVE", "EXPUNGE", "APPEND")
ANY_TIME = ("CAPABILITY", "NOOP", "LOGOUT", "ID", "STARTTLS")
LOGIN = ("LOGIN", "AUTHENTICATE")
NEEDS = {"IDLE": "IDLE", "NAMESPACE": "NAMESPACE", "ID": "ID", "MOVE": "MOVE", "UNSELECT": "UNSELECT",
         "ENABLE": "ENABLE", "COMPRESS": "COMPRESS=DEFLATE", "XLIST": "XLIST"}


class Refused(Exception):
    """A NO or BAD that ends a command; its text is the whole reply after the tag."""


class Session:
    def __init__(self, server, reader, writer, tls, secure):
        self.server, self.reader, self.writer, self.tls, self.secure = server, reader, writer, tls, secure
        self.q = server.q
        self.state, self.folder, self.idling = "fresh", None, False
        self.known, self.told, self.read_only = [], 0, False  # UIDs by sequence number, the modseq told so far
        self.enabled, self.condstore = set(), False
        self.buffer, self.inflate, self.deflate = b"", None, None
        self.waiting_commands = 0

    # -- bytes

    def send(self, data):
        if isinstance(data, str):
            data = data.encode("utf-8", "surrogateescape")
        data += b"\r\n"
        if self.deflate:
            data = self.deflate.compress(data) + self.deflate.flush(zlib.Z_SYNC_FLUSH)
        self.writer.write(data)

    def raw(self, data):
        self.writer.write(self.deflate.compress(data) + self.deflate.flush(zlib.Z_SYNC_FLUSH) if self.deflate else data)

    async def more(self):
        data = await self.reader.read(65536)
        if not data:
            raise ConnectionResetError
        self.buffer += self.inflate.decompress(data) if self.inflate else data

    async def line(self):
        while b"\n" not in self.buffer:
            if len(self.buffer) > 1 << 20:
                raise ConnectionResetError
            await self.more()
        line, _, self.buffer = self.buffer.partition(b"\n")
        return line.rstrip(b"\r")

    async def exactly(self, count):
        while len(self.buffer) < count:
            await self.more()
        data, self.buffer = self.buffer[:count], self.buffer[count:]
        return data

    def go_on(self, text=""):
        self.raw(b"+\r\n" if self.q("bare-continuation") and not text else b"+ " + text.encode() + b"\r\n")

    async def command(self):
        """The next command as tag, name, arguments."""
        text, literals = await self.line(), []
        length = len(text)
        while True:
            found = LITERAL.search(text)
            if not found:
                break
            size, plus = int(found[1]), found[2] == b"+"
            if plus and not (self.server.has("LITERAL+") or self.server.has("LITERAL-") and size <= 4096):
                self.server.trouble.append("a literal without permission")
            if not plus:
                self.go_on("OK" if not self.q("bare-continuation") else "")
                await self.writer.drain()
            literals.append(await self.exactly(size))
            rest = await self.line()
            length += len(rest)
            text = text[:found.start()] + b"\0" + rest
        if length > self.server.line_limit or self.q("line-limit") and length > 16384:
            raise Refused("%s BAD Command line too long" % text.split(b" ")[0].decode("latin-1"))
        tag, _, rest = text.decode("latin-1").partition(" ")
        name, _, rest = rest.partition(" ")
        if re.search(r"[\0-\x1f]", rest.replace("\0", "")) or not re.fullmatch(r"[^ ()\"{%*\\+]+", tag):
            self.server.trouble.append("control characters or no tag: " + repr(text[:80]))
        self.literals = len(literals)
        try:
            return tag, name.upper(), tokens(rest, literals)
        except (ValueError, StopIteration) as error:
            raise Refused("%s BAD Cannot parse: %s" % (tag, error))

    # -- the conversation

    async def run(self):
        server = self.server
        server.connections += 1
        server.sessions.add(self)
        try:
            await self.talk()
        except (ConnectionError, asyncio.IncompleteReadError, OSError, zlib.error):
            pass
        except asyncio.CancelledError:
            raise
        except Exception as error:  # a fault of the server's own: the test should know
            server.trouble.append("%s: %s" % (type(error).__name__, error))
        finally:
            server.sessions.discard(self)
            self.writer.close()

    async def talk(self):
        q = self.q
        if q("silent"):
            while True:
                await self.more()
                self.buffer = b""
        if q("greeting-garbage"):
            self.send("Welcome to the machine\r\n\x07garbage {12} (((")
        if q("bye-greeting"):
            self.send("* BYE Server is going down, come back later")
            return
        greeting = self.server.greeting
        if q("preauth"):
            greeting, self.state = "* PREAUTH ready", "authenticated"
        elif self.server.capability_in_greeting:
            greeting = greeting.replace("* OK ", "* OK [CAPABILITY %s] " % " ".join(self.server.capabilities(self)), 1)
        self.send(greeting)
        while self.state != "gone":
            await self.writer.drain()
            try:
                tag, name, arguments = await self.command()
            except Refused as refused:
                self.send(str(refused))
                continue
            if q("mute"):
                continue
            if q("pipeline-limit") and self.buffer.count(b"\r\n") > 50:
                self.send(tag + " BAD Too many commands in flight")
                continue
            self.server.commands.append(name + (" " + str(arguments[0]).upper() if name == "UID" and arguments else ""))
            try:
                await self.obey(tag, name, arguments)
            except Refused as refused:
                self.send("%s %s" % (tag, refused))
            except (ValueError, IndexError, TypeError, AttributeError) as error:
                self.server.trouble.append("%s: %s" % (name, error))
                self.send("%s BAD %s" % (tag, error or "arguments"))
            except KeyError as error:
                self.send("%s NO [NONEXISTENT] No such folder: %s" % (tag, error))

    async def obey(self, tag, name, arguments):
        server = self.server
        if name in NEEDS and not server.has(NEEDS[name]) and NEEDS[name] not in server.before.split():
            server.trouble.append(name + " without its capability")
            raise Refused("BAD Unknown command " + name)
        if self.state == "fresh" and name not in ANY_TIME + LOGIN:
            raise Refused("BAD Not logged in")
        if server.q("throttle") and name in ("FETCH", "UID", "SELECT") and server.settings["throttled"] > 0:
            server.settings["throttled"] -= 1
            raise Refused("BAD Request is throttled. Suggested Backoff Time: %d milliseconds"
                          % server.settings["backoff"])
        changes = name if name != "UID" or not arguments else str(arguments[0]).upper()
        if server.q("stumbling") and changes in CHANGES and server.settings["stumbles"] > 0:
            server.settings["stumbles"] -= 1
            raise Refused("BAD Internal error occurred. Refer to server log")
        if server.q("spoofed-tag"):
            self.send("ZZ99 OK done\r\n%sX OK done" % tag)
        own = server.own_commands(self)
        if name in own:
            return await own[name](self, tag, arguments)
        run = getattr(self, "do_" + name.lower(), None)
        if run:
            return await run(tag, arguments)
        run = getattr(commands, "do_" + name.lower(), None)
        if not run:
            raise Refused("BAD Unknown command " + name)
        await run(self, tag, arguments)

    def ok(self, tag, text="completed", code=""):
        if self.q("ok-error") and not code:
            code = '[Error="Message was corrupted"] '
        self.send("%s OK %s%s" % (tag, code, text))

    def say_capability(self):
        self.send("* CAPABILITY " + " ".join(self.server.capabilities(self)))

    async def do_capability(self, tag, arguments):
        self.say_capability()
        self.ok(tag)

    async def do_noop(self, tag, arguments):
        await self.say_changes()
        self.ok(tag)

    async def do_id(self, tag, arguments):
        if self.q("id-empty-bad") and (not arguments or arguments[0] in ("NIL", [])):
            raise Refused("BAD Command Argument Error. 11")
        self.send('* ID ("name" "%s")' % type(self.server).__module__.split(".")[-1])
        self.ok(tag)

    async def do_logout(self, tag, arguments):
        self.state = "gone"
        if self.q("tagged-bye"):
            return self.send(tag + " BYE logging out")
        self.send("* BYE logging out")
        while self.q("endless-bye"):
            self.raw(b"* BYE logging out\r\n" * 500)
            await self.writer.drain()
            await asyncio.sleep(0)  # or nobody would hear that the client is gone
        self.ok(tag)

    async def do_starttls(self, tag, arguments):
        if self.secure or "STARTTLS" not in self.server.before.split():
            raise Refused("BAD No STARTTLS here")
        injected = "\r\n* CAPABILITY IMAP4rev1 INJECTED\r\n* OK injected" if self.q("starttls-injection") else ""
        self.send(tag + " OK begin TLS" + injected)
        await self.writer.drain()
        if self.buffer:
            self.server.trouble.append("words in plain behind STARTTLS")
        self.buffer = b""
        await self.writer.start_tls(self.tls)
        self.secure = True

    async def do_compress(self, tag, arguments):
        self.ok(tag, "deflate")
        await self.writer.drain()
        self.inflate, self.deflate = zlib.decompressobj(-15), zlib.compressobj(6, zlib.DEFLATED, -15)
        self.buffer = self.inflate.decompress(self.buffer)

    async def do_enable(self, tag, arguments):
        offered = [word for word in arguments if self.server.has(word.upper())]
        if self.q("rev2-unasked") and "IMAP4REV2" in [word.upper() for word in arguments]:
            offered.append("IMAP4rev2")
        self.enabled.update(word.upper() for word in offered)
        self.condstore = self.condstore or bool({"CONDSTORE", "QRESYNC"} & self.enabled)
        if not self.q("enable-silent"):
            self.send("* ENABLED " + " ".join(offered))
        self.ok(tag)

    # -- login

    async def do_login(self, tag, arguments):
        if "LOGINDISABLED" in self.server.capabilities(self):
            raise Refused("NO [PRIVACYREQUIRED] Use TLS first")
        if self.q("login-literal-bad") and self.literals:
            raise Refused(self.server.wrong_password())
        self.let_in(tag, arguments[0], self.server.password, arguments[1])

    async def do_authenticate(self, tag, arguments):
        mechanism, server = arguments[0].upper(), self.server
        if "AUTH=" + mechanism not in server.before.split():
            raise Refused("NO [CANNOT] Unsupported mechanism")
        if len(arguments) > 1 and "SASL-IR" not in server.before.split():
            raise Refused("BAD No initial response here")

        async def ask(challenge=""):
            self.go_on(base64.b64encode(challenge.encode()).decode())
            answer = await self.line()
            if answer == b"*":
                raise Refused("BAD Cancelled")
            return base64.b64decode(answer).decode()

        if mechanism == "LOGIN":
            user = await ask("Username:")
            return self.let_in(tag, user, server.password, await ask("Password:"))
        first = base64.b64decode(arguments[1].replace("=", "", 1) if arguments[1] == "=" else arguments[1]).decode() \
            if len(arguments) > 1 else await ask()
        if mechanism == "PLAIN":
            _, user, password = first.split("\0")
            return self.let_in(tag, user, server.password, password)
        user = re.search(r"(?:user=|a=)([^\1,]*)", first)[1]
        given = re.search(r"auth=Bearer ([^\1]*)", first)[1]
        if given != server.token:
            await ask('{"status":"400","schemes":"Bearer","scope":"https://mail.example.org/"}')
        self.let_in(tag, user, server.token, given)

    def let_in(self, tag, user, wanted, given):
        server = self.server
        if self.q("unavailable"):
            raise Refused("NO [UNAVAILABLE] Temporary authentication failure")
        if self.q("app-password"):
            raise Refused("NO [ALERT] Application-specific password required: https://example.org/help (Failure)")
        if self.q("connection-limit") and len([s for s in server.sessions if s.state not in ("fresh", "gone")]) \
                >= server.settings["limit"]:
            raise Refused("NO [ALERT] Too many simultaneous connections. (Failure)")
        if self.state != "fresh" or user != server.user or not hmac.compare_digest(wanted.encode(), given.encode()):
            raise Refused(server.wrong_password())
        self.state = "authenticated"
        server.logins += 1
        code = "[CAPABILITY %s] " % " ".join(server.capabilities(self)) if server.capability_at_login else ""
        self.send("%s OK %slogged in" % (tag, code))

    # -- what others changed

    def number(self, uid):
        return self.known.index(uid) + 1

    async def say_changes(self, expunges=True):
        """Tells what happened to the selected folder; EXPUNGE only where sequence numbers may move."""
        if not self.folder:
            return
        present = {message.uid: message for message in self.folder.messages}
        gone = [uid for uid in self.known if uid not in present] if expunges else []
        if gone and "QRESYNC" in self.enabled:
            from .wire import ranges
            self.send("* VANISHED " + ranges(gone))
            self.known = [uid for uid in self.known if uid in present]
        for uid in sorted(gone, reverse=True):
            if uid in self.known:
                self.send("* %d EXPUNGE" % self.number(uid))
                self.known.remove(uid)
        fresh = [uid for uid in present if uid not in set(self.known)]
        if fresh:
            self.known += fresh
            self.send("* %d EXISTS" % len(self.known))
        for uid in self.known:
            message = present.get(uid)
            if message and uid not in fresh and message.modseq > self.told:
                modseq = " MODSEQ (%d)" % message.modseq if self.condstore else ""
                self.send("* %d FETCH (UID %d FLAGS (%s)%s)" % (self.number(uid), uid,
                                                                " ".join(sorted(message.flags)), modseq))
        self.told = self.folder.modseq
        await self.writer.drain()

    async def do_idle(self, tag, arguments):
        if self.q("idle-hangs"):
            while True:
                await self.more()
        self.go_on("idling")
        self.idling = True
        await self.say_changes() if not self.q("idle-stale") else None
        try:
            while b"\n" not in self.buffer:
                pause = self.server.settings["still_here"] if self.q("still-here") else None
                try:
                    await asyncio.wait_for(asyncio.shield(self.reading()), pause)
                except asyncio.TimeoutError:
                    self.send("* OK Still here")
                    await self.writer.drain()
        finally:
            self.idling = False
        if (await self.line()).upper() != b"DONE":
            raise Refused("BAD Expected DONE")
        while self.q("idle-no-done"):
            await self.more()
        self.ok(tag)

    def reading(self):
        """A read that goes on when the wait for it is given up."""
        if not getattr(self, "pending", None) or self.pending.done():
            self.pending = asyncio.ensure_future(self.more())
        return self.pending

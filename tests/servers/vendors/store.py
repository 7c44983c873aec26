"""The mail of a scripted server: folders and messages in memory, with modification sequences."""

import time


class Message:
    def __init__(self, uid, raw, flags, date, modseq):
        self.uid, self.raw, self.flags, self.date, self.modseq = uid, raw, set(flags), date, modseq
        self.labels = set()


class Folder:
    def __init__(self, name, use=None, uidvalidity=1700000000):
        self.name, self.use, self.uidvalidity = name, use, uidvalidity
        self.uidnext, self.modseq = 1, 1
        self.messages = []
        self.expunged = []  # (modseq, uid)
        self.subscribed = True

    def touch(self):
        self.modseq += 1
        return self.modseq

    def add(self, raw, flags=(), date=None):
        message = Message(self.uidnext, raw, flags, date or int(time.time()), self.touch())
        self.uidnext += 1
        self.messages.append(message)
        return message

    def remove(self, doomed):
        if doomed:
            modseq, gone = self.touch(), set(id(message) for message in doomed)
            self.expunged += [(modseq, message.uid) for message in doomed]
            self.messages = [message for message in self.messages if id(message) not in gone]

    def change(self, message, flags):
        if flags != message.flags:
            message.flags = set(flags)
            message.modseq = self.touch()

    def highest(self):
        return self.uidnext - 1

    def unseen(self):
        return sum("\\Seen" not in message.flags for message in self.messages)

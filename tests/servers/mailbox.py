"""Mail that looks like mail: N messages in several languages and shapes, the same ones for the same seed.

50,000 messages are about 190 MB (3.8 KB each on average, most near 2 KB, some of 60 KB) and are made and written
as Maildir files in a few seconds: every text is encoded once for each transfer encoding, and a message takes some
paragraphs of it. Senders are places and machines, on names reserved for examples.
"""

import base64
import bisect
import email.utils
import os
import quopri
import random
import re
import textwrap

# language -> (charset, sender, subject words, sentences)
LANGUAGES = {
    "en": ("us-ascii", "Reading room", "Opening hours and the new shelves",
           "The reading room opens at nine and closes at six. Please return the atlas by Friday; two readers wait. "
           "The lift is being repaired and the stairs are on the left. Minutes of the meeting are below. "
           "The catalogue lists maps from now on as well. Nothing else changed this week. "),
    "de": ("utf-8", "Stadtbücherei", "Öffnungszeiten über die Feiertage",
           "Die Bücherei schließt am Freitag früher. Größere Karten liegen im zweiten Stock. "
           "Bitte geben Sie den Atlas bis Montag zurück. Für Rückfragen genügt eine kurze Nachricht. "),
    "fr": ("iso-8859-1", "Bibliothèque", "Horaires d'été de la bibliothèque",
           "La salle de lecture ouvre à neuf heures. L'ascenseur est en réparation, l'escalier est à gauche. "
           "Les cartes anciennes sont exposées jusqu'à la fin du mois. Merci de rendre l'atlas avant vendredi. "),
    "ru": ("koi8-r", "Читальный зал", "Новые часы работы",
           "Читальный зал открыт с девяти до шести. Лифт на ремонте, лестница слева. "
           "Просим вернуть атлас до пятницы. Старые карты теперь есть в каталоге. "),
    "el": ("utf-8", "Βιβλιοθήκη", "Νέο ωράριο της βιβλιοθήκης",
           "Το αναγνωστήριο ανοίγει στις εννέα. Ο ανελκυστήρας επισκευάζεται. Οι χάρτες είναι στον δεύτερο όροφο. "),
    "ja": ("iso-2022-jp", "図書館", "開館時間のお知らせ",
           "閲覧室は九時に開きます。エレベーターは修理中です。地図は二階にあります。金曜日までに地図帳をお返しください。"),
    "zh": ("utf-8", "阅览室", "开放时间通知",
           "阅览室九点开放，六点关闭。电梯正在维修，楼梯在左边。请在星期五之前归还地图集。目录现在也列出旧地图。"),
    "ko": ("euc-kr", "도서관", "열람실 이용 시간 안내",
           "열람실은 아홉 시에 엽니다. 승강기는 수리 중입니다. 지도는 이층에 있습니다. 금요일까지 돌려주세요. "),
    "ar": ("utf-8", "قاعة المطالعة", "مواعيد العمل الجديدة",
           "تفتح قاعة المطالعة في التاسعة وتغلق في السادسة. المصعد قيد الإصلاح. الخرائط في الطابق الثاني. "),
    "he": ("windows-1255", "אולם הקריאה", "שעות פתיחה חדשות",
           "אולם הקריאה נפתח בתשע ונסגר בשש. המעלית בתיקון והמדרגות משמאל. המפות בקומה השנייה. "),
    "hi": ("utf-8", "पुस्तकालय", "खुलने का नया समय",
           "वाचनालय नौ बजे खुलता है और छह बजे बंद होता है। लिफ़्ट की मरम्मत हो रही है। नक्शे दूसरी मंज़िल पर हैं। "),
    "emoji": ("utf-8", "Weather 🌦️ station", "Rain 🌧️ until noon, then ☀️ — 👩🏽‍🚀 visible at dusk",
              "Rain 🌧️ until noon, wind from the west 🌬️. Then sun ☀️ and 21 °C. The station 🛰️ passes at 21:04. "),
}
# How often each language and each shape comes, out of their sums.
LANGUAGE_WEIGHTS = [40, 12, 8, 6, 3, 6, 6, 3, 3, 3, 3, 4]
SHAPES = {"plain": 34, "alternative": 28, "html": 8, "list": 14, "attachment": 6, "forward": 3, "flowed": 4,
          "bare": 1, "long-headers": 2}
LAST_DATE = 1767225600  # 2026-01-01; a folder's messages lie evenly in the three years before
KEYWORDS = "abcd"       # Maildir's letters for them
WRAP = 76


def wrapped(data, width=WRAP):
    return [data[i:i + width] for i in range(0, len(data), width)]


def paragraphs(sentences, size):
    """`size` characters or more as paragraphs of lines, each of which begins with the next of the sentences."""
    parts = re.findall(r"[^.。।]+[.。।] ?", sentences)
    made, length = [], 0
    while length < size:
        first = len(made) % len(parts)
        words = "".join(parts[first:] + parts[:first])
        made.append(textwrap.wrap(words, 70) if " " in words else wrapped(words, 34))
        length += len(words)
    return made


class Pieces:
    """Texts that are encoded each by itself, so that what is taken of them begins and ends with whole characters."""

    def __init__(self, pieces):
        self.lines, self.starts = [], []
        for piece in pieces:
            self.starts.append(len(self.lines))
            self.lines += piece
        self.per_line = sum(map(len, self.lines)) // len(self.lines) + 1

    def slice(self, rng, count):
        """About so many lines from somewhere, at least one piece."""
        start = int(rng.random() * max(1, len(self.lines) - count))
        first = bisect.bisect_right(self.starts, start) - 1
        last = max(first + 1, bisect.bisect_right(self.starts, self.starts[first] + count) - 1)
        end = self.starts[last] if last < len(self.starts) else len(self.lines)
        return b"\n".join(self.lines[self.starts[first]:end]) + b"\n"


def quoted(text):
    return quopri.encodestring(text).split(b"\n")


class Text:
    """One language's text as lines, ready in each transfer encoding."""

    def __init__(self, name):
        self.charset, sender, subject, sentences = LANGUAGES[name]
        self.sender, self.subject, self.sentences = sender, subject, sentences
        whole = paragraphs(sentences, 90000 * len(sentences) // len(sentences.encode(self.charset)))
        encoded = ["\n".join(lines).encode(self.charset) for lines in whole]
        if self.charset in ("us-ascii", "iso-2022-jp"):
            self.encoding = "7bit"
            pieces = [text.split(b"\n") for text in encoded]
        elif self.charset == "iso-8859-1" or name in ("de", "emoji"):
            self.encoding = "quoted-printable"
            pieces = map(quoted, encoded)
        else:
            self.encoding = "base64"
            # Of whole threes, so that one can follow another without padding.
            pieces = [wrapped(base64.b64encode(text + b" " * ((-len(text) - 1) % 3) + b"\n")) for text in encoded]
        self.pieces = Pieces(pieces)
        self.lines = self.pieces.lines
        self.part = b"Content-Type: text/plain; charset=%s\nContent-Transfer-Encoding: %s\n" % (
            self.charset.encode(), self.encoding.encode())
        head = "<html><head><style>p{margin:0 0 1em;color:#333}</style></head><body>"
        self.html_pieces = Pieces([quoted(head.encode())] + [
            quoted(("<p>%s</p>" % line).encode("utf-8")) for lines in whole for line in lines] + [[b"</body></html>"]])
        self.word = self.encoded_word(sender)

    def encoded_word(self, text):
        try:
            text.encode("ascii")
            return text.encode()
        except UnicodeEncodeError:
            return b"=?%s?B?%s?=" % (self.charset.encode(), base64.b64encode(text.encode(self.charset)))

    def slice(self, rng, size):
        return self.pieces.slice(rng, max(1, size // self.pieces.per_line))

    def html_slice(self, rng, size):
        return self.html_pieces.slice(rng, max(4, size // 60))


class Mailbox:
    """A generator of messages; `make(i)` gives (bytes with LF, Maildir flags, epoch) of the i-th of `count`."""

    def __init__(self, seed=1, count=1000, to="home@example.org", last_date=LAST_DATE, mean_size=3150):
        self.rng = random.Random("%s/%s" % (seed, to))
        self.seed, self.count, self.to, self.last_date, self.mean_size = seed, count, to, last_date, mean_size
        self.texts = [Text(name) for name in LANGUAGES]
        self.blob = wrapped(base64.b64encode(self.rng.randbytes(57 * 1200)))
        # Drawn at once: ten draws per message one by one cost more than all the rest.
        self.languages = self.rng.choices(range(len(self.texts)), LANGUAGE_WEIGHTS, k=count)
        self.shapes = self.rng.choices(list(SHAPES), list(SHAPES.values()), k=count)
        self.threads = []

    def __iter__(self):
        return (self.make(i) for i in range(self.count))

    def make(self, i):
        rng, text, shape = self.rng, self.texts[self.languages[i % self.count]], self.shapes[i % self.count]
        size = min(60000, int(rng.lognormvariate(0, 0.9) * self.mean_size * 0.34))
        date = self.last_date - (self.count - 1 - i) * (3 * 365 * 86400 // max(self.count, 1))
        sender_name, subject = text.word, text.encoded_word("%s (%d)" % (text.subject, i))
        address = b"desk-%d@example.%s" % (i % 40, (b"org", b"net", b"com")[i % 3])
        if shape == "list":
            address = b"list-%d@lists.example.org" % (i % 7)
        lines = []
        # One message in four answers a recent one.
        if self.threads and rng.random() < 0.25:
            root, parent, old_subject = self.threads[int(rng.random() * len(self.threads))]
            subject = b"Re: " + old_subject
            lines += [b"In-Reply-To: " + parent, b"References: " + root + (b"\n " + parent if parent != root else b"")]
        else:
            root, old_subject = None, subject
        message_id = b"<%d.%s.%x@example.org>" % (i, str(self.seed).encode(), date)
        self.threads.append((root or message_id, message_id, old_subject))
        if len(self.threads) > 60:
            del self.threads[0]
        head = [
            b"Return-Path: <" + address + b">",
            b"Received: from relay.example.net (relay.example.net [192.0.2.%d])\n\tby mx.example.org with ESMTPS id %x"
            b"\n\tfor <%s>; %s" % (i % 250 + 1, date * 31 + i, self.to.encode(), rfc_date(date)),
            b"From: %s <%s>" % (sender_name if sender_name.startswith(b"=?") else b'"' + sender_name + b'"', address),
            b"To: " + self.to.encode(),
        ]
        if shape != "bare":
            head += [b"Subject: " + subject, b"Date: " + rfc_date(date), b"Message-ID: " + message_id]
        if shape == "list":
            head += [b"List-Id: Notices <notices.lists.example.org>",
                     b"List-Unsubscribe: <https://lists.example.org/leave>", b"Precedence: list"]
        if shape == "long-headers":
            head.append(b"Cc: " + b",\n ".join(b"reader-%d@example.net" % n for n in range(120)))
        head += lines
        head.append(b"MIME-Version: 1.0")
        body = getattr(self, "_" + shape.replace("-", "_"), self._plain)(rng, text, size, i)
        return b"\n".join(head) + b"\n" + body, flags_for(rng, i, self.count), date

    def _plain(self, rng, text, size, i):
        return text.part + b"\n" + text.slice(rng, size)

    def _flowed(self, rng, text, size, i):
        return (b"Content-Type: text/plain; charset=us-ascii; format=flowed\n\n" +
                b"> " + b"\n> ".join(self.texts[0].lines[i % 50:i % 50 + 9]) + b"\n\n" +
                b" \n".join(self.texts[0].lines[:max(2, size // 72)]) + b"\n")

    def _html(self, rng, text, size, i):
        return (b"Content-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\n" +
                text.html_slice(rng, size))

    def _alternative(self, rng, text, size, i):
        mark = b"=_alt_%d" % i
        return (b"Content-Type: multipart/alternative; boundary=\"%s\"\n\n--%s\n" % (mark, mark) + text.part + b"\n" +
                text.slice(rng, size) + b"\n--" + mark + b"\n" + self._html(rng, text, size * 2, i) +
                b"\n--" + mark + b"--\n")

    def _attachment(self, rng, text, size, i):
        mark = b"=_mix_%d" % i
        name = b"karte-%d.pdf" % i if i % 3 else b"=?utf-8?B?" + base64.b64encode("地図.pdf".encode()) + b"?="
        lines = min(len(self.blob), max(8, size // 14))
        return (b"Content-Type: multipart/mixed; boundary=\"%s\"\n\n--%s\n" % (mark, mark) +
                self._alternative(rng, text, size // 3, i) + b"\n--" + mark +
                b"\nContent-Type: application/pdf; name=\"%s\"\nContent-Transfer-Encoding: base64\n"
                b"Content-Disposition: attachment; filename=\"%s\"\n\n" % (name, name) +
                b"\n".join(self.blob[:lines]) + b"\n--" + mark + b"--\n")

    def _forward(self, rng, text, size, i):
        mark = b"=_fwd_%d" % i
        return (b"Content-Type: multipart/mixed; boundary=\"%s\"\n\n--%s\n" % (mark, mark) + text.part + b"\n" +
                text.slice(rng, 200) + b"\n--" + mark + b"\nContent-Type: message/rfc822\n\n" +
                b"From: archive@example.com\nTo: list-1@lists.example.org\nSubject: " +
                text.encoded_word(text.subject) + b"\nDate: " + rfc_date(self.last_date - 90 * 86400 - i) +
                b"\nMIME-Version: 1.0\n" + self._plain(rng, text, size, i) + b"\n--" + mark + b"--\n")

    def _bare(self, rng, text, size, i):
        """No subject, no date, no Message-ID."""
        return b"Content-Type: text/plain\n\n" + self.texts[0].slice(rng, size)


WEEK = (b"Thu", b"Fri", b"Sat", b"Sun", b"Mon", b"Tue", b"Wed")


def rfc_date(epoch):
    return email.utils.formatdate(epoch).encode()


def flags_for(rng, i, count):
    """The newest are unread; of the others some are flagged, answered, or carry a keyword."""
    chance = rng.random()
    flags = "" if chance < 0.08 or i > count - 12 else "S"
    if chance > 0.97:
        flags = "F" + flags
    if 0.5 < chance < 0.6:
        flags = "R" + flags
    if 0.6 < chance < 0.63:
        flags += KEYWORDS[i % 2]
    return flags


def write_maildir(path, mailbox, owner=None, first=0):
    """Writes the messages as files of `path`/cur, named so that Dovecot need not stat them; returns bytes."""
    for name in ("cur", "new", "tmp"):
        os.makedirs(os.path.join(path, name), exist_ok=True)
    if mailbox.count and not os.path.exists(os.path.join(path, "dovecot-keywords")):
        with open(os.path.join(path, "dovecot-keywords"), "w") as out:
            out.write("0 $Forwarded\n1 office\n")
    total = 0
    folder = os.open(os.path.join(path, "cur"), os.O_RDONLY | os.O_DIRECTORY)
    try:
        for i, (data, flags, date) in enumerate(mailbox, first):
            size = len(data) + data.count(b"\n")
            name = "%d.M%07dP1.example,S=%d,W=%d:2,%s" % (date, i, len(data), size, flags)
            out = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644, dir_fd=folder)
            os.write(out, data)
            if owner:
                os.fchown(out, *owner)
            os.close(out)
            os.utime(name, (date, date), dir_fd=folder)
            total += size
    finally:
        os.close(folder)
    if owner:
        for name in ("", "cur", "new", "tmp", "dovecot-keywords"):
            full = os.path.join(path, name)
            if os.path.exists(full):
                os.chown(full, *owner)
    return total

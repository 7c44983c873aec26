// What a Dovecot 2.3.19 said when it was asked for nearly everything it can do, with line ends as "\n" here; the
// sizes of its literals count CRLF.
#pragma once

inline constexpr const char* dovecot_session =
    R"###(* PREAUTH [CAPABILITY IMAP4rev1 SASL-IR LOGIN-REFERRALS ID ENABLE IDLE SORT SORT=DISPLAY THREAD=REFERENCES THREAD=REFS THREAD=ORDEREDSUBJECT MULTIAPPEND URL-PARTIAL CATENATE UNSELECT CHILDREN NAMESPACE UIDPLUS LIST-EXTENDED I18NLEVEL=1 CONDSTORE QRESYNC ESEARCH ESORT SEARCHRES WITHIN CONTEXT=SEARCH LIST-STATUS BINARY MOVE SNIPPET=FUZZY PREVIEW=FUZZY PREVIEW STATUS=SIZE SAVEDATE LITERAL+ NOTIFY SPECIAL-USE] Logged in as anna
a1 OK [APPENDUID 1795272060 1] Append completed (0.020 + 0.000 + 0.019 secs).
a2 OK [APPENDUID 1795272060 2] Append completed (0.016 + 0.000 + 0.015 secs).
* CAPABILITY IMAP4rev1 SASL-IR LOGIN-REFERRALS ID ENABLE IDLE SORT SORT=DISPLAY THREAD=REFERENCES THREAD=REFS THREAD=ORDEREDSUBJECT MULTIAPPEND URL-PARTIAL CATENATE UNSELECT CHILDREN NAMESPACE UIDPLUS LIST-EXTENDED I18NLEVEL=1 CONDSTORE QRESYNC ESEARCH ESORT SEARCHRES WITHIN CONTEXT=SEARCH LIST-STATUS BINARY MOVE SNIPPET=FUZZY PREVIEW=FUZZY PREVIEW STATUS=SIZE SAVEDATE LITERAL+ NOTIFY SPECIAL-USE
b0 OK Capability completed (0.001 + 0.000 secs).
* ID ("name" "Dovecot")
b1 OK ID completed (0.001 + 0.000 secs).
* ENABLED QRESYNC
b2 OK Enabled (0.001 + 0.000 secs).
* NAMESPACE (("" "/")) NIL NIL
b3 OK Namespace completed (0.001 + 0.000 secs).
* LIST (\HasNoChildren \Sent) "/" Sent
* STATUS Sent (MESSAGES 0 UIDNEXT 1 UIDVALIDITY 1795272061 UNSEEN 0 HIGHESTMODSEQ 1 SIZE 0)
* LIST (\HasNoChildren) "/" INBOX
* STATUS INBOX (MESSAGES 2 UIDNEXT 3 UIDVALIDITY 1795272060 UNSEEN 0 HIGHESTMODSEQ 5 SIZE 2536)
b4 OK List completed (0.010 + 0.000 + 0.009 secs).
c1 OK Create completed (0.014 + 0.000 + 0.013 secs).
c2 NO [ALREADYEXISTS] Mailbox already exists (0.001 + 0.000 secs).
c3 OK List completed (0.001 + 0.000 secs).
c4 OK Lsub completed (0.001 + 0.000 secs).
* FLAGS (\Answered \Flagged \Deleted \Seen \Draft $Forwarded)
* OK [PERMANENTFLAGS (\Answered \Flagged \Deleted \Seen \Draft $Forwarded \*)] Flags permitted.
* 2 EXISTS
* 2 RECENT
* OK [UIDVALIDITY 1795272060] UIDs valid
* OK [UIDNEXT 3] Predicted next UID
* OK [HIGHESTMODSEQ 5] Highest
d1 OK [READ-WRITE] Select completed (0.001 + 0.000 secs).
* 1 FETCH (UID 1 FLAGS (\Seen \Recent $Forwarded) MODSEQ (5) INTERNALDATE "21-Nov-2026 14:41:00 +0000" RFC822.SIZE 1042 ENVELOPE ("Tue, 12 Mar 2024 08:15:30 +0100" {45}
=?utf-8?q?Gr=C3=BC=C3=9Fe?= "quoted" \ back 1 (("Berg, Anna" NIL "anna" "example.org")) (("Berg, Anna" NIL "anna" "example.org")) (("Berg, Anna" NIL "anna" "example.org")) ((NIL NIL "Team" NIL)(NIL NIL "a" "example.org")(NIL NIL "b" "example.org")(NIL NIL NIL NIL)) ((NIL NIL "c" "example.org")) NIL NIL "<m1@example.org>") BODYSTRUCTURE ((("text" "plain" ("charset" "utf-8") NIL NIL "8bit" 24 3 NIL NIL NIL NIL)("text" "html" ("charset" "utf-8") NIL NIL "7bit" 10 1 NIL NIL NIL NIL) "alternative" ("boundary" "===============5183153221126427107==") NIL NIL NIL)("application" "octet-stream" NIL NIL NIL "base64" 6 NIL ("attachment" ("filename*" "utf-8''d%C3%A5ta.bin")) NIL NIL) "mixed" ("boundary" "===============0097185496849551605==") NIL NIL NIL) BODY ((("text" "plain" ("charset" "utf-8") NIL NIL "8bit" 24 3)("text" "html" ("charset" "utf-8") NIL NIL "7bit" 10 1) "alternative")("application" "octet-stream" NIL NIL NIL "base64" 6) "mixed"))
* 2 FETCH (UID 2 FLAGS (\Seen \Recent $Forwarded) MODSEQ (5) INTERNALDATE "21-Nov-2026 14:41:00 +0000" RFC822.SIZE 1494 ENVELOPE (NIL "outer" ((NIL NIL "x" "MISSING_DOMAIN")) ((NIL NIL "x" "MISSING_DOMAIN")) ((NIL NIL "x" "MISSING_DOMAIN")) NIL NIL NIL NIL NIL) BODYSTRUCTURE (("text" "plain" ("charset" "utf-8") NIL NIL "7bit" 5 1 NIL NIL NIL NIL)("message" "rfc822" NIL NIL NIL "8bit" 1042 ("Tue, 12 Mar 2024 08:15:30 +0100" {45}
=?utf-8?q?Gr=C3=BC=C3=9Fe?= "quoted" \ back 1 (("Berg, Anna" NIL "anna" "example.org")) (("Berg, Anna" NIL "anna" "example.org")) (("Berg, Anna" NIL "anna" "example.org")) ((NIL NIL "Team" NIL)(NIL NIL "a" "example.org")(NIL NIL "b" "example.org")(NIL NIL NIL NIL)) ((NIL NIL "c" "example.org")) NIL NIL "<m1@example.org>") ((("text" "plain" ("charset" "utf-8") NIL NIL "8bit" 24 3 NIL NIL NIL NIL)("text" "html" ("charset" "utf-8") NIL NIL "7bit" 10 1 NIL NIL NIL NIL) "alternative" ("boundary" "===============4009706802185594514==") NIL NIL NIL)("application" "octet-stream" NIL NIL NIL "base64" 6 NIL ("attachment" ("filename*" "utf-8''d%C3%A5ta.bin")) NIL NIL) "mixed" ("boundary" "===============7239154122453100318==") NIL NIL NIL) 39 NIL ("attachment" NIL) NIL NIL) "mixed" ("boundary" "===============5251541471406775922==") NIL NIL NIL) BODY (("text" "plain" ("charset" "utf-8") NIL NIL "7bit" 5 1)("message" "rfc822" NIL NIL NIL "8bit" 1042 ("Tue, 12 Mar 2024 08:15:30 +0100" {45}
=?utf-8?q?Gr=C3=BC=C3=9Fe?= "quoted" \ back 1 (("Berg, Anna" NIL "anna" "example.org")) (("Berg, Anna" NIL "anna" "example.org")) (("Berg, Anna" NIL "anna" "example.org")) ((NIL NIL "Team" NIL)(NIL NIL "a" "example.org")(NIL NIL "b" "example.org")(NIL NIL NIL NIL)) ((NIL NIL "c" "example.org")) NIL NIL "<m1@example.org>") ((("text" "plain" ("charset" "utf-8") NIL NIL "8bit" 24 3)("text" "html" ("charset" "utf-8") NIL NIL "7bit" 10 1) "alternative")("application" "octet-stream" NIL NIL NIL "base64" 6) "mixed") 39) "mixed"))
* 1 FETCH (UID 1 PREVIEW {20}
Hällo Hällo Hällo SAVEDATE "21-Nov-2026 14:41:00 +0000" BODY[HEADER.FIELDS (FROM TO)] {82}
From: "Berg, Anna" <anna@example.org>
To: Team: a@example.org, b@example.org;

 BODY[1.1]<0> {5}
Häll BINARY[2] ~{3}
abc BINARY.SIZE[2] 3)
* 2 FETCH (UID 2 PREVIEW "see" SAVEDATE "21-Nov-2026 14:41:00 +0000" BODY[HEADER.FIELDS (FROM TO)] {11}
From: x

 BODY[1.1]<0> {5}
see
 BINARY[2] ~{1039}
From: "Berg, Anna" <anna@example.org>
To: Team: a@example.org, b@example.org;
Cc: c@example.org
Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?= "quoted" \ back 1
Date: Tue, 12 Mar 2024 08:15:30 +0100
Message-ID: <m1@example.org>
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="===============7239154122453100318=="

--===============7239154122453100318==
Content-Type: multipart/alternative;
 boundary="===============4009706802185594514=="

--===============4009706802185594514==
Content-Type: text/plain; charset="utf-8"
Content-Transfer-Encoding: 8bit

Hällo
Hällo
Hällo

--===============4009706802185594514==
Content-Type: text/html; charset="utf-8"
Content-Transfer-Encoding: 7bit
MIME-Version: 1.0

<p>x</p>

--===============4009706802185594514==--

--===============7239154122453100318==
Content-Type: application/octet-stream
Content-Disposition: attachment; filename*=utf-8''d%C3%A5ta.bin
MIME-Version: 1.0
Content-Transfer-Encoding: binary

abc
--===============7239154122453100318==--
 BINARY.SIZE[2] 1039)
* 1 FETCH (UID 1 SNIPPET (FUZZY {20}
Hällo Hällo Hällo))
* 2 FETCH (UID 2 SNIPPET (FUZZY "see"))
* 1 FETCH (UID 1 PREVIEW {20}
Hällo Hällo Hällo)
* 2 FETCH (UID 2 PREVIEW "see")
d2 OK Fetch completed (0.001 + 0.000 secs).
d3 OK Fetch completed (0.001 + 0.000 secs).
d31 OK Fetch completed (0.001 + 0.000 secs).
d32 OK Fetch completed (0.001 + 0.000 secs).
* 2 FETCH (UID 2 BINARY[2.1.2] {10}
<p>x</p>
 RFC822.HEADER {126}
Subject: outer
From: x
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="===============5251541471406775922=="

 RFC822.TEXT {1368}
--===============5251541471406775922==
Content-Type: text/plain; charset="utf-8"
Content-Transfer-Encoding: 7bit

see

--===============5251541471406775922==
Content-Type: message/rfc822
Content-Transfer-Encoding: 8bit
MIME-Version: 1.0
Content-Disposition: attachment

From: "Berg, Anna" <anna@example.org>
To: Team: a@example.org, b@example.org;
Cc: c@example.org
Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?= "quoted" \ back 1
Date: Tue, 12 Mar 2024 08:15:30 +0100
Message-ID: <m1@example.org>
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="===============7239154122453100318=="

--===============7239154122453100318==
Content-Type: multipart/alternative;
 boundary="===============4009706802185594514=="

--===============4009706802185594514==
Content-Type: text/plain; charset="utf-8"
Content-Transfer-Encoding: 8bit

Hällo
)###"
    R"###(Hällo
Hällo

--===============4009706802185594514==
Content-Type: text/html; charset="utf-8"
Content-Transfer-Encoding: 7bit
MIME-Version: 1.0

<p>x</p>

--===============4009706802185594514==--

--===============7239154122453100318==
Content-Type: application/octet-stream
Content-Transfer-Encoding: base64
Content-Disposition: attachment; filename*=utf-8''d%C3%A5ta.bin
MIME-Version: 1.0

AAEC

--===============7239154122453100318==--

--===============5251541471406775922==--
 RFC822 {1494}
Subject: outer
From: x
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="===============5251541471406775922=="

--===============5251541471406775922==
Content-Type: text/plain; charset="utf-8"
Content-Transfer-Encoding: 7bit

see

--===============5251541471406775922==
Content-Type: message/rfc822
Content-Transfer-Encoding: 8bit
MIME-Version: 1.0
Content-Disposition: attachment

From: "Berg, Anna" <anna@example.org>
To: Team: a@example.org, b@example.org;
Cc: c@example.org
Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?= "quoted" \ back 1
Date: Tue, 12 Mar 2024 08:15:30 +0100
Message-ID: <m1@example.org>
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="===============7239154122453100318=="

--===============7239154122453100318==
Content-Type: multipart/alternative;
 boundary="===============4009706802185594514=="

--===============4009706802185594514==
Content-Type: text/plain; charset="utf-8"
Content-Transfer-Encoding: 8bit

Hällo
Hällo
Hällo

--===============4009706802185594514==
Content-Type: text/html; charset="utf-8"
Content-Transfer-Encoding: 7bit
MIME-Version: 1.0

<p>x</p>

--===============4009706802185594514==--

--===============7239154122453100318==
Content-Type: application/octet-stream
Content-Transfer-Encoding: base64
Content-Disposition: attachment; filename*=utf-8''d%C3%A5ta.bin
MIME-Version: 1.0

AAEC

--===============7239154122453100318==--

--===============5251541471406775922==--
)
* ESEARCH (TAG "d4") UID MIN 1 MAX 2 ALL 1:2 COUNT 2
* ESEARCH (TAG "d41") UID PARTIAL (1:1 1)
* SEARCH 1 2 (MODSEQ 5)
d33 OK Fetch completed (0.001 + 0.000 secs).
d4 OK Search completed (0.001 + 0.000 secs).
d41 OK Search completed (0.001 + 0.000 secs).
d5 OK Search completed (0.001 + 0.000 secs).
* SORT 1 2
* THREAD (1)(2)
* FLAGS (\Answered \Flagged \Deleted \Seen \Draft $Forwarded $x)
* OK [PERMANENTFLAGS (\Answered \Flagged \Deleted \Seen \Draft $Forwarded $x \*)] Flags permitted.
* 1 FETCH (UID 1 MODSEQ (6))
d6 OK Sort completed (0.002 + 0.000 + 0.001 secs).
d7 OK Thread completed (0.002 + 0.000 + 0.001 secs).
d8 OK [MODIFIED 1] Conditional store failed (0.001 + 0.000 secs).
d9 OK Store completed (0.001 + 0.000 secs).
* OK [COPYUID 1795272061 1 3] Moved UIDs.
* 1 FETCH (UID 1 FLAGS (\Seen \Recent $Forwarded $x) MODSEQ (6))
* 2 FETCH (UID 2 FLAGS (\Seen \Recent $Forwarded) MODSEQ (5))
e4 BAD Error in IMAP command STATUS: Invalid status item DELETED (0.001 + 0.000 secs).
* STATUS Sent (MESSAGES 3 UIDNEXT 4 HIGHESTMODSEQ 7 SIZE 3578)
e41 OK Status completed (0.001 + 0.000 secs).
e5 BAD Error in IMAP command FOO: Unknown command (0.000 + 0.000 secs).
* VANISHED 1
* 1 RECENT
e1 OK [COPYUID 1795272061 1:2 1:2] Copy completed (0.013 + 0.000 + 0.012 secs).
e2 OK Move completed (0.003 + 0.000 + 0.002 secs).
e3 OK [HIGHESTMODSEQ 7] Fetch completed (0.001 + 0.000 secs).
* OK [CLOSED] Previous mailbox closed.
e6 NO Mailbox doesn't exist: nosuch (0.001 + 0.000 secs).
e7 BAD No mailbox selected (0.001 + 0.000 secs).
e8 OK Rename completed (0.001 + 0.000 secs).
e9 BAD No mailbox selected (0.001 + 0.000 secs).
f0 OK NOTIFY completed (0.001 + 0.000 secs).
f1 BAD No mailbox selected (0.001 + 0.000 secs).
f2 BAD No mailbox selected (0.000 + 0.000 secs).
* FLAGS (\Answered \Flagged \Deleted \Seen \Draft $Forwarded $x)
* OK [PERMANENTFLAGS (\Answered \Flagged \Deleted \Seen \Draft $Forwarded $x \*)] Flags permitted.
* 3 EXISTS
* 3 RECENT
* OK [UIDVALIDITY 1795272061] UIDs valid
* OK [UIDNEXT 4] Predicted next UID
* OK [HIGHESTMODSEQ 7] Highest
f3 OK [READ-WRITE] Select completed (0.005 + 0.000 + 0.004 secs).
f4 OK Unselect completed (0.001 + 0.000 secs).
* BYE Logging out
g1 OK Logout completed (0.001 + 0.000 secs).
)###";

// Recorded replies, damaged in thousands of ways: nothing crashes, memory stays bounded, and the chunks in which bytes
// come make no difference.
#include "catch.hpp"
#include "imap/dovecot_session.hpp"
#include "imap/mutations.hpp"

using namespace reading;

namespace {

// What other servers say, as crookedly as they say it.
const char* const others = R"(* OK Gimap ready for requests from 192.0.2.7 a12mb345678abc
* CAPABILITY IMAP4rev1 UNSELECT IDLE NAMESPACE QUOTA ID XLIST CHILDREN X-GM-EXT-1 UIDPLUS COMPRESS=DEFLATE ENABLE MOVE CONDSTORE ESEARCH UTF8=ACCEPT LIST-EXTENDED LIST-STATUS LITERAL- SPECIAL-USE APPENDLIMIT=35651584
* XLIST (\HasNoChildren \Inbox) "/" "Posteingang"
* LIST (\HasChildren \Noselect) "/" "[Gmail]"
* LIST (\All \HasNoChildren) "/" "[Gmail]/All Mail" ("CHILDINFO" ("SUBSCRIBED"))
* FLAGS (\Answered \Flagged \Draft \Deleted \Seen $Phishing a]b)
* OK [PERMANENTFLAGS (\Answered \Flagged \Draft \Deleted \Seen $Phishing \*)] Flags permitted.
* OK [HIGHESTMODSEQ 4711]
* 1 FETCH (X-GM-THRID 1278455344230334865 X-GM-MSGID 1278455344230334866 X-GM-LABELS ("\\Inbox" {5}
a b c Sent) UID 5 RFC822.SIZE 4286 MODSEQ (65401) FLAGS (\Seen) INTERNALDATE "17-Jul-1996 02:44:25 -0700")
* 2 FETCH (UID 6 ENVELOPE ("Wed, 17 Jul 1996 02:23:25 -0700" "IMAP4rev1 \"WG\" mtg" (("T Gray" NIL "gray" "example.org")) NIL NIL ((NIL NIL "imap" "example.org")) NIL NIL NIL "<B27397@example.org>"))
* 3 FETCH (UID 7 BODYSTRUCTURE (("TEXT" "PLAIN" ("CHARSET" "UTF-8") NIL NIL "7BIT" 1152 23 NIL ("attachment" ("FILENAME" "a b")) NIL NIL)("MESSAGE" "RFC822" NIL NIL NIL "7BIT" 400 (NIL "in" NIL NIL NIL NIL NIL NIL NIL NIL) ("TEXT" "PLAIN" NIL NIL NIL "7BIT" 1 1) 9) "MIXED" ("BOUNDARY" "=_1") NIL NIL) BODY[HEADER.FIELDS (DATE FROM)] {19}
From: b@example.org BINARY.SIZE[1] 12 PREVIEW {3}
abc SAVEDATE NIL EMAILID (M6d99) THREADID NIL)
* 4 FETCH (UID 8 BODYSTRUCTURE ("ALTERNATIVE") BODY[1.2.MIME]<100> "short" BINARY[2] ~{4}
)
 ( FLAGS NIL MODSEQ (-1))
* VANISHED (EARLIER) 41,43:116,118,120:211,214:540
* ESEARCH (TAG "A285") UID MIN 7 MAX 3800 COUNT 27 ALL 4:5,17,900:*
* STATUS "a b" (MESSAGES 3 UIDNEXT 0 UNSEEN -1 SIZE 99 MAILBOXID (F22) )
* NAMESPACE (("" "/")) (("~" "/" "X-PARAM" ("F" "G"))) NIL
* ID ("name" "GImap" "vendor" NIL)
* THREAD (3 6 (4 23)(44 7 96))
* SORT 2 84 882
* BAD [Error="x"] Request is throttled. Suggested Backoff Time: 92415 milliseconds
+ 
* [COPYUID 2 1:2 5:6] without OK
A1 OK [APPENDUID 38505 3955] done
A2 NO [TRYCREATE] no {4} such folder
* BYE later
)";

constexpr Limits small{.line = 300,
                       .response = 900,
                       .inline_literal = 16,
                       .literal = 5000,
                       .nesting = 6,
                       .list = 12,
                       .memory = 1u << 20};

} // namespace

TEST_CASE("damaged replies are read the same in any chunks, with bounded memory") {
    const std::string recordings[] = {crlf(dovecot_session), crlf(others), others};
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    constexpr std::uint64_t ROUNDS = 1000;
#else
    constexpr std::uint64_t ROUNDS = 10000;
#endif
    std::size_t responses = 0, errors = 0;
    for (std::uint64_t seed = 0; seed < ROUNDS; ++seed) {
        Damage damage(seed);
        const std::string bytes = damage.of(recordings[seed % 3]);
        const bool all_bodies = damage.below(2) == 0;
        const Limits limits = damage.below(3) == 0 ? small : Limits{};
        INFO("seed " << seed);
        const Reading whole = read_in(bytes, all_bodies, limits, [] { return SIZE_MAX; });
        const Reading single = read_in(bytes, all_bodies, limits, [] { return 1; });
        const Reading mixed = read_in(bytes, all_bodies, limits, [&] { return 1 + damage.below(90); });
        REQUIRE(single == whole);
        REQUIRE(mixed == whole);
        for (const Reading* one : {&whole, &single, &mixed})
            REQUIRE(one->most_memory <= limits.memory + 2 * bytes.size() + (1u << 20));
        responses += whole.responses.size();
        for (const std::string& one : whole.responses)
            errors += is_error(one);
    }
    // The damage is real, and much of what stands beside it is still read.
    CHECK(errors > ROUNDS / 2);
    CHECK(responses > 2 * errors);
}

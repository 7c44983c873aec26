// One test for each tolerance of imap/quirks.hpp, by its name, and for each that what lies beyond it is malformed.
#include "catch.hpp"
#include "imap/reading.hpp"

using namespace reading;

namespace {

template<class T>
void check_malformed(T text) {
    INFO(text);
    CHECK(One(text).template as<Malformed>() != nullptr);
}

const char* const envelope_tail = " NIL NIL NIL NIL NIL NIL NIL \"<m@example.org>\")";

std::string fetch(const std::string& items) {
    return "* 1 FETCH (" + items + ")\n";
}
std::string envelope(const std::string& date, const std::string& subject) {
    return fetch("ENVELOPE (" + date + " " + subject + envelope_tail);
}

} // namespace

TEST_CASE("fetch_of_message_zero") {
    const One one("* 0 FETCH (UID 7 FLAGS (\\Seen))\n");
    REQUIRE(one.as<Fetch>());
    CHECK(one.as<Fetch>()->seq == 0);
    CHECK(one.as<Fetch>()->uid == 7u);
    check_malformed("* -1 FETCH (UID 7)\n");
}

TEST_CASE("minus_one_is_unknown") {
    CHECK_FALSE(One(fetch("UID 1 MODSEQ (-1)")).as<Fetch>()->modseq.has_value());
    const One one(fetch("BODYSTRUCTURE (\"text\" \"plain\" NIL NIL NIL \"7bit\" -1 -1)"));
    REQUIRE(one.as<Fetch>());
    CHECK(one.as<Fetch>()->body->octets == 0);
    CHECK(one.as<Fetch>()->body->lines == 0);
    CHECK_FALSE(One(fetch("RFC822.SIZE -1")).as<Fetch>()->size.has_value());
    check_malformed(fetch("MODSEQ (-2)"));
    check_malformed(fetch("MODSEQ (-12)"));
    check_malformed(fetch("UID -1"));
}

TEST_CASE("decimal_integer") {
    CHECK(One(fetch("UID 1 MODSEQ (12.0)")).as<Fetch>()->modseq == 12u);
    CHECK(One("* OK [HIGHESTMODSEQ 1234.5] x\n").as<Status>()->code.number == 1234u);
    check_malformed(fetch("UID 1."));
}

TEST_CASE("literal_space_plus") {
    const One one("* CAPABILITY IMAP4rev1 LITERAL + IDLE\n");
    REQUIRE(one.as<Capability>()->names.size() == 3);
    CHECK(one.as<Capability>()->names[1] == "LITERAL+");
    CHECK(One("* CAPABILITY IMAP4rev1 LITERAL -\n").as<Capability>()->names[1] == "LITERAL-");
    CHECK(One("* CAPABILITY A + B\n").as<Capability>()->names.size() == 3);
}

TEST_CASE("code_without_ok") {
    const One one("* [COPYUID 38505 304,319:320 3956:3958] done\n");
    REQUIRE(one.as<Status>());
    CHECK(one.as<Status>()->condition == Condition::ok);
    CHECK(one.as<Status>()->code.kind == CodeKind::copy_uid);
    CHECK(one.as<Status>()->code.uids.size() == 2);
    CHECK(one.as<Status>()->text == "done");
}

TEST_CASE("invalid_copyuid") {
    for (const char* text :
         {"A1 OK [COPYUID 1 2:3 9] done\n", "A1 OK [COPYUID 1 2:3] done\n", "A1 OK [COPYUID ] done\n",
          "A1 OK [COPYUID] done\n", "A1 OK [COPYUID 1  ] done\n", "A1 OK [COPYUID a b c] done\n"}) {
        INFO(text);
        const One one(text);
        REQUIRE(one.as<Status>());
        CHECK(one.as<Status>()->tag == "A1");
        CHECK(one.as<Status>()->code.kind == CodeKind::copy_uid);
        CHECK(one.as<Status>()->code.uids.empty());
        CHECK(one.as<Status>()->code.targets.empty());
        CHECK(one.as<Status>()->text == "done");
    }
}

TEST_CASE("extra_space") {
    const One one(
        fetch("ENVELOPE ( \"d\"  \"s\" ( (\"A\" NIL \"a\" \"x.org\" ) (\"B\" NIL \"b\" \"x.org\") )  NIL NIL "
              "NIL NIL NIL NIL \"<m>\" ) UID 5 "));
    REQUIRE(one.as<Fetch>());
    CHECK(one.as<Fetch>()->envelope->from.size() == 2);
    CHECK(one.as<Fetch>()->envelope->message_id == "<m>");
    CHECK(one.as<Fetch>()->uid == 5u);
    CHECK(One(fetch("BODYSTRUCTURE ( (\"text\" \"plain\" NIL NIL NIL \"7bit\" 1 1 ) (\"text\" \"html\" NIL "
                    "NIL NIL "
                    "\"7bit\" 1 1) \"mixed\" )"))
              .as<Fetch>()
              ->body->children.size() == 2);
    CHECK(One("* SEARCH 1 2 \n").as<SearchResult>()->numbers.size() == 2);
    CHECK(One("* SEARCH \n").as<SearchResult>()->numbers.empty());
    check_malformed(fetch("ENVELOPE (\"d\"\"s\" NIL NIL NIL NIL NIL NIL NIL NIL)"));
}

TEST_CASE("trailing_space_in_status") {
    const One one("* STATUS \"INBOX\" (MESSAGES 3 UIDNEXT 9 ) \n");
    REQUIRE(one.as<FolderStatus>());
    CHECK(one.as<FolderStatus>()->messages == 3u);
    CHECK(one.as<FolderStatus>()->uid_next == 9u);
    check_malformed("* STATUS \"INBOX\" (MESSAGES 3) x\n");
}

TEST_CASE("bare_control") {
    CHECK(One("* LIST () \"/\" \"a\x01\x1f\"\n").as<Folder>()->name == "a\x01\x1f");
    CHECK(One("* LIST () \"/\" a\x02z\n").as<Folder>()->name == "a\x02z");
    // A line end within quotes is data once the stream has shown how its lines end.
    const auto all =
        read_all("* OK ready\r\n* LIST () \"/\" \"a\nb\"\r\n* LIST () \"/\" \"c\rd\"\r\n* 1 EXISTS\r\n");
    REQUIRE(all.size() == 4);
    CHECK(all[1].find("\"name\":\"a\\nb\"") != std::string::npos);
    CHECK(all[2].find("\"name\":\"c\\rd\"") != std::string::npos);
    CHECK(read_all(std::string("* LIST () \"/\" \"a\0b\"\r\n", 22))[0].starts_with("{\"error\""));
}

TEST_CASE("disposition_without_list") {
    const One one(
        fetch("BODYSTRUCTURE (\"image\" \"png\" NIL NIL NIL \"base64\" 99 NIL \"inline\" NIL NIL)"));
    REQUIRE(one.as<Fetch>());
    CHECK(one.as<Fetch>()->body->disposition == "inline");
    CHECK(one.as<Fetch>()->body->language.empty());
}

TEST_CASE("disposition_and_language_swapped") {
    const One one(
        fetch("BODYSTRUCTURE (\"image\" \"png\" NIL NIL NIL \"base64\" 99 NIL (\"en\") (\"attachment\" "
              "(\"filename\" \"a.png\")) \"loc\")"));
    REQUIRE(one.as<Fetch>());
    const BodyPart& part = *one.as<Fetch>()->body;
    CHECK(part.disposition == "attachment");
    REQUIRE(part.disposition_parameters.size() == 1);
    CHECK(part.disposition_parameters[0].value == "a.png");
    REQUIRE(part.language.size() == 1);
    CHECK(part.language[0] == "en");
    CHECK(part.location == "loc");
    const One nil(
        fetch("BODYSTRUCTURE (\"image\" \"png\" NIL NIL NIL \"base64\" 99 NIL NIL (\"inline\" NIL) NIL)"));
    CHECK(nil.as<Fetch>()->body->disposition == "inline");
}

TEST_CASE("envelope_in_extra_parentheses") {
    const One one(
        fetch("ENVELOPE ((\"date\" \"subject\" NIL NIL NIL NIL NIL NIL NIL \"<m@example.org>\")) UID 3"));
    REQUIRE(one.as<Fetch>());
    CHECK(one.as<Fetch>()->envelope->subject == "subject");
    CHECK(one.as<Fetch>()->uid == 3u);
    check_malformed(fetch("ENVELOPE ((\"date\" \"subject\" NIL NIL NIL NIL NIL NIL NIL \"<m>\") UID 3"));
}

TEST_CASE("date_that_is_none") {
    const One one(fetch("UID 3 INTERNALDATE \"00-Jan-0000 00:00:00 +0000\""));
    REQUIRE(one.as<Fetch>());
    CHECK(one.as<Fetch>()->internal_date.text == "00-Jan-0000 00:00:00 +0000");
    CHECK_FALSE(one.as<Fetch>()->internal_date.epoch.has_value());
    CHECK_FALSE(One(fetch("INTERNALDATE \"\"")).as<Fetch>()->internal_date.epoch.has_value());
}

TEST_CASE("multipart_without_children") {
    for (const char* body : {"(\"ALTERNATIVE\")", "(\"ALTERNATIVE\" (\"BOUNDARY\" \"x\") NIL NIL)"}) {
        const One one(fetch(std::string("BODYSTRUCTURE ") + body + " UID 4"));
        REQUIRE(one.as<Fetch>());
        CHECK(one.as<Fetch>()->body->multipart);
        CHECK(one.as<Fetch>()->body->subtype == "ALTERNATIVE");
        CHECK(one.as<Fetch>()->body->children.empty());
        CHECK(one.as<Fetch>()->uid == 4u);
    }
    const One within(
        fetch("BODYSTRUCTURE ((\"ALTERNATIVE\")(\"text\" \"plain\" NIL NIL NIL \"7bit\" 1 1) \"MIXED\")"));
    REQUIRE(within.as<Fetch>());
    CHECK(within.as<Fetch>()->body->children.size() == 2);
}

TEST_CASE("status_without_text") {
    CHECK(One("* OK [HIGHESTMODSEQ 35312]\n").as<Status>()->code.number == 35312u);
    CHECK(One("A1 OK\n").as<Status>()->text == "");
    CHECK(One("A1 NO\n").as<Status>()->condition == Condition::no);
}

TEST_CASE("bracket_in_flag") {
    const One one("* FLAGS (\\Seen [Gmail]a]b)\n");
    REQUIRE(one.as<Flags>());
    CHECK(one.as<Flags>()->names[1] == "[Gmail]a]b");
    const One permanent("* OK [PERMANENTFLAGS (\\Seen a]b \\*)] Flags permitted.\n");
    REQUIRE(permanent.as<Status>());
    CHECK(permanent.as<Status>()->code.words.size() == 3);
    CHECK(permanent.as<Status>()->text == "Flags permitted.");
}

TEST_CASE("bare_plus") {
    REQUIRE(One("+\n").as<Continuation>());
    CHECK(One("+\n").as<Continuation>()->text == "");
    CHECK(One("+ \n").as<Continuation>()->text == "");
    check_malformed("+idling\n");
}

TEST_CASE("tagged_bye") {
    const One one("A1 BYE go away\n");
    REQUIRE(one.as<Status>());
    CHECK(one.as<Status>()->condition == Condition::bye);
    CHECK(one.as<Status>()->tag == "A1");
    check_malformed("A1 PREAUTH x\n");
}

TEST_CASE("nil_flags") {
    const One one(fetch("UID 1 FLAGS NIL"));
    REQUIRE(one.as<Fetch>());
    CHECK(one.as<Fetch>()->has_flags);
    CHECK(one.as<Fetch>()->flags.empty());
    CHECK(One(fetch("FLAGS (NIL \\Seen)")).as<Fetch>()->flags.size() == 1);
    CHECK(One("* LIST NIL \"/\" a\n").as<Folder>()->attributes.empty());
    const One labels(fetch("X-GM-LABELS (\\Important \"Custom Label\" NIL)"));
    CHECK(labels.as<Fetch>()->gm_labels.size() == 2);
}

TEST_CASE("nil_in_body_fields") {
    const One one(fetch("BODYSTRUCTURE (NIL NIL NIL NIL NIL NIL 12)"));
    REQUIRE(one.as<Fetch>());
    CHECK(is_nil(one.as<Fetch>()->body->type));
    CHECK(is_nil(one.as<Fetch>()->body->encoding));
    CHECK(one.as<Fetch>()->body->octets == 12);
    const One text(fetch("BODYSTRUCTURE (NIL NIL NIL NIL NIL NIL 12 3 NIL NIL NIL NIL)"));
    REQUIRE(text.as<Fetch>());
    CHECK(text.as<Fetch>()->body->lines == 3);
    CHECK(One(fetch("BODYSTRUCTURE ((\"text\" \"plain\" NIL NIL NIL NIL 1 1) NIL)"))
              .as<Fetch>()
              ->body->multipart);
}

TEST_CASE("long_address") {
    const One one(
        fetch("ENVELOPE (NIL NIL ((\"A\" NIL \"a\" \"x.org\" \"more\" NIL)) NIL NIL NIL NIL NIL NIL NIL)"));
    REQUIRE(one.as<Fetch>());
    CHECK(one.as<Fetch>()->envelope->from[0].host == "x.org");
    check_malformed(fetch("ENVELOPE (NIL NIL ((\"A\" NIL \"a\")) NIL NIL NIL NIL NIL NIL NIL)"));
}

TEST_CASE("nil_mailbox") {
    const One one(
        fetch("ENVELOPE (NIL NIL ((\"A\" NIL NIL \"x.org\")(NIL NIL NIL NIL)) NIL NIL NIL NIL NIL NIL NIL)"));
    REQUIRE(one.as<Fetch>());
    CHECK_FALSE(is_nil(one.as<Fetch>()->envelope->from[0].mailbox));
    CHECK(is_nil(one.as<Fetch>()->envelope->from[1].mailbox));
    CHECK(One("* LIST () NIL NIL\n").as<Folder>()->name == "NIL");
    CHECK(One("* LIST () NIL a\n").as<Folder>()->delimiter == '\0');
}

TEST_CASE("zero_is_unknown") {
    const One one("* STATUS a (UIDVALIDITY 0 UIDNEXT 0 MESSAGES 0)\n");
    CHECK_FALSE(one.as<FolderStatus>()->uid_validity.has_value());
    CHECK_FALSE(one.as<FolderStatus>()->uid_next.has_value());
    CHECK(one.as<FolderStatus>()->messages == 0u);
    const One code("* OK [UIDVALIDITY 0] x\n");
    CHECK(code.as<Status>()->code.kind == CodeKind::uid_validity);
    CHECK(code.as<Status>()->code.number == 0);
}

TEST_CASE("quote_closes") {
    const auto subject = [](const char* sent) {
        const One one(envelope("\"date\"", sent));
        INFO(one.json());
        REQUIRE(one.as<Fetch>());
        return std::string(one.as<Fetch>()->envelope->subject);
    };
    CHECK(subject("\"say \"hello\" to all\"") == "say \"hello\" to all");
    CHECK(subject("\"\"quoted\"\"") == "\"quoted\"");
    CHECK(subject("\"a\"b\"") == "a\"b");
    CHECK(subject("\"\"") == "");
    CHECK(subject("\"well \\\"escaped\\\" here\"") == "well \"escaped\" here");
    // Elsewhere a quote is a quote.
    check_malformed("* LIST () \"/\" \"a\"b\"\n");
}

TEST_CASE("error_code_in_quotes") {
    const One one("A1 OK [Error=\"Microsoft.Exchange.Error: a ] in it\"] done\n");
    REQUIRE(one.as<Status>());
    CHECK(one.as<Status>()->code.kind == CodeKind::unknown);
    CHECK(one.as<Status>()->text == "done");
}

TEST_CASE("code_without_end_is_text") {
    const One one("A1 NO [what is this\n");
    REQUIRE(one.as<Status>());
    CHECK(one.as<Status>()->code.kind == CodeKind::none);
    CHECK(one.as<Status>()->text == "[what is this");
}

TEST_CASE("missing_host") {
    for (const char* host : {".MISSING-HOST-NAME.", "MISSING_DOMAIN"}) {
        const One one(fetch(std::string("ENVELOPE (NIL NIL ((NIL NIL \"a\" \"") + host +
                            "\")) NIL NIL NIL NIL NIL NIL NIL)"));
        REQUIRE(one.as<Fetch>());
        CHECK(one.as<Fetch>()->envelope->from[0].host == "");
        CHECK_FALSE(is_nil(one.as<Fetch>()->envelope->from[0].host));
    }
}

TEST_CASE("esearch_without_all") {
    const One one("* ESEARCH (TAG \"A1\") UID\n");
    REQUIRE(one.as<Esearch>());
    CHECK(one.as<Esearch>()->uid);
    CHECK_FALSE(one.as<Esearch>()->has_all);
    CHECK(One("* ESEARCH\n").as<Esearch>() != nullptr);
}

TEST_CASE("preview_of_the_draft") {
    CHECK(One(fetch("PREVIEW (FUZZY \"hello\")")).as<Fetch>()->preview == "hello");
    CHECK(One(fetch("PREVIEW \"hello\"")).as<Fetch>()->preview == "hello");
    CHECK(is_nil(One(fetch("PREVIEW NIL")).as<Fetch>()->preview));
}

TEST_CASE("lone_backslash") {
    CHECK(One(envelope("NIL", "\"C:\\temp\"")).as<Fetch>()->envelope->subject == "C:\\temp");
    CHECK(One(envelope("NIL", "\"C:\\\\temp\"")).as<Fetch>()->envelope->subject == "C:\\temp");
}

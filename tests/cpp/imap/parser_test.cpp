// Every response of IMAP4rev1, rev2 and the extensions this client speaks, as typed values.
#include "imap/parser.hpp"

#include "catch.hpp"
#include "imap/reading.hpp"
#include "imap/uid_set.hpp"

using namespace reading;

namespace {

Status status_of(const One& one) {
    INFO(one.json());
    REQUIRE(one.as<Status>());
    return *one.as<Status>();
}

Fetch fetch_of(const One& one) {
    INFO(one.json());
    REQUIRE(one.as<Fetch>());
    return *one.as<Fetch>();
}

std::vector<std::string> texts(Seq<Text> list) {
    return {list.begin(), list.end()};
}
using Strings = std::vector<std::string>;

} // namespace

TEST_CASE("greetings, tagged and untagged conditions") {
    CHECK(status_of(One("* OK ready\n")).condition == Condition::ok);
    CHECK(status_of(One("* PREAUTH welcome back\n")).condition == Condition::preauth);
    CHECK(status_of(One("* BYE too many\n")).condition == Condition::bye);
    const One no("a.17 NO [OVERQUOTA] full\n");
    CHECK(status_of(no).tag == "a.17");
    CHECK(status_of(no).condition == Condition::no);
    CHECK(status_of(no).code.kind == CodeKind::over_quota);
    CHECK(status_of(no).text == "full");
    CHECK(status_of(One("A1 BAD what\n")).condition == Condition::bad);
    CHECK(status_of(One("* ok lower case\n")).condition == Condition::ok);
    CHECK(status_of(One("* OK text that ends in {5}\n")).text == "text that ends in {5}");
}

TEST_CASE("codes that carry values") {
    CHECK(status_of(One("* OK [UIDNEXT 4392] x\n")).code.number == 4392);
    CHECK(status_of(One("* OK [UIDVALIDITY 3857529045] x\n")).code.number == 3857529045u);
    CHECK(status_of(One("* OK [UNSEEN 17] x\n")).code.kind == CodeKind::unseen);
    CHECK(status_of(One("* OK [HIGHESTMODSEQ 715194045007] x\n")).code.number == 715194045007u);
    const One append("A1 OK [APPENDUID 38505 3955:3957] done\n");
    CHECK(status_of(append).code.number == 38505);
    CHECK(UidSet(status_of(append).code.uids).count() == 3);
    const One copy("A1 OK [COPYUID 38505 304,319:320 3956:3958] done\n");
    CHECK(status_of(copy).code.uids.size() == 2);
    CHECK(status_of(copy).code.targets.size() == 1);
    const One modified("A1 OK [MODIFIED 7,9] done\n");
    CHECK(UidSet(status_of(modified).code.uids).text() == "7,9");
    const One capability("* OK [CAPABILITY IMAP4rev1 LITERAL+ AUTH=PLAIN] ready\n");
    CHECK(texts(status_of(capability).code.words) == Strings{"IMAP4rev1", "LITERAL+", "AUTH=PLAIN"});
    const One charset("A1 NO [BADCHARSET (US-ASCII \"UTF-8\")] x\n");
    CHECK(texts(status_of(charset).code.words) == Strings{"US-ASCII", "UTF-8"});
    CHECK(status_of(One("A1 NO [BADCHARSET] x\n")).code.kind == CodeKind::bad_charset);
    const One id("A1 OK [MAILBOXID (F2212ea87-6097)] x\n");
    CHECK(texts(status_of(id).code.words) == Strings{"F2212ea87-6097"});
    const One referral("A1 NO [REFERRAL imap://user;AUTH=*@other/x] x\n");
    CHECK(status_of(referral).code.kind == CodeKind::referral);
    CHECK(status_of(referral).code.text == "imap://user;AUTH=*@other/x");
    const One alert("* NO [WEBALERT https://example.org/a?b] Log in\n");
    CHECK(status_of(alert).code.text == "https://example.org/a?b");
    const One events("A1 NO [BADEVENT (FlagChange MessageNew)] x\n");
    CHECK(texts(status_of(events).code.words) == Strings{"FlagChange", "MessageNew"});
}

TEST_CASE("codes that are only a word") {
    const std::pair<const char*, CodeKind> codes[] = {
        {"ALERT", CodeKind::alert},
        {"PARSE", CodeKind::parse},
        {"READ-ONLY", CodeKind::read_only},
        {"READ-WRITE", CodeKind::read_write},
        {"TRYCREATE", CodeKind::try_create},
        {"UIDNOTSTICKY", CodeKind::uid_not_sticky},
        {"UNKNOWN-CTE", CodeKind::unknown_cte},
        {"CLOSED", CodeKind::closed},
        {"HASCHILDREN", CodeKind::has_children},
        {"NOMODSEQ", CodeKind::no_modseq},
        {"TOOBIG", CodeKind::too_big},
        {"COMPRESSIONACTIVE", CodeKind::compression_active},
        {"NOTIFICATIONOVERFLOW", CodeKind::notification_overflow},
        {"NOTSAVED", CodeKind::not_saved},
        {"UNAVAILABLE", CodeKind::unavailable},
        {"AUTHENTICATIONFAILED", CodeKind::authentication_failed},
        {"AUTHORIZATIONFAILED", CodeKind::authorization_failed},
        {"EXPIRED", CodeKind::expired},
        {"PRIVACYREQUIRED", CodeKind::privacy_required},
        {"CONTACTADMIN", CodeKind::contact_admin},
        {"NOPERM", CodeKind::no_perm},
        {"INUSE", CodeKind::in_use},
        {"EXPUNGEISSUED", CodeKind::expunge_issued},
        {"CORRUPTION", CodeKind::corruption},
        {"SERVERBUG", CodeKind::server_bug},
        {"CLIENTBUG", CodeKind::client_bug},
        {"CANNOT", CodeKind::cannot},
        {"LIMIT", CodeKind::limit},
        {"OVERQUOTA", CodeKind::over_quota},
        {"ALREADYEXISTS", CodeKind::already_exists},
        {"NONEXISTENT", CodeKind::nonexistent},
        {"THROTTLED", CodeKind::throttled},
    };
    for (const auto& [name, kind] : codes) {
        const One one(std::string("A1 NO [") + name + "] why\n");
        CHECK(status_of(one).code.kind == kind);
        CHECK(status_of(one).code.name == name);
        CHECK(status_of(one).text == "why");
    }
    const One unknown("A1 NO [X-NEW a (b c) \"d ]\"] why\n");
    CHECK(status_of(unknown).code.kind == CodeKind::unknown);
    CHECK(status_of(unknown).code.name == "X-NEW");
    CHECK(status_of(unknown).code.text == "a (b c) \"d ]\"");
    CHECK(status_of(unknown).text == "why");
    // Known words with arguments of another kind are kept as text.
    CHECK(status_of(One("* OK [UIDNEXT soon] x\n")).code.kind == CodeKind::unknown);
    CHECK(status_of(One("* OK [UIDNEXT soon] x\n")).code.text == "soon");
}

TEST_CASE("continuations") {
    const One one("+ dGVzdA==\n");
    REQUIRE(one.as<Continuation>());
    CHECK(one.as<Continuation>()->text == "dGVzdA==");
}

TEST_CASE("capabilities, enabled, ID and namespaces") {
    CHECK(texts(One("* CAPABILITY IMAP4rev2 IDLE\n").as<Capability>()->names) ==
          Strings{"IMAP4rev2", "IDLE"});
    CHECK(texts(One("* ENABLED QRESYNC CONDSTORE\n").as<Enabled>()->names) ==
          Strings{"QRESYNC", "CONDSTORE"});
    CHECK(One("* ENABLED\n").as<Enabled>()->names.empty());
    const One id("* ID (\"name\" \"Dovecot\" \"version\" NIL)\n");
    REQUIRE(id.as<Identity>());
    CHECK(id.as<Identity>()->fields[0].value == "Dovecot");
    CHECK(is_nil(id.as<Identity>()->fields[1].value));
    CHECK(One("* ID NIL\n").as<Identity>()->fields.empty());
    const One spaces(
        "* NAMESPACE ((\"\" \"/\")) ((\"~\" \"/\")) ((\"#shared/\" \"/\" \"X-PARAM\" (\"F1\" \"F2\"))"
        "(\"#news.\" \".\"))\n");
    REQUIRE(spaces.as<Namespaces>());
    CHECK(spaces.as<Namespaces>()->personal[0].delimiter == '/');
    CHECK(spaces.as<Namespaces>()->others[0].prefix == "~");
    CHECK(spaces.as<Namespaces>()->shared[1].prefix == "#news.");
    CHECK(One("* NAMESPACE NIL NIL NIL\n").as<Namespaces>()->personal.empty());
}

TEST_CASE("folders") {
    const One plain("* LIST (\\HasNoChildren \\Sent) \"/\" \"Sent \\\"old\\\"\"\n");
    REQUIRE(plain.as<Folder>());
    CHECK(texts(plain.as<Folder>()->attributes) == Strings{"\\HasNoChildren", "\\Sent"});
    CHECK(plain.as<Folder>()->delimiter == '/');
    CHECK(plain.as<Folder>()->name == "Sent \"old\"");
    CHECK(One("* LIST () \"\\\\\" a\n").as<Folder>()->delimiter == '\\');
    CHECK(One("* LSUB () \".\" {5}\nab\"\\c\n").as<Folder>()->name == "ab\"\\c");
    CHECK(One("* LSUB () \".\" x\n").as<Folder>()->from == Folder::From::lsub);
    CHECK(One("* XLIST (\\Inbox) \"/\" x\n").as<Folder>()->from == Folder::From::xlist);
    CHECK(One("* LIST () \"/\" [Gmail]/Spam\n").as<Folder>()->name == "[Gmail]/Spam");
    CHECK(One("* LIST () \"/\" +Folder\n").as<Folder>()->name == "+Folder");
    const One child("* LIST (\\NonExistent) \"/\" a (\"CHILDINFO\" (\"SUBSCRIBED\"))\n");
    CHECK(texts(child.as<Folder>()->child_info) == Strings{"SUBSCRIBED"});
    const One renamed("* LIST () \"/\" new (\"OLDNAME\" (\"old name\") \"X-OTHER\" (1 2 (3)))\n");
    CHECK(renamed.as<Folder>()->old_name == "old name");
    CHECK(One("* LIST () \"/\"\n").as<Malformed>());
    CHECK(One("* LIST () \"//\" a\n").as<Malformed>());
}

TEST_CASE("STATUS") {
    const One one(
        "* STATUS \"a b\" (MESSAGES 231 RECENT 1 UIDNEXT 44292 UIDVALIDITY 7 UNSEEN 3 DELETED 2 SIZE "
        "123456789012 HIGHESTMODSEQ 99 APPENDLIMIT 35651584 MAILBOXID (F2212ea87) X-NEW (1 2))\n");
    REQUIRE(one.as<FolderStatus>());
    const FolderStatus& status = *one.as<FolderStatus>();
    CHECK(status.name == "a b");
    CHECK(status.messages == 231u);
    CHECK(status.recent == 1u);
    CHECK(status.uid_next == 44292u);
    CHECK(status.uid_validity == 7u);
    CHECK(status.unseen == 3u);
    CHECK(status.deleted == 2u);
    CHECK(status.size == 123456789012u);
    CHECK(status.highest_modseq == 99u);
    CHECK(status.append_limit == 35651584u);
    CHECK(status.mailbox_id == "F2212ea87");
    CHECK_FALSE(One("* STATUS a (APPENDLIMIT NIL)\n").as<FolderStatus>()->append_limit.has_value());
}

TEST_CASE("what changes in a folder") {
    CHECK(One("* 23 EXISTS\n").as<Exists>()->count == 23);
    CHECK(One("* 0 RECENT\n").as<Recent>()->count == 0);
    CHECK(One("* 7 EXPUNGE\n").as<Expunge>()->seq == 7);
    CHECK(texts(One("* FLAGS (\\Seen $Junk)\n").as<Flags>()->names) == Strings{"\\Seen", "$Junk"});
    CHECK(UidSet(One("* VANISHED 405,407:410\n").as<Vanished>()->uids).count() == 5);
    CHECK_FALSE(One("* VANISHED 405\n").as<Vanished>()->earlier);
    CHECK(One("* VANISHED (EARLIER) 41,43:116\n").as<Vanished>()->earlier);
    CHECK(One("* VANISHED (LATER) 41\n").as<Malformed>());
    CHECK(One("* VANISHED\n").as<Malformed>());
    CHECK(One("* 4294967296 EXISTS\n").as<Malformed>());
}

TEST_CASE("SEARCH, SORT and ESEARCH") {
    const One search("* SEARCH 2 3 6 (MODSEQ 917162500)\n");
    CHECK(search.as<SearchResult>()->numbers.size() == 3);
    CHECK(search.as<SearchResult>()->modseq == 917162500u);
    CHECK_FALSE(search.as<SearchResult>()->sorted);
    CHECK(One("* SEARCH\n").as<SearchResult>()->numbers.empty());
    const One sort("* SORT 7 14 6\n");
    CHECK(sort.as<SearchResult>()->sorted);
    CHECK(sort.as<SearchResult>()->numbers[1] == 14);
    const One esearch("* ESEARCH (TAG \"A1\") UID MIN 2 MAX 13 ALL 2:6,9:13 COUNT 10 MODSEQ 4 X-NEW (1 2)\n");
    REQUIRE(esearch.as<Esearch>());
    CHECK(esearch.as<Esearch>()->tag == "A1");
    CHECK(esearch.as<Esearch>()->uid);
    CHECK(esearch.as<Esearch>()->min == 2u);
    CHECK(esearch.as<Esearch>()->max == 13u);
    CHECK(esearch.as<Esearch>()->count == 10u);
    CHECK(esearch.as<Esearch>()->modseq == 4u);
    CHECK(esearch.as<Esearch>()->all.size() == 2);
    const One sorted("* ESEARCH (TAG \"A1\") UID ALL 7,14,6:4\n");
    CHECK(sorted.as<Esearch>()->all[0].first == 7);
    CHECK(sorted.as<Esearch>()->all[2] == Range{6, 4});
    const One partial("* ESEARCH (TAG \"A1\") UID PARTIAL (-1:-10 5:14)\n");
    CHECK(partial.as<Esearch>()->partial_window == "-1:-10");
    CHECK(partial.as<Esearch>()->partial.size() == 1);
    CHECK(One("* ESEARCH (TAG \"A1\") UID PARTIAL (1:9 NIL)\n").as<Esearch>()->partial.empty());
}

TEST_CASE("THREAD is flattened with depths") {
    const auto shape = [](const char* text) {
        const One one(text);
        INFO(one.json());
        REQUIRE(one.as<ThreadResult>());
        std::string result;
        for (const ThreadResult::Node& node : one.as<ThreadResult>()->nodes)
            result += std::to_string(node.depth) + ":" + std::to_string(node.number) + " ";
        return result;
    };
    CHECK(shape("* THREAD (2)(3 6 (4 23)(44 7 96))\n") == "0:2 0:3 1:6 2:4 3:23 2:44 3:7 4:96 ");
    CHECK(shape("* THREAD ((3)(5))\n") == "0:0 1:3 1:5 ");
    CHECK(shape("* THREAD (1 (2 (3 5)(6))(4))(7)\n") == "0:1 1:2 2:3 3:5 2:6 1:4 0:7 ");
    CHECK(shape("* THREAD\n").empty());
    CHECK(One("* THREAD (1\n").as<Malformed>());
    CHECK(One("* THREAD 1)\n").as<Malformed>());
}

TEST_CASE("the plain items of a FETCH") {
    const One one(
        "* 12 FETCH (FLAGS (\\Seen $Forwarded) UID 4827 INTERNALDATE \"17-Jul-1996 02:44:25 -0700\" "
        "RFC822.SIZE "
        "4286 MODSEQ (65402) SAVEDATE \" 1-Jan-2024 00:00:00 +0000\" EMAILID (M6d99) THREADID (T64b) "
        "X-GM-MSGID 1278455344230334865 X-GM-THRID 1266894439832287888 X-GM-LABELS (\\Inbox \"a \\\"b\" c) "
        "BINARY.SIZE[1.2] 77 PREVIEW \"hello\" X-NEW (1 (2 \"3\")))\n");
    const Fetch fetch = fetch_of(one);
    CHECK(fetch.seq == 12);
    CHECK(fetch.uid == 4827u);
    CHECK(texts(fetch.flags) == Strings{"\\Seen", "$Forwarded"});
    CHECK(fetch.internal_date.epoch == 837596665);
    CHECK(fetch.save_date.epoch == 1704067200);
    CHECK(fetch.size == 4286u);
    CHECK(fetch.modseq == 65402u);
    CHECK(fetch.email_id == "M6d99");
    CHECK(fetch.thread_id == "T64b");
    CHECK(fetch.gm_message_id == 1278455344230334865u);
    CHECK(fetch.gm_thread_id == 1266894439832287888u);
    CHECK(texts(fetch.gm_labels) == Strings{"\\Inbox", "a \"b", "c"});
    CHECK(fetch.binary_sizes[0].part == "1.2");
    CHECK(fetch.binary_sizes[0].size == 77);
    CHECK(fetch.preview == "hello");
    CHECK(fetch.others[0].name == "X-NEW");
    CHECK(fetch.others[0].value == "(1 (2 \"3\"))");
    CHECK(is_nil(fetch_of(One("* 1 FETCH (THREADID NIL SAVEDATE NIL)\n")).thread_id));
    CHECK_FALSE(fetch_of(One("* 1 FETCH ()\n")).has_flags);
}

TEST_CASE("dates become seconds") {
    const auto epoch = [](const char* date) {
        return fetch_of(One(std::string("* 1 FETCH (INTERNALDATE \"") + date + "\")\n")).internal_date.epoch;
    };
    CHECK(epoch("01-Jan-1970 00:00:00 +0000") == 0);
    CHECK(epoch("29-Feb-2024 23:59:59 +0530") == 1709231399);
    CHECK(epoch("31-Dec-1969 23:00:00 -0100") == 0);
    CHECK(epoch(" 9-NOV-2001 01:00:00 +0100") == 1005264000);
    CHECK_FALSE(epoch("32-Jan-2024 00:00:00 +0000").has_value());
    CHECK_FALSE(epoch("01-Foo-2024 00:00:00 +0000").has_value());
    CHECK_FALSE(epoch("01-anf-2024 00:00:00 +0000").has_value());
    CHECK_FALSE(epoch("yesterday").has_value());
}

TEST_CASE("an ENVELOPE") {
    const One one("* 12 FETCH (ENVELOPE (\"Wed, 17 Jul 1996 02:23:25 -0700 (PDT)\" {11}\nIMAP \"rev1\" "
                  "((\"Terry\" NIL \"gray\" \"example.org\")) NIL ((\"T. \\\"G\\\"\" \"@a,@b\" \"gray\" "
                  "\"example.org\")) "
                  "((NIL NIL \"team\" NIL)(NIL NIL \"imap\" \"example.org\")(NIL NIL NIL NIL)) NIL NIL NIL "
                  "\"<B27397@example.org>\"))\n");
    const Fetch fetch = fetch_of(one);
    REQUIRE(fetch.envelope);
    const Envelope& envelope = *fetch.envelope;
    CHECK(envelope.date == "Wed, 17 Jul 1996 02:23:25 -0700 (PDT)");
    CHECK(envelope.subject == "IMAP \"rev1\"");
    CHECK(envelope.from[0].name == "Terry");
    CHECK(envelope.reply_to[0].name == "T. \"G\"");
    CHECK(envelope.reply_to[0].route == "@a,@b");
    CHECK(envelope.to.size() == 3);
    CHECK(is_nil(envelope.to[0].host));
    CHECK(envelope.sender.empty());
    CHECK(is_nil(envelope.in_reply_to));
    CHECK(envelope.message_id == "<B27397@example.org>");
    CHECK(One("* 1 FETCH (ENVELOPE (NIL))\n").as<Malformed>());
    CHECK(One("* 1 FETCH (ENVELOPE (NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL))\n").as<Malformed>());
}

TEST_CASE("a BODYSTRUCTURE as a tree") {
    const One one("* 1 FETCH (BODYSTRUCTURE ((\"TEXT\" \"PLAIN\" (\"CHARSET\" \"UTF-8\" \"FORMAT\" "
                  "\"flowed\") \"<id>\" \"words\" "
                  "\"8BIT\" 1152 23 \"md5\" (\"inline\" (\"filename\" \"a.txt\")) (\"en\" \"de\") "
                  "\"http://x\" (\"ext\" (1 "
                  "2)))((\"image\" \"png\" NIL NIL NIL \"base64\" 99) \"related\" (\"boundary\" \"b\") NIL "
                  "\"en\")(\"message\" "
                  "\"rfc822\" NIL NIL NIL \"7bit\" 342 (NIL \"inner\" NIL NIL NIL NIL NIL NIL NIL NIL) "
                  "(\"text\" \"html\" NIL NIL "
                  "NIL \"7bit\" 5 1) 11 NIL (\"attachment\" NIL) NIL NIL) \"mixed\" (\"boundary\" \"x\") NIL "
                  "NIL NIL) UID 9)\n");
    const Fetch fetch = fetch_of(one);
    REQUIRE(fetch.body);
    CHECK(fetch.uid == 9u);
    CHECK(fetch.body_extended);
    const BodyPart& root = *fetch.body;
    CHECK(root.multipart);
    CHECK(root.type == "multipart");
    CHECK(root.subtype == "mixed");
    CHECK(root.parameters[0].value == "x");
    REQUIRE(root.children.size() == 3);
    const BodyPart& text = root.children[0];
    CHECK(text.parameters[1].value == "flowed");
    CHECK(text.id == "<id>");
    CHECK(text.description == "words");
    CHECK(text.octets == 1152);
    CHECK(text.lines == 23);
    CHECK(text.md5 == "md5");
    CHECK(text.disposition == "inline");
    CHECK(text.disposition_parameters[0].name == "filename");
    CHECK(texts(text.language) == Strings{"en", "de"});
    CHECK(text.location == "http://x");
    const BodyPart& related = root.children[1];
    CHECK(related.children[0].subtype == "png");
    CHECK(texts(related.language) == Strings{"en"});
    const BodyPart& message = root.children[2];
    REQUIRE(message.envelope);
    CHECK(message.envelope->subject == "inner");
    CHECK(message.children[0].subtype == "html");
    CHECK(message.lines == 11);
    CHECK(message.disposition == "attachment");
    const One shorter("* 1 FETCH (BODY (\"TEXT\" \"PLAIN\" NIL NIL NIL \"7BIT\" 10 2))\n");
    CHECK_FALSE(fetch_of(shorter).body_extended);
    CHECK(fetch_of(shorter).body->lines == 2);
    CHECK(One("* 1 FETCH (BODY (\"TEXT\" \"PLAIN\"))\n").as<Malformed>());
    CHECK(One("* 1 FETCH (BODY ())\n").as<Malformed>());
}

TEST_CASE("pieces of messages") {
    const One one("* 1 FETCH (BODY[] \"all\" BODY[HEADER.FIELDS (TO \"x]y\")] {3}\nabc BODY[1.2.MIME]<128> "
                  "NIL BINARY[2] "
                  "~{2}\n\x01z RFC822.TEXT \"t\" RFC822.HEADER \"h\" RFC822 \"r\")\n");
    const Fetch fetch = fetch_of(one);
    REQUIRE(fetch.sections.size() == 7);
    CHECK(fetch.sections[0].name == "");
    CHECK(fetch.sections[0].data == "all");
    CHECK(fetch.sections[1].name == "HEADER.FIELDS (TO \"x]y\")");
    CHECK(fetch.sections[1].data == "abc");
    CHECK(fetch.sections[2].origin == 128u);
    CHECK(is_nil(fetch.sections[2].data));
    CHECK(fetch.sections[3].kind == Section::Kind::binary);
    CHECK(fetch.sections[3].data == "\x01z");
    CHECK(fetch.sections[4].kind == Section::Kind::rfc822_text);
    CHECK(fetch.sections[5].kind == Section::Kind::rfc822_header);
    CHECK(fetch.sections[6].kind == Section::Kind::rfc822);
}

TEST_CASE("a FETCH that cannot be read says whose it is and what of it") {
    const One before("* 1 FETCH (UID 7 ENVELOPE (NIL) FLAGS ())\n");
    REQUIRE(before.as<Malformed>());
    CHECK(before.as<Malformed>()->fetch);
    CHECK(before.as<Malformed>()->uid == 7u);
    CHECK(before.as<Malformed>()->item == "ENVELOPE");
    const One later("* 1 FETCH (RFC822.SIZE x BODY[HEADER] {3}\nabc UID 8)\n");
    REQUIRE(later.as<Malformed>());
    CHECK(later.as<Malformed>()->uid == 8u);
    CHECK(later.as<Malformed>()->item == "RFC822.SIZE");
    const One other("* STATUS x\n");
    REQUIRE(other.as<Malformed>());
    CHECK_FALSE(other.as<Malformed>()->fetch);
}

TEST_CASE("responses nobody here knows are kept") {
    const One quota("* QUOTA \"\" (STORAGE 10 512)\n");
    REQUIRE(quota.as<Other>());
    CHECK(quota.as<Other>()->name == "QUOTA");
    CHECK(quota.as<Other>()->text == "\"\" (STORAGE 10 512)");
    const One numbered("* 5 UIDFETCH (FLAGS ())\n");
    REQUIRE(numbered.as<Other>());
    CHECK(numbered.as<Other>()->number == 5u);
}

TEST_CASE("errors have an offset, and reading goes on behind them") {
    const std::string bytes =
        "* 1 EXISTS\r\n* 2 FETCH (UID x)\r\n* 3 FETCH (X {5}\r\n* 9 E BODY[ {2}\r\nab y)\r\n* 4 EXISTS\r\n";
    const auto all = read_all(bytes);
    REQUIRE(all.size() == 4);
    CHECK(all[1] == "{\"error\":\"expected a number\",\"offset\":" + std::to_string(bytes.find('x')) + "}");
    CHECK(is_error(all[2]));
    CHECK(all[3] == "{\"type\":\"exists\",\"count\":4}");
}

#include "mail/modified_utf7.hpp"

#include "catch.hpp"

using namespace himalaya::mail;

TEST_CASE("folder names go to the wire and back") {
    const std::pair<const char*, const char*> names[] = {
        {"INBOX", "INBOX"},
        {"", ""},
        {"a & b", "a &- b"},
        {"Entwürfe", "Entw&APw-rfe"},
        {"~peter/mail/台北/日本語", "~peter/mail/&U,BTFw-/&ZeVnLIqe-"}, // RFC 3501
        {"Отправленные", "&BB4EQgQ,BEAEMAQyBDsENQQ9BD0ESwQ1-"},
        {"😀", "&2D3eAA-"},
        {"a\nb", "a&AAo-b"},
        {"\x7f", "&AH8-"},
        {"&-", "&--"},
    };
    for (const auto& [utf8, wire] : names) {
        CHECK(encode_modified_utf7(utf8) == wire);
        CHECK(decode_modified_utf7(wire) == utf8);
        CHECK(show_folder_name(wire) == utf8);
    }
}

TEST_CASE("what does not encode back is no name, but can be shown") {
    const std::pair<const char*, const char*> names[] = {
        {"a&b", "a&b"},                 // a bare &
        {"&AGEAYg-", "ab"},             // ASCII in base64
        {"&ZeVnLIqe", "&ZeVnLIqe"},     // no end
        {"&2D0-", "&2D0-"},             // half a pair
        {"&3gA-", "&3gA-"},             // the other half
        {"&AA-", "&AA-"},               // not a whole unit
        {"&ZeVn-&LIqe-", "日本&LIqe-"}, // a second part that is none
        {"Entwürfe", "Entwürfe"},       // UTF-8 on the wire
        {"&*-", "&*-"},
    };
    for (const auto& [wire, shown] : names) {
        INFO(wire);
        CHECK_FALSE(decode_modified_utf7(wire).has_value());
    }
    CHECK(show_folder_name("a&b") == "a&b");
    CHECK(show_folder_name("&AGEAYg-") == "ab");
    CHECK(show_folder_name("&2D0-x") == "&2D0-x");
    CHECK(show_folder_name("Entwürfe") == "Entwürfe");
    CHECK(show_folder_name("caf\xe9") == "caf\xef\xbf\xbd");
}

TEST_CASE("whatever is encoded is printable ASCII") {
    std::string all;
    for (int i = 1; i < 256; i++)
        all += char(i);
    for (const char c : encode_modified_utf7(all))
        CHECK((c >= 0x20 && c <= 0x7e));
    CHECK(encode_modified_utf7("a\xff") == "a&,,0-");
}

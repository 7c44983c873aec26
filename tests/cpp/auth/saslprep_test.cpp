#include "auth/saslprep.hpp"

#include <cstdint>

#include "catch.hpp"

using namespace himalaya;
using namespace himalaya::auth;

namespace {

std::string prepared(std::string_view text) {
    Result<Secret> result = saslprep(text, "password");
    REQUIRE(result);
    return std::string(result->view());
}

} // namespace

TEST_CASE("SASLprep does the examples of RFC 4013") {
    REQUIRE(prepared("I\xc2\xadX") == "IX");
    REQUIRE(prepared("user") == "user");
    REQUIRE(prepared("USER") == "USER");
    REQUIRE(prepared("\xc2\xaa") == "a");
    REQUIRE(prepared("\xe2\x85\xa8") == "IX");
    REQUIRE_FALSE(saslprep("\x07", "password"));
    REQUIRE_FALSE(saslprep("\xd8\xa7\x31", "password"));
}

TEST_CASE("SASLprep writes one password one way") {
    REQUIRE(prepared("pa\xcc\x88sswo\xcc\x88rd") == "p\xc3\xa4ssw\xc3\xb6rd");
    REQUIRE(prepared("p\xc3\xa4ssw\xc3\xb6rd") == "p\xc3\xa4ssw\xc3\xb6rd");
    REQUIRE(prepared("\xef\xbc\xa1\xef\xbd\x82") == "Ab"); // full width
    REQUIRE(prepared("a\xc2\xa0"
                     "b") == "a b");                                             // no-break space
    REQUIRE(prepared("\xe1\x84\x92\xe1\x85\xa1\xe1\x86\xab") == "\xed\x95\x9c"); // Hangul
    REQUIRE(prepared("e\xcc\xa3\xcc\x82") == "\xe1\xbb\x87");                    // two marks, one letter
    REQUIRE(prepared("e\xcc\x82\xcc\xa3") == "\xe1\xbb\x87");                    // in the other order
    REQUIRE(prepared("\xef\xac\x81") == "fi");
    REQUIRE(prepared("\xe3\x81\x8b\xe3\x82\x99") == "\xe3\x81\x8c"); // kana with a voiced mark
    REQUIRE(prepared("\xd7\xa9\xd7\x9c") == "\xd7\xa9\xd7\x9c");     // all from the right
}

TEST_CASE("SASLprep names what is wrong without quoting the secret") {
    for (std::string_view bad : {"a\x7f", "\xff\xfe", "\xc0\x80", "\xed\xa0\x80", "\xee\x80\x80",
                                 "a\xe2\x80\xae"
                                 "b",
                                 "\xf4\x90\x80\x80", "\xe2\x82"}) {
        Result<Secret> result = saslprep(bad, "password");
        REQUIRE_FALSE(result);
        REQUIRE(result.error().code == Code::config);
        REQUIRE(result.error().message.starts_with("The password "));
        REQUIRE(result.error().message.find(bad) == std::string::npos);
    }
}

TEST_CASE("every character of Unicode 3.2 is normalised as the standard's own tables say") {
    std::uint64_t value = 0xcbf29ce484222325;
    auto add = [&value](std::u32string text) {
        nfkc(text);
        for (char32_t c : text)
            value = (value ^ c) * 0x100000001b3;
    };
    for (char32_t point = 0; point < 0x30000; ++point) {
        if (point >= 0xd800 && point < 0xe000)
            continue;
        add({point});
        add({U'e', point, 0x301, 0x323});
    }
    REQUIRE(value == 0xe82ea9fa05db2db7); // scripts/nfkc-table --check
}

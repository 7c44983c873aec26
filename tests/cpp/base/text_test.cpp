#include "base/text.hpp"
#include "catch.hpp"

using namespace himalaya;
using namespace std::string_literals;

TEST_CASE("control characters never reach a screen") {
    REQUIRE(text::clean_line("a\x1b[31mred\x07\x7f") == "ared");
    REQUIRE(text::clean_line("one\r\ntwo\tthree\nfour") == "one two three four");
    REQUIRE(text::clean_line("nul\0here"s) == "nulhere");
    REQUIRE(text::clean_line("c1 \xc2\x9b"
                             "31m") == "c1 ");
    REQUIRE(text::clean_line("\xe2\x80\xaegnp.exe") == "gnp.exe"); // right-to-left override
    REQUIRE(text::clean_line("line\xe2\x80\xa8separator") == "line separator");
    REQUIRE(text::clean_text("a\r\nb\rc\td\x1b") == "a\nb\nc\td");
    REQUIRE(text::clean_line("Grüße, 世界 👋") == "Grüße, 世界 👋");
}

TEST_CASE("broken UTF-8 is found and mended") {
    for (const char* bad : {"\xff", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82", "a\x80"})
        REQUIRE_FALSE(text::is_utf8(bad));
    for (const char* good : {"", "plain", "é", "€", "𝄞", "\xf4\x8f\xbf\xbf"})
        REQUIRE(text::is_utf8(good));
    REQUIRE(text::to_utf8("a\xffz") == "a\xef\xbf\xbdz");
    REQUIRE(text::to_utf8("\xe2\x82z") == "\xef\xbf\xbdz");
    REQUIRE(text::is_utf8(text::to_utf8("\xf0\x9f\x98\xe2\x82\xac\xed\xa0\x80")));
}

TEST_CASE("a cut never splits a character") {
    REQUIRE(text::cut("aé", 2) == "a");
    REQUIRE(text::cut("aé", 3) == "aé");
    REQUIRE(text::cut("世界", 5) == "世");
    REQUIRE(text::cut("", 0) == "");
}

TEST_CASE("case is ignored for ASCII alone") {
    REQUIRE(text::same_ignoring_case("INBOX", "inBox"));
    REQUIRE_FALSE(text::same_ignoring_case("É", "é"));
    REQUIRE(text::compare_ignoring_case("abc", "ABD") < 0);
    REQUIRE(text::compare_ignoring_case("ab", "ABC") < 0);
    REQUIRE(text::starts_ignoring_case("X-GM-EXT-1", "x-gm"));
}

TEST_CASE("percent encoding goes there and back, and refuses what is broken") {
    REQUIRE(text::percent_encode("[Gmail]/All Mail") == "%5BGmail%5D%2FAll%20Mail");
    REQUIRE(text::percent_decode("%5bGmail%5D%2FAll%20Mail") == "[Gmail]/All Mail");
    REQUIRE(text::percent_decode(text::percent_encode("\x00\xff%é"s)) == "\x00\xff%é"s);
    for (const char* bad : {"%", "%4", "%4g", "a%zz"})
        REQUIRE_FALSE(text::percent_decode(bad));
}

TEST_CASE("base64 goes there and back") {
    for (const char* plain : {"", "f", "fo", "foo", "foob", "fooba", "foobar"})
        REQUIRE(text::base64_decode(text::base64_encode(plain)) == plain);
    REQUIRE(text::base64_encode("fooba") == "Zm9vYmE=");
    REQUIRE(text::base64_decode("Zm 9v\r\nYmE") == "fooba");
    for (const char* bad : {"Z", "Zm9vYmE==", "Zm9v*", "Zm=vYmE", "===="})
        REQUIRE_FALSE(text::base64_decode(bad));
    REQUIRE(text::hex("\x00\xab"s) == "00ab");
}

TEST_CASE("numbers, parts and near misses") {
    REQUIRE(text::to_unsigned("18446744073709551615") == ~0ull);
    for (const char* bad : {"", "-1", "18446744073709551616", "1 ", "x"})
        REQUIRE_FALSE(text::to_unsigned(bad));
    REQUIRE(text::split("a,,b", ',').size() == 3);
    REQUIRE(text::split("", ',').size() == 1);
    REQUIRE(text::trim(" \t a b\r\n") == "a b");
    REQUIRE(text::distance("intervall", "interval") == 1);
    REQUIRE(text::distance("", "abc") == 3);
}

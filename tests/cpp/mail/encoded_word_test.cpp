#include "mail/encoded_word.hpp"

#include "catch.hpp"

#include <string>

using namespace himalaya::mail;

TEST_CASE("encoded words are decoded") {
    const std::pair<const char*, const char*> headers[] = {
        {"plain text", "plain text"},
        {"", ""},
        {"=?utf-8?q?caf=C3=A9_au_lait?=", "café au lait"},
        {"=?UTF-8?B?Y2Fmw6k=?=", "café"},
        {"=?utf-8?b?Y2Fmw6k?=", "café"},
        {"=?iso-8859-1?q?caf=e9?=", "café"},
        {"=?iso-8859-15?q?=A4?=", "€"},
        {"=?windows-1252?q?=80_=93x=94?=", "€ “x”"},
        {"=?koi8-r?B?8NLJ18XU?=", "Привет"},
        {"=?iso-2022-jp?B?GyRCRnxLXDhsGyhC?=", "日本語"},
        {"=?gb2312?B?1tDOxA==?=", "中文"},
        {"=?ks_c_5601-1987?B?x9GxuQ==?=", "한국"},
        {"=?utf-8*en?q?hello?=", "hello"},
        {"Re: =?utf-8?q?a?= b", "Re: a b"},
        {"=?utf-8?q?a?= =?utf-8?q?b?=", "ab"}, // RFC 2047, 8
        {"=?utf-8?q?a?=  \r\n  =?utf-8?q?b?=", "ab"},
        {"=?utf-8?q?a_?= =?utf-8?q?b?=", "a b"},
        {"=?utf-8?q?a?= and =?utf-8?q?b?=", "a and b"},
        {"=?utf-8?q?a?==?utf-8?q?b?=", "ab"},
        {"=?utf-8?q?=E2=9C?= =?utf-8?q?=93?=", "✓"}, // a character split between words
        {"=?utf-8?b?4pw=?= =?utf-8?q?=93?=", "✓"},
        {"=?iso-8859-1?q?=e9?= =?utf-8?q?=C3=A9?=", "éé"},
        {"\"=?utf-8?q?x?=\" <a@example.org>", "\"x\" <a@example.org>"},
        {"=?utf-8?q?with spaces in it?=", "with spaces in it"},
        {"folded\r\n text", "folded text"},
    };
    for (const auto& [raw, text] : headers) {
        INFO(raw);
        CHECK(decode_header(raw) == text);
    }
}

TEST_CASE("what is broken stays as it is") {
    for (const char* raw : {"=?utf-8?q?no end", "=?utf-8?x?abc?=", "=?", "=??q?a?=", "=?utf-8?q", "=?utf-8",
                            "a =? b ?= c", "=?ut f?q?a?=", "1=2?"}) {
        INFO(raw);
        CHECK(decode_header(raw) == raw);
    }
    CHECK(decode_header("=?utf-8?q?100%=?=") == "100%=");
    CHECK(decode_header("=?utf-8?q?=C3?=") == "\xef\xbf\xbd");
    CHECK(decode_header("=?x-nobody-knows?q?caf=C3=A9?=") == "café");
    CHECK(decode_header("=?x-nobody-knows?q?caf=E9?=") == "café");
}

TEST_CASE("raw bytes are UTF-8, else Windows-1252") {
    CHECK(decode_header("Grüße") == "Grüße");
    CHECK(decode_header("Gr\xfc\xdf"
                        "e") == "Grüße");
}

TEST_CASE("no line end comes out") {
    CHECK(decode_header("=?utf-8?q?a=0D=0AB:_c?=").find_first_of("\r\n") == std::string::npos);
    CHECK(decode_header("a\r\nB: c") == "a B: c");
    CHECK(decode_header("=?iso-2022-jp?q?=0A?=").find('\n') == std::string::npos);
}

TEST_CASE("what decoding takes is known before it is done") {
    for (const char* raw : {"", "plain", "a = b ? c", "1=2?", "Grüße"})
        CHECK(decoding_of(raw) == Decoding::none);
    for (const char* raw : {"=?utf-8?q?caf=C3=A9?=", "Re: =?UTF-8*de?B?R3LDvMOfZQ==?= and more", "a =? b",
                            "folded\r\n line", "=?utf-8?q?a?= =?utf-8?q?b?="})
        CHECK(decoding_of(raw) == Decoding::at_once);
    for (const char* raw : {"=?iso-8859-1?q?caf=E9?=", "=?utf-8?q?a?= =?koi8-r?b?8NLJ18XU?=", "Gr\xfc\xdf"})
        CHECK(decoding_of(raw) == Decoding::on_a_worker);
    const std::string long_one = "=?utf-8?q?" + std::string(5000, 'a') + "?=";
    CHECK(decoding_of(long_one) == Decoding::on_a_worker);
}

TEST_CASE("a converter that was used before knows nothing of the last text") {
    for (int i = 0; i < 3; i++) {
        CHECK(decode_header("=?iso-2022-jp?b?GyRCRnxLXA==?=") == "日本"); // ends in the shifted state
        CHECK(decode_header("=?koi8-r?b?8NLJ18XU?=") == "Привет");
        CHECK(decode_header("=?iso-2022-jp?q?abc?=") == "abc");
        for (const char* charset : {"iso-8859-2", "iso-8859-5", "windows-1251", "iso-8859-15", "iso-8859-9"})
            CHECK(decode_header(std::string("=?") + charset + "?q?a?=") == "a");
    }
}

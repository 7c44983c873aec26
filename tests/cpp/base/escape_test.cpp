#include "base/escape.hpp"

#include <string>
#include <utility>

#include "catch.hpp"

using namespace himalaya;
using namespace std::string_literals;

TEST_CASE("sequences that terminals act on go whole") {
    for (auto& [given, left] : std::initializer_list<std::pair<std::string, std::string>>{
             {"plain", "plain"},
             {"a\x1b[31mred\x1b[0m", "ared"},
             {"\x1b[38;5;208mamber\x1b[?25l", "amber"},
             {"\xc2\x9b"s + "1mbold", "bold"},
             {"\x1b]0;title\x07text", "text"},
             {"\x1b]8;;http://example.org\x1b\\link\x1b]8;;\x1b\\", "link"},
             {"\x1bPq#0~\x1b\\after", "after"},
             {"\x1b"
              "c\x1b(Bx",
              "x"},
             // What is none, or does not end, loses its introducer alone.
             {"\x1b[31", "31"},
             {"\x1b]52;c;abc", "52;c;abc"},
             {"\x1bPq\nnext", "q\nnext"},
             {"end\x1b", "end"},
             {"\x1bü", "ü"},
             {"\xc2\x9b", ""},
             {"\xc2\xa0 kept \xc2", "\xc2\xa0 kept \xc2"},
             {"nul\0\x1b[1m\0"s, "nul\0\0"s},
         })
        CHECK(text::without_escapes(given) == left);
}

TEST_CASE("many sequences without an end take no longer for being many") {
    std::string many;
    for (int i = 0; i < 100'000; ++i)
        many += "\x1b]0;x";
    CHECK(text::without_escapes(many).size() == 300'000);
}

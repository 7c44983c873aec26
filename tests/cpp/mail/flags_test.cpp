#include "mail/flags.hpp"

#include "catch.hpp"

using namespace himalaya::mail;

TEST_CASE("flags come from IMAP and go there") {
    Flags flags;
    for (const char* name :
         {"\\Seen", "\\FLAGGED", "$Forwarded", "\\Recent", "work", "Alpha", "WORK", "\\*", ""})
        add_imap_flag(flags, name);
    CHECK(flags.bits == (SEEN | FLAGGED | FORWARDED));
    CHECK(flags.keywords == std::vector<std::string>{"Alpha", "work"});
    CHECK(imap_flags(flags) ==
          std::vector<std::string>{"\\Seen", "\\Flagged", "$Forwarded", "Alpha", "work"});
    CHECK(imap_flags({}).empty());
}

TEST_CASE("flags have words of their own") {
    CHECK(flag_of("seen") == SEEN);
    CHECK(flag_of("forwarded") == FORWARDED);
    CHECK(flag_of("Seen") == SEEN);
    CHECK(flag_of("$FORWARDED") == FORWARDED);
    CHECK(flag_of("nonsense") == 0);
}

#include "imap/refusal.hpp"

#include "catch.hpp"
#include "imap/vendor.hpp"

using namespace himalaya;
using namespace himalaya::imap;

TEST_CASE("a throttle names its back-off") {
    REQUIRE(backoff_of("Request is throttled. Suggested Backoff Time: 92415 milliseconds") == 92415);
    REQUIRE(backoff_of("slow down, retry after 30 seconds") == 30000);
    REQUIRE(backoff_of("try again in 5 minutes") == 300000);
    REQUIRE(backoff_of("Suggested Backoff Time: 99999999999999 seconds") == 86'400'000);
    REQUIRE_FALSE(backoff_of("nothing of the kind"));
    auto error = error_of(
        {Verdict::bad, "", "Request is throttled. Suggested Backoff Time: 1500 milliseconds"}, "go on");
    REQUIRE(error.code == Fault::throttled);
    REQUIRE(error.retryable);
    REQUIRE(wait_of(error) == 1500);
}

TEST_CASE("a refusal's code decides the kind of failure") {
    REQUIRE(error_of({Verdict::no, "NONEXISTENT", "gone"}, "open").code == Fault::not_found);
    REQUIRE(error_of({Verdict::no, "OVERQUOTA", "full"}, "append").code == Fault::invalid);
    REQUIRE(error_of({Verdict::no, "UNAVAILABLE", "later"}, "open").code == Fault::offline);
    REQUIRE(error_of({Verdict::no, "", "Mailbox doesn't exist: x"}, "open").code == Fault::not_found);
    REQUIRE(error_of({Verdict::no, "", "Too many simultaneous connections."}, "open").code == Fault::busy);
    REQUIRE(error_of({Verdict::bad, "", "syntax"}, "open").code == Fault::protocol);
    REQUIRE(error_of({Verdict::no, "NOPERM", "not yours"}, "open").code == Fault::unsupported);
}

TEST_CASE("the server's words cannot write to the terminal") {
    auto error = error_of({Verdict::no, "", "bad\x1b[31mred\r\n"}, "open");
    REQUIRE(error.message.find('\x1b') == std::string::npos);
    REQUIRE(shown(std::string(5000, 'x')).size() < 400);
}

TEST_CASE("one vendor string alone gives nothing beyond the cautious default") {
    Capabilities none;
    none.add("IMAP4rev1");
    Evidence says_gmail{"imap.gmail.com", "Gimap ready", ""};
    REQUIRE(quirks_of(says_gmail, none).line_budget == 8000);
    Capabilities gmail;
    gmail.assign({"IMAP4rev1", "X-GM-EXT-1", "UIDPLUS"});
    REQUIRE(quirks_of({}, gmail).line_budget == 16000);
    REQUIRE(quirks_of({}, gmail).vendor == Vendor::gmail);
    Evidence says_dovecot{"", "Dovecot ready.", ""};
    REQUIRE(quirks_of(says_dovecot, none).line_budget == 8000);
    Capabilities dovecot;
    dovecot.assign({"IMAP4rev1", "LITERAL+", "IDLE", "SASL-IR"});
    REQUIRE(quirks_of(says_dovecot, dovecot).line_budget == 64000);
}

TEST_CASE("a vendor's name is enough to be careful") {
    Capabilities caps;
    caps.assign({"IMAP4rev1", "ESEARCH", "ID"});
    REQUIRE_FALSE(quirks_of({"127.0.0.1", "Proton Mail Bridge", ""}, caps).search_return);
    REQUIRE_FALSE(quirks_of({"outlook.office365.com", "", ""}, caps).id);
    REQUIRE(quirks_of({"imap.mail.yahoo.com", "", ""}, caps).line_budget == 1000);
    REQUIRE_FALSE(quirks_of({"imap.gmx.net", "", ""}, caps).id);
}

#include "catch.hpp"
#include "sync/plan.hpp"
#include "sync/progress.hpp"

using namespace himalaya;
using namespace himalaya::sync;

namespace {

Local local_of(std::int64_t uidnext, std::int64_t modseq) {
    Local local;
    local.uidvalidity = 7;
    local.uidnext = uidnext;
    local.modseq = modseq;
    local.known = UidSet{{1, static_cast<std::uint32_t>(uidnext - 1)}};
    local.rows = 5;
    local.server_unread = 1;
    return local;
}

} // namespace

TEST_CASE("a folder that cannot have changed is not opened") {
    REQUIRE(look_at(local_of(10, 99), {7, 10, 99, 5, 1}, true) == Look::none);
    // Without modseq only a thorough look would see a flag.
    REQUIRE(look_at(local_of(10, 0), {7, 10, {}, 5, 1}, false) == Look::none);
    REQUIRE(look_at(local_of(10, 0), {7, 10, {}, 5, 1}, true) == Look::open);
}

TEST_CASE("whatever differs opens it") {
    auto local = local_of(10, 99);
    REQUIRE(look_at(local, {7, 11, 99, 5, 1}, false) == Look::open);
    REQUIRE(look_at(local, {7, 10, 100, 5, 1}, false) == Look::open);
    REQUIRE(look_at(local, {7, 10, 99, 4, 1}, false) == Look::open);
    REQUIRE(look_at(local, {7, {}, 99, 5, 1}, false) == Look::open);
    REQUIRE(look_at(local_of(10, 0), {7, 10, {}, 5, 2}, false) == Look::open);
    REQUIRE(look_at(local, {8, 10, 99, 5, 1}, false) == Look::anew);
    REQUIRE(look_at({}, {7, 10, 99, 5, 1}, false) == Look::open);
}

TEST_CASE("a first sync that was cut off goes on") {
    auto local = local_of(10, 99);
    local.known.remove(imap::Range{3, 4});
    REQUIRE(look_at(local, {7, 10, 99, 5, 1}, false) == Look::open);
}

TEST_CASE("windows cover what is missing once, newest first") {
    auto windows = windows_of(UidSet{{5, 6}}, 101, 10, 40);
    REQUIRE(windows.size() == 4);
    REQUIRE(windows[0].text() == "91:100");
    REQUIRE(windows[1].text() == "51:90");
    UidSet all;
    for (const auto& window : windows) {
        REQUIRE(all.shared(window).empty());
        all = all.united(window);
    }
    REQUIRE(all.text() == "1:4,7:100");
    REQUIRE(windows_of({}, 1, 10, 40).empty());
    REQUIRE(windows_of({}, 0, 10, 40).empty());
    REQUIRE(windows_of(UidSet{{1, 100}}, 101, 10, 40).empty());
}

TEST_CASE("the guard asks for much, not for little") {
    REQUIRE_FALSE(Guard::asks(20, 20));
    REQUIRE(Guard::asks(21, 100));
    REQUIRE_FALSE(Guard::asks(21, 105));
    REQUIRE(Guard::asks(50'000, 50'000));
}

TEST_CASE("folders are chosen by patterns, exclude wins") {
    Selection all;
    REQUIRE(all.wants("INBOX"));
    Selection some{{"INBOX", "Lists/*"}, {"*/old"}};
    REQUIRE(some.wants("INBOX"));
    REQUIRE(some.wants("Lists/nvim"));
    REQUIRE_FALSE(some.wants("Lists/nvim/old"));
    REQUIRE_FALSE(some.wants("Sent"));
    REQUIRE(matches("a*b*c", "axxbyyc"));
    // A `%` stays within its level.
    Selection level{{"Lists/%", "%/old"}, {}};
    REQUIRE(level.wants("Lists/nvim"));
    REQUIRE_FALSE(level.wants("Lists/nvim/2024"));
    REQUIRE(level.wants("Work/old"));
    REQUIRE_FALSE(level.wants("Work/2024/old"));
    REQUIRE(matches("*/%", "a/b/c"));
    REQUIRE(matches("%a%/*b", "xay/u/v/b"));
    REQUIRE_FALSE(matches("%", "a/b"));
    REQUIRE(matches("%", ""));
    REQUIRE_FALSE(matches("a?c", "ac"));
    REQUIRE_FALSE(matches(std::string(30, '*') + "b", std::string(5000, 'a')));
}

TEST_CASE("a percent never goes back, and is never 100 before the end") {
    Progress progress;
    progress.begin(0);
    REQUIRE_FALSE(progress.standing(10).percent);
    progress.expect("INBOX", 100, false);
    progress.count(60);
    REQUIRE(progress.standing(10).percent == 60);
    REQUIRE_FALSE(progress.standing(10).eta_seconds);
    progress.expect("Sent", 100, false);
    REQUIRE(progress.standing(3000).percent == 60);
    REQUIRE(progress.standing(3000).eta_seconds == 7);
    progress.count(140);
    REQUIRE(progress.standing(3000).percent == 99);
}

TEST_CASE(
    "the time left is that of the slower of envelopes and texts, those included that nobody asked for yet") {
    Progress progress;
    progress.begin(0);
    progress.expect("INBOX", 10'000, true);
    progress.standing(0);
    progress.count(5'000);
    // Envelopes alone would take five seconds more; of texts nothing is known yet.
    REQUIRE_FALSE(progress.standing(5'000).eta_seconds);
    progress.expect_texts(5'000);
    progress.count_texts(50);
    progress.count(5'000);
    // 50 texts in five seconds: the other 9,950 take a quarter of an hour.
    REQUIRE(progress.standing(10'000).eta_seconds == 995);
    // From here on the line is better; what it was before is forgotten soon.
    for (std::int64_t ms = 10'500; ms <= 60'000; ms += 500) {
        progress.count_texts(50);
        progress.standing(ms);
    }
    auto left = 10'000 - 50 - 100 * 50;
    REQUIRE(progress.standing(60'000).eta_seconds == (left + 99) / 100);
}

TEST_CASE("where only newer texts are wanted there is no time left before it is known which those are") {
    Progress progress;
    progress.begin(0);
    progress.expect_some_texts();
    progress.expect("INBOX", 1'000, false);
    progress.standing(0);
    progress.count(500);
    REQUIRE_FALSE(progress.standing(5'000).eta_seconds);
    progress.count(500);
    progress.expect_texts(100);
    progress.count_texts(20);
    progress.standing(8'000);
    progress.count_texts(20);
    REQUIRE(progress.standing(12'000).eta_seconds);
}

TEST_CASE("a message is done when its text is here, and texts are most of the way") {
    Progress progress;
    progress.begin(0);
    progress.expect("INBOX", 100, true);
    progress.count(100);
    auto listed = progress.standing(10);
    REQUIRE(listed.percent == 20);
    REQUIRE((listed.done == 0 && listed.total == 100));
    // They are asked for window by window: that is nothing new.
    progress.expect_texts(50);
    progress.count_texts(50);
    REQUIRE(progress.standing(10).percent == 60);
    REQUIRE((progress.standing(10).done == 50 && progress.standing(10).total == 100));
    // Ten more, which an earlier sync left.
    progress.expect_texts(60);
    REQUIRE(progress.standing(10).percent == 60);
    REQUIRE(progress.standing(10).total == 110);
    progress.count_texts(60);
    REQUIRE(progress.standing(10).percent == 99);
    REQUIRE(progress.standing(10).done == 110);
}

TEST_CASE("what is said of a folder again replaces what was said before") {
    Progress progress;
    progress.begin(0);
    progress.expect("INBOX", 100, true);
    progress.expect("Sent", 100, true);
    progress.expect("INBOX", 40, true);
    REQUIRE(progress.standing(10).total == 140);
    progress.expect_texts(140);
    REQUIRE(progress.standing(10).total == 140);
}

#include "catch.hpp"
#include "mailbox.hpp"

using namespace himalaya;
using namespace himalaya::store;

namespace {

std::vector<Arrival> many(int count, std::int64_t step) {
    std::vector<Arrival> letters;
    for (int i = 1; i <= count; ++i)
        letters.push_back(letter(i, 1'700'000'000 + i * step));
    return letters;
}

std::vector<std::string> all_by_cursor(Mailbox& box, Wanted wanted) {
    std::vector<std::string> all;
    for (;;) {
        auto page = list_page(box.database, box.inbox, wanted);
        for (const auto& item : page.items)
            all.push_back(item.subject);
        if (!page.next)
            return all;
        wanted.after = page.next;
    }
}

} // namespace

TEST_CASE("pages by number, by cursor downward and upward are the same pages") {
    // All in one slot, spread over many, and several at the same second.
    for (std::int64_t step : {1, 7'000, 0}) {
        Mailbox box;
        box.bring(box.inbox, many(103, step));
        auto by_cursor = all_by_cursor(box, {.page_size = 10});
        REQUIRE(by_cursor.size() == 103);
        std::vector<std::string> by_number;
        for (int page = 1; page <= 11; ++page)
            for (const auto& subject : box.subjects(box.inbox, {.page = page, .page_size = 10}))
                by_number.push_back(subject);
        REQUIRE(by_number == by_cursor);

        auto third = list_page(box.database, box.inbox, {.page = 3, .page_size = 10});
        auto second = list_page(box.database, box.inbox, {.page_size = 10, .before = third.previous});
        REQUIRE(second.items.front().subject == by_cursor[10]);
        REQUIRE(second.items.back().subject == by_cursor[19]);
        REQUIRE(second.previous);
    }
}

TEST_CASE("page numbers stay right while messages leave and come") {
    Mailbox box;
    auto ids = box.bring(box.inbox, many(60, 5'000));
    Change change(box.database);
    for (int i = 0; i < 60; i += 3)
        remove_row(change, ids[static_cast<std::size_t>(i)]);
    change.commit();
    box.bring(box.inbox, {letter(1000, 1'700'000'000 + 30 * 5'000 + 1)});
    auto by_cursor = all_by_cursor(box, {.page_size = 7});
    REQUIRE(by_cursor.size() == 41);
    REQUIRE(box.subjects(box.inbox, {.page = 4, .page_size = 7}) ==
            std::vector<std::string>(by_cursor.begin() + 21, by_cursor.begin() + 28));
}

TEST_CASE("beyond the last page lies nothing") {
    Mailbox box;
    box.bring(box.inbox, many(5, 60));
    auto page = list_page(box.database, box.inbox, {.page = 3, .page_size = 5});
    REQUIRE(page.items.empty());
    REQUIRE_FALSE(page.next);
}

TEST_CASE("a filter is all of its parts") {
    Mailbox box;
    auto starred = letter(1);
    starred.flags = FLAGGED | SEEN;
    starred.subject = "Invoice 100%_paid";
    auto other = letter(2);
    other.from = {"Carol", "carol@example.net"};
    box.bring(box.inbox, {starred, other, letter(3)});
    auto list = [&](Filter filter) { return box.subjects(box.inbox, {.filter = filter}); };
    REQUIRE(list({.with = FLAGGED}) == std::vector<std::string>{"Invoice 100%_paid"});
    REQUIRE(list({.without = SEEN}).size() == 2);
    REQUIRE(list({.from = {"CAROL"}}) == std::vector<std::string>{"Letter 2"});
    REQUIRE(list({.subject = {"100%_"}}).size() == 1);
    REQUIRE(list({.subject = {"1000_"}}).empty());
    REQUIRE(list({.words = {"example.net", "letter"}}).size() == 1);
    REQUIRE(list({.to = {"bob@"}}).size() == 3);
    REQUIRE(list({.before = letter(2).arrived}).size() == 1);
    REQUIRE(list({.after = letter(2).arrived}).size() == 2);
    REQUIRE(list({.from = {"' OR 1=1 --"}}).empty());
}

TEST_CASE("a filter's dates are those that are shown, and its letters those of any case") {
    Mailbox box;
    auto old = letter(1);
    old.sent = 1'000'000;
    old.subject = "Привет из Москвы";
    auto undated = letter(2);
    undated.sent.reset();
    undated.subject = "ÄRGER";
    box.bring(box.inbox, {old, undated});
    auto list = [&](Filter filter) { return box.subjects(box.inbox, {.filter = filter}).size(); };
    REQUIRE(list({.before = 1'000'001}) == 1);
    REQUIRE(list({.before = 1'000'000}) == 0);
    REQUIRE(list({.after = undated.arrived}) == 1);
    REQUIRE(list({.words = {"привет"}}) == 1);
    REQUIRE(list({.subject = {"МОСКВЫ"}}) == 1);
    REQUIRE(list({.subject = {"привет из"}}) == 1);
    REQUIRE(list({.subject = {"ärger"}}) == 1);
    REQUIRE(list({.words = {"ärger", "привет"}}) == 0);
}

TEST_CASE("filtered pages go down and up again") {
    Mailbox box;
    box.bring(box.inbox, many(30, 60));
    Wanted wanted{.page_size = 10, .filter = {.subject = {"letter"}}};
    auto first = list_page(box.database, box.inbox, wanted);
    wanted.after = first.next;
    auto second = list_page(box.database, box.inbox, wanted);
    wanted.after.reset();
    wanted.before = second.previous;
    auto back = list_page(box.database, box.inbox, wanted);
    REQUIRE(back.items.front().id == first.items.front().id);
    REQUIRE(back.items.size() == 10);
    REQUIRE_FALSE(back.previous);
}

TEST_CASE("cursors survive as text and foreign text is none") {
    auto cursor = cursor_of(to_text({-5, 9}));
    REQUIRE(cursor);
    REQUIRE(cursor->arrived == -5);
    REQUIRE(cursor->id == 9);
    REQUIRE_FALSE(cursor_of("12"));
    REQUIRE_FALSE(cursor_of("12.x"));
    REQUIRE_FALSE(cursor_of(""));
}

#include "catch.hpp"
#include "mailbox.hpp"

#include "store/threading.hpp"

#include <algorithm>

using namespace himalaya;
using namespace himalaya::store;

namespace {

Arrival answer(std::int64_t uid, std::vector<std::string> references) {
    auto arrival = letter(uid);
    arrival.references = std::move(references);
    return arrival;
}

std::string id_of(std::int64_t uid) {
    return fmt::format("<{}@example.org>", uid);
}

} // namespace

TEST_CASE("a conversation is one thread in any order of arrival") {
    std::vector<Arrival> letters{letter(1), answer(2, {id_of(1)}), answer(3, {id_of(1), id_of(2)}),
                                 answer(4, {id_of(1), id_of(2), id_of(3)})};
    std::sort(letters.begin(), letters.end(), [](auto& a, auto& b) { return a.uid < b.uid; });
    do {
        Mailbox box;
        auto ids = box.bring(box.inbox, letters);
        for (auto id : ids)
            REQUIRE(box.row(id).thread == box.row(ids[0]).thread);
    } while (std::next_permutation(letters.begin(), letters.end(),
                                   [](auto& a, auto& b) { return a.uid < b.uid; }));
}

TEST_CASE("strangers are not joined") {
    Mailbox box;
    auto first = letter(1);
    auto second = letter(2);
    first.subject = second.subject = "Weekly report";
    auto ids = box.bring(box.inbox, {first, second});
    REQUIRE(box.row(ids[0]).thread != box.row(ids[1]).thread);
}

TEST_CASE("a reply that names nothing finds its thread by subject, whichever comes first") {
    for (bool reply_first : {false, true}) {
        Mailbox box;
        auto first = letter(1);
        first.subject = "[team] Lunch on Friday";
        auto reply = letter(2);
        reply.subject = "Re: Fwd: Lunch on Friday";
        auto ids = reply_first ? box.bring(box.inbox, {reply, first}) : box.bring(box.inbox, {first, reply});
        REQUIRE(box.row(ids[0]).thread == box.row(ids[1]).thread);
    }
}

TEST_CASE("two threads joined by a late letter stay one for all who come after") {
    Mailbox box;
    auto ids =
        box.bring(box.inbox, {answer(10, {"<lost-a@example.org>"}), answer(20, {"<lost-b@example.org>"})});
    REQUIRE(box.row(ids[0]).thread != box.row(ids[1]).thread);
    box.bring(box.inbox, {answer(30, {"<lost-a@example.org>", "<lost-b@example.org>"})});
    auto late = box.bring(box.inbox, {answer(40, {"<lost-b@example.org>"})});
    REQUIRE(box.row(ids[0]).thread == box.row(ids[1]).thread);
    REQUIRE(box.row(late[0]).thread == box.row(ids[0]).thread);
}

TEST_CASE("subjects lose their prefixes") {
    REQUIRE(base_subject("Re: [list] AW[2]: Lunch ").text == "lunch");
    REQUIRE(base_subject("Re: x").reply);
    REQUIRE_FALSE(base_subject("Regarding: x").reply);
    REQUIRE(base_subject("[only a tag]").text == "[only a tag]");
}

TEST_CASE("a thread's page holds whole conversations, parents before answers") {
    Mailbox box;
    box.bring(box.inbox, {letter(1), letter(2), answer(3, {id_of(1)}), answer(4, {id_of(1), id_of(3)}),
                          answer(5, {id_of(1)})});
    auto page = list_page(box.database, box.inbox, {.page_size = 1, .thread = true});
    std::vector<std::string> subjects;
    std::vector<int> depths;
    for (const auto& item : page.items) {
        subjects.push_back(item.subject);
        depths.push_back(item.depth);
    }
    REQUIRE(subjects == std::vector<std::string>{"Letter 1", "Letter 3", "Letter 4", "Letter 5"});
    REQUIRE(depths == std::vector<int>{0, 1, 2, 1});
    REQUIRE(page.next);
    auto second = list_page(box.database, box.inbox, {.page_size = 1, .after = page.next, .thread = true});
    REQUIRE(second.items.size() == 1);
    REQUIRE(second.items[0].subject == "Letter 2");
    REQUIRE_FALSE(second.next);
    auto back =
        list_page(box.database, box.inbox, {.page_size = 1, .before = second.previous, .thread = true});
    REQUIRE(back.items.size() == 4);
}

TEST_CASE("an answer that came before what it answers stands below it all the same") {
    Mailbox box;
    box.bring(box.inbox, {letter(1), answer(2, {id_of(1), id_of(4)}),
                          answer(3, {id_of(1), id_of(4), id_of(2)}), answer(4, {id_of(1)})});
    auto page = list_page(box.database, box.inbox, {.thread = true});
    std::vector<std::pair<std::string, int>> rows;
    for (const auto& item : page.items)
        rows.emplace_back(item.subject, item.depth);
    REQUIRE(rows == std::vector<std::pair<std::string, int>>{
                        {"Letter 1", 0}, {"Letter 4", 1}, {"Letter 2", 2}, {"Letter 3", 3}});
}

TEST_CASE("a circle is opened at its oldest message, and what hangs on it stays") {
    Mailbox box;
    box.bring(box.inbox, {answer(1, {id_of(1)}), answer(2, {id_of(4)}), answer(3, {id_of(2)}),
                          answer(4, {id_of(3)}), answer(5, {id_of(4)})});
    auto page = list_page(box.database, box.inbox, {.thread = true});
    std::vector<std::pair<std::string, int>> rows;
    for (const auto& item : page.items)
        rows.emplace_back(item.subject, item.depth);
    REQUIRE(rows == std::vector<std::pair<std::string, int>>{
                        {"Letter 2", 0}, {"Letter 3", 1}, {"Letter 4", 2}, {"Letter 5", 3}, {"Letter 1", 0}});
}

TEST_CASE("references in a circle hide nothing") {
    Mailbox box;
    box.bring(box.inbox, {answer(1, {id_of(2)}), answer(2, {id_of(1)})});
    REQUIRE(list_page(box.database, box.inbox, {.thread = true}).items.size() == 2);
}

TEST_CASE("pages of threads hold each thread once, whichever way they are asked for") {
    Mailbox box;
    std::vector<Arrival> letters;
    unsigned seed = 11;
    auto chance = [&](unsigned most) { return (seed = seed * 1'664'525u + 1'013'904'223u) / 65'536 % most; };
    for (int uid = 1; uid <= 600; ++uid) {
        auto arrival = letter(uid, 1'700'000'000 + static_cast<std::int64_t>(chance(5'000)));
        if (uid > 1 && chance(2) == 0)
            arrival.references = {
                id_of(1 + static_cast<std::int64_t>(chance(static_cast<unsigned>(uid - 1))))};
        letters.push_back(std::move(arrival));
    }
    box.bring(box.inbox, letters);
    // What is expected: threads by their newest message.
    std::vector<Id> expected;
    for (const auto& message : list_page(box.database, box.inbox, {.page_size = 1'000}).items)
        if (std::find(expected.begin(), expected.end(), message.thread) == expected.end())
            expected.push_back(message.thread);
    auto threads_of = [](const Page& page) {
        std::vector<Id> threads;
        for (const auto& item : page.items)
            if (threads.empty() || threads.back() != item.thread)
                threads.push_back(item.thread);
        return threads;
    };
    std::vector<Id> by_number, by_cursor, upward;
    for (std::int64_t number = 1;; ++number) {
        auto page = list_page(box.database, box.inbox, {.page = number, .page_size = 7, .thread = true});
        for (auto thread : threads_of(page))
            by_number.push_back(thread);
        REQUIRE(page.previous.has_value() == (number > 1));
        if (!page.next)
            break;
    }
    Wanted wanted{.page_size = 7, .thread = true};
    std::optional<Cursor> last;
    for (;;) {
        auto page = list_page(box.database, box.inbox, wanted);
        for (auto thread : threads_of(page))
            by_cursor.push_back(thread);
        last = page.previous;
        if (!page.next)
            break;
        wanted.after = page.next;
    }
    Wanted back{.page_size = 7, .before = last, .thread = true};
    while (back.before) {
        auto page = list_page(box.database, box.inbox, back);
        auto threads = threads_of(page);
        upward.insert(upward.begin(), threads.begin(), threads.end());
        back.before = page.previous;
    }
    REQUIRE(by_number == expected);
    REQUIRE(by_cursor == expected);
    REQUIRE(upward.size() == (expected.size() - 1) / 7 * 7);
    REQUIRE(std::equal(upward.begin(), upward.end(), expected.begin()));
}

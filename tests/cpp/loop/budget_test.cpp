#include "loop/budget.hpp"

#include <algorithm>

#include "base/time.hpp"
#include "catch.hpp"
#include "loop/loop.hpp"
#include "loop/timer.hpp"
#include "support/test_loop.hpp"

using namespace himalaya;
using namespace himalaya::loop;

namespace {

// Uses that much CPU time of this thread, however loaded the machine is.
void burn(std::uint64_t nanoseconds) {
    for (std::uint64_t end = thread_cpu_ns() + nanoseconds; thread_cpu_ns() < end;) {
    }
}

const Budget::Room* find(const Budget& budget, const std::string& name) {
    for (const Budget::Room& room : budget.rooms())
        if (room.name && room.name == name)
            return &room;
    return nullptr;
}

} // namespace

TEST_CASE("slices count for the innermost room, and for the turn as a whole") {
    Budget budget;
    {
        Slice outer(budget, "outer");
        burn(300'000);
        {
            Slice inner(budget, "inner");
            burn(500'000);
        }
        burn(300'000);
        REQUIRE(budget.spent() >= 1'100'000);
    }
    std::uint64_t spent = budget.spent();
    burn(500'000);
    REQUIRE(budget.spent() == spent); // outside a slice nothing is ours
    REQUIRE(find(budget, "outer")->total_ns >= 600'000);
    REQUIRE(find(budget, "inner")->total_ns >= 500'000);
    REQUIRE(find(budget, "inner")->total_ns + find(budget, "outer")->total_ns == spent);
    REQUIRE(find(budget, "inner")->slices == 1);
    budget.begin_turn();
    REQUIRE(budget.longest_ns() == spent);
    REQUIRE(budget.spent() == 0);
    budget.begin_turn(); // in which nothing was done
    REQUIRE(budget.turns() == 2);
    REQUIRE(budget.histogram().count() == 1);
}

TEST_CASE("a turn over two milliseconds is counted") {
    Budget budget;
    {
        std::uint64_t before = thread_cpu_ns();
        Slice slice(budget, "loop");
        bool at_once = budget.exhausted(Budget::LIMIT_NS);
        REQUIRE((!at_once || thread_cpu_ns() - before >= Budget::LIMIT_NS));
        burn(2'100'000);
        REQUIRE(budget.exhausted(Budget::LIMIT_NS));
    }
    budget.begin_turn();
    REQUIRE(budget.turns_over() == 1);
    budget.reset_figures();
    REQUIRE(budget.turns_over() == 0);
    REQUIRE(budget.longest_ns() == 0);
}

TEST_CASE("somebody else's function is spent but is no work of ours") {
    Budget budget;
    {
        Slice slice(budget, "lua");
        burn(300'000);
        Budget::Place place = budget.leave();
        burn(3'000'000);
        {
            Slice called(budget, "store"); // what it calls of ours is ours again
            burn(400'000);
        }
        budget.back(place);
        burn(200'000);
        REQUIRE(budget.exhausted(Budget::LIMIT_NS));
    }
    REQUIRE(budget.spent() >= 3'900'000);
    const Budget::Room* theirs = find(budget, Budget::THEIRS);
    REQUIRE(theirs);
    REQUIRE(theirs->total_ns >= 3'000'000);
    REQUIRE(theirs->longest_ns >= theirs->total_ns);
    REQUIRE(theirs->slices == 1);
    std::uint64_t ours = budget.spent() - theirs->total_ns;
    REQUIRE(find(budget, "lua")->total_ns + find(budget, "store")->total_ns == ours);
    REQUIRE(find(budget, "lua")->longest_ns == ours); // one slice, and theirs is not in it
    budget.begin_turn();
    REQUIRE(budget.longest_ns() == ours);
    REQUIRE(budget.longest().room != nullptr);
    REQUIRE(std::string(budget.longest().room) != Budget::THEIRS);
}

TEST_CASE("a function that turned out to be long is given to whom it belongs afterwards") {
    std::uint64_t most = 0;
    // A machine that is busy elsewhere before it began leaves some of it with us.
    for (int round = 0; round < 20 && most < 2'900'000; ++round) {
        Budget budget;
        std::uint64_t begun = thread_cpu_ns();
        Slice slice(budget, "lua");
        // The slice read its two clocks one after the other, with so much between them at most.
        std::uint64_t apart = thread_cpu_ns() - begun;
        burn(300'000);
        std::uint64_t before = thread_cpu_ns();
        std::int64_t since = time::monotonic_ns();
        burn(3'000'000);
        budget.was_theirs(since);
        std::uint64_t took = thread_cpu_ns() - before;
        burn(200'000);
        std::uint64_t theirs = budget.theirs();
        REQUIRE(theirs <= took + apart + 100'000); // and two clocks do not go alike to the microsecond
        REQUIRE(find(budget, Budget::THEIRS)->total_ns == theirs);
        REQUIRE(budget.spent() >= 3'500'000);
        most = std::max(most, theirs);
    }
    REQUIRE(most >= 2'900'000);
    Budget idle;
    idle.was_theirs(0); // outside a slice nothing is ours to give
    REQUIRE(idle.theirs() == 0);
}

TEST_CASE("a function that was left by an error does not count what follows as its own") {
    Budget budget;
    {
        Slice slice(budget, "lua");
        Budget::Place caller = budget.here();
        budget.leave();
        budget.back(caller); // its caller has caught the error
        burn(500'000);
    }
    REQUIRE(find(budget, "lua")->total_ns >= 500'000);
    {
        Slice slice(budget, "lua");
        budget.leave();
    }
    std::uint64_t before = budget.spent();
    burn(500'000);
    REQUIRE(budget.spent() == before);
    REQUIRE(budget.leave().room == nullptr); // outside a slice there is nothing to leave
    budget.back({});
}

TEST_CASE("the longest turn says who worked in it") {
    Budget budget;
    {
        Slice slice(budget, "net");
        burn(100'000);
        Slice inner(budget, "lua");
        burn(500'000 + 2 * budget.spent()); // more than the other, whatever the machine took from that one
        budget.note("short", 200'000);
        budget.note("long", 450'000);
        budget.note("between", 300'000);
    }
    budget.begin_turn();
    REQUIRE(std::string(budget.longest().room) == "lua");
    REQUIRE(budget.longest().what == "long");
    REQUIRE(budget.longest().what_ns == 450'000);
    {
        Slice slice(budget, "net");
        burn(budget.longest_ns() + 500'000);
    }
    budget.begin_turn();
    REQUIRE(std::string(budget.longest().room) == "net");
    REQUIRE(budget.longest().what.empty());
}

TEST_CASE("a loop run inside a slice begins turns of its own") {
    Budget budget;
    Slice slice(budget, "lua");
    burn(600'000);
    std::uint64_t before = thread_cpu_ns();
    budget.begin_turn();
    std::uint64_t spent = budget.spent(), most = thread_cpu_ns() - before;
    REQUIRE(budget.longest_ns() >= 600'000);
    REQUIRE(spent <= most);
}

TEST_CASE("more rooms than there is place for share the last") {
    Budget budget;
    static char names[40][4];
    for (int i = 0; i < 40; ++i) {
        names[i][0] = 'r';
        names[i][1] = static_cast<char>('a' + i / 10);
        names[i][2] = static_cast<char>('0' + i % 10);
        Slice slice(budget, names[i]);
    }
    REQUIRE(find(budget, "ra0"));
    REQUIRE(budget.rooms().back().slices == 17);
}

TEST_CASE("what is deferred runs in later turns, in order, and never more than the budget allows") {
    test::TestLoop test;
    Loop& loop = test;
    constexpr std::uint64_t MOST = Budget::DEFERRED_NS + 4 * 200'000 + 500'000;
    std::uint64_t longest = test::least_of(20, MOST, [&] {
        std::vector<int> ran;
        std::vector<std::uint64_t> turns;
        std::uint64_t from = loop.turn();
        loop.budget().reset_figures();
        for (int i = 0; i < 40; ++i)
            loop.defer([&, i] {
                burn(200'000);
                ran.push_back(i);
                turns.push_back(loop.turn());
            });
        REQUIRE(ran.empty());
        REQUIRE(test.run_until([&] { return ran.size() == 40; }));
        REQUIRE(std::is_sorted(ran.begin(), ran.end()));
        REQUIRE(turns.front() > from);
        REQUIRE(turns.back() - turns.front() >= 3); // 8 ms of work
        return loop.budget().longest_ns();
    });
    REQUIRE(longest <= MOST);
}

TEST_CASE("what defers itself again does so turn by turn") {
    test::TestLoop test;
    Loop& loop = test;
    std::vector<std::uint64_t> turns;
    auto climb = [](Loop& on, std::vector<std::uint64_t>& into) -> Task<void> {
        for (int i = 0; i < 5; ++i) {
            into.push_back(on.turn());
            co_await on.next_turn();
        }
    };
    REQUIRE_FALSE(test.run(climb(loop, turns)));
    REQUIRE(turns.size() == 5);
    for (std::size_t i = 1; i < turns.size(); ++i)
        REQUIRE(turns[i] > turns[i - 1]);
}

TEST_CASE("a task that waits for its turn unwinds when the loop closes") {
    test::TestLoop test;
    std::optional<Error> result;
    auto endless = [](Loop& on) -> Task<void> {
        for (;;)
            co_await on.next_turn();
    };
    start(endless(test), [&](std::optional<Error> error) { result = error; });
    test.turn();
    REQUIRE_FALSE(result);
    test.loop().close();
    REQUIRE(result);
    REQUIRE(result->code == Code::cancelled);
    auto error = test.run(endless(test));
    REQUIRE(error);
}

TEST_CASE("what is thrown in a callback stays there") {
    test::TestLoop test;
    int ran = 0;
    test.loop().defer([&] { throw std::runtime_error("odd"); });
    test.loop().defer([&] { ++ran; });
    REQUIRE(test.run_until([&] { return ran == 1; }));
}

TEST_CASE("a timer may stop, start and destroy itself") {
    test::TestLoop test;
    int ticks = 0;
    Timer repeating(test);
    repeating.start(0, 1, [&] {
        if (++ticks == 3)
            repeating.stop();
    });
    REQUIRE(test.run_until([&] { return ticks == 3; }));
    REQUIRE_FALSE(repeating.active());

    std::string order;
    Timer again(test);
    again.start(0, 0, [&] {
        order += "a";
        again.start(0, 0, [&] { order += "b"; });
    });
    REQUIRE(test.run_until([&] { return order == "ab"; }));

    auto own = std::make_unique<Timer>(test);
    bool gone = false;
    own->start(0, 1, [&] {
        own.reset();
        gone = true;
    });
    REQUIRE(test.run_until([&] { return gone; }));
    test.turn();
}

TEST_CASE("after close nothing of ours runs") {
    test::TestLoop test;
    bool ran = false;
    test.loop().defer([&] { ran = true; });
    test.loop().close();
    test.loop().defer([&] { ran = true; });
    test.turn();
    test.turn();
    REQUIRE_FALSE(ran);
    REQUIRE(test.loop().stopping());
}

#include "loop/cancel.hpp"

#include <memory>

#include "catch.hpp"
#include "loop/once.hpp"
#include "loop/task.hpp"
#include "loop/timer.hpp"
#include "support/test_loop.hpp"

using namespace himalaya;
using namespace himalaya::loop;

TEST_CASE("a token tells everybody once, in order, with the reason") {
    CancelSource source;
    std::string heard;
    Registration first = source.token().on_cancel([&] { heard += "1"; });
    Registration gone = source.token().on_cancel([&] { heard += "x"; });
    Registration last = source.token().on_cancel([&] { heard += "2"; });
    gone.reset();
    Registration moved = std::move(first);
    source.cancel(make_error(Code::timeout, "late"));
    source.cancel();
    REQUIRE(heard == "12");
    REQUIRE(source.token().error().code == Code::timeout);
    Registration late = source.token().on_cancel([&] { heard += "3"; });
    REQUIRE(heard == "123");
}

TEST_CASE("an empty token never cancels") {
    CancelToken token;
    REQUIRE_FALSE(token.cancelled());
    token.throw_if_cancelled();
    Registration none = token.on_cancel([] { FAIL("never"); });
}

TEST_CASE("a child ends with its parent, and alone") {
    CancelSource parent;
    CancelSource child(parent.token());
    CancelSource other(parent.token());
    child.cancel();
    REQUIRE_FALSE(parent.cancelled());
    REQUIRE_FALSE(other.cancelled());
    parent.cancel(make_error(Code::offline, "gone"));
    REQUIRE(other.cancelled());
    REQUIRE(other.token().error().code == Code::offline);
    CancelSource late(parent.token());
    REQUIRE(late.cancelled());
    REQUIRE(late.token().error().code == Code::offline);
}

TEST_CASE("listeners may end each other, themselves and the source while they are told") {
    auto source = std::make_unique<CancelSource>();
    CancelToken token = source->token();
    Registration first, second, third, added;
    int told = 0;
    first = token.on_cancel([&] {
        ++told;
        first.reset();
        second.reset();
        source.reset();
        added = token.on_cancel([&] { ++told; });
    });
    second = token.on_cancel([&] { FAIL("it was taken back"); });
    third = token.on_cancel([&] { ++told; });
    source->cancel();
    REQUIRE(told == 3);
}

TEST_CASE("a once gives its answer before and after it is waited for") {
    test::TestLoop loop;
    auto wait = [](Once<int>& once) -> Task<int> { co_return co_await once.wait(); };
    Once<int> before;
    REQUIRE(before.fulfil(1));
    REQUIRE_FALSE(before.fulfil(2));
    REQUIRE(loop.value_of(wait(before)) == 1);

    Once<int> after;
    int got = 0;
    auto keep = [](Once<int>& once, int& into) -> Task<void> { into = co_await once.wait(); };
    start(keep(after, got), [](std::optional<Error> error) { REQUIRE_FALSE(error); });
    REQUIRE(got == 0);
    after.fulfil(7);
    REQUIRE(got == 7);
}

TEST_CASE("a once that goes away, a reply that is dropped and a cancel end the wait") {
    auto wait = [](Once<int>& once, CancelToken token) -> Task<void> { co_await once.wait(token); };
    int ended = 0;
    auto count = [&](std::optional<Error> error) {
        REQUIRE(error);
        REQUIRE(error->code == Code::cancelled);
        ++ended;
    };
    {
        Once<int> once;
        start(wait(once, {}), count);
    }
    REQUIRE(ended == 1);

    auto shared = std::make_shared<Once<int>>();
    start(wait(*shared, {}), count);
    { Reply<int> reply(shared); }
    REQUIRE(ended == 2);

    Once<int> once;
    CancelSource source;
    start(wait(once, source.token()), count);
    source.cancel();
    REQUIRE(ended == 3);
    once.fulfil(1); // nobody is there any more
}

TEST_CASE("a gate lets those who wait through in order") {
    std::string order;
    auto pass = [](Gate& gate, CancelToken token, std::string& into, char name) -> Task<void> {
        co_await gate.wait(token);
        into += name;
    };
    auto done = [](std::optional<Error>) {};
    Gate gate;
    CancelSource source;
    start(pass(gate, {}, order, 'a'), done);
    start(pass(gate, source.token(), order, 'b'), done);
    start(pass(gate, {}, order, 'c'), done);
    start(pass(gate, {}, order, 'd'), done);
    source.cancel();
    REQUIRE(gate.let_one());
    REQUIRE(order == "a");
    gate.open();
    REQUIRE(order == "acd");
    start(pass(gate, {}, order, 'e'), done);
    REQUIRE(order == "acde");
    gate.close();
    start(pass(gate, {}, order, 'f'), done);
    REQUIRE(order == "acde");
    REQUIRE(gate.has_waiters());
}

TEST_CASE("a gate that goes away while it opens tells the rest") {
    auto gate = std::make_unique<Gate>();
    int cancelled = 0;
    auto wait = [](std::unique_ptr<Gate>& at, bool last) -> Task<void> {
        co_await at->wait();
        if (last)
            at.reset();
    };
    auto count = [&](std::optional<Error> error) { cancelled += error ? 1 : 0; };
    start(wait(gate, false), count);
    start(wait(gate, true), count);
    start(wait(gate, false), count);
    gate->open();
    REQUIRE_FALSE(gate);
    REQUIRE(cancelled == 1);
}

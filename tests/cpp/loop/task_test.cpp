#include "catch.hpp"
#include "loop/task.hpp"
#include "loop/timer.hpp"
#include "support/test_loop.hpp"

using namespace himalaya;
using namespace himalaya::loop;

namespace {

Task<int> now(int value) {
    co_return value;
}

Task<std::string> fails(std::string why) {
    throw make_error(Code::busy, why);
    co_return "";
}

Task<int> add_many(int count) {
    int sum = 0;
    for (int i = 0; i < count; ++i)
        sum += co_await now(1);
    co_return sum;
}

Task<void> deep(int depth, CancelToken token, Loop& loop, int& unwound) {
    struct Note {
        int& count;
        ~Note() { ++count; }
    } note{unwound};
    if (depth == 0)
        co_await sleep(loop, 1'000'000, token);
    else
        co_await deep(depth - 1, token, loop, unwound);
}

} // namespace

TEST_CASE("a task does nothing until it is awaited") {
    bool ran = false;
    auto task = [](bool& flag) -> Task<void> {
        flag = true;
        co_return;
    }(ran);
    REQUIRE_FALSE(ran);
    test::TestLoop loop;
    REQUIRE_FALSE(loop.run(std::move(task)));
    REQUIRE(ran);
}

TEST_CASE("a hundred thousand awaits that do not wait need no stack") {
    test::TestLoop loop;
    REQUIRE(loop.value_of(add_many(100'000)) == 100'000);
}

TEST_CASE("what a task throws arrives at the await, and at the top as an Error") {
    test::TestLoop loop;
    auto catches = []() -> Task<int> {
        try {
            co_await fails("first");
        } catch (const Error& error) {
            REQUIRE(error.message == "first");
        }
        co_await fails("second");
        co_return 1;
    };
    try {
        loop.value_of(catches());
        FAIL("nothing was thrown");
    } catch (const Error& error) {
        REQUIRE(error.code == Code::busy);
        REQUIRE(error.message == "second");
    }
    auto odd = []() -> Task<void> {
        throw std::runtime_error("odd");
        co_return;
    };
    auto error = loop.run(odd());
    REQUIRE(error);
    REQUIRE(error->code == Code::internal);
}

TEST_CASE("cancelling unwinds a chain of tasks before cancel() returns") {
    test::TestLoop loop;
    CancelSource source;
    int unwound = 0;
    std::optional<Error> result;
    start(deep(50, source.token(), loop, unwound), [&](std::optional<Error> error) { result = error; });
    REQUIRE_FALSE(result);
    source.cancel();
    REQUIRE(result);
    REQUIRE(result->code == Code::cancelled);
    REQUIRE(unwound == 51);
}

TEST_CASE("a cancelled task that is started again sees it at its first wait") {
    test::TestLoop loop;
    CancelSource source;
    source.cancel(make_error(Code::timeout, "too late"));
    auto error = loop.run(sleep(loop, 1'000'000, source.token()));
    REQUIRE(error);
    REQUIRE(error->code == Code::timeout);
}

TEST_CASE("stopping the loop ends every wait that descends from its token") {
    test::TestLoop loop;
    std::optional<Error> result;
    start(sleep(loop, 1'000'000, loop.loop().token()), [&](std::optional<Error> error) { result = error; });
    loop.loop().stop();
    REQUIRE(result);
    REQUIRE(result->code == Code::cancelled);
}

TEST_CASE("a deadline cancels with a timeout, and not after it is gone") {
    test::TestLoop loop;
    auto late = [](Loop& l) -> Task<void> {
        Deadline deadline(l, 1, l.token(), "No answer.");
        co_await sleep(l, 1'000'000, deadline.token());
    };
    auto error = loop.run(late(loop));
    REQUIRE(error);
    REQUIRE(error->code == Code::timeout);
    REQUIRE(error->message == "No answer.");
}

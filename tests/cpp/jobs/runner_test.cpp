// Coroutines as jobs: the runner on a real loop, without programs.
#include "jobs/runner.hpp"

#include "catch.hpp"
#include "support/test_loop.hpp"

#include <map>

using namespace himalaya;
using namespace himalaya::jobs;

namespace {

struct World {
    himalaya::test::TestLoop loop;
    Runner runner{loop};
    std::map<JobId, std::pair<Ending, std::optional<Error>>> ended;

    ~World() { runner.stop(); }
    JobId start(Function<loop::Task<void>(loop::CancelToken)> task, Spec spec = {}) {
        return runner
            .submit(std::move(spec), std::move(task),
                    [this](const Report& report) {
                        auto error = report.error ? std::optional(*report.error) : std::nullopt;
                        REQUIRE(ended.emplace(report.id, std::pair(report.ending, error)).second);
                    })
            .or_throw();
    }
    bool until_ended(std::size_t count) {
        return loop.run_until([&] { return ended.size() == count; });
    }
};

loop::Task<void> nothing(loop::CancelToken) {
    co_return;
}

loop::Task<void> fail(Code code) {
    throw make_error(code, "It went wrong.");
    co_return;
}

} // namespace

TEST_CASE("a task is told of after submit has returned") {
    World world;
    JobId id = world.start(nothing);
    REQUIRE(world.ended.empty());
    REQUIRE(world.until_ended(1));
    REQUIRE(world.ended.at(id).first == Ending::done);
}

TEST_CASE("what a task throws arrives, and is tried again only where it passes by itself") {
    World world;
    Spec spec;
    spec.retries = 2;
    spec.backoff = MILLISECOND;
    int offline = 0;
    int config = 0;
    auto passing = [&](loop::CancelToken) {
        ++offline;
        return fail(Code::offline);
    };
    auto lasting = [&](loop::CancelToken) {
        ++config;
        return fail(Code::config);
    };
    JobId first = world.start(passing, spec);
    JobId second = world.start(lasting, spec);
    REQUIRE(world.until_ended(2));
    REQUIRE(world.ended.at(first).second->code == Code::offline);
    REQUIRE(world.ended.at(second).second->message == "It went wrong.");
    REQUIRE(offline == 3);
    REQUIRE(config == 1);
}

TEST_CASE("cancel reaches a task that waits, at once") {
    World world;
    bool unwound = false;
    auto waits = [&](loop::CancelToken token) -> loop::Task<void> {
        try {
            co_await loop::sleep(world.loop, 1'000'000, token);
        } catch (const Error&) {
            unwound = true;
            throw;
        }
    };
    JobId id = world.start(waits);
    REQUIRE(world.loop.run_until([&] { return world.runner.queue().metrics().running_now() == 1; }));
    REQUIRE(world.runner.cancel(id));
    REQUIRE(unwound);
    REQUIRE(world.until_ended(1));
    REQUIRE(world.ended.at(id).first == Ending::cancelled);
    REQUIRE_FALSE(world.runner.cancel(id));
}

TEST_CASE("a task that takes too long is told so") {
    World world;
    Spec spec;
    spec.name = "a long wait";
    spec.timeout = 5 * MILLISECOND;
    auto waits = [&](loop::CancelToken token) { return loop::sleep(world.loop, 1'000'000, token); };
    JobId id = world.start(waits, spec);
    REQUIRE(world.until_ended(1));
    REQUIRE(world.ended.at(id).second->code == Code::timeout);
    REQUIRE(world.ended.at(id).second->message == "a long wait did not end in the time given.");
}

TEST_CASE("who is told may submit, cancel and throw") {
    World world;
    int told = 0;
    JobId other = 0;
    auto throws = [&](const Report&) {
        ++told;
        REQUIRE(world.runner.cancel(other));
        world.start(nothing);
        throw std::runtime_error("a fault of the caller's");
    };
    other = world.start([&](loop::CancelToken token) { return loop::sleep(world.loop, 1'000'000, token); });
    REQUIRE(world.runner.submit(Spec{}, nothing, throws));
    REQUIRE(world.until_ended(2));
    REQUIRE(told == 1);
    REQUIRE(world.ended.at(other).first == Ending::cancelled);
}

TEST_CASE("ten thousand tasks cancelled at once leave every turn its limit") {
    World world;
    world.runner.pause();
    for (int i = 0; i < 10'000; ++i)
        world.start(nothing);
    world.runner.cancel_all();
    REQUIRE(world.until_ended(10'000));
    REQUIRE(world.runner.queue().metrics().count(Ending::cancelled) == 10'000);
    REQUIRE(world.runner.queue().size() == 0);
}

TEST_CASE("after stop nothing starts and nobody is called") {
    World world;
    bool called = false;
    REQUIRE(world.runner.submit(Spec{}, nothing, [&](const Report&) { called = true; }));
    world.runner.stop();
    for (int i = 0; i < 20; ++i)
        world.loop.turn();
    REQUIRE_FALSE(called);
    auto refused = world.runner.submit(Spec{}, nothing, {});
    REQUIRE_FALSE(refused);
    REQUIRE(refused.error().code == Code::cancelled);
}

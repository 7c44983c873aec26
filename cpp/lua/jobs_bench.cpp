#include "lua/jobs_bench.hpp"

#include <fmt/format.h>

#include "lua/jobs.hpp"
#include "lua/runtime.hpp"

namespace himalaya::lua {

namespace {

// As many wait at a time as a busy editor may have, so that the keys and lanes have something to choose from.
constexpr std::size_t MOST_WAITING = 4096;

class NoWork : public jobs::Work {
  public:
    void start(jobs::Ended ended) override { ended({}); }
    void stop() override {}
};

struct Bench {
    Runtime& runtime;
    Ref callback;
    std::size_t left;
    std::size_t under_way = 0;

    Ref another() {
        callback.push(runtime.state());
        return Ref::pop(runtime.state());
    }
};

void feed(const std::shared_ptr<Bench>& bench);

void submit_one(const std::shared_ptr<Bench>& bench) {
    std::size_t number = --bench->left;
    jobs::Spec spec;
    spec.name = "bench";
    spec.pool = jobs::Pool::tasks;
    spec.lane = static_cast<jobs::Lane>(number % jobs::LANES);
    spec.key = fmt::format("key{}", number % 64);
    ++bench->under_way;
    (void)jobs_of(bench->runtime)
        .runner.submit(std::move(spec), std::make_unique<NoWork>(), [bench](const jobs::Report&) {
            bench->runtime.events().complete(bench->another(), nullptr);
            if (--bench->under_way == MOST_WAITING / 2 && bench->left > 0)
                feed(bench);
        });
}

void feed(const std::shared_ptr<Bench>& bench) {
    bench->runtime.loop().defer([bench] {
        loop::Slice slice(bench->runtime.loop().budget(), "jobs");
        while (bench->left > 0 && bench->under_way < MOST_WAITING) {
            submit_one(bench);
            if (bench->left % 16 == 0 && bench->runtime.loop().budget().exhausted()) {
                feed(bench);
                return;
            }
        }
    });
}

} // namespace

int bench_tasks(lua_State* L, Runtime& runtime) {
    std::int64_t count = check_integer(L, 1, "n");
    if (count < 1)
        bad_argument("n", "expected 1 or more");
    Ref callback = check_function(L, 2, "cb");
    feed(std::make_shared<Bench>(Bench{runtime, std::move(callback), static_cast<std::size_t>(count)}));
    return 0;
}

} // namespace himalaya::lua

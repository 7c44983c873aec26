// A uv loop of a test's own. Waits are for conditions, never for times: run_until() turns the loop until the
// condition holds, and fails the test when that takes longer than the machine could need.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "loop/loop.hpp"

namespace himalaya::test {

class TestLoop {
  public:
    TestLoop();
    // Stops our loop, closes every handle left and turns until uv is done; a leak shows under ASan.
    ~TestLoop();

    loop::Loop& loop() { return *m_loop; }
    operator loop::Loop&() { return *m_loop; }
    uv_loop_t* uv() { return &m_uv; }

    // What no machine needs, however loaded it is: only a test that fails waits that long.
    static constexpr int PATIENCE_MS = 60'000;

    // False when it did not happen within `ms`.
    [[nodiscard]] bool run_until(const std::function<bool()>& condition, int ms = PATIENCE_MS);
    // One turn without sleeping.
    void turn();
    // Runs a task to its end: its error, if any. Throws when it does not end within `ms`.
    std::optional<Error> run(loop::Task<void> task, int ms = PATIENCE_MS);
    // Runs a task that gives a value; throws its Error.
    template<class T>
    T value_of(loop::Task<T> task) {
        std::optional<T> value;
        auto error = run(keep(std::move(task), value));
        if (error)
            throw *error;
        return std::move(*value);
    }

  private:
    template<class T>
    static loop::Task<void> keep(loop::Task<T> task, std::optional<T>& value) {
        value.emplace(co_await task);
    }

    uv_loop_t m_uv{};
    std::unique_ptr<loop::Loop> m_loop;
};

// The least of what `round` measures in so many rounds: thread CPU time counts also what the machine took from us
// (another's caches, a host that stole the core), so a figure is held against its best round. The first that comes to no
// more than `enough` is the last.
std::uint64_t least_of(int rounds, std::uint64_t enough, const std::function<std::uint64_t()>& round);

} // namespace himalaya::test

// A timer, and sleeping in a task.
#pragma once

#include <cstdint>

#include "loop/loop.hpp"

namespace himalaya::loop {

class Timer {
  public:
    // The room's name is what its callbacks are counted under.
    explicit Timer(Loop& loop, const char* room = "loop");

    // fn runs after `ms`, and then every `repeat` ms when that is not 0. Starting again replaces what was.
    // fn may stop, start or destroy the timer.
    void start(std::uint64_t ms, std::uint64_t repeat, Function<void()> fn);
    void stop();
    bool active() const;
    // Does not keep a loop running that has nothing else.
    void unref();

  private:
    struct State {
        Loop* loop = nullptr;
        const char* room = nullptr;
        std::uint64_t generation = 0;
        Function<void()> fn;
    };
    static void on_timer(uv_timer_t* handle);

    Owned<uv_timer_t, State> m_box;
};

Task<void> sleep(Loop& loop, std::uint64_t ms, CancelToken token);

// A cancel source that cancels itself with Code::timeout after `ms`, unless it is dropped before; a child of
// `parent`.
class Deadline {
  public:
    Deadline(Loop& loop, std::uint64_t ms, const CancelToken& parent, std::string message);

    CancelToken token() const { return m_source.token(); }
    CancelSource& source() { return m_source; }
    // Counts from now again.
    void restart(std::uint64_t ms);

  private:
    CancelSource m_source;
    std::string m_message;
    Timer m_timer;
};

} // namespace himalaya::loop

// The host's uv loop as the rooms see it: turns, what is put off to a later one, the budget they share, and
// the end. The loop belongs to Neovim (or to a test); we only keep three unreferenced handles on it: prepare
// marks where a turn begins, check runs what was put off, idle keeps the poll from sleeping while something
// is.
#pragma once

#include <coroutine>
#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <vector>

#include <uv.h>

#include "base/error.hpp"
#include "base/function.hpp"
#include "loop/budget.hpp"
#include "loop/cancel.hpp"
#include "loop/handle.hpp"
#include "loop/task.hpp"

namespace himalaya::loop {

class Loop {
  public:
    explicit Loop(uv_loop_t* uv);
    ~Loop();
    Loop(const Loop&) = delete;
    Loop& operator=(const Loop&) = delete;

    uv_loop_t* uv() const { return m_uv; }
    Budget& budget() { return m_budget; }
    // Rises with every poll of the loop.
    std::uint64_t turn() const { return m_turn; }
    // Monotonic milliseconds of the current turn, free of charge.
    std::int64_t now_ms() const { return static_cast<std::int64_t>(uv_now(m_uv)); }

    // Runs fn in a later turn, after the editor had its own, in the order given and under the budget: what
    // does not fit goes on in the turn after.
    void defer(Function<void()> fn);
    // `co_await loop.next_turn()`: go on in a later turn. Use it in long work when budget().exhausted(). Throws
    // Code::cancelled once the loop is stopping.
    struct NextTurn {
        Loop& loop;
        bool await_ready() const noexcept { return loop.stopping(); }
        void await_suspend(std::coroutine_handle<> handle) const {
            loop.put_off([handle] { handle.resume(); }, true);
        }
        void await_resume() const { loop.token().throw_if_cancelled(); }
    };
    NextTurn next_turn() { return NextTurn{*this}; }

    // From stop() on nothing new begins. All cancel sources descend from token(), so that stop() ends every
    // wait.
    bool stopping() const { return m_stop.cancelled(); }
    CancelToken token() const { return m_stop.token(); }
    void stop();
    // stop(), and nothing of ours is left on the uv loop. The object stays usable for whoever is still on the stack.
    void close();

    // Every entry from uv goes through here: measured, and nothing that is thrown gets out.
    template<class F>
    void enter(const char* room, F&& fn) noexcept {
        Slice slice(m_budget, room);
        try {
            fn();
        } catch (...) {
            report(room);
        }
    }
    // Logs the current exception; only inside a catch block.
    void report(const char* room) noexcept;

    // For the wrappers of this room.
    std::span<char> read_buffer();
    // Runs fn in the check phase after this poll, so that what stopped for the budget is heard again in the
    // next.
    void after_poll(Function<void()> fn);

  private:
    struct Deferred {
        std::uint64_t turn;
        Function<void()> fn;
        bool is_task; // which unwinds when the loop closes
    };

    void put_off(Function<void()> fn, bool is_task);

    void on_prepare();
    void on_check();
    void keep_awake();

    uv_loop_t* m_uv;
    Budget m_budget;
    CancelSource m_stop;
    std::uint64_t m_turn = 0;
    bool m_polling = false;
    std::deque<Deferred> m_deferred;
    std::vector<Function<void()>> m_after_poll;
    std::unique_ptr<char[]> m_read_buffer;
    Owned<uv_prepare_t> m_prepare;
    Owned<uv_check_t> m_check;
    Owned<uv_idle_t> m_idle;
};

// An errno of uv as an Error that says what was tried: "Cannot connect to mail.example.org: connection
// refused."
Error uv_failure(int status, const std::string& tried, std::string hint = {});

} // namespace himalaya::loop

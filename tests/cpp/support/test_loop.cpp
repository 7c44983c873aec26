#include "support/test_loop.hpp"

#include <algorithm>
#include <csignal>
#include <stdexcept>

#include "base/time.hpp"

namespace himalaya::test {

TestLoop::TestLoop() {
    std::signal(SIGPIPE, SIG_IGN); // as Neovim does
    uv_loop_init(&m_uv);
    m_loop = std::make_unique<loop::Loop>(&m_uv);
}

namespace {

bool has_children(uv_loop_t* loop) {
    bool any = false;
    uv_walk(
        loop,
        [](uv_handle_t* handle, void* any_of_them) {
            if (handle->type == UV_PROCESS && !uv_is_closing(handle))
                *static_cast<bool*>(any_of_them) = true;
        },
        &any);
    return any;
}

} // namespace

TestLoop::~TestLoop() {
    m_loop->stop();
    m_loop.reset();
    uv_run(&m_uv, UV_RUN_NOWAIT);
    // A program that was told to end is kept until it was reaped, and may take its time on a full machine. It keeps no
    // loop running by itself.
    (void)run_until([this] { return !has_children(&m_uv); });
    uv_walk(
        &m_uv,
        [](uv_handle_t* handle, void*) {
            if (!uv_is_closing(handle))
                uv_close(handle, nullptr);
        },
        nullptr);
    while (uv_loop_close(&m_uv) == UV_EBUSY)
        uv_run(&m_uv, UV_RUN_NOWAIT);
}

bool TestLoop::run_until(const std::function<bool()>& condition, int ms) {
    // Wakes the loop now and then: a condition may hang on what is no event of this loop.
    uv_timer_t tick;
    uv_timer_init(&m_uv, &tick);
    uv_timer_start(
        &tick, [](uv_timer_t*) {}, 5, 5);
    std::int64_t end = time::monotonic_ms() + ms;
    bool happened = condition();
    while (!happened && time::monotonic_ms() < end) {
        uv_run(&m_uv, UV_RUN_ONCE);
        happened = condition();
    }
    bool closed = false;
    tick.data = &closed;
    uv_close(reinterpret_cast<uv_handle_t*>(&tick),
             [](uv_handle_t* handle) { *static_cast<bool*>(handle->data) = true; });
    while (!closed)
        uv_run(&m_uv, UV_RUN_NOWAIT);
    return happened;
}

void TestLoop::turn() {
    uv_run(&m_uv, UV_RUN_NOWAIT);
}

std::optional<Error> TestLoop::run(loop::Task<void> task, int ms) {
    bool ended = false;
    std::optional<Error> result;
    loop::start(std::move(task), [&](std::optional<Error> error) {
        result = std::move(error);
        ended = true;
    });
    if (!run_until([&] { return ended; }, ms))
        throw std::runtime_error("the task did not end");
    return result;
}

std::uint64_t least_of(int rounds, std::uint64_t enough, const std::function<std::uint64_t()>& round) {
    std::uint64_t least = round();
    while (least > enough && --rounds > 0)
        least = std::min(least, round());
    return least;
}

} // namespace himalaya::test

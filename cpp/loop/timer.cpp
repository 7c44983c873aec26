#include "loop/timer.hpp"

#include "loop/once.hpp"

namespace himalaya::loop {

Timer::Timer(Loop& loop, const char* room) : m_box(make_box<uv_timer_t, State>()) {
    uv_timer_init(loop.uv(), &m_box->uv);
    m_box->state.loop = &loop;
    m_box->state.room = room;
}

void Timer::start(std::uint64_t ms, std::uint64_t repeat, Function<void()> fn) {
    ++m_box->state.generation;
    m_box->state.fn = std::move(fn);
    uv_timer_start(&m_box->uv, on_timer, ms, repeat);
}

void Timer::stop() {
    if (uv_is_closing(as_handle(&m_box->uv)))
        return;
    ++m_box->state.generation;
    uv_timer_stop(&m_box->uv);
    m_box->state.fn = nullptr;
}

bool Timer::active() const {
    return uv_is_active(as_handle(&m_box->uv)) != 0;
}

void Timer::unref() {
    uv_unref(as_handle(&m_box->uv));
}

void Timer::on_timer(uv_timer_t* handle) {
    auto& state = box_of<uv_timer_t, State>(handle).state;
    // fn may destroy the timer; the box stays until its close callback.
    std::uint64_t generation = state.generation;
    Function<void()> fn = std::move(state.fn);
    state.loop->enter(state.room, fn);
    if (state.generation == generation && uv_is_active(as_handle(handle)))
        state.fn = std::move(fn);
}

Task<void> sleep(Loop& loop, std::uint64_t ms, CancelToken token) {
    Once<void> over;
    Timer timer(loop);
    timer.start(ms, 0, [&over] { over.fulfil({}); });
    co_await over.wait(token);
}

Deadline::Deadline(Loop& loop, std::uint64_t ms, const CancelToken& parent, std::string message)
    : m_source(parent), m_message(std::move(message)), m_timer(loop) {
    restart(ms);
}

void Deadline::restart(std::uint64_t ms) {
    m_timer.start(ms, 0, [this] { m_source.cancel(make_error(Code::timeout, m_message)); });
}

} // namespace himalaya::loop

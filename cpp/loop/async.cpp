#include "loop/async.hpp"

namespace himalaya::loop {

Async::Async(Loop& loop, Function<void()> fn, const char* room) : m_box(make_box<uv_async_t, State>()) {
    m_box->state.loop = &loop;
    m_box->state.room = room;
    m_box->state.fn = std::move(fn);
    int status = uv_async_init(loop.uv(), &m_box->uv, [](uv_async_t* handle) {
        auto& state = box_of<uv_async_t, State>(handle).state;
        // fn stays in the box: it may destroy the Async, whose box lives until its close callback.
        state.loop->enter(state.room, state.fn);
    });
    if (status < 0)
        throw uv_failure(status, "Cannot make a way back from a thread");
}

void Async::send() {
    uv_async_send(&m_box->uv);
}

void Async::unref() {
    uv_unref(as_handle(&m_box->uv));
}

} // namespace himalaya::loop

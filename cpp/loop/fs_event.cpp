#include "loop/fs_event.hpp"

namespace himalaya::loop {

FsEvent::FsEvent(Loop& loop, const char* room) : m_box(make_box<uv_fs_event_t, State>()) {
    uv_fs_event_init(loop.uv(), &m_box->uv);
    m_box->state.loop = &loop;
    m_box->state.room = room;
}

Result<void> FsEvent::start(const std::string& path, Function<void(Result<Change>)> fn) {
    auto& state = m_box->state;
    uv_fs_event_stop(&m_box->uv);
    ++state.generation;
    state.path = path;
    state.fn = std::move(fn);
    int status = uv_fs_event_start(
        &m_box->uv,
        [](uv_fs_event_t* handle, const char* name, int events, int error) {
            auto& here = box_of<uv_fs_event_t, State>(handle).state;
            std::uint64_t generation = here.generation;
            auto call = std::move(here.fn);
            here.loop->enter(here.room, [&] {
                if (error < 0)
                    call(uv_failure(error, "Cannot watch " + here.path));
                else
                    call(Change{name ? name : "", (events & UV_RENAME) != 0});
            });
            if (here.generation == generation)
                here.fn = std::move(call);
        },
        path.c_str(), 0);
    if (status < 0) {
        state.fn = nullptr;
        return uv_failure(status, "Cannot watch " + path);
    }
    return {};
}

void FsEvent::stop() {
    if (uv_is_closing(as_handle(&m_box->uv)))
        return;
    ++m_box->state.generation;
    uv_fs_event_stop(&m_box->uv);
    m_box->state.fn = nullptr;
}

} // namespace himalaya::loop

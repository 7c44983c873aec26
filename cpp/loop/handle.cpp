#include "loop/handle.hpp"

#include <fmt/format.h>

#include "base/error.hpp"

namespace himalaya::loop {

void check_handle_sizes() {
    struct Size {
        uv_handle_type type;
        std::size_t compiled;
    };
    constexpr Size sizes[] = {
        {UV_ASYNC, sizeof(uv_async_t)},       {UV_CHECK, sizeof(uv_check_t)},
        {UV_FS_EVENT, sizeof(uv_fs_event_t)}, {UV_IDLE, sizeof(uv_idle_t)},
        {UV_NAMED_PIPE, sizeof(uv_pipe_t)},   {UV_PREPARE, sizeof(uv_prepare_t)},
        {UV_PROCESS, sizeof(uv_process_t)},   {UV_TCP, sizeof(uv_tcp_t)},
        {UV_TIMER, sizeof(uv_timer_t)},
    };
    for (const Size& size : sizes)
        if (uv_handle_size(size.type) > size.compiled)
            throw make_error(Code::unsupported,
                             fmt::format("libuv {} has larger handles than the one this was built for ({}).",
                                         uv_version_string(), UV_VERSION_MAJOR * 100 + UV_VERSION_MINOR),
                             "Build again with the headers of a newer libuv.");
}

} // namespace himalaya::loop

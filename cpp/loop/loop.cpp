#include "loop/loop.hpp"

#include <cerrno>

#include <fmt/format.h>

#include "base/log.hpp"

namespace himalaya::loop {

namespace {

// What a fast server sends in a millisecond: each read asks the kernel, and tells the other side, once.
constexpr std::size_t READ_BYTES = 256 * 1024;

} // namespace

Loop::Loop(uv_loop_t* uv)
    : m_uv(uv), m_prepare(make_box<uv_prepare_t>()), m_check(make_box<uv_check_t>()),
      m_idle(make_box<uv_idle_t>()) {
    uv_prepare_init(uv, &m_prepare->uv);
    uv_check_init(uv, &m_check->uv);
    uv_idle_init(uv, &m_idle->uv);
    m_prepare->uv.data = m_check->uv.data = this;
    uv_prepare_start(&m_prepare->uv,
                     [](uv_prepare_t* handle) { static_cast<Loop*>(handle->data)->on_prepare(); });
    uv_check_start(&m_check->uv, [](uv_check_t* handle) { static_cast<Loop*>(handle->data)->on_check(); });
    uv_unref(as_handle(&m_prepare->uv));
    uv_unref(as_handle(&m_check->uv));
    uv_unref(as_handle(&m_idle->uv));
}

Loop::~Loop() {
    close();
}

void Loop::close() {
    stop();
    if (!m_prepare)
        return;
    // The close callbacks look for their boxes here.
    m_prepare->uv.data = m_prepare.get();
    m_check->uv.data = m_check.get();
    m_prepare.reset();
    m_check.reset();
    m_idle.reset();
    for (Deferred& entry : std::exchange(m_deferred, {}))
        if (entry.is_task)
            enter("loop", entry.fn);
    // Streams count these; they find nothing to do.
    for (Function<void()>& fn : std::exchange(m_after_poll, {}))
        enter("loop", fn);
}

void Loop::stop() {
    m_stop.cancel(make_error(Code::cancelled, "Neovim is closing."));
}

void Loop::defer(Function<void()> fn) {
    put_off(std::move(fn), false);
}

void Loop::put_off(Function<void()> fn, bool is_task) {
    if (!m_idle)
        return;
    m_deferred.push_back({m_turn, std::move(fn), is_task});
    keep_awake();
}

void Loop::after_poll(Function<void()> fn) {
    if (!m_idle)
        return;
    m_after_poll.push_back(std::move(fn));
    if (!m_polling)
        keep_awake();
}

void Loop::keep_awake() {
    if (m_idle && !uv_is_closing(as_handle(&m_idle->uv)))
        uv_idle_start(&m_idle->uv, [](uv_idle_t*) {});
}

void Loop::on_prepare() {
    ++m_turn;
    m_polling = true;
    m_budget.begin_turn();
}

void Loop::on_check() {
    m_polling = false;
    if (m_after_poll.empty() && m_deferred.empty())
        return;
    std::vector<Function<void()>> resumed = std::move(m_after_poll);
    m_after_poll.clear();
    for (Function<void()>& fn : resumed)
        enter("loop", fn);
    // What is deferred in here belongs to the next turn. The first runs always, so that nobody starves.
    std::uint64_t count = 0;
    while (!m_deferred.empty() && m_deferred.front().turn < m_turn) {
        if (count++ % 4 == 1 && m_budget.exhausted(Budget::DEFERRED_NS))
            break;
        Function<void()> fn = std::move(m_deferred.front().fn);
        m_deferred.pop_front();
        enter("loop", fn);
    }
    if (m_idle && m_deferred.empty() && m_after_poll.empty())
        uv_idle_stop(&m_idle->uv);
}

void Loop::report(const char* room) noexcept {
    try {
        Error error = current_error();
        log::error(room, "{} ({})", error.message, name_of(error.code));
    } catch (...) {
        // Out of memory while saying so: nothing is left to say it with.
    }
}

std::span<char> Loop::read_buffer() {
    if (!m_read_buffer)
        m_read_buffer = std::make_unique<char[]>(READ_BYTES);
    return {m_read_buffer.get(), READ_BYTES};
}

Error uv_failure(int status, const std::string& tried, std::string hint) {
    Code code = Code::internal;
    switch (status) {
    case UV_ETIMEDOUT:
        code = Code::timeout;
        break;
    case UV_ECANCELED:
        code = Code::cancelled;
        break;
    case UV_ECONNREFUSED:
    case UV_ECONNRESET:
    case UV_ECONNABORTED:
    case UV_ENETUNREACH:
    case UV_ENETDOWN:
    case UV_EHOSTUNREACH:
    case UV_EADDRNOTAVAIL:
    case UV_ENOTCONN:
    case UV_EPIPE:
    case UV_EOF:
        code = Code::offline;
        break;
    case UV_ENOENT:
    case UV_ENOTDIR:
        code = Code::not_found;
        break;
    case UV_EACCES:
    case UV_EPERM:
    case UV_EINVAL:
    case UV_ENAMETOOLONG:
    case UV_E2BIG:
    case -ENOEXEC: // which libuv has no name of its own for
    case UV_EADDRINUSE:
        code = Code::invalid;
        break;
    case UV_EAGAIN:
    case UV_EMFILE:
    case UV_ENFILE:
    case UV_ENOMEM:
        code = Code::busy;
        break;
    default:
        break;
    }
    Error error = make_error(code, fmt::format("{}: {}.", tried, uv_strerror(status)), std::move(hint));
    error.detail = fmt::format(R"({{"errno":"{}"}})", uv_err_name(status));
    return error;
}

} // namespace himalaya::loop

#include "lua/imap_body_file.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

namespace himalaya::lua {

namespace {

constexpr std::size_t piece = 128 * 1024;
// So much may be under way to the thread before the connection waits.
constexpr std::size_t most_waiting = 1024 * 1024;

} // namespace

BodyFile::BodyFile(loop::Worker& worker, std::shared_ptr<imap::Session> session, std::string path)
    : m_worker(worker), m_state(std::make_shared<State>()) {
    m_state->path = std::move(path);
    m_state->session = std::move(session);
}

BodyFile::~BodyFile() {
    if (m_state->paused && m_state->session) {
        m_state->paused = false;
        m_state->session->resume();
    }
    m_state->session.reset();
    m_worker.run([state = m_state] {
        if (auto* file = std::exchange(state->file, nullptr))
            std::fclose(file);
    });
}

void BodyFile::bytes(std::span<const char> bytes) {
    m_pending.append(bytes.data(), bytes.size());
    if (m_pending.size() >= piece)
        flush();
}

void BodyFile::flush() {
    if (m_pending.empty())
        return;
    std::size_t size = m_pending.size();
    m_state->waiting += size;
    if (m_state->waiting > most_waiting && !m_state->paused && m_state->session) {
        m_state->paused = true;
        m_state->session->pause();
    }
    m_worker.run(
        [state = m_state, text = std::exchange(m_pending, {})] {
            if (!std::exchange(state->opened, true)) {
                int fd = ::open(state->path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
                state->file = fd < 0 ? nullptr : ::fdopen(fd, "wb");
                if (!state->file)
                    state->error = errno;
            }
            if (state->file && std::fwrite(text.data(), 1, text.size(), state->file) != text.size())
                state->error = errno;
        },
        [state = m_state, size] {
            state->waiting -= size;
            if (state->paused && state->waiting < most_waiting / 2 && state->session) {
                state->paused = false;
                state->session->resume();
            }
        });
    m_pending.reserve(piece + 16 * 1024);
}

void BodyFile::end(bool) {
    flush();
    m_pending = {};
}

void BodyFile::when_written(Function<void(std::optional<Error>)> fn) {
    m_worker.run(
        [state = m_state] {
            if (auto* file = std::exchange(state->file, nullptr))
                if (std::fclose(file) != 0)
                    state->error = errno;
        },
        [state = m_state, fn = std::move(fn)]() mutable {
            std::optional<Error> failed;
            if (state->error != 0)
                failed = make_error(Code::store,
                                    fmt::format("A large message could not be written to {}: {}.",
                                                state->path, std::strerror(state->error)),
                                    "Make room on that disk.");
            fn(std::move(failed));
        });
}

} // namespace himalaya::lua

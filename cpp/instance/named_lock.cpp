#include "instance/named_lock.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <ctime>
#include <utility>

namespace himalaya::instance {

NamedLock::NamedLock(NamedLock&& other) noexcept : m_file(std::exchange(other.m_file, -1)) {}

NamedLock& NamedLock::operator=(NamedLock&& other) noexcept {
    if (this != &other) {
        release();
        m_file = std::exchange(other.m_file, -1);
    }
    return *this;
}

NamedLock::~NamedLock() {
    release();
}

void NamedLock::release() {
    if (m_file >= 0)
        ::close(std::exchange(m_file, -1));
}

Result<std::optional<NamedLock>> NamedLock::take(const std::string& path) {
    // Close-on-exec: a child of ours must not go on holding it after we are gone.
    int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (file < 0)
        return make_error(Code::store,
                          fmt::format("the lock {} cannot be opened: {}", path, std::strerror(errno)),
                          "make its folder writable for you");
    NamedLock lock(file);
    if (::flock(file, LOCK_EX | LOCK_NB) != 0) {
        if (errno == EWOULDBLOCK)
            return std::optional<NamedLock>();
        return make_error(Code::store,
                          fmt::format("the lock {} cannot be taken: {}", path, std::strerror(errno)),
                          "set `data_dir` to a folder on a local disk");
    }
    auto who = fmt::format(R"({{"pid":{},"start_time":{}}})", ::getpid(), std::time(nullptr));
    // For people only: a lock without its note is still a lock.
    if (::ftruncate(file, 0) == 0 && ::pwrite(file, who.data(), who.size(), 0) < 0)
        errno = 0;
    return std::optional<NamedLock>(std::move(lock));
}

} // namespace himalaya::instance

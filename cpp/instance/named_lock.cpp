#include "instance/named_lock.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
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

namespace {

Error cannot_open(const std::string& path) {
    return make_error(Code::store,
                      fmt::format("the lock {} cannot be opened: {}", path, std::strerror(errno)),
                      "make its folder writable for you");
}

Error cannot_take(const std::string& path) {
    return make_error(Code::store, fmt::format("the lock {} cannot be taken: {}", path, std::strerror(errno)),
                      "set `data_dir` to a folder on a local disk");
}

// The lock of a file that somebody has put another in the place of is worth nothing.
bool is_there(int file, const std::string& path) {
    struct stat mine {};
    struct stat named {};
    return ::fstat(file, &mine) == 0 && ::stat(path.c_str(), &named) == 0 && mine.st_ino == named.st_ino &&
           mine.st_dev == named.st_dev;
}

// For people only: a lock without its note is still a lock.
void note_who(int file) {
    auto who = fmt::format(R"({{"pid":{},"start_time":{}}})", ::getpid(), std::time(nullptr));
    if (::ftruncate(file, 0) == 0 && ::pwrite(file, who.data(), who.size(), 0) < 0)
        errno = 0;
}

int lock_of(int file, int how) {
    int code = 0;
    do
        code = ::flock(file, how);
    while (code != 0 && errno == EINTR);
    return code;
}

} // namespace

Result<std::optional<NamedLock>> NamedLock::take(const std::string& path) {
    for (;;) {
        // Close-on-exec: a child of ours must not go on holding it after we are gone.
        int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        if (file < 0)
            return cannot_open(path);
        NamedLock lock(file);
        if (lock_of(file, LOCK_EX | LOCK_NB) != 0) {
            if (errno == EWOULDBLOCK)
                return std::optional<NamedLock>();
            return cannot_take(path);
        }
        if (!is_there(file, path))
            continue;
        note_who(file);
        return std::optional<NamedLock>(std::move(lock));
    }
}

Result<std::optional<NamedLock>> NamedLock::wait(const std::string& path,
                                                 const std::function<bool()>& abandoned) {
    for (;;) {
        int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        if (file < 0)
            return cannot_open(path);
        NamedLock lock(file);
        if (lock_of(file, LOCK_EX) != 0)
            return cannot_take(path);
        if (abandoned())
            return std::optional<NamedLock>();
        if (!is_there(file, path))
            continue;
        note_who(file);
        return std::optional<NamedLock>(std::move(lock));
    }
}

Result<std::optional<NamedLock>> NamedLock::replace(const std::string& path) {
    auto guard = take(path + ".taking");
    if (!guard)
        return guard.error();
    if (!*guard)
        return std::optional<NamedLock>();
    auto fresh = path + ".new";
    ::unlink(fresh.c_str());
    int file = ::open(fresh.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file < 0)
        return cannot_open(fresh);
    NamedLock lock(file);
    if (lock_of(file, LOCK_EX | LOCK_NB) != 0)
        return cannot_take(fresh);
    note_who(file);
    if (::rename(fresh.c_str(), path.c_str()) != 0)
        return cannot_open(path);
    return std::optional<NamedLock>(std::move(lock));
}

} // namespace himalaya::instance

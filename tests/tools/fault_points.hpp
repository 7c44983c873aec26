// Every place where a process touches the world: writes to a file, syncs, truncates, renames or removes it, writes to
// or hears from a socket. This program defines those functions itself, so libc's are reached through it by our rooms,
// by SQLite and by libuv alike: no hook stands in the code under test, none is in the module that users load, and no
// new write can be forgotten. To be included once, by a program's only source.
//
// Points are counted; at the chosen one the process suffers one of these, before the call is made:
//     kill     SIGKILL
//     torn     half of the bytes are written, then SIGKILL
//     power    SIGKILL, and files lose what was written and not synced since, as when the machine goes dark
//     full     from here on nothing can be added to a file (ENOSPC) until Faults::mend()
//     error    from here on the disk answers EIO
//     cut      from here on sockets are dead (ECONNRESET)
#pragma once

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace faults {

enum class Harm { none, kill, torn, power, full, error, cut };

struct Faults {
    std::atomic<std::int64_t> passed{0};
    std::atomic<std::int64_t> at{-1};
    std::atomic<Harm> harm{Harm::none};
    std::atomic<bool> broken{false}; // full, error, cut: it has begun
    bool trace = false;

    // What files held before writes that no sync has made durable yet.
    struct Before {
        int file; // a duplicate, so that it outlives the writer's
        off_t offset;
        std::string bytes;
        off_t size;
    };
    std::mutex mutex;
    std::map<std::pair<dev_t, ino_t>, std::vector<Before>> unsynced;

    void arm(Harm what, std::int64_t where) {
        broken = false;
        harm = what;
        at = where < 0 ? -1 : passed + where;
    }
    void mend() {
        harm = Harm::none;
        at = -1;
        broken = false;
    }
};

// Never destroyed: threads and libraries write until the very end.
inline Faults& faults() {
    static auto* the = new Faults; // NOLINT(cppcoreguidelines-owning-memory)
    return *the;
}

enum class Kind { file, socket, other };

inline Kind kind_of(int file) {
    struct stat info {};
    if (::fstat(file, &info) != 0)
        return Kind::other;
    if (S_ISREG(info.st_mode))
        return Kind::file;
    return S_ISSOCK(info.st_mode) ? Kind::socket : Kind::other;
}

inline std::string name_of(int file) {
    char path[512];
    auto size = ::readlink(fmt::format("/proc/self/fd/{}", file).c_str(), path, sizeof path);
    std::string_view name(path, size > 0 ? static_cast<std::size_t>(size) : 0);
    auto slash = name.rfind('/');
    return std::string(slash == std::string_view::npos ? name : name.substr(slash + 1));
}

[[noreturn]] inline void die() {
    ::kill(::getpid(), SIGKILL);
    for (;;)
        ::pause();
}

inline void note(std::string_view what, std::string_view name, std::int64_t number) {
    auto line = fmt::format("point {}: {} {}\n", number, what, name);
    ::syscall(SYS_write, STDERR_FILENO, line.data(), line.size());
}

[[noreturn]] inline void lose_power() {
    auto& f = faults();
    std::lock_guard lock(f.mutex);
    for (auto& [inode, writes] : f.unsynced)
        for (auto write = writes.rbegin(); write != writes.rend(); ++write) {
            ::syscall(SYS_pwrite64, write->file, write->bytes.data(), write->bytes.size(), write->offset);
            ::syscall(SYS_ftruncate, write->file, write->size);
        }
    die();
}

inline void remember(int file, off_t offset, std::size_t size) {
    auto& f = faults();
    if (f.harm != Harm::power)
        return;
    struct stat info {};
    ::fstat(file, &info);
    std::string bytes(size, '\0');
    auto got = ::syscall(SYS_pread64, file, bytes.data(), bytes.size(), offset);
    bytes.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    // What is written through cannot be read through every descriptor: one of our own.
    int own = ::open(fmt::format("/proc/self/fd/{}", file).c_str(), O_RDWR | O_CLOEXEC);
    if (own < 0)
        return;
    std::lock_guard lock(f.mutex);
    f.unsynced[{info.st_dev, info.st_ino}].push_back({own, offset, std::move(bytes), info.st_size});
}

inline void synced(int file) {
    auto& f = faults();
    if (f.harm != Harm::power)
        return;
    struct stat info {};
    ::fstat(file, &info);
    std::lock_guard lock(f.mutex);
    auto found = f.unsynced.find({info.st_dev, info.st_ino});
    if (found == f.unsynced.end())
        return;
    for (auto& write : found->second)
        ::close(write.file);
    f.unsynced.erase(found);
}

// One point passed. The errno the call is to fail with, or 0; `tear` writes half of what was to be written.
template<class Tear>
int pass(std::string_view what, Kind kind, const std::string& name, Tear tear) {
    auto& f = faults();
    auto number = f.passed++;
    if (f.trace)
        note(what, name, number);
    if (number == f.at) {
        note(what, name, number);
        switch (f.harm) {
        case Harm::kill:
            die();
        case Harm::torn:
            tear();
            die();
        case Harm::power:
            lose_power();
        default:
            f.broken = true;
        }
    }
    if (!f.broken)
        return 0;
    if (f.harm == Harm::cut)
        return kind == Kind::socket ? ECONNRESET : 0;
    if (kind != Kind::file)
        return 0;
    bool adds = what == "write" || what == "sync" || what == "grow";
    if (f.harm == Harm::full)
        return adds && what != "sync" ? ENOSPC : 0;
    return f.harm == Harm::error && adds ? EIO : 0;
}

inline int pass(std::string_view what, Kind kind, const std::string& name) {
    return pass(what, kind, name, [] {});
}

inline ssize_t failed(int code) {
    errno = code;
    return -1;
}

inline ssize_t written(int file, const void* bytes, std::size_t size, off_t offset, bool positioned) {
    auto kind = kind_of(file);
    auto put = [&](std::size_t count) -> ssize_t {
        return positioned ? ::syscall(SYS_pwrite64, file, bytes, count, offset)
                          : ::syscall(SYS_write, file, bytes, count);
    };
    if (kind == Kind::other)
        return put(size);
    if (int code = pass(kind == Kind::file ? "write" : "send", kind, name_of(file), [&] { put(size / 2); }))
        return failed(code);
    if (kind == Kind::file)
        remember(file, positioned ? offset : ::lseek(file, 0, SEEK_CUR), size);
    return put(size);
}

// Heard: after the bytes came, so that a reply is lost that the server believes was read.
inline ssize_t heard(int file, ssize_t result) {
    if (result > 0 && kind_of(file) == Kind::socket)
        if (int code = pass("hear", Kind::socket, name_of(file)))
            return failed(code);
    return result;
}

} // namespace faults

// What libc declares, said again by us and for the libraries too. 64-bit Linux: off_t is off64_t.
#pragma GCC visibility push(default)
extern "C" {

ssize_t write(int file, const void* bytes, size_t size) {
    return faults::written(file, bytes, size, 0, false);
}
ssize_t pwrite(int file, const void* bytes, size_t size, off_t offset) {
    return faults::written(file, bytes, size, offset, true);
}
ssize_t pwrite64(int file, const void* bytes, size_t size, off64_t offset) {
    return faults::written(file, bytes, size, offset, true);
}
ssize_t writev(int file, const iovec* parts, int count) {
    if (faults::kind_of(file) != faults::Kind::other)
        if (int code = faults::pass("send", faults::kind_of(file), faults::name_of(file)))
            return faults::failed(code);
    return ::syscall(SYS_writev, file, parts, count);
}
ssize_t sendmsg(int file, const msghdr* message, int flags) {
    if (int code = faults::pass("send", faults::kind_of(file), faults::name_of(file)))
        return faults::failed(code);
    return ::syscall(SYS_sendmsg, file, message, flags);
}
ssize_t read(int file, void* bytes, size_t size) {
    return faults::heard(file, ::syscall(SYS_read, file, bytes, size));
}
ssize_t recvmsg(int file, msghdr* message, int flags) {
    return faults::heard(file, ::syscall(SYS_recvmsg, file, message, flags));
}
int fsync(int file) {
    if (int code = faults::pass("sync", faults::kind_of(file), faults::name_of(file)))
        return static_cast<int>(faults::failed(code));
    faults::synced(file);
    return static_cast<int>(::syscall(SYS_fsync, file));
}
int fdatasync(int file) {
    if (int code = faults::pass("sync", faults::kind_of(file), faults::name_of(file)))
        return static_cast<int>(faults::failed(code));
    faults::synced(file);
    return static_cast<int>(::syscall(SYS_fdatasync, file));
}
int ftruncate(int file, off_t size) noexcept {
    if (int code = faults::pass("truncate", faults::kind_of(file), faults::name_of(file)))
        return static_cast<int>(faults::failed(code));
    return static_cast<int>(::syscall(SYS_ftruncate, file, size));
}
int ftruncate64(int file, off64_t size) noexcept {
    return ftruncate(file, size);
}
int rename(const char* from, const char* to) noexcept {
    if (int code = faults::pass("rename", faults::Kind::file, from))
        return static_cast<int>(faults::failed(code));
    return static_cast<int>(::syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0));
}
int unlink(const char* path) noexcept {
    if (int code = faults::pass("remove", faults::Kind::file, path))
        return static_cast<int>(faults::failed(code));
    return static_cast<int>(::syscall(SYS_unlinkat, AT_FDCWD, path, 0));
}

} // extern "C"
#pragma GCC visibility pop

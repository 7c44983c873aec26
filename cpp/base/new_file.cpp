#include "base/new_file.hpp"

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

namespace himalaya {

namespace {

class Fd {
  public:
    explicit Fd(int fd) : m_fd(fd) {}
    ~Fd() {
        if (m_fd >= 0)
            ::close(m_fd);
    }
    Fd(const Fd&) = delete;
    Fd& operator=(const Fd&) = delete;
    operator int() const { return m_fd; }

  private:
    int m_fd;
};

bool write_all(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
        ssize_t n = ::write(fd, bytes.data(), bytes.size());
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    return true;
}

bool sync_to_disk(int fd) {
#ifdef __APPLE__
    if (::fcntl(fd, F_FULLFSYNC) == 0)
        return true;
#endif
    return ::fsync(fd) == 0;
}

std::string folder_of(const std::string& path) {
    std::size_t slash = path.rfind('/');
    if (slash == std::string::npos)
        return ".";
    return slash == 0 ? "/" : path.substr(0, slash);
}

} // namespace

Result<void> write_new_file(const std::string& path, std::string_view bytes, unsigned mode) {
    static std::atomic<unsigned> count = 0;
    std::string beside = fmt::format("{}.new-{}-{}", path, ::getpid(), ++count);
    std::string tried = "Cannot write " + path;
    {
        Fd fd(::open(beside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode));
        if (fd < 0)
            return file_failure(errno, tried);
        if (!write_all(fd, bytes) || !sync_to_disk(fd)) {
            int number = errno;
            ::unlink(beside.c_str());
            return file_failure(number, tried);
        }
    }
    if (::rename(beside.c_str(), path.c_str()) != 0) {
        int number = errno;
        ::unlink(beside.c_str());
        return file_failure(number, tried);
    }
    Fd folder(::open(folder_of(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (folder >= 0)
        ::fsync(folder); // some file systems refuse it; the rename stands
    return {};
}

Result<std::string> read_small_file(const std::string& path, std::size_t most) {
    std::string tried = "Cannot read " + path;
    // O_NONBLOCK: a FIFO under that name must not hold the thread.
    Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (fd < 0)
        return file_failure(errno, tried);
    struct stat info {};
    if (::fstat(fd, &info) != 0)
        return file_failure(errno, tried);
    if (!S_ISREG(info.st_mode))
        return make_error(Code::invalid, tried + ": it is no plain file.");
    std::string bytes;
    char buffer[16384];
    for (;;) {
        ssize_t n = ::read(fd, buffer, sizeof buffer);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return file_failure(errno, tried);
        if (n == 0)
            return bytes;
        bytes.append(buffer, static_cast<std::size_t>(n));
        if (bytes.size() > most)
            return make_error(Code::invalid, fmt::format("{}: it is larger than {} bytes.", tried, most));
    }
}

Result<void> make_folders(const std::string& path) {
    for (std::size_t at = 1; at <= path.size(); ++at) {
        if (at != path.size() && path[at] != '/')
            continue;
        std::string part = path.substr(0, at);
        if (::mkdir(part.c_str(), 0700) == 0 || errno == EEXIST)
            continue;
        int number = errno;
        struct stat info {};
        if (::stat(part.c_str(), &info) != 0 || !S_ISDIR(info.st_mode))
            return file_failure(number, "Cannot make the folder " + part);
    }
    struct stat info {};
    if (::stat(path.c_str(), &info) != 0 || !S_ISDIR(info.st_mode))
        return make_error(Code::invalid, path + " is no folder.");
    return {};
}

Error file_failure(int number, const std::string& tried) {
    Code code = Code::store;
    if (number == ENOENT || number == ENOTDIR)
        code = Code::not_found;
    else if (number == EMFILE || number == ENFILE || number == EAGAIN)
        code = Code::busy;
    return make_error(code, fmt::format("{}: {}.", tried, std::strerror(number)));
}

} // namespace himalaya

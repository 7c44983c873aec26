#include "base/log.hpp"

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.hpp"
#include "base/time.hpp"

namespace himalaya::log {

namespace {

constexpr std::size_t KEPT = 2000;
constexpr std::size_t WAITING = 10'000; // lines for a disk that does not take them
constexpr off_t FILE_BYTES = 4 << 20;

// The log outlives every room and thread that may still speak at exit, so it is never destroyed.
struct Book {
    std::mutex lock;
    std::deque<Line> lines;
    std::deque<std::string> waiting;
    std::condition_variable wake;
    std::thread writer;
    bool stop = false;
    std::atomic<Level> level = Level::info;
};

Book& book() {
    static Book& one = *new Book;
    return one;
}

std::string as_text(const Line& line) {
    return fmt::format("{} {:5} {:8} {}\n", time::iso_ms(line.time_ms), name_of(line.level), line.room,
                       line.text);
}

class File {
  public:
    explicit File(std::string path) : m_path(std::move(path)) {}
    ~File() { close(); }

    void write(std::string_view text) {
        if (m_fd >= 0 && m_size > FILE_BYTES) {
            close();
            ::rename(m_path.c_str(), (m_path + ".old").c_str());
        }
        if (m_fd < 0 && !open())
            return;
        while (!text.empty()) {
            ssize_t n = ::write(m_fd, text.data(), text.size());
            if (n < 0 && errno == EINTR)
                continue;
            if (n <= 0)
                return;
            m_size += n;
            text.remove_prefix(static_cast<std::size_t>(n));
        }
    }

  private:
    bool open() {
        m_fd = ::open(m_path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        struct stat info {};
        m_size = m_fd >= 0 && ::fstat(m_fd, &info) == 0 ? info.st_size : 0;
        return m_fd >= 0;
    }
    void close() {
        if (m_fd >= 0)
            ::close(m_fd);
        m_fd = -1;
    }

    std::string m_path;
    int m_fd = -1;
    off_t m_size = 0;
};

void write_lines(std::string path) {
    Book& b = book();
    File file(std::move(path));
    std::unique_lock guard(b.lock);
    for (;;) {
        b.wake.wait(guard, [&] { return b.stop || !b.waiting.empty(); });
        if (b.waiting.empty())
            return;
        std::string text;
        for (const std::string& line : b.waiting)
            text += line;
        b.waiting.clear();
        guard.unlock();
        file.write(text);
        guard.lock();
    }
}

} // namespace

std::string_view name_of(Level level) {
    constexpr std::string_view names[] = {"trace", "debug", "info", "warn", "error"};
    return names[static_cast<std::size_t>(level)];
}

void set_level(Level level) {
    book().level.store(level, std::memory_order_relaxed);
}
bool enabled(Level level) {
    return level >= book().level.load(std::memory_order_relaxed);
}

void open_file(std::string path) {
    close_file();
    Book& b = book();
    std::lock_guard guard(b.lock);
    b.stop = false;
    for (const Line& line : b.lines)
        b.waiting.push_back(as_text(line));
    b.writer = std::thread(write_lines, std::move(path));
}

void close_file() {
    Book& b = book();
    std::thread writer;
    {
        std::lock_guard guard(b.lock);
        b.stop = true;
        writer = std::move(b.writer);
    }
    b.wake.notify_all();
    if (writer.joinable())
        writer.join();
}

void add(Level level, std::string_view room, std::string_view text) {
    if (!enabled(level))
        return;
    Line line{time::now_ms(), level, std::string(room), text::clean_line(text::cut(text, 4096))};
    Book& b = book();
    std::lock_guard guard(b.lock);
    if (b.writer.joinable() && b.waiting.size() < WAITING) {
        b.waiting.push_back(as_text(line));
        b.wake.notify_one();
    }
    b.lines.push_back(std::move(line));
    if (b.lines.size() > KEPT)
        b.lines.pop_front();
}

std::vector<Line> recent(std::size_t most) {
    Book& b = book();
    std::lock_guard guard(b.lock);
    std::size_t from = b.lines.size() > most ? b.lines.size() - most : 0;
    return {b.lines.begin() + static_cast<std::ptrdiff_t>(from), b.lines.end()};
}

} // namespace himalaya::log

// The guardian: ends the programs that a Neovim has started when that Neovim can no longer do it. Neither an exit hook
// (kill -9, a crash) nor a parent-death signal (misses grandchildren, not on macOS) does that.
//
// It reads lines from its standard input: "+N" process group N runs, "-N" it is gone, "q" the groups have got SIGTERM
// because Neovim leaves. The end of the input without "q" means that Neovim is no more: it sends SIGTERM itself. In
// both cases what is left 100 ms later gets SIGKILL, and the guardian leaves.
//
// A Neovim that is killed may have started a program and not have got to telling of it. The argument, NAME=value, is in
// the environment of all its programs; one that leads a session, has that variable and is not older than seconds is
// such a program. (Older ones with it, and those that lead nothing, are what a program started to outlive it.)
//
// It must outlive whatever ends Neovim: a session of its own, deaf to the signals that a terminal or a user sends to
// Neovim's group; and it must hold nothing of Neovim's: every descriptor but its input is closed.
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <set>

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

namespace {

constexpr long GRACE_MS = 100;
constexpr long YOUNG_MS = 2000;

std::set<int> groups;

long now_ms() {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1'000'000;
}

void signal_all(int signal) {
    for (int group : groups)
        kill(-group, signal);
}

#ifdef __linux__

// What a file of /proc says, up to the size of the buffer and NUL-terminated; its length.
size_t look_into(const char* pid, const char* file, char* buffer, size_t size) {
    char path[64];
    std::snprintf(path, sizeof path, "/proc/%.20s/%s", pid, file);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    size_t length = 0;
    for (ssize_t count = 1; count > 0 && length + 1 < size;
         length += count > 0 ? static_cast<size_t>(count) : 0)
        count = read(fd, buffer + length, size - 1 - length);
    close(fd);
    buffer[length] = 0;
    return length;
}

bool has_mark(const char* pid, const char* mark) {
    static char buffer[256 * 1024];
    size_t length = look_into(pid, "environ", buffer, sizeof buffer);
    for (size_t at = 0; at < length; at += std::strlen(buffer + at) + 1)
        if (std::strcmp(buffer + at, mark) == 0)
            return true;
    return false;
}

bool leads_a_young_session(const char* pid) {
    char stat[1024];
    look_into(pid, "stat", stat, sizeof stat);
    // "pid (name) state ppid pgrp session ... starttime", the 22nd: the name may hold anything.
    const char* after = std::strrchr(stat, ')');
    int group = 0;
    int session = 0;
    unsigned long long start = 0;
    if (!after ||
        std::sscanf(after + 1,
                    " %*c %*d %d %d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu", &group,
                    &session, &start) != 3)
        return false;
    timespec now{};
    clock_gettime(CLOCK_BOOTTIME, &now);
    long long age = now.tv_sec * 1000LL + now.tv_nsec / 1'000'000 -
                    static_cast<long long>(start) * 1000 / sysconf(_SC_CLK_TCK);
    return std::atoi(pid) == session && group == session && age < YOUNG_MS;
}

void find_untold(const char* mark) {
    DIR* all = opendir("/proc");
    if (!all)
        return;
    while (dirent* entry = readdir(all)) {
        const char* pid = entry->d_name;
        if (pid[0] >= '1' && pid[0] <= '9' && leads_a_young_session(pid) && has_mark(pid, mark))
            groups.insert(std::atoi(pid));
    }
    closedir(all);
}

#else

void find_untold(const char*) {}

#endif

void drop_gone() {
    for (auto it = groups.begin(); it != groups.end();)
        it = kill(-*it, 0) != 0 && errno == ESRCH ? groups.erase(it) : std::next(it);
}

// Never 0 or 1: kill(-1) would end everything the user runs.
void take(char sign, long number) {
    if (number <= 1)
        return;
    if (sign == '+')
        groups.insert(static_cast<int>(number));
    else if (sign == '-')
        groups.erase(static_cast<int>(number));
}

// Until the end of the input; true if it ended with "q".
bool listen() {
    char buffer[4096];
    char sign = 0;
    long number = 0;
    for (;;) {
        ssize_t count = read(STDIN_FILENO, buffer, sizeof buffer);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return false;
        for (ssize_t i = 0; i < count; ++i) {
            char c = buffer[i];
            if (c == 'q')
                return true;
            if (c == '\n') {
                take(sign, number);
                sign = 0;
                number = 0;
            } else if (c >= '0' && c <= '9') {
                number = number * 10 + (c - '0');
            } else {
                sign = c;
            }
        }
    }
}

void hold_nothing() {
    if (chdir("/") != 0)
        return;
#ifdef SYS_close_range
    if (syscall(SYS_close_range, 3U, ~0U, 0U) == 0)
        return;
#endif
    rlimit limit{};
    int most = 65536;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < 65536)
        most = static_cast<int>(limit.rlim_cur);
    for (int fd = 3; fd < most; ++fd)
        close(fd);
}

} // namespace

int main(int count, char** words) {
    for (int signal :
         {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGPIPE, SIGTSTP, SIGTTIN, SIGTTOU, SIGUSR1, SIGUSR2})
        std::signal(signal, SIG_IGN);
    setsid(); // fails when it leads its session already, as it does when Neovim started it
    hold_nothing();
    bool told = listen();
    long term_at = now_ms();
    if (!told) {
        if (count > 1)
            find_untold(words[1]);
        signal_all(SIGTERM);
    }
    for (drop_gone(); !groups.empty() && now_ms() - term_at < GRACE_MS; drop_gone())
        poll(nullptr, 0, 5);
    signal_all(SIGKILL);
    _exit(0);
}

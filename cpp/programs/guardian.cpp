// The guardian: ends the programs that a Neovim has started when that Neovim can no longer do it. Neither an exit hook
// (kill -9, a crash) nor a parent-death signal (misses grandchildren, not on macOS) does that.
//
// It reads lines from its standard input: "+N" process group N runs, "-N" it is gone, "q" the groups have got SIGTERM
// because Neovim leaves. The end of the input without "q" means that Neovim is no more: it sends SIGTERM itself. In
// both cases what is left 100 ms later gets SIGKILL, and the guardian leaves.
//
// It must outlive whatever ends Neovim: a session of its own, deaf to the signals that a terminal or a user sends to
// Neovim's group; and it must hold nothing of Neovim's: every descriptor but its input is closed.
#include <cerrno>
#include <csignal>
#include <iterator>
#include <set>

#include <poll.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

namespace {

constexpr long GRACE_MS = 100;

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

int main() {
    for (int signal :
         {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGPIPE, SIGTSTP, SIGTTIN, SIGTTOU, SIGUSR1, SIGUSR2})
        std::signal(signal, SIG_IGN);
    setsid(); // fails when it leads its session already, as it does when Neovim started it
    hold_nothing();
    bool told = listen();
    long term_at = now_ms();
    if (!told)
        signal_all(SIGTERM);
    for (drop_gone(); !groups.empty() && now_ms() - term_at < GRACE_MS; drop_gone())
        poll(nullptr, 0, 5);
    signal_all(SIGKILL);
    _exit(0);
}

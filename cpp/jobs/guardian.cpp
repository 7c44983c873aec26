#include "jobs/guardian.hpp"

#include "base/log.hpp"
#include "base/time.hpp"

#include <csignal>

#include <fmt/format.h>
#include <unistd.h>

namespace himalaya::jobs {

namespace {

// One that dies younger than this is started again only after as long: no storm of forks when it cannot live.
constexpr std::uint64_t YOUNG_MS = 1000;
// One that has not read for this many bytes of news (some ten thousand jobs) is stuck.
constexpr std::size_t MOST_UNREAD = 256 * 1024;
// A program that has ended is no news that must wake another process at once.
constexpr std::uint64_t FLUSH_MS = 10;

} // namespace

Guardian::Guardian(loop::Loop& loop, std::string program)
    : m_loop(loop), m_program(std::move(program)),
      m_mark("HIMALAYA_STARTED_BY", fmt::format("{}.{:x}", ::getpid(), time::monotonic_ns())),
      m_again(loop, "jobs"), m_flush(loop, "jobs") {}

void Guardian::ensure() {
    if (!m_process && !m_ending && !m_again.active())
        start();
}

void Guardian::ensure_soon() {
    if (!m_process && !m_ending && !m_again.active())
        m_again.start(0, 0, [this] { ensure(); });
}

void Guardian::add(int group) {
    ensure();
    m_groups.insert(group);
    tell(fmt::format("+{}\n", group));
}

void Guardian::remove(int group) {
    if (!m_groups.erase(group) || !m_pipe)
        return;
    m_unsaid += fmt::format("-{}\n", group);
    if (!m_flush.active())
        m_flush.start(FLUSH_MS, 0, [this] { tell(""); });
}

void Guardian::end_all() {
    m_ending = true;
    m_again.stop();
    for (int group : m_groups)
        ::kill(-group, SIGTERM);
    tell("q\n");
}

void Guardian::start() {
    m_pipe = std::make_unique<loop::Pipe>(m_loop, "jobs");
    m_process = std::make_unique<loop::Process>(m_loop, "jobs");
    loop::Process::Options options;
    options.argv = {m_program, fmt::format("{}={}", m_mark.first, m_mark.second)};
    options.cwd = "/";
    options.stdin_pipe = m_pipe.get();
    auto spawned = m_process->spawn(options, [this](loop::Process::Exit) { ended(); });
    if (!spawned) {
        m_process.reset();
        m_pipe.reset();
        if (m_problem.empty())
            log::warn("jobs", "The guardian does not start, programs may outlive a crash: {}",
                      spawned.error().message);
        m_problem = spawned.error().message;
        m_again.start(YOUNG_MS, 0, [this] { start(); });
        return;
    }
    m_problem.clear();
    m_process->unref();
    m_pipe->unref();
    m_started_ms = m_loop.now_ms();
    ++m_starts;
    std::string groups;
    for (int group : m_groups)
        groups += fmt::format("+{}\n", group);
    tell(std::move(groups));
}

void Guardian::ended() {
    m_pipe.reset();
    m_process.reset();
    m_unsaid.clear();
    if (m_ending)
        return;
    log::warn("jobs", "The guardian has ended; it is started again.");
    auto lived = static_cast<std::uint64_t>(m_loop.now_ms() - m_started_ms);
    if (lived >= YOUNG_MS)
        start();
    else
        m_again.start(m_starts < 5 ? 0 : YOUNG_MS, 0, [this] { start(); });
}

void Guardian::tell(std::string words) {
    words.insert(0, std::exchange(m_unsaid, {}));
    if (!m_pipe || words.empty())
        return;
    m_pipe->write(std::move(words));
    if (m_pipe->unwritten() > MOST_UNREAD)
        m_process->kill(SIGKILL);
}

} // namespace himalaya::jobs

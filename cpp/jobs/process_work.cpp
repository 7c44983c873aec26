#include "jobs/process_work.hpp"

#include <algorithm>
#include <csignal>
#include <cstdint>

#include <fmt/format.h>

namespace himalaya::jobs {

namespace {

constexpr std::size_t STDIN_PIECE = 64 * 1024;
// How often we look whether a group is gone: at first every millisecond, for it mostly goes at once.
constexpr std::uint64_t LONGEST_LOOK_MS = 20;
// A pipe that is held open by somebody outside the group, and silent for so long, has no more for us.
constexpr std::int64_t SILENCE_MS = 200;

std::string in_mebibytes(std::size_t bytes) {
    return bytes > 0 && bytes % (1024 * 1024) == 0 ? fmt::format("{} MiB", bytes / (1024 * 1024))
                                                   : fmt::format("{} bytes", bytes);
}

} // namespace

ProcessWork::ProcessWork(Programs& programs, Program program)
    : m_loop(programs.loop()), m_programs(programs), m_program(std::move(program)), m_kill(m_loop, "jobs"),
      m_look(m_loop, "jobs") {}

void ProcessWork::start(Ended ended) {
    m_ended = std::move(ended);
    m_fed = 0;
    m_result = std::make_shared<ProgramResult>(m_program.max_output);
    m_lines_end = 0;
    for (Follower& follower : m_followers)
        follower.at = 0, follower.full = false;
    m_error.reset();
    m_exited = m_ending = m_paused = m_dead = false;
    m_look_ms = 1;

    m_programs.get_ready();
    m_process = std::make_unique<loop::Process>(m_loop, "jobs");
    m_stdout.pipe = std::make_unique<loop::Pipe>(m_loop, "jobs");
    m_stderr.pipe = std::make_unique<loop::Pipe>(m_loop, "jobs");
    loop::Process::Options options;
    options.argv = m_program.argv;
    options.cwd = m_program.cwd;
    options.stdout_pipe = m_stdout.pipe.get();
    options.stderr_pipe = m_stderr.pipe.get();
    if (m_program.stdin_bytes) {
        m_stdin = std::make_unique<loop::Pipe>(m_loop, "jobs");
        options.stdin_pipe = m_stdin.get();
    }
    Variables changes = m_program.env;
    changes.push_back(m_programs.guardian().mark());
    options.env = environment_for_child(loop::environment(), changes, m_programs.secrets());

    auto spawned = m_process->spawn(options, [this](loop::Process::Exit exit) { exited(exit); });
    if (!spawned) {
        m_error = spawned.error();
        m_exited = true;
        finish();
        return;
    }
    m_result->pid = m_process->pid();
    if (m_program.background && m_programs.background_yields())
        m_process->lower_priority();
    m_programs.guardian().add(m_result->pid);
    m_quiet_since_ms = m_loop.now_ms();
    read(m_stdout);
    read(m_stderr);
    if (m_stdin)
        feed_stdin();
}

void ProcessWork::stop() {
    if (!m_ended)
        return;
    drop_lines();
    end_group();
}

void ProcessWork::resume_output() {
    for (Follower& follower : m_followers)
        follower.full = false;
    offer_lines();
}

// Input and output.

void ProcessWork::read(Sink& sink) {
    sink.at_end = false;
    auto started = sink.pipe->read_start(
        [this, &sink](Result<std::span<const char>> bytes) { took(sink, std::move(bytes)); });
    if (!started)
        sink.at_end = true;
}

void ProcessWork::took(Sink& sink, Result<std::span<const char>> bytes) {
    m_quiet_since_ms = m_loop.now_ms();
    bool is_stdout = &sink == &m_stdout;
    if (!bytes || bytes->empty()) {
        sink.at_end = true;
        if (is_stdout)
            offer_lines();
        look_whether_over();
        return;
    }
    std::string_view text(bytes->data(), bytes->size());
    Output& output = is_stdout ? m_result->out : m_result->err;
    if (!output.add(text)) {
        if (!m_error)
            m_error = Error{Code::invalid,
                            fmt::format("{} wrote more than {} to {}.", m_program.argv[0],
                                        in_mebibytes(m_program.max_output), sink.name),
                            "Raise max_output if that much is expected.", false, ""};
        sink.at_end = true;
        sink.pipe->close();
        drop_lines();
        end_group();
        return;
    }
    if (is_stdout) {
        if (std::size_t last = text.rfind('\n'); last != std::string_view::npos)
            m_lines_end = output.view().size() - text.size() + last + 1;
        offer_lines();
    }
}

// Under the budget: a block may hold a line for each of its 64 Ki bytes, and who joins late has all of them to hear.
void ProcessWork::offer_lines() {
    if (!m_result || m_followers.empty())
        return;
    std::string_view all = m_result->out.view();
    std::size_t end = m_stdout.at_end ? all.size() : m_lines_end;
    bool waits = false;
    bool later = false;
    for (Follower& follower : m_followers) {
        for (int count = 1; follower.at < end && !follower.full && !later; ++count) {
            std::size_t from = follower.at;
            std::size_t size = std::min(all.substr(from, end - from).find('\n'), end - from);
            follower.at = std::min(from + size + 1, end);
            follower.full = !follower.on_line(m_result, from, size);
            later = count % 16 == 0 && m_loop.budget().exhausted(loop::Budget::STREAMS_NS);
        }
        waits = waits || follower.at < end;
    }
    if (waits && !m_paused && m_stdout.pipe && !m_stdout.at_end)
        m_stdout.pipe->read_stop();
    bool goes_on = m_paused && !waits;
    m_paused = waits;
    if (goes_on && m_stdout.pipe && !m_stdout.at_end) {
        m_quiet_since_ms = m_loop.now_ms(); // while nobody listened nobody was silent
        read(m_stdout);
    }
    if (goes_on && m_stdout.at_end)
        look_again_later(0);
    if (!later || !waits || m_offer_comes)
        return;
    m_offer_comes = true;
    m_loop.defer([this, alive = std::weak_ptr(m_alive)] {
        if (alive.expired())
            return;
        m_offer_comes = false;
        offer_lines();
    });
}

// Nobody wants to hear the rest; what is read on is for the result.
void ProcessWork::drop_lines() {
    for (Follower& follower : m_followers)
        follower.at = SIZE_MAX;
    offer_lines();
}

void ProcessWork::follow_lines(OnLine on_line) {
    m_followers.push_back({std::move(on_line)});
    offer_lines();
}

// A piece at a time: the next when the kernel has the last. Who closes its input early is not at fault.
void ProcessWork::feed_stdin() {
    std::string_view all = m_program.stdin_bytes->bytes;
    if (m_fed >= all.size()) {
        m_stdin.reset();
        return;
    }
    std::string piece(all.substr(m_fed, STDIN_PIECE));
    m_fed += piece.size();
    m_stdin->write(std::move(piece), [this](std::optional<Error> error) {
        if (error)
            m_stdin.reset();
        else
            feed_stdin();
    });
}

// The end.

void ProcessWork::exited(loop::Process::Exit exit) {
    m_result->code = exit.code;
    m_result->signal = exit.signal;
    m_exited = true;
    m_quiet_since_ms = m_loop.now_ms();
    look_whether_over();
}

void ProcessWork::look_whether_over() {
    if (!m_exited || !m_ended)
        return;
    bool alive = !m_dead && m_process->group_alive();
    bool read_all = m_stdout.at_end && m_stderr.at_end;
    if (!alive) {
        m_kill.stop();
        bool silent = m_ending || m_loop.now_ms() - m_quiet_since_ms >= SILENCE_MS;
        if (!m_paused && (read_all || silent))
            finish();
        else
            look_again_later(SILENCE_MS / 4);
        return;
    }
    if (m_ending) {
        wait_for_group();
        return;
    }
    bool patience_is_over = !m_paused && m_loop.now_ms() - m_quiet_since_ms >= m_program.grace_ms;
    if (read_all || patience_is_over)
        end_group();
    else
        look_again_later(static_cast<std::uint64_t>(std::max<std::int64_t>(m_program.grace_ms / 4, 1)));
}

void ProcessWork::end_group() {
    if (m_ending)
        return;
    m_ending = true;
    m_stdin.reset();
    m_process->kill(SIGTERM);
    m_kill.start(static_cast<std::uint64_t>(m_program.grace_ms), 0, [this] {
        m_process->kill(SIGKILL);
        m_look_ms = 1;
        look_whether_over();
    });
    look_whether_over();
}

void ProcessWork::wait_for_group() {
    look_again_later(m_look_ms);
    m_look_ms = std::min(m_look_ms * 2, LONGEST_LOOK_MS);
    if (m_look_ms < LONGEST_LOOK_MS || m_asked_for_life)
        return;
    m_asked_for_life = true;
    m_programs.look_for_life(m_result->pid,
                             [this, group = m_result->pid, alive = std::weak_ptr(m_alive)](bool lives) {
                                 if (alive.expired())
                                     return;
                                 m_asked_for_life = false;
                                 m_dead = !lives && group == m_result->pid && m_exited;
                                 if (m_dead)
                                     look_whether_over();
                             });
}

void ProcessWork::look_again_later(std::uint64_t ms) {
    m_look.start(ms, 0, [this] {
        // After the next poll: what came while the editor was busy is heard before anybody is taken for silent.
        m_loop.defer([this, alive = std::weak_ptr(m_alive)] {
            if (!alive.expired())
                look_whether_over();
        });
    });
}

void ProcessWork::finish() {
    // Somebody outside the group may hold stdout open: what has come without a newline is the last line all the same.
    m_stdout.at_end = m_stderr.at_end = true;
    resume_output();
    m_kill.stop();
    m_look.stop();
    if (m_result->pid > 0)
        m_programs.guardian().remove(m_result->pid);
    m_stdin.reset();
    m_stdout.pipe.reset();
    m_stderr.pipe.reset();
    auto error = why();
    bool again = error && (error->code == Code::exit);
    m_process.reset();
    // Nothing of ours after this: the last to hear may drop us.
    std::exchange(m_ended, nullptr)({std::move(error), again});
}

std::optional<Error> ProcessWork::why() const {
    if (m_error)
        return m_error;
    if (m_result->signal != 0)
        return Error{Code::exit,
                     fmt::format("{} was ended by signal {}.", m_program.argv[0], m_result->signal), "",
                     false, ""};
    if (m_result->code != 0)
        return Error{Code::exit,
                     fmt::format("{} ended with exit code {}.", m_program.argv[0], m_result->code),
                     "Its stderr says more.", false, ""};
    return std::nullopt;
}

} // namespace himalaya::jobs

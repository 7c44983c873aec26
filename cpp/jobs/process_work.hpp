// A program as a job. It leads a process group of its own that the guardian knows; the attempt has ended when nobody
// is left in that group, however it came to its end:
//  - The program ended by itself: the rest of its output is read. What it left running in its group gets `grace` to end
//    its output, then it is ended too.
//  - It is stopped (cancelled, timed out, wrote too much): SIGTERM to the group, SIGKILL after `grace`.
#pragma once

#include "jobs/environment.hpp"
#include "jobs/output.hpp"
#include "jobs/programs.hpp"
#include "jobs/runner.hpp"
#include "loop/process.hpp"

namespace himalaya::jobs {

// What a program reads: bytes that somebody keeps. Fifty megabytes need not be copied to be written.
struct Input {
    Input(std::shared_ptr<const void> keeper, std::string_view all) : owner(std::move(keeper)), bytes(all) {}
    Input(std::string text) : Input(std::make_shared<const std::string>(std::move(text))) {}
    Input(const char* text) : Input(std::string(text)) {}
    explicit Input(const std::shared_ptr<const std::string>& text) : owner(text), bytes(*text) {}

    std::shared_ptr<const void> owner;
    std::string_view bytes;
};

struct Program {
    std::vector<std::string> argv;
    std::string cwd; // empty: ours
    Variables env;   // on top of our environment
    std::optional<Input> stdin_bytes;
    std::size_t max_output = 64 * 1024 * 1024; // each of stdout and stderr
    std::int64_t grace_ms = 2000;
    bool background = false;
};

// What a program left; shared by all jobs that have joined in its work.
struct ProgramResult {
    explicit ProgramResult(std::size_t limit) : out(limit), err(limit) {}
    Output out;
    Output err;
    int code = 0;
    int signal = 0;
    int pid = 0;
};

// Who follows stdout line by line hears where in result.out the next one lies, without its "\n". False asks for no
// more until resume_output().
using OnLine =
    Function<bool(const std::shared_ptr<const ProgramResult>& result, std::size_t from, std::size_t size)>;

class ProcessWork : public Work {
  public:
    ProcessWork(Programs& programs, Program program);

    void start(Ended ended) override;
    void stop() override;

    // Hears first what has come already.
    void follow_lines(OnLine on_line);
    void resume_output();
    // Somebody waits for it who is not in the background, from its next attempt on.
    void come_forward() { m_program.background = false; }

    // Of the last attempt; null before the first.
    std::shared_ptr<const ProgramResult> result() const { return m_result; }

  private:
    struct Sink {
        const char* name;
        std::unique_ptr<loop::Pipe> pipe{};
        bool at_end = true;
    };

    struct Follower {
        OnLine on_line;
        std::size_t at = 0; // where its next line begins
        bool full = false;
    };

    void read(Sink& sink);
    void took(Sink& sink, Result<std::span<const char>> bytes);
    void offer_lines();
    void drop_lines();
    void feed_stdin();
    void exited(loop::Process::Exit exit);
    void look_whether_over();
    void end_group();
    void wait_for_group();
    void look_again_later(std::uint64_t ms);
    void finish();
    std::optional<Error> why() const;

    loop::Loop& m_loop;
    Programs& m_programs;
    Program m_program;
    std::vector<Follower> m_followers;

    Ended m_ended;
    std::unique_ptr<loop::Process> m_process;
    std::unique_ptr<loop::Pipe> m_stdin;
    std::size_t m_fed = 0;
    Sink m_stdout{"stdout"};
    Sink m_stderr{"stderr"};
    std::shared_ptr<ProgramResult> m_result;
    std::size_t m_lines_end = 0; // behind the last "\n" of stdout
    bool m_offer_comes = false;
    std::optional<Error> m_error; // what we say of it, whatever its exit code
    bool m_exited = false;
    bool m_ending = false;             // SIGTERM is out
    bool m_paused = false;             // lines wait to be heard, nothing is read meanwhile
    std::int64_t m_quiet_since_ms = 0; // no output since
    std::uint64_t m_look_ms = 1;
    bool m_asked_for_life = false;
    bool m_dead = false; // /proc says that nobody in the group lives
    loop::Timer m_kill;
    loop::Timer m_look;
    std::shared_ptr<bool> m_alive = std::make_shared<bool>(true);
};

} // namespace himalaya::jobs

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

struct Program {
    std::vector<std::string> argv;
    std::string cwd; // empty: ours
    Variables env;   // on top of our environment
    std::optional<std::string> stdin_bytes;
    std::size_t max_output = 64 * 1024 * 1024; // each of stdout and stderr
    std::int64_t grace_ms = 2000;
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

// Who follows stdout line by line. A block holds whole lines, but for the last of a stream that ends without "\n".
// False asks to read no further until resume_output().
using OnLines = Function<bool(std::string block)>;

class ProcessWork : public Work {
  public:
    ProcessWork(Programs& programs, Program program);

    void start(Ended ended) override;
    void stop() override;

    // Hears at once what has come already.
    void follow_lines(OnLines on_lines);
    void resume_output();

    // Of the last attempt; null before the first.
    std::shared_ptr<const ProgramResult> result() const { return m_result; }

  private:
    struct Sink {
        const char* name;
        std::unique_ptr<loop::Pipe> pipe{};
        bool at_end = true;
    };

    void read(Sink& sink);
    void took(Sink& sink, Result<std::span<const char>> bytes);
    bool hand_lines(const std::string& block);
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
    std::vector<OnLines> m_followers;

    Ended m_ended;
    std::unique_ptr<loop::Process> m_process;
    std::unique_ptr<loop::Pipe> m_stdin;
    std::size_t m_fed = 0;
    Sink m_stdout{"stdout"};
    Sink m_stderr{"stderr"};
    std::shared_ptr<ProgramResult> m_result;
    LineCutter m_lines;
    std::optional<Error> m_error; // what we say of it, whatever its exit code
    bool m_exited = false;
    bool m_ending = false;             // SIGTERM is out
    bool m_paused = false;             // who follows the lines has enough for now
    std::int64_t m_quiet_since_ms = 0; // no output since
    std::uint64_t m_look_ms = 1;
    bool m_asked_for_life = false;
    bool m_dead = false; // /proc says that nobody in the group lives
    loop::Timer m_kill;
    loop::Timer m_look;
    std::shared_ptr<bool> m_alive = std::make_shared<bool>(true);
};

} // namespace himalaya::jobs

// A loop with a runner on it and real programs: what the process tests share.
#pragma once

#include "jobs/process_work.hpp"
#include "jobs/runner.hpp"
#include "support/test_loop.hpp"

#include "catch.hpp"

#include <csignal>
#include <fstream>
#include <string>

#include <sys/wait.h>
#include <unistd.h>

namespace himalaya::jobs::test {

inline std::string this_program() {
    char path[4096];
    ssize_t size = readlink("/proc/self/exe", path, sizeof path);
    return std::string(path, size > 0 ? static_cast<std::size_t>(size) : 0);
}

inline std::string guardian_program() {
    std::string self = this_program();
    return self.substr(0, self.rfind("/tests/")) + "/himalaya_guardian";
}

// What a job ended with, copied out of its report.
struct Outcome {
    Ending ending = Ending::done;
    std::optional<Error> error;
    int code = 0;
    int signal = 0;
    int pid = 0;
    std::string out;
    std::string err;
    int attempts = 0;
    Time queued = 0;
    Time ran = 0;
};

class World {
  public:
    explicit World(Queue::Limits limits = {}) : runner(loop, limits), programs(loop, guardian_program()) {
        std::signal(SIGPIPE, SIG_IGN);
    }
    ~World() {
        runner.stop();
        programs.stop();
        bool gone = loop.run_until([&] { return programs.guardian().pid() == 0; });
        if (!gone)
            WARN("the guardian stays");
    }

    static Program sh(std::string script) {
        Program program;
        program.argv = {"/bin/sh", "-c", std::move(script)};
        return program;
    }
    JobId start(Program program, Spec spec = {}) {
        if (spec.name.empty())
            spec.name = program.argv[0];
        return start(std::make_unique<ProcessWork>(programs, std::move(program)), std::move(spec));
    }
    JobId start(std::unique_ptr<ProcessWork> work, Spec spec = {}) {
        return runner.submit(std::move(spec), std::move(work), [this](const Report& report) { took(report); })
            .or_throw();
    }
    Outcome wait(JobId id) {
        bool happened = loop.run_until([&] { return outcomes.count(id) > 0; });
        REQUIRE(happened);
        return outcomes.at(id);
    }
    Outcome run(Program program, Spec spec = {}) { return wait(start(std::move(program), std::move(spec))); }
    int pid_of(JobId id) {
        auto* work = dynamic_cast<ProcessWork*>(runner.work_of(id));
        return work && work->result() ? work->result()->pid : 0;
    }
    bool until_running(JobId id) {
        return loop.run_until([&] { return pid_of(id) > 0; });
    }
    // A number that a script has written to a file.
    int number_in(const std::string& file) {
        int number = 0;
        bool happened = loop.run_until([&] { return static_cast<bool>(std::ifstream(file) >> number); });
        REQUIRE(happened);
        return number;
    }

    himalaya::test::TestLoop loop;
    Runner runner;
    Programs programs;
    std::map<JobId, Outcome> outcomes;

  private:
    void took(const Report& report) {
        Outcome outcome;
        outcome.ending = report.ending;
        if (report.error)
            outcome.error = *report.error;
        if (auto* work = dynamic_cast<ProcessWork*>(report.work)) {
            if (auto result = work->result()) {
                outcome.code = result->code;
                outcome.signal = result->signal;
                outcome.pid = result->pid;
                outcome.out = result->out.view();
                outcome.err = result->err.view();
            }
        }
        outcome.attempts = report.attempts;
        outcome.queued = report.queued;
        outcome.ran = report.ran;
        REQUIRE(outcomes.emplace(report.id, std::move(outcome)).second);
    }
};

// Somebody of that group is alive: a dead one that its parent has not collected does not count.
inline bool lives(int pid) {
    std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
    std::string text((std::istreambuf_iterator<char>(stat)), {});
    auto after = text.rfind(')');
    return after != std::string::npos && text[after + 2] != 'Z' && text[after + 2] != 'X';
}

class Folder {
  public:
    Folder() {
        char name[] = "/tmp/himalaya-jobs.XXXXXX";
        m_path = mkdtemp(name);
    }
    ~Folder() {
        std::string command = "rm -rf '" + m_path + "'";
        if (std::system(command.c_str()) != 0)
            WARN("left behind: " << m_path);
    }
    std::string file(const std::string& name) const { return m_path + "/" + name; }

  private:
    std::string m_path;
};

} // namespace himalaya::jobs::test

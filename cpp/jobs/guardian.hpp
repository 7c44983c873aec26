// Our side of the guardian, a small process that ends our programs when we no longer can (programs/guardian.cpp). It
// is started with the first job and told of each process group over a pipe; when the pipe closes, by whatever death of
// ours, it ends them all. If it dies itself it is started again and told the groups that run.
//
// Between the start of a program and the telling of its number lie some microseconds in which we may be killed. So
// each program carries a mark in its environment by which the guardian finds the one it was not told of.
#pragma once

#include "loop/process.hpp"
#include "loop/timer.hpp"

#include <memory>
#include <set>
#include <string>
#include <utility>

namespace himalaya::jobs {

class Guardian {
  public:
    Guardian(loop::Loop& loop, std::string program);

    // Starts it unless it runs.
    void ensure();
    // The same in a later turn: the fork is not the caller's to wait for.
    void ensure_soon();
    void add(int group);
    // Told with the next add or a little later: number N is not given to another process so soon.
    void remove(int group);
    // SIGTERM to every group now; the guardian sends SIGKILL to what is left 100 ms later, whatever becomes of us.
    void end_all();

    // The variable that every program of ours has: name and value.
    const std::pair<std::string, std::string>& mark() const { return m_mark; }

    int pid() const { return m_process ? m_process->pid() : 0; }
    int starts() const { return m_starts; }
    const std::set<int>& groups() const { return m_groups; }
    // Why it does not run; empty when it does, or was not needed yet.
    const std::string& problem() const { return m_problem; }

  private:
    void start();
    void ended();
    void tell(std::string words);

    loop::Loop& m_loop;
    std::string m_program;
    std::pair<std::string, std::string> m_mark;
    std::unique_ptr<loop::Process> m_process;
    std::unique_ptr<loop::Pipe> m_pipe;
    loop::Timer m_again;
    loop::Timer m_flush;
    std::string m_unsaid;
    std::set<int> m_groups;
    std::string m_problem;
    std::int64_t m_started_ms = 0;
    int m_starts = 0;
    bool m_ending = false;
};

} // namespace himalaya::jobs

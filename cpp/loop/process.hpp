// A child process in a group (and session) of its own, so that a signal reaches what it forked too.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "loop/stream.hpp"

namespace himalaya::loop {

class Process {
  public:
    struct Options {
        std::vector<std::string> argv; // argv[0] is looked up in PATH
        std::string cwd;               // empty: ours
        // The whole environment as NAME=value; nothing: ours.
        std::optional<std::vector<std::string>> env;
        // Pipes for the child's 0, 1, 2; null: /dev/null. They must outlive spawn(), not the process.
        Pipe* stdin_pipe = nullptr;
        Pipe* stdout_pipe = nullptr;
        Pipe* stderr_pipe = nullptr;
        // Further descriptors the child inherits as 3, 4, ...
        std::vector<int> inherit;
    };
    struct Exit {
        int code = 0;
        int signal = 0; // 0: ended by itself
    };

    explicit Process(Loop& loop, const char* room = "loop");
    // A process that still runs is left alone and reaped when it ends; nobody is called.
    ~Process();

    // on_exit is called once, when the process itself has ended and been reaped; its pipes may still hold
    // output. A program that does not exist is Code::not_found.
    Result<void> spawn(const Options& options, Function<void(Exit)> on_exit);

    int pid() const;
    bool running() const;
    // To the whole group, also after the process itself is gone; false when nobody is left in it.
    bool kill(int signal);
    // The whole group makes room for everybody else: ten steps of niceness more than we have.
    void lower_priority();
    // Zombies count: a grandchild that has ended is in the group until the system's init has reaped it.
    bool group_alive() const;
    void unref();

  private:
    struct State {
        Loop* loop = nullptr;
        const char* room = nullptr;
        Function<void(Exit)> on_exit;
        bool running = false;
        bool owned = true;
    };
    static void release(Box<uv_process_t, State>* box);

    Loop& m_loop;
    const char* m_room;
    Box<uv_process_t, State>* m_box = nullptr;
    int m_pid = 0;
};

// Our environment as NAME=value.
std::vector<std::string> environment();

} // namespace himalaya::loop

#include "loop/process.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>

#include <sys/resource.h>
#include <unistd.h>
#ifdef __APPLE__
#include <crt_externs.h>
#endif

namespace himalaya::loop {

namespace {

// The system says what went wrong, not whether with the program or with the folder.
Error why_not(const Process::Options& options, int status) {
    if (options.cwd.empty())
        return uv_failure(status, "Cannot start " + options.argv[0],
                          status == UV_ENOENT ? "Install it, or give its full path in `binaries`." : "");
    bool folder = status == UV_ENOENT || status == UV_ENOTDIR || status == UV_EACCES;
    return uv_failure(status, "Cannot start " + options.argv[0] + " in " + options.cwd,
                      folder ? "See whether the program is installed and " + options.cwd +
                                   " is a folder you may enter."
                             : "");
}

} // namespace

Process::Process(Loop& loop, const char* room) : m_loop(loop), m_room(room) {}

Process::~Process() {
    if (!m_box)
        return;
    m_box->state.owned = false;
    m_box->state.on_exit = nullptr;
    // uv reaps only children whose handle is open.
    if (!m_box->state.running)
        release(m_box);
    else if (!uv_is_closing(as_handle(&m_box->uv)))
        uv_unref(as_handle(&m_box->uv));
}

void Process::release(Box<uv_process_t, State>* box) {
    Owned<uv_process_t, State> closing(box);
}

Result<void> Process::spawn(const Options& options, Function<void(Exit)> on_exit) {
    if (options.argv.empty())
        return make_error(Code::invalid, "A program's name is missing.");
    if (m_box)
        return make_error(Code::internal, "A Process runs one program.");

    std::vector<char*> argv;
    for (const std::string& word : options.argv)
        argv.push_back(const_cast<char*>(word.c_str()));
    argv.push_back(nullptr);
    std::vector<char*> env;
    if (options.env) {
        for (const std::string& entry : *options.env)
            env.push_back(const_cast<char*>(entry.c_str()));
        env.push_back(nullptr);
    }

    std::vector<uv_stdio_container_t> stdio;
    Pipe* pipes[] = {options.stdin_pipe, options.stdout_pipe, options.stderr_pipe};
    for (Pipe* pipe : pipes) {
        uv_stdio_container_t entry{};
        entry.flags = UV_IGNORE;
        if (pipe) {
            int way = stdio.empty() ? UV_READABLE_PIPE : UV_WRITABLE_PIPE;
            entry.flags = static_cast<uv_stdio_flags>(UV_CREATE_PIPE | way);
            entry.data.stream = pipe->uv();
        }
        stdio.push_back(entry);
    }
    for (int fd : options.inherit) {
        uv_stdio_container_t entry{};
        entry.flags = UV_INHERIT_FD;
        entry.data.fd = fd;
        stdio.push_back(entry);
    }

    auto box = make_box<uv_process_t, State>();
    box->state.loop = &m_loop;
    box->state.room = m_room;
    box->state.on_exit = std::move(on_exit);

    uv_process_options_t uv{};
    uv.file = argv[0];
    uv.args = argv.data();
    uv.env = options.env ? env.data() : nullptr;
    uv.cwd = options.cwd.empty() ? nullptr : options.cwd.c_str();
    uv.flags = UV_PROCESS_DETACHED; // setsid: a group of its own
    uv.stdio_count = static_cast<int>(stdio.size());
    uv.stdio = stdio.data();
    uv.exit_cb = [](uv_process_t* handle, std::int64_t code, int signal) {
        auto& ended = box_of<uv_process_t, State>(handle);
        ended.state.running = false;
        if (!ended.state.owned) {
            release(&ended);
            return;
        }
        Function<void(Exit)> fn = std::move(ended.state.on_exit);
        if (fn)
            ended.state.loop->enter(ended.state.room, [&] { fn(Exit{static_cast<int>(code), signal}); });
    };
    int status = uv_spawn(m_loop.uv(), &box->uv, &uv);
    if (status < 0)
        return why_not(options, status);
    m_pid = box->uv.pid;
    box->state.running = true;
    m_box = box.release();
    return {};
}

int Process::pid() const {
    return m_pid;
}

bool Process::running() const {
    return m_box && m_box->state.running;
}

bool Process::kill(int signal) {
    return m_pid > 0 && ::kill(-m_pid, signal) == 0;
}

void Process::lower_priority() {
    if (m_pid > 0)
        ::setpriority(PRIO_PGRP, static_cast<id_t>(m_pid), std::min(::getpriority(PRIO_PROCESS, 0) + 10, 19));
}

bool Process::group_alive() const {
    return m_pid > 0 && (::kill(-m_pid, 0) == 0 || errno == EPERM);
}

void Process::unref() {
    if (m_box)
        uv_unref(as_handle(&m_box->uv));
}

std::vector<std::string> environment() {
#ifdef __APPLE__
    char** entries = *_NSGetEnviron();
#else
    char** entries = environ;
#endif
    std::vector<std::string> all;
    for (; entries && *entries; ++entries)
        all.emplace_back(*entries);
    return all;
}

} // namespace himalaya::loop

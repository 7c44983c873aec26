#include "jobs/programs.hpp"

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

namespace himalaya::jobs {

Programs::Programs(loop::Loop& loop, std::string guardian_program)
    : m_loop(loop), m_guardian(loop, std::move(guardian_program)) {}

void Programs::get_ready() {
    m_guardian.ensure();
    if (!m_worker)
        worker().run([] {}, [] {});
}

loop::Worker& Programs::worker() {
    if (!m_worker)
        m_worker.emplace(m_loop, "himalaya-jobs");
    return *m_worker;
}

void Programs::look_for_life(int group, Function<void(bool lives)> answer) {
    auto lives = std::make_shared<bool>(true);
    worker().run([lives, group] { *lives = group_lives(group); },
                 [lives, answer = std::move(answer)]() mutable { answer(*lives); });
}

void Programs::stop() {
    m_guardian.end_all();
    if (m_worker)
        m_worker->stop();
}

bool group_lives(int group) {
    if (::kill(-group, 0) != 0)
        return false;
    DIR* proc = opendir("/proc");
    if (!proc)
        return true;
    bool readable = false;
    bool lives = false;
    while (dirent* entry = readdir(proc)) {
        if (entry->d_name[0] < '1' || entry->d_name[0] > '9')
            continue;
        char path[64];
        std::snprintf(path, sizeof path, "/proc/%.20s/stat", entry->d_name);
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
            continue;
        char text[512];
        ssize_t size = read(fd, text, sizeof text - 1);
        close(fd);
        text[size < 0 ? 0 : size] = 0;
        // "pid (name) state ppid pgrp ...": the name may hold anything, its last parenthesis ends it.
        const char* after = std::strrchr(text, ')');
        char state = 0;
        int parent = 0;
        int its_group = 0;
        if (!after || std::sscanf(after + 1, " %c %d %d", &state, &parent, &its_group) != 3)
            continue;
        readable = true;
        if (its_group == group && state != 'Z' && state != 'X')
            lives = true;
    }
    closedir(proc);
    return lives || !readable;
}

} // namespace himalaya::jobs

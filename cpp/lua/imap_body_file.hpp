// A body too large to hold goes into a file, written by a thread of its own; when the disk is behind, the connection
// waits. A 25 MB message then costs the editor the pieces under way and nothing more.
#pragma once

#include "imap/parser.hpp"
#include "imap/session.hpp"
#include "loop/worker.hpp"

#include <cstdio>
#include <memory>
#include <string>

namespace himalaya::lua {

class BodyFile : public imap::LiteralSink {
  public:
    BodyFile(loop::Worker& worker, std::shared_ptr<imap::Session> session, std::string path);
    ~BodyFile() override;

    void start(const imap::LiteralStart&) override {}
    void bytes(std::span<const char> bytes) override;
    void end(bool complete) override;

    const std::string& path() const { return m_state->path; }
    // Runs on the loop when all is written, with what went wrong.
    void when_written(Function<void(std::optional<Error>)> fn);

  private:
    // Between the loop and the thread; the thread alone touches `file`.
    struct State {
        std::string path;
        std::FILE* file = nullptr;
        bool opened = false;
        int error = 0;
        std::size_t waiting = 0; // bytes given to the thread, on the loop's side
        bool paused = false;
        std::shared_ptr<imap::Session> session;
    };

    void flush();

    loop::Worker& m_worker;
    std::shared_ptr<State> m_state;
    std::string m_pending;
};

} // namespace himalaya::lua

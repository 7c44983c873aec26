// Watching one file or folder for changes (inotify, kqueue).
#pragma once

#include <string>

#include "loop/loop.hpp"

namespace himalaya::loop {

class FsEvent {
  public:
    struct Change {
        std::string name; // inside the folder watched; may be empty
        bool renamed;     // came, went or changed its name; otherwise its content changed
    };

    explicit FsEvent(Loop& loop, const char* room = "loop");

    Result<void> start(const std::string& path, Function<void(Result<Change>)> fn);
    void stop();

  private:
    struct State {
        Loop* loop = nullptr;
        const char* room = nullptr;
        std::string path;
        std::uint64_t generation = 0;
        Function<void(Result<Change>)> fn;
    };

    Owned<uv_fs_event_t, State> m_box;
};

} // namespace himalaya::loop

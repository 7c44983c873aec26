// Blocking work on detached threads that nobody waits for: name look-ups, reading certificates. A dead
// resolver holds its thread for 10 s or more; as a detached thread it delays neither :qa nor anybody else's
// uv_queue_work. What it brings is handed to the loop, or dropped when the loop has gone in the meantime.
#pragma once

#include <functional>
#include <memory>

#include "loop/loop.hpp"

namespace himalaya::net {

class Aside {
  public:
    // More than this many threads stuck at once means that new work fails at once instead of piling up.
    static constexpr int MOST = 24;

    // What is to be done on the loop's thread when the work is over.
    using Finish = std::function<void()>;
    using Work = std::function<Finish()>;

    explicit Aside(loop::Loop& loop);
    Aside(const Aside&) = delete;
    Aside& operator=(const Aside&) = delete;
    ~Aside(); // what still runs is left alone and reaches nobody

    // False when too many threads are stuck already, or none can be made.
    bool run(Work work);
    int running() const;

  private:
    struct Shared;
    std::shared_ptr<Shared> m_shared;
};

} // namespace himalaya::net

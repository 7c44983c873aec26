// A lock between processes that the kernel lets go of when its holder ends, however it ends: flock on a file
// of its own. The file stays; who holds it is written inside, for people who look.
#pragma once

#include "base/error.hpp"

#include <functional>
#include <optional>
#include <string>

namespace himalaya::instance {

class NamedLock {
  public:
    // Takes the lock, or says nobody may wait here: nothing when another process has it. Touches the disk:
    // never on the main thread.
    static Result<std::optional<NamedLock>> take(const std::string& path);
    // As take, but waits for whoever has it, for as long as that takes: on a thread that nobody waits for. Given up
    // when `abandoned` says so, which is asked once the lock is free.
    static Result<std::optional<NamedLock>> wait(const std::string& path,
                                                 const std::function<bool()>& abandoned);
    // Takes it from a holder that is stopped or stuck: a new file in the place of the one it holds. Whoever calls this
    // has made sure that the old holder can do no harm. Nothing when somebody else does the same just now.
    static Result<std::optional<NamedLock>> replace(const std::string& path);

    NamedLock(NamedLock&& other) noexcept;
    NamedLock& operator=(NamedLock&& other) noexcept;
    ~NamedLock();

    void release();

  private:
    explicit NamedLock(int file) : m_file(file) {}
    int m_file = -1;
};

} // namespace himalaya::instance

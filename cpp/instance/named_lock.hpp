// A lock between processes that the kernel lets go of when its holder ends, however it ends: flock on a file
// of its own. The file stays; who holds it is written inside, for people who look.
#pragma once

#include "base/error.hpp"

#include <optional>
#include <string>

namespace himalaya::instance {

class NamedLock {
  public:
    // Takes the lock, or says nobody may wait here: nothing when another process has it. Touches the disk:
    // never on the main thread.
    static Result<std::optional<NamedLock>> take(const std::string& path);

    NamedLock(NamedLock&& other) noexcept;
    NamedLock& operator=(NamedLock&& other) noexcept;
    ~NamedLock();

    void release();

  private:
    explicit NamedLock(int file) : m_file(file) {}
    int m_file = -1;
};

} // namespace himalaya::instance

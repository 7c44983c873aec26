// The two places mail is exported to, behind one interface. On the file thread.
#pragma once

#include "mail/flags.hpp"
#include "store/archive.hpp"

#include <memory>

namespace himalaya::store {

struct Leaving {
    std::int64_t arrived = 0;
    std::string sender;
    mail::Flags flags;
};

class ArchiveOut {
  public:
    virtual ~ArchiveOut() = default; // what was not finished goes
    // Looks at what is there already, a few MiB in one call; true once all of it was seen.
    virtual bool look() = 0;
    virtual void begin(const Leaving& message) = 0;
    virtual void add(std::string_view bytes) = 0;
    // The message was complete: true if it is new here.
    virtual bool end() = 0;
    // It was not; nothing of it stays.
    virtual void drop() = 0;
    // All is to stay.
    virtual void finish() = 0;
    // It ends early: what is complete by itself may stay.
    virtual void end_early() {}
};

std::unique_ptr<ArchiveOut> open_archive(std::optional<ArchiveKind> kind, const std::string& path);

} // namespace himalaya::store

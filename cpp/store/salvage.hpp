// A database that SQLite calls damaged is set aside, never deleted, and what only it knew is read out of it:
// the ops that the server has not seen. Everything else comes from the server again.
#pragma once

#include "store/sql.hpp"

#include <string>

namespace himalaya::store {

struct Salvage {
    std::string set_aside; // where the damaged file lies now
    int ops = 0;           // carried over
    int lost_ops = 0;      // there, but unreadable
};

// Runs SQLite's quick check; true when the file is sound (or there is none).
bool is_sound(const std::string& path);

// Moves the file away, makes a fresh one at `path` and carries over what can be read: folders, unfinished
// ops, and the messages and bodies these need.
Salvage set_aside(const std::string& path, std::int64_t now);

} // namespace himalaya::store

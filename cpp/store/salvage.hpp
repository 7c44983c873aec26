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
    bool legible = false;  // else nobody knows how many there were
};

// Looks at all of it: pages, indexes against their tables, the tables that should be there, what ops say. True when the
// file is sound (or there is none).
bool is_sound(const std::string& path);

// A look at what is small and must not be lost unseen, at every start: throws the error of a damaged store when an op is
// in no state that there is.
void look_at_ops(Database& database);

// Moves the file away, puts a fresh one at `path` into which was carried over what can be read: folders, unfinished
// ops, and the messages and bodies these need. Others may have the old file open: they see that another one lies there
// (Database::moved), never one that is half made; ids, seqs and epochs go on from where they were, so that nothing
// they remember means something else.
Salvage set_aside(const std::string& path, std::int64_t now);
// The same for a file that nobody led yet, whose forerunner somebody deleted under us.
void go_on_from_afar(Database& fresh, std::int64_t now);
// A fresh file that was whole when its maker died, before it was put in place.
void adopt_made_anew(const std::string& path);

} // namespace himalaya::store

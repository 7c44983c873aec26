// The tables of one account's database, and the way from each older version to this one.
//
// What is where:
//   folder     one row per folder; `known` holds the UID ranges whose envelopes and flags are complete
//   message    one row per message in a folder; its id never changes and is never used again, moves keep it
//   body       packed bytes by content, so a message in two folders is stored once
//   loose      bodies that lost a message: those that nobody else has are swept
//   slot       how many messages a folder shows per 4.5 hours, so that page 9,000 is found without walking there
//   mention    every Message-ID that any message has or names, with the thread it belongs to
//   gone       ids that left, for readers who ask what changed since a seq
//   op         what the user did and the server does not know yet; op_target: to which messages
//   request    what an instance that does not lead wishes the leader to do
//   sync_run   one row per sync, for statistics
//   fact       single values: the last seq, the epoch, who leads, from which message on a folder's mail is news
#pragma once

#include "store/sql.hpp"

namespace himalaya::store {

inline constexpr int SCHEMA_VERSION = 2;
inline constexpr int APPLICATION_ID = 0x48696D61; // "Hima", so that `file` knows it

// Brings the database to SCHEMA_VERSION in one transaction, or throws; a database from a newer version of the
// plugin is refused with Error{store}. Safe when two processes open it at once.
void open_schema(Database& database);

// Whether it has the tables, columns and indexes of the version that it says it is.
bool is_whole(Database& database);

// What every connection needs, of whichever mode.
void set_pragmas(Database& database, Database::Mode mode);

} // namespace himalaya::store

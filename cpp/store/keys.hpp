// The name of a message that outlives the database, for addresses that a session or a mark keeps: what the server
// calls it, "uidvalidity.uid", or while it has no name there a hash of what makes it that message. A store that was
// rebuilt gives the same message or none, never another one.
#pragma once

#include "store/rows.hpp"
#include "store/sql.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace himalaya::store {

std::string key_of(const Folder& folder, const Message& message);

// The message of this folder that bears the key, of either kind, whichever it would be given now.
std::optional<Id> message_with_key(Database& database, const Folder& folder, std::string_view key);

} // namespace himalaya::store

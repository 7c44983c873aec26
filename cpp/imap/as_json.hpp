// A response as one JSON object, {"type": ..., ...}: what imap_dump prints and what tests compare. What a
// server left out has no member; NIL is null. Bytes that are no UTF-8 become the four characters \xNN, each.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "imap/types.hpp"

namespace himalaya::imap {

// Contents of streamed literals by their number.
using Literals = std::map<uint32_t, std::string>;

std::string as_json(const Response& response, const Literals& literals = {});

// "TRYCREATE" for CodeKind::try_create and so on is what the server sent; this is our word for the condition.
std::string_view name_of(Condition condition);

} // namespace himalaya::imap

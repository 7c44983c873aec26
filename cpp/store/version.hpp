// Which SQLite this process got: :checkhealth shows it, and no other room may ask SQLite itself.
#pragma once

#include <string_view>

namespace himalaya::store {

std::string_view sqlite_version();

} // namespace himalaya::store

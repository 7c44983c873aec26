#include "store/version.hpp"

#include <sqlite3.h>

namespace himalaya::store {

std::string_view sqlite_version() {
    return sqlite3_libversion();
}

} // namespace himalaya::store

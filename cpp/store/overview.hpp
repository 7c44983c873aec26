// Which stores lie in the data folder, whoever they belong to: an account that has another name in the options now
// leaves its store behind, and perhaps changes in it that no server has heard of.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace himalaya::store {

struct StoreSeen {
    std::string name; // its folder's
    std::int64_t bytes = 0;
    std::optional<std::int64_t> pending; // changes that wait for the server; nothing where it cannot be read
};

// By name. Looks at every file of every store: on no thread that somebody waits for.
std::vector<StoreSeen> stores_in(const std::filesystem::path& data_dir);

} // namespace himalaya::store

#include "store/overview.hpp"

#include "base/error.hpp"
#include "store/ops.hpp"
#include "store/store.hpp"

#include <algorithm>

namespace himalaya::store {

namespace fs = std::filesystem;

namespace {

std::int64_t bytes_in(const fs::path& folder) {
    std::int64_t bytes = 0;
    std::error_code problem;
    for (fs::recursive_directory_iterator file(folder, problem), end; !problem && file != end;
         file.increment(problem)) {
        std::error_code gone; // a log that a Neovim just swept
        if (auto size = file->file_size(gone); !gone)
            bytes += static_cast<std::int64_t>(size);
    }
    return bytes;
}

} // namespace

std::vector<StoreSeen> stores_in(const fs::path& data_dir) {
    std::vector<StoreSeen> stores;
    std::error_code problem;
    for (fs::directory_iterator folder(data_dir, problem), end; !problem && folder != end;
         folder.increment(problem)) {
        Place place{folder->path()};
        std::error_code missing;
        if (!fs::is_regular_file(place.database(), missing))
            continue;
        StoreSeen seen{folder->path().filename().string(), bytes_in(folder->path()), std::nullopt};
        try {
            Database database(place.database(), Database::Mode::read);
            seen.pending = pending_ops(database);
        } catch (const Error&) {
            // Its size is known all the same.
        }
        stores.push_back(std::move(seen));
    }
    std::sort(stores.begin(), stores.end(),
              [](const StoreSeen& a, const StoreSeen& b) { return a.name < b.name; });
    return stores;
}

} // namespace himalaya::store

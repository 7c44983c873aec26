#include "jobs/environment.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace himalaya::jobs {

std::vector<std::string> environment_for_child(std::vector<std::string> ours, const Variables& changes,
                                               const std::vector<std::string>& secrets) {
    auto is_secret = [&](std::string_view name) {
        return std::find(secrets.begin(), secrets.end(), name) != secrets.end();
    };
    auto is_changed = [&](std::string_view name) {
        return std::any_of(changes.begin(), changes.end(),
                           [&](const auto& change) { return change.first == name; });
    };
    std::erase_if(ours, [&](const std::string& entry) {
        auto name = std::string_view(entry).substr(0, entry.find('='));
        return is_secret(name) || is_changed(name);
    });
    for (const auto& [name, value] : changes)
        if (!is_secret(name))
            ours.push_back(fmt::format("{}={}", name, value));
    return ours;
}

} // namespace himalaya::jobs

// What a child sees of our environment: all of it with the caller's changes, but never a variable that the user named
// as the place of a secret (`auth.env`): such a variable is for us alone, whoever starts the program.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace himalaya::jobs {

using Variables = std::vector<std::pair<std::string, std::string>>;

// `ours` as NAME=value.
std::vector<std::string> environment_for_child(std::vector<std::string> ours, const Variables& changes,
                                               const std::vector<std::string>& secrets);

} // namespace himalaya::jobs

// Where a password or token comes from: a command's first line of output, an environment variable, or the option
// itself. It is asked for again at every login, so that a token that was renewed meanwhile is the one that is used.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "auth/secret.hpp"
#include "loop/cancel.hpp"
#include "loop/loop.hpp"
#include "loop/task.hpp"

namespace himalaya::auth {

struct SecretSource {
    std::vector<std::string> command; // argv, run without a shell
    std::string env;                  // a variable's name
    std::string value;
    std::string purpose = "password"; // what messages call it
    std::string owner;                // "jane at imap.example.org"
};

// A keyring may ask the user to unlock it, so the command has two minutes.
constexpr std::uint64_t COMMAND_TIMEOUT_MS = 120'000;

// `hidden` are the variables that no child may see: those that hold secrets of other accounts too.
loop::Task<Secret> read_secret(loop::Loop& loop, SecretSource source, std::vector<std::string> hidden,
                               std::uint64_t timeout_ms, loop::CancelToken token);

} // namespace himalaya::auth

// What an instance that does not lead an account wishes the leader to do. The leader sees them with the next
// news and serves them within a second; the answer goes the same way back.
#pragma once

#include "store/change.hpp"

#include <string>
#include <vector>

namespace himalaya::store {

struct Request {
    Id id = 0;
    std::string kind;   // "sync", "body"
    std::string detail; // JSON
    std::string state;  // asked, answered
    std::string instance;
    std::int64_t asked_at = 0;
    std::string answer; // JSON
};

// Nobody waits for an answer longer than this.
inline constexpr std::int64_t REQUEST_LIFE = 600; // seconds

Id ask(Change& change, std::string_view kind, std::string_view detail, std::string_view instance,
       std::int64_t now);
std::vector<Request> open_requests(Database& database, std::int64_t now);
void answer(Change& change, Id request, std::string_view answer);
// The answer once it is there; the row goes with it.
std::optional<std::string> take_answer(Change& change, Id request);
void forget_old_requests(Change& change, std::int64_t now);

} // namespace himalaya::store

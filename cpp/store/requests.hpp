// What an instance that does not lead an account wishes the leader to do. The leader sees them with the next
// news and serves them within a second; the answer goes the same way back.
#pragma once

#include "store/change.hpp"

#include <string>
#include <vector>

namespace himalaya::store {

struct Request {
    Id id = 0;
    std::string kind;   // "sync", "body", "lead"
    std::string detail; // JSON
    std::string state;  // asked, taken, answered
    std::string instance;
    std::int64_t asked_at = 0;
    std::string answer;        // JSON; while it is taken: how far it is
    std::int64_t heard_at = 0; // the leader's last sign of life about it
};

// What nobody has said a word about for so long is forgotten.
inline constexpr std::int64_t REQUEST_LIFE = 600; // seconds

Id ask(Change& change, std::string_view kind, std::string_view detail, std::string_view instance,
       std::int64_t now);
std::vector<Request> open_requests(Database& database, std::int64_t now);
// Open ones, taken ones and answers that nobody has taken home yet.
std::vector<Request> all_requests(Database& database);
// False when the asker has withdrawn it, or another leader took it.
bool take_request(Change& change, Id request, std::int64_t now);
// What an earlier leader took and did not finish is open again.
void reopen_requests(Change& change);
// A sign of life of the leader, with how far it is.
void note_request(Change& change, Id request, std::string_view progress, std::int64_t now);
void answer(Change& change, Id request, std::string_view answer);
// The answer once it is there; the row goes with it.
std::optional<std::string> take_answer(Change& change, Id request);
void withdraw_request(Change& change, Id request);
void forget_old_requests(Change& change, std::int64_t now);

} // namespace himalaya::store

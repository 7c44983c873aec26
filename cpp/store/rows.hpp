// What the tables hold, as values. Plain structs: who reads them needs no SQL, who writes them no struct of
// its own.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace himalaya::store {

using Id = std::int64_t;

// The flags that every source knows; the rest are keywords, by name.
enum Flag : std::uint32_t {
    SEEN = 1,
    FLAGGED = 2,
    ANSWERED = 4,
    DRAFT = 8,
    FORWARDED = 16,
    DELETED = 32,
    HAS_ATTACHMENT = 64, // not the server's: learned from BODYSTRUCTURE or the body
};
inline constexpr std::uint32_t SERVER_FLAGS = SEEN | FLAGGED | ANSWERED | DRAFT | FORWARDED | DELETED;

struct Address {
    std::string name;
    std::string addr;
    bool operator==(const Address&) const = default;
};

struct Folder {
    Id id = 0;
    std::string path;   // as people read it, UTF-8, '/' between levels
    std::string remote; // as the source spells it
    std::string delimiter;
    std::string role;
    bool selectable = true;
    std::optional<std::int64_t> uidvalidity;
    std::optional<std::int64_t> uidnext;
    std::int64_t modseq = 0;
    std::string known; // UID ranges, "1:5,9"
    std::optional<std::int64_t> server_total;
    std::optional<std::int64_t> server_unread;
    std::int64_t total = 0; // what the store shows
    std::int64_t unread = 0;
    std::int64_t synced_at = 0;
    std::int64_t seq = 0;
};

// A message as a source tells of it.
struct Arrival {
    std::int64_t uid = 0; // 0: the source has not named it yet (our own copy or append)
    std::int64_t arrived = 0;
    std::string date; // the header as sent; sync/ makes `sent` of it
    std::optional<std::int64_t> sent;
    std::uint32_t flags = 0;
    std::vector<std::string> keywords;
    std::int64_t size = 0;
    std::string subject;
    Address from;
    std::vector<Address> to;
    std::string message_id;
    std::string in_reply_to;
    std::vector<std::string> references;
    Id body = 0; // its row, where the text came along (Bodies::keep)
};

// A message as the screen reads it.
struct Message {
    Id id = 0;
    Id folder = 0;
    std::optional<std::int64_t> uid;
    std::int64_t arrived = 0;
    std::optional<std::int64_t> sent;
    std::uint32_t flags = 0;
    std::vector<std::string> keywords;
    bool pending = false;
    bool hidden = false;
    Id thread = 0;
    int depth = 0;
    std::int64_t size = 0;
    std::string subject;
    Address from;
    std::vector<Address> to;
    std::string message_id;
    std::optional<Id> body;
    std::int64_t seq = 0;
};

} // namespace himalaya::store

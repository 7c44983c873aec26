// What people type to find mail: words, and from: to: subject: is:unread|flagged|answered has:attachment before:
// after: . All of it must hold; quotes keep words together. The same meaning for every source.
#pragma once

#include "base/error.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace himalaya::mail {

struct Query {
    std::vector<std::string> words;
    std::vector<std::string> from;
    std::vector<std::string> to;
    std::vector<std::string> subject;
    bool unread = false;
    bool flagged = false;
    bool answered = false;
    bool has_attachment = false;
    std::optional<std::int64_t> before; // dated earlier than this second
    std::optional<std::int64_t> after;  // at or later than this one

    bool operator==(const Query&) const = default;
};

// Error{invalid} names what is wrong and what could stand there. A colon after something that is no key of ours is
// part of a word: "re:lunch" looks for that.
Result<Query> parse_query(std::string_view text);

} // namespace himalaya::mail

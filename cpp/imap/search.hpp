// SEARCH by UID. Criteria are our own words, written for the server here, so that nothing a user types can become
// another key; for scripts a string of plain IMAP keys is taken too.
#pragma once

#include "imap/folder.hpp"
#include "imap/session.hpp"
#include "mail/query.hpp"

#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace himalaya::imap {

// One key with its values: {"FROM", {"mary"}}, {"UNSEEN", {}}, {"HEADER", {"List-Id", "x"}}. All must hold.
struct Criterion {
    std::string key;
    std::vector<std::string> values;
    bool negated = false;
};

struct SearchRequest {
    std::string folder;
    std::vector<Criterion> criteria;  // empty: ALL
    std::string raw;                  // instead: IMAP's own keys
    std::optional<mail::Query> query; // with the criteria: what people type
    Priority priority = Priority::user;
};

// Ascending UIDs.
loop::Task<UidSet> search(std::shared_ptr<Session> session, SearchRequest request, loop::CancelToken token);

} // namespace himalaya::imap

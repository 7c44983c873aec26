// What changed since a seq: the one question by which the screen, other instances and events keep up.
#pragma once

#include "store/rows.hpp"
#include "store/sql.hpp"

#include <vector>

namespace himalaya::store {

struct News {
    std::int64_t seq = 0;        // ask for what comes after this one next time
    std::vector<Folder> folders; // rows that changed
    std::vector<Message> messages;
    struct Left {
        Id message = 0;
        Id folder = 0;
    };
    std::vector<Left> left;
    bool too_many = false; // more than asked for: read the lists anew instead
};

std::int64_t last_seq(Database& database);
News news_since(Database& database, std::int64_t seq, int most);

} // namespace himalaya::store

// What changed since a seq: the one question by which the screen, other instances and events keep up.
#pragma once

#include "store/requests.hpp"

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
    struct Fresh {
        Id folder = 0;
        std::string path;
        std::vector<Id> messages;
    };
    std::vector<Fresh> fresh;      // new mail, in folders that were read to their end before
    std::vector<Request> requests; // all there are
    std::int64_t epoch = 0;
    std::string leader;           // the instance that took the lead last
    std::int64_t pending_ops = 0; // what the server does not know yet
    Id last_op = 0;
    Id last_message = 0;
};

std::int64_t last_seq(Database& database);
Id last_message(Database& database);
// `since_message` is the last row that was known: what is fresh comes after it.
News news_since(Database& database, std::int64_t seq, int most, Id since_message = INT64_MAX);
// All of the folder was told of: what comes from now on is new mail.
void begin_news(Change& change, Id folder);

} // namespace himalaya::store

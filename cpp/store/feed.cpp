#include "store/feed.hpp"

#include "store/folders.hpp"
#include "store/pages.hpp"

namespace himalaya::store {

std::int64_t last_seq(Database& database) {
    auto row = database.prepare("SELECT value FROM fact WHERE name = 'seq'");
    return row.step() ? row.integer(0) : 0;
}

News news_since(Database& database, std::int64_t seq, int most) {
    News news;
    // One transaction, so that rows and the seq they are told with belong together.
    database.prepare("BEGIN").run();
    try {
        news.seq = last_seq(database);
        for (auto& folder : all_folders(database))
            if (folder.seq > seq)
                news.folders.push_back(std::move(folder));
        std::vector<Id> ids;
        {
            auto row =
                database.prepare("SELECT id FROM message WHERE seq > ? AND hidden = 0 ORDER BY seq LIMIT ?");
            row.bind(seq, most + 1);
            while (row.step())
                ids.push_back(row.integer(0));
        }
        {
            auto row = database.prepare("SELECT message, folder FROM gone WHERE seq > ? LIMIT ?");
            row.bind(seq, most + 1);
            while (row.step())
                news.left.push_back({row.integer(0), row.integer(1)});
        }
        news.too_many = static_cast<int>(ids.size()) > most || static_cast<int>(news.left.size()) > most;
        if (news.too_many)
            news.left.clear();
        else
            for (auto id : ids)
                if (auto message = message_of(database, id))
                    news.messages.push_back(std::move(*message));
    } catch (...) {
        sqlite3_exec(database.raw(), "ROLLBACK", nullptr, nullptr, nullptr);
        throw;
    }
    database.prepare("COMMIT").run();
    return news;
}

} // namespace himalaya::store

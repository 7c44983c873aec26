#include "store/feed.hpp"

#include "store/folders.hpp"
#include "store/ops.hpp"
#include "store/pages.hpp"

#include <fmt/format.h>

namespace himalaya::store {

namespace {

// An event that names more is no use to anybody.
constexpr int MOST_FRESH = 5'000;

std::string news_name(Id folder) {
    return fmt::format("news from {}", folder);
}

void find_fresh(Database& database, std::int64_t seq, Id since_message, News& news) {
    if (news.last_message <= since_message)
        return;
    for (const auto& folder : news.folders) {
        auto fact = database.prepare("SELECT value FROM fact WHERE name = ?");
        auto name = news_name(folder.id);
        if (!fact.bind(name).step())
            continue; // its first sync: none of its mail is news
        News::Fresh fresh{folder.id, folder.path, {}};
        auto row =
            database.prepare("SELECT id FROM message WHERE seq > ? AND id > ? AND folder = ? AND hidden = 0 "
                             "AND remote IS NOT NULL LIMIT ?");
        row.bind(seq, std::max(since_message, fact.integer(0)), folder.id, MOST_FRESH);
        while (row.step())
            fresh.messages.push_back(row.integer(0));
        if (!fresh.messages.empty())
            news.fresh.push_back(std::move(fresh));
    }
}

} // namespace

std::int64_t last_seq(Database& database) {
    auto row = database.prepare("SELECT value FROM fact WHERE name = 'seq'");
    return row.step() ? row.integer(0) : 0;
}

Id last_message(Database& database) {
    auto row = database.prepare("SELECT seq FROM sqlite_sequence WHERE name = 'message'");
    return row.step() ? row.integer(0) : 0;
}

void begin_news(Change& change, Id folder) {
    change.set_fact(news_name(folder), last_message(change.database()));
}

News news_since(Database& database, std::int64_t seq, int most, Id since_message) {
    News news;
    // One transaction, so that rows and the seq they are told with belong together.
    database.prepare("BEGIN").run();
    try {
        news.seq = last_seq(database);
        for (auto& folder : all_folders(database))
            if (folder.seq > seq)
                news.folders.push_back(std::move(folder));
        news.last_message = last_message(database);
        find_fresh(database, seq, since_message, news);
        news.requests = all_requests(database);
        {
            auto row = database.prepare("SELECT name, value FROM fact WHERE name IN ('epoch', 'leader')");
            while (row.step()) {
                if (row.text(0) == "epoch")
                    news.epoch = row.integer(1);
                else
                    news.leader = row.string(1);
            }
        }
        news.pending_ops = pending_ops(database);
        {
            auto row = database.prepare("SELECT max(id) FROM op");
            news.last_op = row.step() ? row.integer(0) : 0;
        }
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

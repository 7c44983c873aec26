// One write transaction. Everything that changes mail goes through one: it hands out the transaction's seq,
// keeps the folders' counts and slots right, and remembers what readers must be told after the commit.
#pragma once

#include "store/rows.hpp"
#include "store/sql.hpp"

#include <functional>
#include <map>
#include <set>
#include <vector>

namespace himalaya::store {

// Messages of a folder are counted per slot of this many seconds (a power of two: about 4.5 hours).
inline constexpr int SLOT_SHIFT = 14;

class Change {
  public:
    // Begins; waits for another process's commit (at most the database's busy timeout).
    explicit Change(Database& database);
    Change(const Change&) = delete;
    Change& operator=(const Change&) = delete;
    ~Change(); // rolls back what was not committed

    Database& database() { return m_database; }
    // Every row this transaction touches carries it; rises with each transaction that asks for it.
    std::int64_t seq();

    // The id for the next message row, so that a row can name itself as its thread in one statement.
    Id next_message();

    // A shown message came (+1) or went (-1).
    void count(Id folder, std::int64_t arrived, int shown, int unread);
    // A shown message became unread (+1) or read (-1).
    void count_unread(Id folder, int unread);
    // The folder's row, or something in it, is new to readers.
    void touch(Id folder) { m_tallies[folder]; }
    // An id that readers have seen in `folder` is no longer there.
    void left(Id message, Id folder);

    // A body lost a message; there may be something to sweep.
    void note_loose() { m_loosened = true; }
    bool loosened() const { return m_loosened; }

    const std::set<Id>& folders() const { return m_committed; }

    std::int64_t fact(std::string_view name, std::int64_t otherwise = 0);
    void set_fact(std::string_view name, std::int64_t value);

    // Called on the writer's thread once all of this is durable.
    void after(std::function<void()> committed) { m_after.push_back(std::move(committed)); }

    void commit();

  private:
    struct Tally {
        int shown = 0;
        int unread = 0;
        std::map<std::int64_t, int> slots;
    };

    void write_tallies();

    Database& m_database;
    std::int64_t m_seq = 0;
    Id m_last_message = 0;
    std::map<Id, Tally> m_tallies;
    std::set<Id> m_committed;
    bool m_loosened = false;
    std::vector<std::function<void()>> m_after;
    bool m_open = false;
};

} // namespace himalaya::store

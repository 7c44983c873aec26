#include "store/change.hpp"

namespace himalaya::store {

Change::Change(Database& database) : m_database(database) {
    m_database.prepare("BEGIN IMMEDIATE").run();
    m_open = true;
}

Change::~Change() {
    // Where SQLite rolled back by itself (a full disk) there is nothing left to end.
    if (m_open && !sqlite3_get_autocommit(m_database.raw()))
        sqlite3_exec(m_database.raw(), "ROLLBACK", nullptr, nullptr, nullptr);
}

std::int64_t Change::seq() {
    if (m_seq == 0) {
        m_seq = fact("seq") + 1;
        set_fact("seq", m_seq);
    }
    return m_seq;
}

Id Change::next_message() {
    if (m_last_message == 0) {
        auto last = m_database.prepare("SELECT seq FROM sqlite_sequence WHERE name = 'message'");
        m_last_message = last.step() ? last.integer(0) : 0;
    }
    return ++m_last_message;
}

void Change::count(Id folder, std::int64_t arrived, int shown, int unread) {
    auto& tally = m_tallies[folder];
    tally.shown += shown;
    tally.unread += unread;
    tally.slots[arrived >> SLOT_SHIFT] += shown;
}

void Change::count_unread(Id folder, int unread) {
    m_tallies[folder].unread += unread;
}

void Change::left(Id message, Id folder) {
    auto insert = m_database.prepare("INSERT INTO gone(seq, message, folder) VALUES(?, ?, ?)");
    insert.bind(seq(), message, folder).run();
    touch(folder);
}

std::int64_t Change::fact(std::string_view name, std::int64_t otherwise) {
    auto statement = m_database.prepare("SELECT value FROM fact WHERE name = ?");
    return statement.bind(name).step() ? statement.integer(0) : otherwise;
}

void Change::set_fact(std::string_view name, std::int64_t value) {
    m_database.prepare("INSERT OR REPLACE INTO fact(name, value) VALUES(?, ?)").bind(name, value).run();
}

void Change::write_tallies() {
    for (const auto& [folder, tally] : m_tallies) {
        auto counts = m_database.prepare("UPDATE folder SET total = total + ?, unread = unread + ?, seq = ? "
                                         "WHERE id = ?");
        counts.bind(tally.shown, tally.unread, seq(), folder).run();
        for (auto [bucket, shown] : tally.slots) {
            if (shown == 0)
                continue;
            auto slot = m_database.prepare("INSERT INTO slot(folder, bucket, shown) VALUES(?, ?, ?) "
                                           "ON CONFLICT DO UPDATE SET shown = shown + excluded.shown");
            slot.bind(folder, bucket, shown).run();
        }
        m_committed.insert(folder);
    }
    m_tallies.clear();
}

void Change::commit() {
    write_tallies();
    m_database.prepare("COMMIT").run();
    m_open = false;
    for (const auto& committed : m_after)
        committed();
}

} // namespace himalaya::store

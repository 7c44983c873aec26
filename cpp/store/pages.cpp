#include "store/pages.hpp"

#include "mail/letter_case.hpp"
#include "store/change.hpp"
#include "store/packing.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <unordered_set>

namespace himalaya::store {

namespace {

// A literal, as statements are kept under the text that made them.
#define MESSAGE_COLUMNS                                                                                      \
    "id, folder, remote, arrived, flags, hidden, pending, thread, size, sent, subject, from_name, "          \
    "from_addr, "                                                                                            \
    "keywords, recipients, message_id, body, seq"

Message read(const Statement& row) {
    Message message;
    message.id = row.integer(0);
    message.folder = row.integer(1);
    message.uid = row.maybe_integer(2);
    message.arrived = row.integer(3);
    message.flags = static_cast<std::uint32_t>(row.integer(4));
    message.hidden = row.integer(5) != 0;
    message.pending = row.integer(6) != 0;
    message.thread = row.integer(7);
    message.size = row.integer(8);
    message.sent = row.maybe_integer(9);
    message.subject = row.string(10);
    message.from = {row.string(11), row.string(12)};
    message.keywords = unpack_keywords(row.text(13));
    message.to = unpack_addresses(row.text(14));
    message.message_id = row.string(15);
    message.body = row.maybe_integer(16);
    message.seq = row.integer(17);
    return message;
}

// A condition and its values, built together so that no text of a user's ever becomes SQL.
struct Condition {
    std::string sql = "folder = ? AND hidden = 0";
    std::vector<std::int64_t> integers; // bound first
    std::vector<std::string> texts;     // bound after all integers
};

std::string like(const std::string& text) {
    std::string pattern = "%";
    for (char c : text) {
        if (c == '%' || c == '_' || c == '\\')
            pattern += '\\';
        pattern += c;
    }
    return pattern + "%";
}

void match(Condition& condition, std::string_view columns, const std::vector<std::string>& texts) {
    for (const auto& text : texts) {
        // LIKE knows the cases of ASCII only.
        std::string_view before = " AND (";
        for (const auto& variant : mail::case_variants(text)) {
            condition.sql += fmt::format("{}{} LIKE ? ESCAPE '\\'", before, columns);
            condition.texts.push_back(like(variant));
            before = " OR ";
        }
        condition.sql += ')';
    }
}

Condition condition_of(Id folder, const Filter& filter) {
    Condition condition;
    condition.integers.push_back(folder);
    auto number = [&](std::string_view sql, std::int64_t value) {
        condition.sql += sql;
        condition.integers.push_back(value);
    };
    if (filter.with)
        number(" AND flags & ?2 = ?2", filter.with);
    else
        number(" AND flags & ?2 = 0", 0);
    number(" AND flags & ?3 = 0", filter.without);
    // By the date that is shown.
    number(" AND coalesce(sent, arrived) < ?4", filter.before.value_or(INT64_MAX));
    number(" AND coalesce(sent, arrived) >= ?5", filter.after.value_or(INT64_MIN));
    match(condition, "(subject || ' ' || from_name || ' ' || from_addr || ' ' || recipients)", filter.words);
    match(condition, "(from_name || ' ' || from_addr)", filter.from);
    match(condition, "recipients", filter.to);
    match(condition, "subject", filter.subject);
    return condition;
}

int bind(Statement& statement, const Condition& condition) {
    int at = 0;
    for (auto value : condition.integers)
        statement.bind_at(++at, value);
    for (const auto& text : condition.texts)
        statement.bind_at(++at, text);
    return at;
}

Cursor cursor_at(const Message& message) {
    return {message.arrived, message.id};
}

// The page's own edges, and whether something lies beyond them.
void set_edges(Page& page, bool more_below, bool more_above) {
    if (page.items.empty())
        return;
    if (more_below)
        page.next = cursor_at(page.items.back());
    if (more_above)
        page.previous = cursor_at(page.items.front());
}

// The unfiltered list, by the covering index (folder, arrived, id).
void read_below(Database& database, Id folder, Cursor from, std::int64_t skip, std::int64_t most,
                Page& page) {
    auto row = database.prepare(
        "SELECT " MESSAGE_COLUMNS " FROM message WHERE id IN (SELECT id FROM "
        "message "
        "WHERE folder = ?1 AND hidden = 0 AND (arrived, id) < (?2, ?3) ORDER BY arrived DESC, id DESC "
        "LIMIT ?4 OFFSET ?5) ORDER BY arrived DESC, id DESC");
    row.bind(folder, from.arrived, from.id, most, skip);
    while (row.step())
        page.items.push_back(read(row));
}

Page below(Database& database, Id folder, Cursor from, std::int64_t skip, std::int64_t size,
           bool more_above) {
    Page page;
    read_below(database, folder, from, skip, size + 1, page);
    bool more = static_cast<std::int64_t>(page.items.size()) > size;
    if (more)
        page.items.pop_back();
    set_edges(page, more, more_above);
    return page;
}

Page above(Database& database, Id folder, Cursor from, std::int64_t size) {
    Page page;
    auto row = database.prepare("SELECT " MESSAGE_COLUMNS " FROM message WHERE folder = ? AND hidden = 0 "
                                "AND (arrived, id) > (?, ?) ORDER BY arrived, id LIMIT ?");
    row.bind(folder, from.arrived, from.id, size + 1);
    while (row.step())
        page.items.push_back(read(row));
    bool more = static_cast<std::int64_t>(page.items.size()) > size;
    if (more)
        page.items.pop_back();
    std::reverse(page.items.begin(), page.items.end());
    set_edges(page, true, more);
    return page;
}

struct Start {
    Cursor from{INT64_MAX, INT64_MAX};
    std::int64_t skip = 0;
};

// Where the row with this rank stands: whole slots are skipped by their counts.
Start start_of(Database& database, Id folder, std::int64_t rank) {
    Start start;
    start.skip = rank;
    auto slot = database.prepare("SELECT bucket, shown FROM slot WHERE folder = ? ORDER BY bucket DESC");
    slot.bind(folder);
    while (start.skip > 0 && slot.step()) {
        auto shown = slot.integer(1);
        if (shown > start.skip)
            break;
        start.skip -= shown;
        start.from = {slot.integer(0) << SLOT_SHIFT,
                      0}; // ids start at 1, so this stands below all of the slot
    }
    return start;
}

Page filtered(Database& database, Id folder, const Wanted& wanted) {
    auto condition = condition_of(folder, wanted.filter);
    bool upward = wanted.before.has_value();
    Cursor from{INT64_MAX, INT64_MAX};
    std::int64_t skip = 0;
    if (upward)
        from = *wanted.before;
    else if (wanted.after)
        from = *wanted.after;
    else
        skip = (wanted.page - 1) * wanted.page_size;
    auto sql = fmt::format("SELECT {} FROM message WHERE {} AND (arrived, id) {} (?, ?) "
                           "ORDER BY arrived {}, id {} LIMIT ? OFFSET ?",
                           MESSAGE_COLUMNS, condition.sql, upward ? ">" : "<", upward ? "ASC" : "DESC",
                           upward ? "ASC" : "DESC");
    auto row = database.prepare_once(sql);
    int at = bind(row, condition);
    row.bind_at(++at, from.arrived);
    row.bind_at(++at, from.id);
    row.bind_at(++at, wanted.page_size + 1);
    row.bind_at(++at, skip);
    Page page;
    while (row.step())
        page.items.push_back(read(row));
    bool more = static_cast<std::int64_t>(page.items.size()) > wanted.page_size;
    if (more)
        page.items.pop_back();
    if (upward) {
        std::reverse(page.items.begin(), page.items.end());
        set_edges(page, true, more);
    } else {
        set_edges(page, more, wanted.after || skip > 0);
    }
    return page;
}

constexpr std::size_t NONE = SIZE_MAX;

// Opens the circles that forged References make, each at its oldest message, so that none hides a thread.
void open_circles(std::vector<std::size_t>& parents) {
    std::vector<std::size_t> walk_of(parents.size(), NONE); // in which walk it was met
    for (std::size_t walk = 0; walk < parents.size(); ++walk) {
        auto at = walk;
        while (at != NONE && walk_of[at] == NONE) {
            walk_of[at] = walk;
            at = parents[at];
        }
        if (at == NONE || walk_of[at] != walk)
            continue;
        auto oldest = at;
        for (auto next = parents[at]; next != at; next = parents[next])
            oldest = std::min(oldest, next);
        parents[oldest] = NONE;
    }
}

// Parents stand before their answers, whichever came first, answers in the order they came, each one deeper than its
// parent.
void order_thread(std::vector<Message>& messages,
                  const std::map<Id, std::pair<std::int64_t, std::int64_t>>& hashes) {
    std::map<std::int64_t, std::size_t> by_hash;
    for (std::size_t i = 0; i < messages.size(); ++i)
        if (auto own = hashes.at(messages[i].id).first)
            by_hash.emplace(own, i);
    std::vector<std::size_t> parents(messages.size(), NONE);
    for (std::size_t i = 0; i < messages.size(); ++i)
        if (auto parent = by_hash.find(hashes.at(messages[i].id).second); parent != by_hash.end())
            parents[i] = parent->second;
    open_circles(parents);
    std::vector<std::vector<std::size_t>> answers(messages.size());
    std::vector<std::size_t> roots;
    for (std::size_t i = 0; i < messages.size(); ++i)
        (parents[i] == NONE ? roots : answers[parents[i]]).push_back(i);
    std::vector<Message> ordered;
    std::vector<std::pair<std::size_t, int>> stack;
    auto push = [&](const std::vector<std::size_t>& some, int depth) {
        for (auto it = some.rbegin(); it != some.rend(); ++it)
            stack.emplace_back(*it, depth);
    };
    for (auto root : roots) {
        bool first = ordered.empty();
        push({root}, first ? 0 : 1); // further roots answer a message that is not here
        while (!stack.empty()) {
            auto [at, depth] = stack.back();
            stack.pop_back();
            messages[at].depth = depth;
            ordered.push_back(std::move(messages[at]));
            push(answers[at], depth + 1);
        }
    }
    messages = std::move(ordered);
}

std::vector<Message> thread_in(Database& database, Id folder, Id thread) {
    std::vector<Message> messages;
    std::map<Id, std::pair<std::int64_t, std::int64_t>> hashes;
    auto row = database.prepare("SELECT " MESSAGE_COLUMNS ", message_hash, parent_hash FROM message "
                                "WHERE thread = ? AND +folder = ? AND hidden = 0 ORDER BY arrived, id");
    row.bind(thread, folder);
    while (row.step()) {
        messages.push_back(read(row));
        hashes[messages.back().id] = {row.integer(18), row.integer(19)};
    }
    order_thread(messages, hashes);
    return messages;
}

struct Found {
    std::vector<std::pair<Id, Cursor>> threads; // each with where its newest message stands
    bool more = false;

    bool add(Id thread, Cursor newest, std::int64_t most) {
        more = static_cast<std::int64_t>(threads.size()) == most;
        if (!more)
            threads.emplace_back(thread, newest);
        return !more;
    }
};

// The plus keeps SQLite from walking the whole folder by the list's index: a thread is a few rows of its own.
bool goes_on_above(Database& database, Id folder, Id thread, Cursor from) {
    auto row = database.prepare("SELECT 1 FROM message WHERE thread = ? AND +folder = ? AND hidden = 0 "
                                "AND (arrived, id) > (?, ?) LIMIT 1");
    return row.bind(thread, folder, from.arrived, from.id).step();
}

// Down the list's index, which names the thread of every row: the first row of a thread is its newest. Page 600 of
// 50,000 messages is 30,000 steps of 0.1 us each.
Found threads_below(Database& database, Id folder, const Wanted& wanted) {
    Found found;
    std::unordered_set<Id> seen;
    auto skip = wanted.after ? 0 : (std::max<std::int64_t>(wanted.page, 1) - 1) * wanted.page_size;
    seen.reserve(static_cast<std::size_t>(std::min<std::int64_t>(skip, 100'000) + wanted.page_size));
    auto from = wanted.after.value_or(Cursor{INT64_MAX, INT64_MAX});
    auto row = database.prepare("SELECT thread, arrived, id FROM message WHERE folder = ? AND hidden = 0 "
                                "AND (arrived, id) < (?, ?) ORDER BY arrived DESC, id DESC");
    row.bind(folder, from.arrived, from.id);
    while (row.step()) {
        auto thread = row.integer(0);
        // The row of the cursor is its thread's newest: that thread stands on the page above, too.
        if (!seen.insert(thread).second ||
            (wanted.after && goes_on_above(database, folder, thread, {from.arrived, from.id - 1})))
            continue;
        if (skip > 0)
            --skip;
        else if (!found.add(thread, {row.integer(1), row.integer(2)}, wanted.page_size))
            break;
    }
    return found;
}

// Up from a thread: rows above it that are the newest of theirs.
Found threads_above(Database& database, Id folder, const Wanted& wanted) {
    Found found;
    auto row = database.prepare("SELECT thread, arrived, id FROM message WHERE folder = ? AND hidden = 0 "
                                "AND (arrived, id) > (?, ?) ORDER BY arrived, id");
    row.bind(folder, wanted.before->arrived, wanted.before->id);
    while (row.step()) {
        Cursor at{row.integer(1), row.integer(2)};
        if (!goes_on_above(database, folder, row.integer(0), at) &&
            !found.add(row.integer(0), at, wanted.page_size))
            break;
    }
    std::reverse(found.threads.begin(), found.threads.end());
    return found;
}

// What matches a query has to be looked at whole anyway.
Found threads_filtered(Database& database, Id folder, const Wanted& wanted) {
    Found found;
    auto condition = condition_of(folder, wanted.filter);
    bool upward = wanted.before.has_value();
    std::string edge;
    if (wanted.before || wanted.after)
        edge = fmt::format(" HAVING (max(arrived), max(id)) {} (?, ?)", upward ? ">" : "<");
    auto direction = upward ? "ASC" : "DESC";
    auto sql = fmt::format("SELECT thread, max(arrived), max(id) FROM message WHERE {} GROUP BY thread{} "
                           "ORDER BY 2 {}, 3 {} LIMIT ? OFFSET ?",
                           condition.sql, edge, direction, direction);
    auto row = database.prepare_once(sql);
    int at = bind(row, condition);
    if (auto from = upward ? wanted.before : wanted.after) {
        row.bind_at(++at, from->arrived);
        row.bind_at(++at, from->id);
    }
    row.bind_at(++at, wanted.page_size + 1);
    row.bind_at(++at, edge.empty() ? (wanted.page - 1) * wanted.page_size : 0);
    while (row.step())
        if (!found.add(row.integer(0), {row.integer(1), row.integer(2)}, wanted.page_size))
            break;
    if (upward)
        std::reverse(found.threads.begin(), found.threads.end());
    return found;
}

// A thread stands where its newest message stands. `page_size` counts threads.
Page threads(Database& database, Id folder, const Wanted& wanted) {
    bool upward = wanted.before.has_value();
    auto found = !wanted.filter.empty() ? threads_filtered(database, folder, wanted)
                 : upward               ? threads_above(database, folder, wanted)
                                        : threads_below(database, folder, wanted);
    Page page;
    for (const auto& [thread, cursor] : found.threads)
        for (auto& message : thread_in(database, folder, thread))
            page.items.push_back(std::move(message));
    if (!found.threads.empty()) {
        if (upward || found.more)
            page.next = found.threads.back().second;
        if (upward ? found.more : (wanted.after || wanted.page > 1))
            page.previous = found.threads.front().second;
    }
    return page;
}

} // namespace

std::string to_text(Cursor cursor) {
    return fmt::format("{}.{}", cursor.arrived, cursor.id);
}

std::optional<Cursor> cursor_of(std::string_view text) {
    Cursor cursor;
    const char* end = text.data() + text.size();
    auto first = std::from_chars(text.data(), end, cursor.arrived);
    if (first.ec != std::errc() || first.ptr == end || *first.ptr != '.')
        return std::nullopt;
    auto second = std::from_chars(first.ptr + 1, end, cursor.id);
    if (second.ec != std::errc() || second.ptr != end)
        return std::nullopt;
    return cursor;
}

bool Filter::empty() const {
    return words.empty() && from.empty() && to.empty() && subject.empty() && !before && !after && !with &&
           !without;
}

Page list_page(Database& database, Id folder, const Wanted& wanted) {
    if (wanted.thread)
        return threads(database, folder, wanted);
    if (!wanted.filter.empty())
        return filtered(database, folder, wanted);
    if (wanted.before)
        return above(database, folder, *wanted.before, wanted.page_size);
    if (wanted.after)
        return below(database, folder, *wanted.after, 0, wanted.page_size, true);
    auto rank = (std::max<std::int64_t>(wanted.page, 1) - 1) * wanted.page_size;
    auto start = start_of(database, folder, rank);
    return below(database, folder, start.from, start.skip, wanted.page_size, rank > 0);
}

std::optional<Message> message_of(Database& database, Id message) {
    auto row = database.prepare("SELECT " MESSAGE_COLUMNS " FROM message WHERE id = ?");
    if (!row.bind(message).step())
        return std::nullopt;
    return read(row);
}

} // namespace himalaya::store

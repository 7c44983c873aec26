#include "store/threading.hpp"

#include "store/packing.hpp"

#include <algorithm>
#include <array>

namespace himalaya::store {

namespace {

// A reference list longer than this says nothing more about where a message belongs; mailing lists reach some
// hundreds, hostile ones more.
constexpr std::size_t MOST_REFERENCES = 50;

// Shorter subjects ("hi", "test") connect strangers.
constexpr std::size_t SHORTEST_TELLING_SUBJECT = 5;

constexpr std::array<std::string_view, 8> PREFIXES = {"re", "fwd", "fw", "aw", "wg", "sv", "antw", "tr"};

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

// The length of a "Re:", "Fwd [2]:" or "RE(3):" at the start, or 0.
std::size_t prefix_length(std::string_view text) {
    for (auto prefix : PREFIXES) {
        if (text.size() <= prefix.size())
            continue;
        if (!std::equal(prefix.begin(), prefix.end(), text.begin(),
                        [](char a, char b) { return a == lower(b); }))
            continue;
        auto at = prefix.size();
        if (text[at] == '[' || text[at] == '(') {
            auto end = text.find_first_of("])", at);
            if (end == std::string_view::npos || end - at > 4)
                continue;
            at = end + 1;
        }
        if (at < text.size() && text[at] == ':')
            return at + 1;
    }
    return 0;
}

std::optional<Id> thread_of(Database& database, std::int64_t hash) {
    auto statement = database.prepare("SELECT thread FROM mention WHERE hash = ?");
    if (!statement.bind(hash).step())
        return std::nullopt;
    return statement.integer(0);
}

void join(Change& change, Id from, Id into) {
    auto& database = change.database();
    auto folders = database.prepare("SELECT DISTINCT folder FROM message WHERE thread = ?");
    folders.bind(from);
    while (folders.step())
        change.touch(folders.integer(0));
    database.prepare("UPDATE message SET thread = ?, seq = ? WHERE thread = ?")
        .bind(into, change.seq(), from)
        .run();
    // Mentions of the joined thread are found through its messages; the few of messages never seen follow by
    // index on demand: they point to `from`, which is kept as an alias.
    database.prepare("INSERT OR REPLACE INTO mention(hash, thread) VALUES(?, ?)").bind(-from, into).run();
}

// A thread that was joined into another answers under its new name.
Id real_name(Database& database, Id thread) {
    for (int steps = 0; steps < 64; ++steps) {
        auto next = thread_of(database, -thread);
        if (!next)
            return thread;
        thread = *next;
    }
    return thread;
}

} // namespace

BaseSubject base_subject(std::string_view subject) {
    BaseSubject base;
    for (;;) {
        while (!subject.empty() && subject.front() == ' ')
            subject.remove_prefix(1);
        if (auto length = prefix_length(subject)) {
            subject.remove_prefix(length);
            base.reply = true;
            continue;
        }
        // A list's tag, "[list] ", but not a subject that is nothing else.
        if (!subject.empty() && subject.front() == '[') {
            auto end = subject.find("] ");
            if (end != std::string_view::npos && end < 40) {
                subject.remove_prefix(end + 2);
                continue;
            }
        }
        break;
    }
    while (!subject.empty() && subject.back() == ' ')
        subject.remove_suffix(1);
    for (char c : subject)
        base.text += lower(c);
    return base;
}

Threaded find_thread(Change& change, const Arrival& arrival) {
    auto& database = change.database();
    Threaded found;
    found.message_hash = hash_of(arrival.message_id);
    if (found.message_hash)
        found.mentions.push_back(found.message_hash);
    auto first =
        arrival.references.size() > MOST_REFERENCES ? arrival.references.size() - MOST_REFERENCES : 0;
    for (auto i = first; i < arrival.references.size(); ++i)
        if (auto hash = hash_of(arrival.references[i]))
            found.mentions.push_back(hash);
    if (auto hash = hash_of(arrival.in_reply_to)) {
        found.mentions.push_back(hash);
        found.parent_hash = hash;
    }
    if (!arrival.references.empty())
        found.parent_hash = hash_of(arrival.references.back());

    // The subject connects only where a reply names nothing it replies to.
    bool names_parent = found.parent_hash != 0;
    auto base = base_subject(arrival.subject);
    std::vector<std::int64_t> looked_up = found.mentions;
    if (!names_parent && base.text.size() >= SHORTEST_TELLING_SUBJECT) {
        auto plain = hash_of("subject " + base.text);
        auto reply = hash_of("reply " + base.text);
        looked_up.push_back(base.reply ? plain : reply);
        if (base.reply)
            looked_up.push_back(reply);
        found.mentions.push_back(base.reply ? reply : plain);
    }

    for (auto hash : looked_up) {
        auto thread = thread_of(database, hash);
        if (!thread)
            continue;
        auto name = real_name(database, *thread);
        if (found.thread == 0)
            found.thread = name;
        else if (found.thread != name) {
            join(change, std::max(found.thread, name), std::min(found.thread, name));
            found.thread = std::min(found.thread, name);
        }
    }
    return found;
}

void keep_mentions(Change& change, const Threaded& threaded, Id thread) {
    for (auto hash : threaded.mentions) {
        auto keep = change.database().prepare("INSERT INTO mention(hash, thread) VALUES(?, ?) "
                                              "ON CONFLICT(hash) DO UPDATE SET thread = excluded.thread");
        keep.bind(hash, thread).run();
    }
}

} // namespace himalaya::store

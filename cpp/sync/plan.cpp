#include "sync/plan.hpp"

#include <algorithm>

namespace himalaya::sync {

Look look_at(const Local& local, const RemoteState& server, bool thorough) {
    if (!local.uidvalidity)
        return Look::open;
    if (*local.uidvalidity != server.uidvalidity)
        return Look::anew;
    if (local.unnamed)
        return Look::open;
    // Without a UIDNEXT there is no telling whether anything came.
    if (!server.uidnext || !local.uidnext || *local.uidnext != *server.uidnext)
        return Look::open;
    if (*server.uidnext > 1 &&
        !local.known.contains(UidSet{imap::Range{1, static_cast<std::uint32_t>(*server.uidnext - 1)}}))
        return Look::open; // a first sync that did not come to its end
    if (server.total && *server.total != local.rows)
        return Look::open;
    if (server.modseq && *server.modseq > 0)
        return *server.modseq == local.modseq ? Look::none : Look::open;
    if (server.unread != local.server_unread)
        return Look::open;
    return thorough ? Look::open : Look::none;
}

std::vector<UidSet> windows_of(const UidSet& known, std::int64_t uidnext, std::int64_t page,
                               std::int64_t window) {
    std::vector<UidSet> windows;
    if (uidnext <= 1)
        return windows;
    UidSet missing = UidSet{imap::Range{1, static_cast<std::uint32_t>(uidnext - 1)}}.without(known);
    auto size = page;
    while (!missing.empty()) {
        auto next = missing.newest(static_cast<std::uint64_t>(size));
        missing = missing.without(next);
        windows.push_back(std::move(next));
        size = window;
    }
    return windows;
}

bool matches(std::string_view pattern, std::string_view path) {
    // Where a mismatch goes back to: the last wildcard, and behind a `%` that may not go on the last star. Never
    // exponential, as no older one is tried again.
    constexpr auto NONE = std::string_view::npos;
    struct Wildcard {
        std::size_t at = NONE, from = 0;
    } star, level;
    std::size_t at = 0, i = 0;
    while (i < path.size()) {
        char wanted = at < pattern.size() ? pattern[at] : '\0';
        if (at < pattern.size() && wanted == '*') {
            star = {at++, i};
            level = {};
        } else if (at < pattern.size() && wanted == '%') {
            level = {at++, i};
        } else if (at < pattern.size() && (wanted == '?' || wanted == path[i])) {
            ++at;
            ++i;
        } else if (level.at != NONE && path[level.from] != '/') {
            at = level.at + 1;
            i = ++level.from;
        } else if (star.at != NONE) {
            level = {};
            at = star.at + 1;
            i = ++star.from;
        } else {
            return false;
        }
    }
    while (at < pattern.size() && (pattern[at] == '*' || pattern[at] == '%'))
        ++at;
    return at == pattern.size();
}

bool Selection::wants(std::string_view path) const {
    auto any = [&](const std::vector<std::string>& patterns) {
        return std::any_of(patterns.begin(), patterns.end(),
                           [&](const std::string& pattern) { return matches(pattern, path); });
    };
    if (any(exclude))
        return false;
    return include.empty() || any(include);
}

} // namespace himalaya::sync

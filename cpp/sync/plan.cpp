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
    // The last star is where a mismatch goes back to: linear for one star, never exponential.
    std::size_t at = 0, star = std::string_view::npos, from = 0, i = 0;
    while (i < path.size()) {
        if (at < pattern.size() && (pattern[at] == '?' || pattern[at] == path[i]) && pattern[at] != '*') {
            ++at;
            ++i;
        } else if (at < pattern.size() && pattern[at] == '*') {
            star = at++;
            from = i;
        } else if (star != std::string_view::npos) {
            at = star + 1;
            i = ++from;
        } else {
            return false;
        }
    }
    while (at < pattern.size() && pattern[at] == '*')
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

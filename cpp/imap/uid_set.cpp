#include "imap/uid_set.hpp"

#include <algorithm>
#include <charconv>

#include "imap/text.hpp"

namespace himalaya::imap {

namespace {

Range ascending(Range range) {
    return range.first <= range.last ? range : Range{range.last, range.first};
}

uint64_t size_of(Range range) {
    return uint64_t(range.last) - range.first + 1;
}

// A range at least touches the next, so that the two are one.
bool joins(Range range, Range next) {
    return range.last == UINT32_MAX || next.first <= range.last + 1;
}

void append(std::string& out, uint32_t number) {
    if (number == last_of_all) {
        out += '*';
        return;
    }
    char digits[10];
    const auto end = std::to_chars(digits, digits + sizeof digits, number);
    out.append(digits, size_t(end.ptr - digits));
}

void append(std::string& out, Range range) {
    append(out, range.first);
    if (range.last != range.first) {
        out += ':';
        append(out, range.last);
    }
}

std::optional<uint32_t> bound(std::string_view& text) {
    if (text.starts_with('*')) {
        text.remove_prefix(1);
        return last_of_all;
    }
    uint32_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || number == 0 || number == last_of_all)
        return std::nullopt;
    text.remove_prefix(size_t(end - text.data()));
    return number;
}

} // namespace

UidSet::UidSet(Ranges ranges) {
    m_ranges.reserve(ranges.size());
    for (const Range& range : ranges)
        m_ranges.push_back(ascending(range));
    normalise();
}

UidSet UidSet::of(Seq<uint32_t> uids) {
    UidSet result;
    for (const uint32_t uid : uids) {
        if (!result.m_ranges.empty() && uid == result.m_ranges.back().last + 1 && uid != 0)
            result.m_ranges.back().last = uid; // the usual, ascending input stays as short as its ranges
        else
            result.m_ranges.push_back({uid, uid});
    }
    result.normalise();
    return result;
}

// Sorts and joins. 0 is no UID and falls out.
void UidSet::normalise() {
    const auto by_first = [](Range a, Range b) { return a.first < b.first; };
    if (!std::is_sorted(m_ranges.begin(), m_ranges.end(), by_first))
        std::sort(m_ranges.begin(), m_ranges.end(), by_first);
    size_t kept = 0;
    for (Range range : m_ranges) {
        if (range.last == 0)
            continue;
        range.first = std::max(range.first, 1u);
        if (kept > 0 && joins(m_ranges[kept - 1], range))
            m_ranges[kept - 1].last = std::max(m_ranges[kept - 1].last, range.last);
        else
            m_ranges[kept++] = range;
    }
    m_ranges.resize(kept);
}

std::optional<UidSet> UidSet::parse(std::string_view text) {
    UidSet result;
    for (;;) {
        const auto first = bound(text);
        if (!first)
            return std::nullopt;
        Range range{*first, *first};
        if (text.starts_with(':')) {
            text.remove_prefix(1);
            const auto last = bound(text);
            if (!last)
                return std::nullopt;
            range.last = *last;
        }
        result.m_ranges.push_back(ascending(range));
        if (text.empty())
            break;
        if (text[0] != ',')
            return std::nullopt;
        text.remove_prefix(1);
    }
    result.normalise();
    return result;
}

uint64_t UidSet::count() const {
    uint64_t count = 0;
    for (const Range range : m_ranges)
        count += size_of(range);
    return count;
}

bool UidSet::contains(uint32_t uid) const {
    const auto after = std::upper_bound(m_ranges.begin(), m_ranges.end(), uid,
                                        [](uint32_t wanted, Range range) { return wanted < range.first; });
    return after != m_ranges.begin() && std::prev(after)->last >= uid;
}

bool UidSet::contains(const UidSet& other) const {
    auto mine = m_ranges.begin();
    for (const Range range : other.m_ranges) {
        while (mine != m_ranges.end() && mine->last < range.first)
            ++mine;
        if (mine == m_ranges.end() || mine->first > range.first || mine->last < range.last)
            return false;
    }
    return true;
}

void UidSet::add(Range range) {
    range = ascending(range);
    if (range.last == 0)
        return;
    range.first = std::max(range.first, 1u);
    // The first one that could join, then all that do.
    auto begin = std::lower_bound(m_ranges.begin(), m_ranges.end(), range,
                                  [](Range mine, Range added) { return !joins(mine, added); });
    auto end = begin;
    while (end != m_ranges.end() && joins(range, *end)) {
        range.first = std::min(range.first, end->first);
        range.last = std::max(range.last, end->last);
        ++end;
    }
    if (begin == end) {
        m_ranges.insert(begin, range);
    } else {
        *begin = range;
        m_ranges.erase(begin + 1, end);
    }
}

void UidSet::remove(Range range) {
    range = ascending(range);
    auto begin = std::lower_bound(m_ranges.begin(), m_ranges.end(), range.first,
                                  [](Range mine, uint32_t first) { return mine.last < first; });
    if (begin == m_ranges.end() || begin->first > range.last)
        return;
    std::vector<Range> rest;
    auto end = begin;
    for (; end != m_ranges.end() && end->first <= range.last; ++end) {
        if (end->first < range.first)
            rest.push_back({end->first, range.first - 1});
        if (end->last > range.last)
            rest.push_back({range.last + 1, end->last});
    }
    const auto place = m_ranges.erase(begin, end);
    m_ranges.insert(place, rest.begin(), rest.end());
}

UidSet UidSet::united(const UidSet& other) const {
    UidSet result;
    result.m_ranges.resize(m_ranges.size() + other.m_ranges.size());
    std::merge(m_ranges.begin(), m_ranges.end(), other.m_ranges.begin(), other.m_ranges.end(),
               result.m_ranges.begin(), [](Range a, Range b) { return a.first < b.first; });
    result.normalise();
    return result;
}

UidSet UidSet::without(const UidSet& other) const {
    UidSet result;
    auto cut = other.m_ranges.begin();
    for (Range range : m_ranges) {
        while (cut != other.m_ranges.end() && cut->last < range.first)
            ++cut;
        bool left = true;
        for (auto at = cut; at != other.m_ranges.end() && at->first <= range.last; ++at) {
            if (at->first > range.first)
                result.m_ranges.push_back({range.first, at->first - 1});
            if (at->last >= range.last) {
                left = false;
                break;
            }
            range.first = at->last + 1;
            cut = at;
        }
        if (left)
            result.m_ranges.push_back(range);
    }
    return result;
}

UidSet UidSet::shared(const UidSet& other) const {
    UidSet result;
    auto a = m_ranges.begin();
    auto b = other.m_ranges.begin();
    while (a != m_ranges.end() && b != other.m_ranges.end()) {
        const Range both{std::max(a->first, b->first), std::min(a->last, b->last)};
        if (both.first <= both.last)
            result.m_ranges.push_back(both);
        if (a->last < b->last)
            ++a;
        else
            ++b;
    }
    return result;
}

UidSet UidSet::newest(uint64_t n) const {
    UidSet result;
    for (auto at = m_ranges.rbegin(); at != m_ranges.rend() && n > 0; ++at) {
        const uint64_t taken = std::min(n, size_of(*at));
        result.m_ranges.push_back({uint32_t(at->last - taken + 1), at->last});
        n -= taken;
    }
    std::reverse(result.m_ranges.begin(), result.m_ranges.end());
    return result;
}

UidSet UidSet::oldest(uint64_t n) const {
    UidSet result;
    for (auto at = m_ranges.begin(); at != m_ranges.end() && n > 0; ++at) {
        const uint64_t taken = std::min(n, size_of(*at));
        result.m_ranges.push_back({at->first, uint32_t(at->first + taken - 1)});
        n -= taken;
    }
    return result;
}

std::vector<uint32_t> UidSet::numbers() const {
    std::vector<uint32_t> result;
    result.reserve(size_t(count()));
    for (const Range range : m_ranges)
        for (uint64_t uid = range.first; uid <= range.last; uid++)
            result.push_back(uint32_t(uid));
    return result;
}

std::string UidSet::text() const {
    std::string result;
    for (const Range range : m_ranges) {
        if (!result.empty())
            result += ',';
        append(result, range);
    }
    return result;
}

std::vector<std::string> UidSet::texts(size_t bytes) const {
    std::vector<std::string> result;
    for (const Range range : m_ranges) {
        std::string one;
        append(one, range);
        if (result.empty() || result.back().size() + 1 + one.size() > bytes)
            result.push_back(std::move(one));
        else
            result.back().append(",").append(one);
    }
    return result;
}

std::optional<std::vector<UidPair>> pairs(Ranges source, Ranges target, size_t limit) {
    const auto total = [](Ranges ranges) {
        uint64_t count = 0;
        for (const Range range : ranges)
            count += size_of(ascending(range));
        return count;
    };
    const uint64_t count = total(source);
    if (count != total(target) || count > limit)
        return std::nullopt;
    const auto each = [](Ranges ranges, auto&& take) {
        for (const Range range : ranges) {
            const uint64_t size = size_of(ascending(range));
            for (uint64_t i = 0; i < size; i++)
                take(uint32_t(range.first <= range.last ? range.first + i : range.first - i));
        }
    };
    std::vector<UidPair> result;
    result.reserve(size_t(count));
    each(source, [&](uint32_t uid) { result.push_back({uid, 0}); });
    size_t at = 0;
    each(target, [&](uint32_t uid) { result[at++].target = uid; });
    return result;
}

} // namespace himalaya::imap

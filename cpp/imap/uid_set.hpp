// A set of UIDs as ranges: what of a folder is known, what to fetch, what vanished. Always ascending, without
// overlap or neighbours that touch, so that a mailbox of a million messages is a handful of numbers, and so
// that no server gets a descending set (some reject it).
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "imap/types.hpp"

namespace himalaya::imap {

class UidSet {
  public:
    UidSet() = default;
    UidSet(std::initializer_list<Range> ranges) : UidSet(Ranges(ranges.begin(), ranges.size())) {}
    explicit UidSet(Ranges ranges); // in any order, overlapping, descending
    static UidSet of(Seq<uint32_t> uids);

    // "1:5,9,12:*", also "5:1"; nullopt when it is not a set. 0 is no UID.
    static std::optional<UidSet> parse(std::string_view text);

    Ranges ranges() const { return m_ranges; }
    bool empty() const { return m_ranges.empty(); }
    uint64_t count() const; // `*` counts as UINT32_MAX
    bool contains(uint32_t uid) const;
    bool contains(const UidSet& other) const;
    uint32_t min() const { return m_ranges.empty() ? 0 : m_ranges.front().first; }
    uint32_t max() const { return m_ranges.empty() ? 0 : m_ranges.back().last; }

    void add(uint32_t uid) { add(Range{uid, uid}); }
    void add(Range range);
    void remove(uint32_t uid) { remove(Range{uid, uid}); }
    void remove(Range range);

    UidSet united(const UidSet& other) const;
    UidSet without(const UidSet& other) const;
    UidSet shared(const UidSet& other) const; // what is in both

    // The `n` largest / smallest UIDs: windows, newest first. What `*` stands for must be known.
    UidSet newest(uint64_t n) const;
    UidSet oldest(uint64_t n) const;

    // Every UID, ascending. For sets known to be small.
    std::vector<uint32_t> numbers() const;

    std::string text() const;
    // The set as several texts, none longer than `bytes` (at least 21, one range).
    std::vector<std::string> texts(size_t bytes) const;

    bool operator==(const UidSet&) const = default;

  private:
    void normalise();
    std::vector<Range> m_ranges;
};

// Ranges of COPYUID and the like, one number after the other in the order sent: pairs(source, target).
// nullopt when they do not have the same count or have more than `limit`.
struct UidPair {
    uint32_t source = 0;
    uint32_t target = 0;
};
std::optional<std::vector<UidPair>> pairs(Ranges source, Ranges target, size_t limit = 1u << 20);

} // namespace himalaya::imap

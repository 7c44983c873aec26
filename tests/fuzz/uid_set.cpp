// Sets of UIDs against the plainest thing that does the same: a set of numbers below 256. The input is a program of
// additions and removals, then two sets; and the same bytes as text from outside.
// needs imap/uid_set.cpp
#include <bitset>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "imap/uid_set.hpp"

using namespace himalaya::imap;

namespace {

void promise(bool kept) {
    if (!kept)
        std::abort();
}

using Plain = std::bitset<256>;

void same(const UidSet& set, const Plain& plain) {
    promise(set.count() == plain.count());
    uint64_t before = 0;
    for (const Range range : set.ranges()) {
        promise(range.first <= range.last && (before == 0 || range.first > before + 1));
        before = range.last;
        for (uint32_t uid = range.first; uid <= range.last; uid++)
            promise(plain[uid]);
        promise(set.contains(range.first) && set.contains(range.last) && !set.contains(range.last + 1));
        promise(!set.contains(range.first - 1));
    }
    promise(set.empty() || UidSet::parse(set.text()) == set);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    if (const auto set = UidSet::parse(text)) {
        promise(!set->empty() && UidSet::parse(set->text()) == set);
        UidSet joined;
        for (const std::string& piece : set->texts(40)) {
            promise(piece.size() <= 40);
            const auto part = UidSet::parse(piece);
            promise(part.has_value());
            joined = joined.united(*part);
        }
        promise(joined == *set);
    }

    UidSet sets[2];
    Plain plains[2];
    for (size_t i = 0; i + 2 < size; i += 3) {
        const size_t which = data[i] & 1;
        const bool add = data[i] & 2;
        const Range range{data[i + 1], data[i + 2]};
        if (add)
            sets[which].add(range);
        else
            sets[which].remove(range);
        for (uint32_t uid = std::min(range.first, range.last); uid <= std::max(range.first, range.last);
             uid++)
            if (uid > 0)
                plains[which][uid] = add;
    }
    same(sets[0], plains[0]);
    same(sets[1], plains[1]);
    same(sets[0].united(sets[1]), plains[0] | plains[1]);
    same(sets[0].without(sets[1]), plains[0] & ~plains[1]);
    same(sets[0].shared(sets[1]), plains[0] & plains[1]);
    promise(sets[0].contains(sets[1]) == (plains[1] & ~plains[0]).none());
    const uint64_t half = sets[0].count() / 2;
    promise(sets[0].newest(half).count() == half);
    promise(sets[0].newest(half).united(sets[0].oldest(sets[0].count() - half)) == sets[0]);
    return 0;
}

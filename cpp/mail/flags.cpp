#include "mail/flags.hpp"

#include <algorithm>
#include <array>

#include "base/text.hpp"

namespace himalaya::mail {

namespace {

struct Name {
    uint32_t bit;
    std::string_view word;
    std::string_view imap;
};

constexpr std::array names = std::to_array<Name>({
    {SEEN, "seen", "\\Seen"},
    {FLAGGED, "flagged", "\\Flagged"},
    {ANSWERED, "answered", "\\Answered"},
    {DRAFT, "draft", "\\Draft"},
    {FORWARDED, "forwarded", "$Forwarded"},
    {DELETED, "deleted", "\\Deleted"},
});

} // namespace

void add_imap_flag(Flags& flags, std::string_view name) {
    for (const Name& known : names) {
        if (text::same_ignoring_case(name, known.imap)) {
            flags.bits |= known.bit;
            return;
        }
    }
    if (name.empty() || name[0] == '\\')
        return;
    const auto place = std::lower_bound(
        flags.keywords.begin(), flags.keywords.end(), name,
        [](std::string_view a, std::string_view b) { return text::compare_ignoring_case(a, b) < 0; });
    if (place == flags.keywords.end() || !text::same_ignoring_case(*place, name))
        flags.keywords.insert(place, text::to_utf8(name));
}

std::vector<std::string> imap_flags(const Flags& flags) {
    std::vector<std::string> result;
    for (const Name& known : names)
        if (flags.bits & known.bit)
            result.emplace_back(known.imap);
    result.insert(result.end(), flags.keywords.begin(), flags.keywords.end());
    return result;
}

bool is_keyword(std::string_view word) {
    if (word.empty() || word.size() > 200)
        return false;
    for (char c : word)
        if (c <= ' ' || c >= 0x7f || std::string_view("(){%*\"\\]").find(c) != std::string_view::npos)
            return false;
    return true;
}

uint32_t flag_of(std::string_view word) {
    for (const Name& known : names)
        if (text::same_ignoring_case(word, known.word) || text::same_ignoring_case(word, known.imap))
            return known.bit;
    return 0;
}

} // namespace himalaya::mail

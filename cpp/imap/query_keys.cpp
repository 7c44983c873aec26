#include "imap/query_keys.hpp"

#include <array>

#include "base/text.hpp"
#include "base/time.hpp"

namespace himalaya::imap {

namespace {

// 17-May-2024: dates in SEARCH have no time; the query's own have none either.
std::string search_date(std::int64_t second) {
    constexpr std::array months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const std::string iso = time::iso(second); // 2024-05-17T...
    const auto month = text::to_unsigned(std::string_view(iso).substr(5, 2)).value_or(1);
    const std::string_view day = std::string_view(iso).substr(iso[8] == '0' ? 9 : 8, iso[8] == '0' ? 1 : 2);
    return std::string(day) + "-" + months[(month - 1) % months.size()] + "-" + iso.substr(0, 4);
}

void put_either(Command& command, std::string_view first, std::string_view second, std::string_view value) {
    command.raw("OR").raw(first).string(value).raw(second).string(value);
}

} // namespace

bool is_ascii(const mail::Query& query) {
    for (const auto* list : {&query.words, &query.from, &query.to, &query.subject})
        for (const std::string& value : *list)
            if (!text::is_ascii(value))
                return false;
    return true;
}

void put_query(Command& command, const mail::Query& query, bool gmail) {
    bool any = false;
    const auto key = [&](std::string_view name) -> Command& {
        any = true;
        return command.raw(name);
    };
    for (const std::string& word : query.words) {
        key("OR SUBJECT").string(word).raw("OR FROM").string(word);
        put_either(command, "TO", "CC", word);
    }
    for (const std::string& who : query.from)
        key("FROM").string(who);
    for (const std::string& who : query.to) {
        any = true;
        put_either(command, "TO", "CC", who);
    }
    for (const std::string& subject : query.subject)
        key("SUBJECT").string(subject);
    if (query.unread)
        key("UNSEEN");
    if (query.flagged)
        key("FLAGGED");
    if (query.answered)
        key("ANSWERED");
    if (query.has_attachment && gmail)
        key("X-GM-RAW").string("has:attachment");
    else if (query.has_attachment)
        key("HEADER Content-Type").string("multipart/mixed");
    if (query.before)
        key("BEFORE").raw(search_date(*query.before));
    if (query.after)
        key("SINCE").raw(search_date(*query.after));
    if (!any)
        command.raw("ALL");
}

} // namespace himalaya::imap

#include "mail/query.hpp"

#include "base/text.hpp"
#include "base/time.hpp"

#include <fmt/format.h>

namespace himalaya::mail {

namespace {

// More is nobody's search, and each term is a condition in SQL.
constexpr int MOST_TERMS = 50;

struct Term {
    std::string key; // lower case; empty for a word
    std::string value;
};

bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

bool is_key(std::string_view word) {
    return word == "from" || word == "to" || word == "subject" || word == "is" || word == "has" ||
           word == "before" || word == "after";
}

// The next term; `text` loses it. An open quote ends with the text.
std::optional<Term> next_term(std::string_view& text) {
    while (!text.empty() && is_blank(text.front()))
        text.remove_prefix(1);
    if (text.empty())
        return std::nullopt;
    Term term;
    bool quoted = false;
    std::size_t at = 0;
    for (; at < text.size() && (quoted || !is_blank(text[at])); ++at) {
        char c = text[at];
        if (c == '"') {
            quoted = !quoted;
        } else if (c == ':' && !quoted && term.key.empty() && is_key(text::lower(term.value))) {
            term.key = text::lower(term.value);
            term.value.clear();
        } else {
            term.value += c;
        }
    }
    text.remove_prefix(at);
    return term;
}

std::int64_t first_day(std::uint64_t year, std::uint64_t month) {
    return time::days_from_civil(static_cast<int>(year), static_cast<unsigned>(month), 1);
}

// The first second of "2024", "2024-05" or "2024-05-17", UTC; nothing for the 30th of February.
std::optional<std::int64_t> first_second(std::string_view text) {
    auto parts = text::split(text, '-');
    if (parts.empty() || parts.size() > 3 || parts[0].size() != 4)
        return std::nullopt;
    auto year = text::to_unsigned(parts[0]);
    auto month = parts.size() > 1 ? text::to_unsigned(parts[1]) : std::optional<std::uint64_t>(1);
    auto day = parts.size() > 2 ? text::to_unsigned(parts[2]) : std::optional<std::uint64_t>(1);
    if (!year || !month || !day || *month < 1 || *month > 12 || *day < 1)
        return std::nullopt;
    auto first = first_day(*year, *month);
    auto after = *month == 12 ? first_day(*year + 1, 1) : first_day(*year, *month + 1);
    auto wanted = first + static_cast<std::int64_t>(*day) - 1;
    return *day <= 31 && wanted < after ? std::optional(wanted * 86'400) : std::nullopt;
}

Error wrong(const Term& term, std::string_view could) {
    return make_error(Code::invalid,
                      fmt::format("\"{}:{}\" is nothing to look for", term.key, text::clean_line(term.value)),
                      fmt::format("after \"{}:\" comes {}", term.key, could));
}

} // namespace

Result<Query> parse_query(std::string_view text) {
    Query query;
    int terms = 0;
    while (auto term = next_term(text)) {
        if (++terms > MOST_TERMS)
            return make_error(Code::invalid,
                              fmt::format("there are more than {} words to look for", MOST_TERMS),
                              "put quotes round what belongs together");
        if (term->key.empty()) {
            if (!term->value.empty())
                query.words.push_back(std::move(term->value));
            continue;
        }
        if (term->value.empty())
            return wrong(*term, "what to look for");
        if (term->key == "from") {
            query.from.push_back(std::move(term->value));
        } else if (term->key == "to") {
            query.to.push_back(std::move(term->value));
        } else if (term->key == "subject") {
            query.subject.push_back(std::move(term->value));
        } else if (term->key == "is") {
            auto what = text::lower(term->value);
            if (what == "unread")
                query.unread = true;
            else if (what == "flagged")
                query.flagged = true;
            else if (what == "answered")
                query.answered = true;
            else
                return wrong(*term, "unread, flagged or answered");
        } else if (term->key == "has") {
            if (text::lower(term->value) != "attachment")
                return wrong(*term, "attachment");
            query.has_attachment = true;
        } else {
            auto when = first_second(term->value);
            if (!when)
                return wrong(*term, "a date like 2024-05-17");
            (term->key == "before" ? query.before : query.after) = when;
        }
    }
    return query;
}

} // namespace himalaya::mail

#include "mail/envelope.hpp"

#include "base/text.hpp"
#include "mail/date.hpp"
#include "mail/encoded_word.hpp"

#include <algorithm>

namespace himalaya::mail {

namespace {

// A header longer than this is an attack or a mistake; its rest is not looked at.
constexpr std::size_t LONGEST_HEADER = 512u << 10;
constexpr std::size_t MOST_PEOPLE = 100;
constexpr std::size_t MOST_REFERENCES = 200;

// Calls fn(name, value) for each field, its lines joined.
template<class F>
void each_field(std::string_view header, F fn) {
    std::string value;
    std::string_view name;
    auto end_field = [&] {
        if (!name.empty())
            fn(name, text::trim(value));
        name = {};
        value.clear();
    };
    while (!header.empty()) {
        auto end = header.find('\n');
        auto line = header.substr(0, end);
        header.remove_prefix(end == std::string_view::npos ? header.size() : end + 1);
        if (line.ends_with('\r'))
            line.remove_suffix(1);
        if (line.empty())
            break;
        if (line[0] == ' ' || line[0] == '\t') {
            value += ' ';
            value += text::trim(line);
            continue;
        }
        end_field();
        auto colon = line.find(':');
        if (colon == std::string_view::npos)
            continue;
        name = text::trim(line.substr(0, colon));
        value = line.substr(colon + 1);
    }
    end_field();
}

// Without quotes and backslashes.
std::string unquoted(std::string_view phrase) {
    std::string plain;
    for (std::size_t i = 0; i < phrase.size(); ++i) {
        if (phrase[i] == '"')
            continue;
        if (phrase[i] == '\\' && i + 1 < phrase.size())
            ++i;
        plain += phrase[i];
    }
    return plain;
}

// One of a list: "Anna <anna@example.org>", "anna@example.org (Anna)", "anna@example.org".
void add_address(std::vector<Address>& people, std::string_view name, std::string_view route,
                 std::string_view comment) {
    auto addr = text::trim(route);
    auto who = text::trim(name);
    if (addr.empty()) {
        addr = who;
        who = text::trim(comment);
    }
    if (addr.empty())
        return; // "undisclosed-recipients:;"
    people.push_back(address_of(unquoted(who), unquoted(addr), ""));
}

} // namespace

std::vector<Address> parse_addresses(std::string_view text, std::size_t most) {
    std::vector<Address> people;
    std::string name, route, comment;
    enum { in_name, in_route } where = in_name;
    int depth = 0;
    bool quoted = false;
    auto end_one = [&] {
        add_address(people, name, route, comment);
        name.clear();
        route.clear();
        comment.clear();
        where = in_name;
    };
    for (std::size_t i = 0; i < text.size() && people.size() < most; ++i) {
        char c = text[i];
        auto& into = depth > 0 ? comment : where == in_route ? route : name;
        if (c == '\\' && i + 1 < text.size() && (quoted || depth > 0)) {
            into += c;
            into += text[++i];
        } else if (quoted) {
            into += c;
            quoted = c != '"';
        } else if (depth > 0) {
            depth += c == '(' ? 1 : c == ')' ? -1 : 0;
            if (depth > 0)
                comment += c;
        } else if (c == '"') {
            into += c;
            quoted = true;
        } else if (c == '(') {
            depth = 1;
        } else if (c == '<') {
            where = in_route;
        } else if (c == '>' && where == in_route) {
            where = in_name;
        } else if (c == ':' && where == in_name && route.empty()) {
            name.clear(); // a group's name
        } else if ((c == ',' && !(where == in_route && route.starts_with('@'))) || c == ';') {
            end_one();
        } else {
            into += c;
        }
    }
    if (people.size() < most)
        end_one();
    return people;
}

std::vector<std::string> message_ids(std::string_view text) {
    std::vector<std::string> ids;
    while (ids.size() < MOST_REFERENCES) {
        auto begin = text.find('<');
        auto end = begin == std::string_view::npos ? begin : text.find('>', begin);
        if (end == std::string_view::npos)
            break;
        ids.emplace_back(text.substr(begin, end - begin + 1));
        text.remove_prefix(end + 1);
    }
    return ids;
}

Envelope read_envelope(std::string_view bytes) {
    Envelope envelope;
    std::vector<Address> sender;
    each_field(bytes.substr(0, LONGEST_HEADER), [&](std::string_view name, std::string_view value) {
        auto is = [&](std::string_view known) { return text::same_ignoring_case(name, known); };
        if (is("Date") && envelope.date.empty()) {
            envelope.date = value;
            envelope.sent = parse_date(value);
        } else if (is("Subject") && envelope.subject.empty()) {
            envelope.subject = text::trim(decode_header(value));
        } else if (is("From") && envelope.from.addr.empty()) {
            if (auto people = parse_addresses(value, 1); !people.empty())
                envelope.from = std::move(people.front());
        } else if (is("Sender") && sender.empty()) {
            sender = parse_addresses(value, 1);
        } else if ((is("To") || is("Cc")) && envelope.to.size() < MOST_PEOPLE) {
            for (auto& person : parse_addresses(value, MOST_PEOPLE - envelope.to.size()))
                envelope.to.push_back(std::move(person));
        } else if (is("Message-ID") && envelope.message_id.empty()) {
            if (auto ids = message_ids(value); !ids.empty())
                envelope.message_id = std::move(ids.front());
            else
                envelope.message_id = text::to_utf8(value.substr(0, 1000));
        } else if (is("In-Reply-To") && envelope.in_reply_to.empty()) {
            if (auto ids = message_ids(value); !ids.empty())
                envelope.in_reply_to = std::move(ids.front());
        } else if (is("References") && envelope.references.empty()) {
            envelope.references = message_ids(value);
        }
    });
    if (envelope.from.addr.empty() && !sender.empty())
        envelope.from = std::move(sender.front());
    return envelope;
}

bool looks_attached(std::string_view bytes) {
    // Of a large message the beginning tells: the headers of its first parts.
    auto head = bytes.substr(0, 256u << 10);
    constexpr std::string_view MARK = "content-disposition:";
    for (std::size_t line = 0; line < head.size(); ++line) {
        if (text::same_ignoring_case(head.substr(line, MARK.size()), MARK)) {
            auto value = head.substr(line + MARK.size(), 40);
            value.remove_prefix(std::min(value.find_first_not_of(" \t\r\n"), value.size()));
            if (text::same_ignoring_case(value.substr(0, 10), "attachment"))
                return true;
        }
        line = std::min(head.find('\n', line), head.size());
    }
    return false;
}

} // namespace himalaya::mail

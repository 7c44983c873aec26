#include "imap/refusal.hpp"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>

namespace himalaya::imap {

namespace {

char low(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

size_t find_word(std::string_view text, std::string_view word) {
    auto at = std::search(text.begin(), text.end(), word.begin(), word.end(),
                          [](char a, char b) { return low(a) == low(b); });
    return at == text.end() ? std::string_view::npos : static_cast<size_t>(at - text.begin());
}

bool has_word(std::string_view text, std::string_view word) {
    return find_word(text, word) != std::string_view::npos;
}

bool is(std::string_view code, std::string_view name) {
    return code.size() == name.size() && find_word(code, name) == 0;
}

std::string quote(std::string_view text) {
    return text.empty() ? std::string("no reason given") : fmt::format("\"{}\"", shown(text));
}

Error throttled(const Refusal& refusal, std::string_view doing) {
    auto wait = backoff_of(refusal.text);
    std::string hint = wait ? fmt::format("It is tried again in {} seconds.", (*wait + 999) / 1000)
                            : std::string("It is tried again later, with fewer requests.");
    Error error = make_error(
        Fault::throttled, fmt::format("The server asks to slow down ({}): {}.", doing, quote(refusal.text)),
        std::move(hint));
    if (wait)
        error.detail = fmt::format("{{\"wait_ms\":{}}}", *wait);
    return error;
}

} // namespace

std::string shown(std::string_view text) {
    std::string out;
    for (char c : text.substr(0, 300)) {
        auto u = static_cast<unsigned char>(c);
        out += u < 0x20 || u == 0x7f ? ' ' : c;
    }
    if (text.size() > 300)
        out += "...";
    while (!out.empty() && out.back() == ' ')
        out.pop_back();
    return out;
}

std::optional<int64_t> backoff_of(std::string_view text) {
    for (std::string_view word : {"backoff time", "retry after", "try again in"}) {
        size_t at = find_word(text, word);
        if (at == std::string_view::npos)
            continue;
        auto rest = text.substr(at + word.size());
        size_t digit = rest.find_first_of("0123456789");
        if (digit == std::string_view::npos || digit > 4)
            continue;
        rest.remove_prefix(digit);
        int64_t number = 0;
        auto [end, wrong] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
        if (wrong != std::errc())
            continue;
        auto unit = rest.substr(static_cast<size_t>(end - rest.data()));
        while (!unit.empty() && unit.front() == ' ')
            unit.remove_prefix(1);
        int64_t factor = find_word(unit, "min") == 0 ? 60000 : find_word(unit, "s") == 0 ? 1000 : 1;
        // A day is the longest lock a provider is known to set; more than that is a slip or an attack.
        constexpr int64_t day = 86'400'000;
        return number > day / factor ? day : number * factor;
    }
    return std::nullopt;
}

bool too_many_connections(const Refusal& refusal) {
    return has_word(refusal.text, "too many simultaneous") ||
           has_word(refusal.text, "too many connections") ||
           has_word(refusal.text, "maximum number of connections") ||
           has_word(refusal.text, "number of connections") || has_word(refusal.text, "connection limit") ||
           (is(refusal.code, "LIMIT") && has_word(refusal.text, "connection"));
}

bool throttles(const Refusal& refusal) {
    return is(refusal.code, "THROTTLED") || has_word(refusal.text, "throttled") ||
           has_word(refusal.text, "backoff") || has_word(refusal.text, "rate limit") ||
           has_word(refusal.text, "too many commands") || has_word(refusal.text, "bandwidth limit") ||
           (is(refusal.code, "OVERQUOTA") && has_word(refusal.text, "bandwidth"));
}

Error error_of(const Refusal& refusal, std::string_view doing) {
    auto message = fmt::format("The server refused to {}: {}.", doing, quote(refusal.text));
    auto code = refusal.code;
    if (throttles(refusal))
        return throttled(refusal, doing);
    if (too_many_connections(refusal))
        return make_error(Fault::busy, message,
                          "Lower pool_size, or close other mail programs of this account.");
    if (is(code, "NONEXISTENT") || is(code, "TRYCREATE"))
        return make_error(Fault::not_found, message,
                          "Check the folder's name; it may have been renamed or deleted.");
    if (is(code, "OVERQUOTA"))
        return make_error(Fault::invalid, message, "The mailbox is full: delete mail or get more room.");
    if (is(code, "LIMIT") || is(code, "TOOBIG"))
        return make_error(Fault::invalid, message, "It is more than this server takes.");
    if (is(code, "INUSE") || is(code, "EXPUNGEISSUED"))
        return make_error(Fault::busy, message, "Another program works on this folder; it is tried again.");
    if (is(code, "UNAVAILABLE") || is(code, "SERVERBUG"))
        return make_error(Fault::offline, message, "The server has a problem of its own; it is tried again.");
    if (is(code, "AUTHENTICATIONFAILED") || is(code, "AUTHORIZATIONFAILED") || is(code, "EXPIRED"))
        return make_error(Fault::auth, message, "Check the user name and the secret.");
    if (is(code, "CANNOT") || is(code, "NOPERM") || is(code, "READ-ONLY"))
        return make_error(Fault::unsupported, message, "The server does not allow this here.");
    switch (refusal.verdict) {
    case Verdict::bad:
        return make_error(Fault::protocol, message,
                          "This may be a quirk we do not know: report it with the wire log.");
    case Verdict::bye:
        return make_error(Fault::offline,
                          fmt::format("The server ended the connection: {}.", quote(refusal.text)),
                          "It is opened again by itself.");
    default:
        if (has_word(refusal.text, "doesn't exist") || has_word(refusal.text, "does not exist") ||
            has_word(refusal.text, "unknown mailbox") || has_word(refusal.text, "no such mailbox") ||
            has_word(refusal.text, "not found"))
            return make_error(Fault::not_found, message, "Check the folder's name.");
        return make_error(Fault::invalid, message, "The server's own words are all there is to go by.");
    }
}

int64_t wait_of(const Error& error) {
    constexpr std::string_view key = "\"wait_ms\":";
    size_t at = error.detail.find(key);
    if (at == std::string::npos)
        return 0;
    int64_t wait = 0;
    const char* from = error.detail.data() + at + key.size();
    std::from_chars(from, error.detail.data() + error.detail.size(), wait);
    return wait;
}

} // namespace himalaya::imap

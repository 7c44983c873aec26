// OK, NO, BAD, BYE, PREAUTH and `+`: the code in brackets, then text. Unknown codes are kept as they are: a
// status response is what a waiting command hangs on, so it must never be lost for what its brackets hold.
#include <array>

#include "imap/grammar.hpp"
#include "imap/text.hpp"

namespace himalaya::imap {

namespace {

enum class Takes : uint8_t { nothing, number, flags, capabilities, charsets, set, append, copy, id, text };

struct Known {
    std::string_view name;
    CodeKind kind;
    Takes takes = Takes::nothing;
};

constexpr std::array known_codes = std::to_array<Known>({
    {"ALERT", CodeKind::alert},
    {"BADCHARSET", CodeKind::bad_charset, Takes::charsets},
    {"CAPABILITY", CodeKind::capability, Takes::capabilities},
    {"PARSE", CodeKind::parse},
    {"PERMANENTFLAGS", CodeKind::permanent_flags, Takes::flags},
    {"READ-ONLY", CodeKind::read_only},
    {"READ-WRITE", CodeKind::read_write},
    {"TRYCREATE", CodeKind::try_create},
    {"UIDNEXT", CodeKind::uid_next, Takes::number},
    {"UIDVALIDITY", CodeKind::uid_validity, Takes::number},
    {"UNSEEN", CodeKind::unseen, Takes::number},
    {"UIDNOTSTICKY", CodeKind::uid_not_sticky},
    {"UNKNOWN-CTE", CodeKind::unknown_cte},
    {"CLOSED", CodeKind::closed},
    {"HASCHILDREN", CodeKind::has_children},
    {"APPENDUID", CodeKind::append_uid, Takes::append},
    {"COPYUID", CodeKind::copy_uid, Takes::copy},
    {"HIGHESTMODSEQ", CodeKind::highest_modseq, Takes::number},
    {"NOMODSEQ", CodeKind::no_modseq},
    {"MODIFIED", CodeKind::modified, Takes::set},
    {"MAILBOXID", CodeKind::mailbox_id, Takes::id},
    {"TOOBIG", CodeKind::too_big},
    {"COMPRESSIONACTIVE", CodeKind::compression_active},
    {"NOTIFICATIONOVERFLOW", CodeKind::notification_overflow},
    {"BADEVENT", CodeKind::bad_event, Takes::flags},
    {"NOTSAVED", CodeKind::not_saved},
    {"UNDEFINED-FILTER", CodeKind::undefined_filter, Takes::text},
    {"UNAVAILABLE", CodeKind::unavailable},
    {"AUTHENTICATIONFAILED", CodeKind::authentication_failed},
    {"AUTHORIZATIONFAILED", CodeKind::authorization_failed},
    {"EXPIRED", CodeKind::expired},
    {"PRIVACYREQUIRED", CodeKind::privacy_required},
    {"CONTACTADMIN", CodeKind::contact_admin},
    {"NOPERM", CodeKind::no_perm},
    {"INUSE", CodeKind::in_use},
    {"EXPUNGEISSUED", CodeKind::expunge_issued},
    {"CORRUPTION", CodeKind::corruption},
    {"SERVERBUG", CodeKind::server_bug},
    {"CLIENTBUG", CodeKind::client_bug},
    {"CANNOT", CodeKind::cannot},
    {"LIMIT", CodeKind::limit},
    {"OVERQUOTA", CodeKind::over_quota},
    {"ALREADYEXISTS", CodeKind::already_exists},
    {"NONEXISTENT", CodeKind::nonexistent},
    {"REFERRAL", CodeKind::referral, Takes::text},
    {"WEBALERT", CodeKind::web_alert, Takes::text},
    {"THROTTLED", CodeKind::throttled},
});

// quirk::error_code_in_quotes: quotes hide a bracket, if they are closed.
size_t end_of_code(std::string_view rest) {
    for (size_t i = 0; i < rest.size(); i++) {
        if (rest[i] == ']')
            return i;
        if (rest[i] == '"') {
            const size_t close = rest.find('"', i + 1);
            if (close != std::string_view::npos)
                i = close;
        }
    }
    return std::string_view::npos;
}

uint64_t count_of(Ranges ranges) {
    uint64_t count = 0;
    for (const Range& range : ranges)
        count += 1 + (range.first > range.last ? range.first - range.last : range.last - range.first);
    return count;
}

bool read_copy(Scanner& in, StatusCode& code) {
    return in.number(code.number) && in.space() && in.set(code.uids) && in.space() && in.set(code.targets) &&
           count_of(code.uids) == count_of(code.targets);
}

bool read_arguments(Scanner& in, Takes takes, StatusCode& code) {
    if (takes == Takes::nothing)
        return true;
    if (takes == Takes::charsets && in.peek() == ']')
        return true;
    if (!in.eat(' '))
        return takes == Takes::capabilities || takes == Takes::text;
    switch (takes) {
    case Takes::nothing:
        return true;
    case Takes::number:
        return in.number(code.number); // quirk::zero_is_unknown: the reader's 0 means none
    case Takes::flags:
        return in.words(code.words);
    case Takes::capabilities:
        return read_capabilities(in, code.words, true);
    case Takes::charsets:
        return in.strings(code.words);
    case Takes::set:
        return in.set(code.uids);
    case Takes::append:
        return in.number(code.number) && in.space() && in.set(code.uids);
    case Takes::copy:
        return read_copy(in, code);
    case Takes::id:
        return in.strings(code.words);
    case Takes::text:
        return true;
    }
    return true;
}

Text code_name(std::string_view rest) {
    size_t i = 0;
    while (i < rest.size() && rest[i] != ' ' && rest[i] != ']' && rest[i] != '"' && rest[i] != '(')
        i++;
    return rest.substr(0, i);
}

// After the `[`. False leaves the cursor where it was: then it is text.
bool read_code(Scanner& in, StatusCode& code) {
    const size_t begin = in.position();
    code.name = code_name(in.rest());
    for (const Known& known : known_codes) {
        if (!same_word(code.name, known.name))
            continue;
        // A scanner of its own: a failure here is not the response's.
        Scanner inner(in.frame(), in.arena(), in.limits());
        inner.move_to(begin + code.name.size());
        StatusCode read;
        const bool good = read_arguments(inner, known.takes, read);
        if (good && known.takes != Takes::text) {
            const size_t arguments = inner.position();
            inner.spaces();
            if (inner.eat(']')) {
                read.kind = known.kind;
                read.name = code.name;
                const size_t text = begin + code.name.size() + (arguments > begin + code.name.size() ? 1 : 0);
                read.text = in.frame().bytes.substr(text, arguments - text);
                code = read;
                in.move_to(inner.position());
                return true;
            }
        }
        // Known, but with arguments of its own making (quirk::invalid_copyuid and others).
        code.kind =
            known.takes == Takes::nothing || known.takes == Takes::text || known.kind == CodeKind::copy_uid
                ? known.kind
                : CodeKind::unknown;
        break;
    }
    const size_t close = end_of_code(in.rest());
    if (close == std::string_view::npos) { // quirk::code_without_end_is_text
        code = {};
        return false;
    }
    if (code.kind == CodeKind::none)
        code.kind = CodeKind::unknown;
    code.text = in.rest().substr(code.name.size(), close - std::min(close, code.name.size()));
    if (code.text.starts_with(' '))
        code.text.remove_prefix(1);
    in.advance(close + 1);
    return true;
}

} // namespace

bool read_capabilities(Scanner& in, Seq<Text>& names, bool in_code) {
    ListBuilder<Text> found(in.arena());
    for (;;) {
        in.spaces();
        const std::string_view rest = in.rest();
        size_t size = 0;
        while (size < rest.size() && rest[size] != ' ' && !(in_code && rest[size] == ']'))
            size++;
        if (size == 0)
            break;
        const Text name = rest.substr(0, size);
        in.advance(size);
        if (found.size() && quirk::literal_space_plus(found.back(), name))
            found.back() = name == "+" ? Text("LITERAL+") : Text("LITERAL-");
        else if (!in.add(found, name))
            return false;
    }
    names = found.list();
    return in_code || in.finish();
}

bool read_condition(Text word, Condition& condition) {
    if (same_word(word, "OK"))
        condition = Condition::ok;
    else if (same_word(word, "NO"))
        condition = Condition::no;
    else if (same_word(word, "BAD"))
        condition = Condition::bad;
    else if (same_word(word, "BYE"))
        condition = Condition::bye;
    else if (same_word(word, "PREAUTH"))
        condition = Condition::preauth;
    else
        return false;
    return true;
}

bool read_status_text(Scanner& in, StatusCode& code, Text& text) {
    if (quirk::status_without_text(in.rest())) {
        text = Text("");
        return true;
    }
    if (in.peek() != '[' && !in.space())
        return false;
    const size_t begin = in.position();
    if (in.eat('[')) {
        if (read_code(in, code))
            in.spaces();
        else
            in.move_to(begin);
    }
    text = in.rest();
    in.advance(text.size());
    return true;
}

} // namespace himalaya::imap

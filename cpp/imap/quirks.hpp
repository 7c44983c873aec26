// Where servers break the grammar and we read on. Each tolerance has a name here, is called where it is
// granted, and has a test of its own name in tests/cpp/imap/quirks_test.cpp. What is not listed is Malformed.
#pragma once

#include <string_view>

#include "imap/text.hpp"

namespace himalaya::imap::quirk {

// Courier: `* 0 FETCH (...)`.
constexpr bool fetch_of_message_zero = true;

// Zoho, mail.ru: MODSEQ (-1); others: -1 lines or octets in BODYSTRUCTURE. Read as not known.
constexpr bool minus_one_is_unknown(std::string_view rest) {
    return rest.size() >= 2 && rest[0] == '-' && rest[1] == '1' && (rest.size() == 2 || !is_digit(rest[2]));
}

// Zoho, mail.ru: "1234.0" for an integer. The fraction is dropped.
constexpr bool decimal_integer(std::string_view rest) {
    return rest.size() >= 2 && rest[0] == '.' && is_digit(rest[1]);
}

// Zoho, mail.ru: `LITERAL +` in CAPABILITY, with a space. One word: LITERAL+.
constexpr bool literal_space_plus(std::string_view word, std::string_view next) {
    return same_word(word, "LITERAL") && (next == "+" || next == "-");
}

// home.pl: `* [COPYUID 1 2 3] text` without the OK.
constexpr bool code_without_ok(std::string_view rest) {
    return rest.starts_with('[');
}

// Exchange: COPYUID with sets missing, empty or of different length. Nothing is known of the new UIDs then.
constexpr bool invalid_copyuid = true;

// Exchange: extra spaces in ENVELOPE and BODYSTRUCTURE lists and round the items of a FETCH; between
// addresses. Many: a space at the end of `* SEARCH `.
constexpr char extra_space = ' ';

// Exchange: `* STATUS name (MESSAGES 1 )`, and a space after the list.
constexpr char trailing_space_in_status = ' ';

// Exchange: control characters (even CR and LF, within quotes) in folder names and headers. Never NUL.
constexpr bool bare_control(char c) {
    return c != 0 && (static_cast<unsigned char>(c) < 0x20 || c == 0x7f);
}

// Exchange: body-fld-dsp is "inline", not ("inline" NIL).
constexpr bool disposition_without_list = true;

// Exchange: language first, then disposition. Known by the shape of the second: ("word" (...)) or ("word"
// NIL).
constexpr bool disposition_and_language_swapped = true;

// Domino: ENVELOPE ((...)).
constexpr bool envelope_in_extra_parentheses(std::string_view rest) {
    return rest.starts_with('(');
}

// Domino: INTERNALDATE "00-Jan-0000 00:00:00 +0000", and any other date that is none: text without an epoch.
constexpr bool date_that_is_none = true;

// Gmail: ("ALTERNATIVE") or ("ALTERNATIVE" ("BOUNDARY" "x")): a multipart without children.
constexpr bool multipart_without_children(std::string_view after_first_string) {
    return after_first_string.starts_with(')') || after_first_string.starts_with(" (");
}

// Gmail: nothing after `[HIGHESTMODSEQ n]`, not even a space; `A1 OK` and no more.
constexpr bool status_without_text(std::string_view rest) {
    return rest.empty();
}

// Gmail: `]` in the names of flags.
constexpr bool bracket_in_flag(char c) {
    return c == ']';
}

// Exchange: `+` and nothing behind.
constexpr bool bare_plus(std::string_view line) {
    return line == "+";
}

// wp.pl, Yandex: `A1 BYE`.
constexpr bool tagged_bye = true;

// Several: FLAGS NIL, attributes NIL, and NIL among labels.
constexpr bool nil_flags(std::string_view word) {
    return same_word(word, "NIL");
}

// Several: NIL where a media type, subtype or encoding must be a string.
constexpr bool nil_in_body_fields = true;

// Several: an address of more than four tokens. The rest is stepped over.
constexpr bool long_address = true;

// A NIL mailbox in an address with a host: an empty mailbox, not a group.
constexpr bool nil_mailbox = true;

// Several: UIDVALIDITY 0 and UIDNEXT 0 mean there is none.
constexpr bool zero_is_unknown(unsigned long long number) {
    return number == 0;
}

// Several: quotes inside a quoted string of ENVELOPE or BODYSTRUCTURE without a backslash. A quote closes
// only where a value of those lists may follow it: `)`, or a space and then a string, list, literal, number
// or NIL.
constexpr bool quote_closes(std::string_view after) {
    if (after.empty() || after[0] == ')')
        return true;
    if (after[0] != ' ')
        return false;
    if (after.size() == 1)
        return true;
    const char next = after[1];
    if (next == 'N' || next == 'n')
        return starts_with_word(after.substr(1), "NIL") &&
               (after.size() == 4 || after[4] == ' ' || after[4] == ')');
    return next == '"' || next == '(' || next == ')' || next == '{' || next == '~' || next == ' ' ||
           next == '-' || is_digit(next);
}

// Exchange: `OK [Error="text with ] and spaces"]`: an unknown code as far as its quotes reach. A code without
// an end is text.
constexpr bool error_code_in_quotes = true;
constexpr bool code_without_end_is_text = true;

// Exchange, UW: a host that says it is missing is an empty one (NIL would make the address a group).
constexpr bool missing_host(std::string_view host) {
    return same_word(host, ".MISSING-HOST-NAME.") || same_word(host, "MISSING_DOMAIN");
}

// Strato: ESEARCH without ALL although asked for it. Esearch::has_all says so.
constexpr bool esearch_without_all = true;

// Dovecot 2.3: PREVIEW (FUZZY "text"), from the draft.
constexpr bool preview_of_the_draft(std::string_view rest) {
    return starts_with_word(rest, "(FUZZY ");
}

// A backslash in a quoted string before something else than `"` and `\` is itself.
constexpr bool lone_backslash(char next) {
    return next != '"' && next != '\\';
}

} // namespace himalaya::imap::quirk

// The items of a FETCH, in whatever order they come.
#include <array>

#include "base/time.hpp"
#include "imap/fetch_prefix.hpp"
#include "imap/grammar.hpp"
#include "imap/text.hpp"

namespace himalaya::imap {

namespace {

struct Lists {
    explicit Lists(Arena& arena) : sections(arena), binary_sizes(arena), others(arena) {}
    ListBuilder<Section> sections;
    ListBuilder<BinarySize> binary_sizes;
    ListBuilder<OtherItem> others;
};

// (M12) or NIL
bool read_object_id(Scanner& in, Text& id) {
    if (in.eat_nil())
        return true;
    return in.expect('(', "expected `(`") && in.astring(id) && in.expect(')', "expected `)`");
}

bool read_date(Scanner& in, DateTime& date) {
    if (!in.nstring(date.text))
        return false;
    date.epoch = epoch_of(date.text); // quirk::date_that_is_none
    return true;
}

bool read_modseq(Scanner& in, std::optional<uint64_t>& modseq) {
    return in.expect('(', "expected `(`") && in.number_or_minus_one(modseq) && in.expect(')', "expected `)`");
}

bool read_preview(Scanner& in, Text& preview) {
    if (!quirk::preview_of_the_draft(in.rest()))
        return in.nstring(preview);
    in.advance(std::string_view("(FUZZY ").size());
    return in.nstring(preview) && in.expect(')', "expected `)`");
}

template<class T>
bool read_into(Scanner& in, std::optional<T>& value) {
    T read{};
    if (!in.number(read))
        return false;
    value = read;
    return true;
}

bool read_section(Scanner& in, Section& section, Lists& lists) {
    if (!in.space())
        return false;
    if (!in.eat_nil()) {
        Scanner::String value;
        if (!in.string_value(value))
            return false;
        section.data = value.text;
        section.size = value.size;
        section.streamed = value.streamed;
        section.literal = value.literal;
    }
    return in.add(lists.sections, section);
}

bool read_body_structure(Scanner& in, Fetch& fetch, bool extended) {
    if (in.eat_nil())
        return true;
    auto* part = in.make<BodyPart>();
    if (!part || !read_body(in, *part))
        return false;
    fetch.body = part;
    fetch.body_extended = extended;
    return true;
}

// BINARY.SIZE[1.2] 4096
bool read_binary_size(Scanner& in, Lists& lists) {
    const std::string_view rest = in.rest();
    const size_t begin = std::string_view("BINARY.SIZE[").size();
    const size_t close = rest.find(']');
    if (close == std::string_view::npos)
        return in.fail("expected `]`");
    BinarySize found{rest.substr(begin, close - begin), 0};
    in.advance(close + 1);
    return in.space() && in.number(found.size) && in.add(lists.binary_sizes, found);
}

bool read_other(Scanner& in, Text name, Lists& lists) {
    Text value;
    return in.raw(value) && in.add(lists.others, OtherItem{name, value});
}

// What news of a message does not tell.
bool read_description(Scanner& in, Text name, Fetch& fetch, bool& known) {
    if (same_word(name, "ENVELOPE"))
        return read_envelope(in, fetch.envelope);
    if (same_word(name, "BODYSTRUCTURE"))
        return read_body_structure(in, fetch, true);
    if (same_word(name, "BODY"))
        return read_body_structure(in, fetch, false);
    if (same_word(name, "INTERNALDATE"))
        return read_date(in, fetch.internal_date);
    if (same_word(name, "RFC822.SIZE"))
        return in.number_or_minus_one(fetch.size);
    if (same_word(name, "SAVEDATE"))
        return read_date(in, fetch.save_date);
    if (same_word(name, "PREVIEW")) {
        fetch.has_preview = true;
        return read_preview(in, fetch.preview);
    }
    if (same_word(name, "EMAILID"))
        return read_object_id(in, fetch.email_id);
    if (same_word(name, "THREADID"))
        return read_object_id(in, fetch.thread_id);
    if (same_word(name, "X-GM-MSGID"))
        return read_into(in, fetch.gm_message_id);
    if (same_word(name, "X-GM-THRID"))
        return read_into(in, fetch.gm_thread_id);
    if (same_word(name, "X-GM-LABELS")) {
        fetch.has_gm_labels = true;
        return in.labels(fetch.gm_labels);
    }
    known = false;
    return true;
}

bool read_value(Scanner& in, Text name, Fetch& fetch, Lists& lists) {
    if (same_word(name, "UID"))
        return read_into(in, fetch.uid);
    if (same_word(name, "FLAGS")) {
        fetch.has_flags = true;
        return in.words(fetch.flags);
    }
    if (same_word(name, "MODSEQ"))
        return read_modseq(in, fetch.modseq);
    bool known = true;
    if (!read_description(in, name, fetch, known))
        return false;
    if (!known)
        return read_other(in, name, lists);
    fetch.tells = true;
    return true;
}

bool read_item(Scanner& in, Fetch& fetch, Lists& lists) {
    const std::string_view rest = in.rest();
    const char first = upper(in.peek());
    if (first == 'B' || first == 'R') {
        Section section;
        size_t end = in.position();
        if (read_section_name(in.frame().bytes, end, section)) {
            in.move_to(end);
            return read_section(in, section, lists);
        }
        if (starts_with_word(rest, "BINARY.SIZE["))
            return read_binary_size(in, lists);
    }
    const Text name = in.word();
    if (name.empty())
        return in.fail("expected the name of an item");
    return in.space() && read_value(in, name, fetch, lists);
}

// What comes after an item that cannot be read, for the UID: so that the message can be asked for again.
void find_uid(Scanner& in, Fetch& fetch) {
    for (;;) {
        Section section;
        Text name;
        size_t end = in.position();
        if (read_section_name(in.frame().bytes, end, section))
            in.move_to(end);
        else
            name = in.word();
        if (!in.space())
            return;
        if (same_word(name, "UID")) {
            read_into(in, fetch.uid);
            return;
        }
        Text skipped;
        if (!in.raw(skipped))
            return;
        in.spaces();
        if (in.at_end() || in.peek() == ')')
            return;
    }
}

bool two_digits(Text text, size_t at, int& value) {
    const char tens = text[at] == ' ' ? '0' : text[at];
    if (!is_digit(tens) || !is_digit(text[at + 1]))
        return false;
    value = (tens - '0') * 10 + (text[at + 1] - '0');
    return true;
}

} // namespace

// "02-Oct-2016 17:28:25 -0400", also " 2-Oct-...".
std::optional<int64_t> epoch_of(Text text) {
    constexpr std::string_view months = "JANFEBMARAPRMAYJUNJULAUGSEPOCTNOVDEC";
    if (text.size() != 26 || text[2] != '-' || text[6] != '-' || text[11] != ' ' || text[14] != ':' ||
        text[17] != ':' || text[20] != ' ' || (text[21] != '+' && text[21] != '-'))
        return std::nullopt;
    const std::array<char, 3> month_name{upper(text[3]), upper(text[4]), upper(text[5])};
    const size_t month_at = months.find(std::string_view(month_name.data(), 3));
    int day = 0;
    int century = 0;
    int year = 0;
    int hour = 0;
    int minute = 0;
    int second = 0;
    int zone_hour = 0;
    int zone_minute = 0;
    if (month_at == std::string_view::npos || month_at % 3 != 0 || !two_digits(text, 0, day) ||
        !two_digits(text, 7, century) || !two_digits(text, 9, year) || !two_digits(text, 12, hour) ||
        !two_digits(text, 15, minute) || !two_digits(text, 18, second) || !two_digits(text, 22, zone_hour) ||
        !two_digits(text, 24, zone_minute))
        return std::nullopt;
    year += century * 100;
    if (day < 1 || day > 31 || year < 1 || hour > 23 || minute > 59 || second > 60)
        return std::nullopt;
    const int64_t days = time::days_from_civil(year, unsigned(month_at / 3) + 1, unsigned(day));
    const int64_t zone = (zone_hour * 60 + zone_minute) * 60;
    return days * 86400 + hour * 3600 + minute * 60 + second - (text[21] == '+' ? zone : -zone);
}

bool read_fetch(Scanner& in, Fetch& fetch, Text& unread) {
    if (!in.expect('(', "expected a list of items"))
        return false;
    Lists lists(in.arena());
    for (;;) {
        in.spaces();
        if (in.eat(')'))
            break;
        const size_t item = in.position();
        if (!read_item(in, fetch, lists)) {
            in.move_to(item);
            unread = in.word();
            in.move_to(item);
            if (!fetch.uid)
                find_uid(in, fetch);
            return false;
        }
        if (!in.at_end() && in.peek() != ' ' && in.peek() != ')')
            return in.fail("expected a space between items");
    }
    fetch.sections = lists.sections.list();
    fetch.binary_sizes = lists.binary_sizes.list();
    fetch.others = lists.others.list();
    return in.finish();
}

} // namespace himalaya::imap

// ENVELOPE and BODYSTRUCTURE: most of the bytes of a first sync, and most of what servers get wrong.
#include "imap/grammar.hpp"
#include "imap/text.hpp"

namespace himalaya::imap {

namespace {

constexpr auto loose = Scanner::Quotes::unescaped;

bool read_address(Scanner& in, Address& address) {
    if (!in.nstring(address.name, loose))
        return false;
    in.spaces();
    if (!in.nstring(address.route, loose))
        return false;
    in.spaces();
    if (!in.nstring(address.mailbox, loose))
        return false;
    in.spaces();
    if (!in.nstring(address.host, loose))
        return false;
    in.spaces();
    while (!in.at_end() && in.peek() != ')') { // quirk::long_address
        Text skipped;
        if (!in.nstring(skipped, loose))
            return false;
        in.spaces();
    }
    if (!is_nil(address.host) && quirk::missing_host(address.host))
        address.host = Text("");
    if (is_nil(address.mailbox) && !is_nil(address.host)) // quirk::nil_mailbox
        address.mailbox = Text("");
    return in.expect(')', "expected the end of an address");
}

bool read_addresses(Scanner& in, Seq<Address>& addresses) {
    if (in.eat_nil())
        return true;
    if (!in.expect('(', "expected a list of addresses"))
        return false;
    ListBuilder<Address> found(in.arena());
    for (;;) {
        in.spaces();
        if (in.eat(')'))
            break;
        if (!in.expect('(', "expected an address"))
            return false;
        in.spaces();
        Address address;
        if (!read_address(in, address) || !in.add(found, address))
            return false;
    }
    addresses = found.list();
    return true;
}

inline bool next_field(Scanner& in) {
    if (!in.space())
        return false;
    in.spaces();
    return true;
}

bool read_parameters(Scanner& in, Seq<Parameter>& parameters) {
    if (in.eat_nil())
        return true;
    if (!in.expect('(', "expected a list of parameters"))
        return false;
    ListBuilder<Parameter> found(in.arena());
    for (;;) {
        in.spaces();
        if (in.eat(')'))
            break;
        Parameter parameter;
        if (!in.nstring(parameter.name, loose) || !next_field(in) || !in.nstring(parameter.value, loose) ||
            !in.add(found, parameter))
            return false;
    }
    parameters = found.list();
    return true;
}

// body-fld-dsp or body-fld-lang, told apart by what is there.
struct Field {
    bool is_list = false;
    bool is_disposition = false; // ("word" (...)) or ("word" NIL)
    Text first;
    Seq<Text> strings;
    Seq<Parameter> parameters;
};

bool read_field(Scanner& in, Field& field) {
    if (in.peek() != '(' || in.at_end())
        return in.nstring(field.first, loose);
    in.advance(1);
    in.spaces();
    field.is_list = true;
    ListBuilder<Text> found(in.arena());
    while (!in.eat(')')) {
        if (found.size() == 1 && !field.is_disposition &&
            (in.peek() == '(' || in.peek() == 'N' || in.peek() == 'n')) {
            if (!read_parameters(in, field.parameters))
                return false;
            field.is_disposition = true;
        } else {
            Text text;
            if (!in.nstring(text, loose) || !in.add(found, text))
                return false;
        }
        in.spaces();
    }
    field.strings = found.list();
    if (found.size())
        field.first = field.strings[0];
    return true;
}

void set_disposition(BodyPart& part, const Field& field) {
    part.disposition = field.first;
    part.disposition_parameters = field.parameters;
}

bool set_language(Scanner& in, BodyPart& part, const Field& field) {
    if (field.is_list) {
        part.language = field.strings;
    } else if (!is_nil(field.first)) {
        ListBuilder<Text> one(in.arena());
        if (!in.add(one, field.first))
            return false;
        part.language = one.list();
    }
    return true;
}

// After what every part has: [SP md5] SP dsp SP lang SP loc, each of which may be left out from the end.
bool read_extensions(Scanner& in, BodyPart& part) {
    Field first;
    Field second;
    const auto more = [&in] {
        in.spaces();
        return !in.at_end() && in.peek() != ')';
    };
    if (!part.multipart) {
        if (!more())
            return true;
        if (!in.nstring(part.md5, loose))
            return false;
    }
    if (more() && !read_field(in, first))
        return false;
    const bool both = more();
    if (both && !read_field(in, second))
        return false;
    if (both && second.is_disposition && !first.is_disposition) { // quirk::disposition_and_language_swapped
        set_disposition(part, second);
        if (!set_language(in, part, first))
            return false;
    } else {
        set_disposition(part, first); // quirk::disposition_without_list: `first` may be a bare string
        if (!set_language(in, part, second))
            return false;
    }
    if (more() && !in.nstring(part.location, loose))
        return false;
    while (more()) { // body-extension
        Text skipped;
        if (!in.raw(skipped))
            return false;
    }
    return true;
}

bool read_count(Scanner& in, uint64_t& count) {
    std::optional<uint64_t> read;
    if (!in.number_or_minus_one(read))
        return false;
    count = read.value_or(0);
    return true;
}

bool read_multipart(Scanner& in, BodyPart& part) {
    part.type = Text("multipart");
    part.multipart = true;
    ListBuilder<BodyPart> children(in.arena());
    while (in.peek() == '(' && !in.at_end()) {
        BodyPart child;
        if (!read_body(in, child) || !in.add(children, child))
            return false;
        in.spaces();
    }
    part.children = children.list();
    if (!in.nstring(part.subtype, loose))
        return false;
    in.spaces();
    if (in.peek() == ')')
        return true;
    return read_parameters(in, part.parameters) && read_extensions(in, part);
}

// message/rfc822: envelope, body, lines.
bool read_message(Scanner& in, BodyPart& part) {
    if (!next_field(in) || !read_envelope(in, part.envelope) || !next_field(in))
        return false;
    BodyPart child;
    ListBuilder<BodyPart> children(in.arena());
    if (!read_body(in, child) || !in.add(children, child) || !next_field(in))
        return false;
    part.children = children.list();
    return read_count(in, part.lines);
}

bool read_single(Scanner& in, BodyPart& part) {
    if (!in.nstring(part.type, loose)) // quirk::nil_in_body_fields
        return false;
    if (quirk::multipart_without_children(in.rest())) {
        part.multipart = true;
        part.subtype = part.type;
        part.type = Text("multipart");
        in.spaces();
        return in.peek() == ')' || (read_parameters(in, part.parameters) && read_extensions(in, part));
    }
    if (!next_field(in) || !in.nstring(part.subtype, loose) || !next_field(in) ||
        !read_parameters(in, part.parameters) || !next_field(in) || !in.nstring(part.id, loose) ||
        !next_field(in) || !in.nstring(part.description, loose) || !next_field(in) ||
        !in.nstring(part.encoding, loose) || !next_field(in) || !read_count(in, part.octets))
        return false;
    const std::string_view rest = in.rest();
    const bool count_follows = rest.size() > 1 && rest[0] == ' ' && (is_digit(rest[1]) || rest[1] == '-');
    // Without a type nobody knows that it is text, but only text has a count here.
    if ((same_word(part.type, "TEXT") || is_nil(part.type)) && count_follows)
        return next_field(in) && read_count(in, part.lines) && read_extensions(in, part);
    if (same_word(part.type, "MESSAGE") &&
        (same_word(part.subtype, "RFC822") || same_word(part.subtype, "GLOBAL")) && rest.starts_with(" (") &&
        !read_message(in, part))
        return false;
    return read_extensions(in, part);
}

} // namespace

bool read_envelope(Scanner& in, const Envelope*& result) {
    if (in.eat_nil())
        return true;
    if (!in.expect('(', "expected an envelope"))
        return false;
    in.spaces();
    const bool extra = quirk::envelope_in_extra_parentheses(in.rest());
    if (extra) {
        in.advance(1);
        in.spaces();
    }
    auto* envelope = in.make<Envelope>();
    if (!envelope)
        return false;
    if (!in.nstring(envelope->date, loose) || !next_field(in) || !in.nstring(envelope->subject, loose))
        return false;
    for (Seq<Address>* list : {&envelope->from, &envelope->sender, &envelope->reply_to, &envelope->to,
                               &envelope->cc, &envelope->bcc})
        if (!next_field(in) || !read_addresses(in, *list))
            return false;
    if (!next_field(in) || !in.nstring(envelope->in_reply_to, loose) || !next_field(in) ||
        !in.nstring(envelope->message_id, loose))
        return false;
    for (int closing = extra ? 2 : 1; closing > 0; closing--) {
        in.spaces();
        if (!in.expect(')', "expected the end of the envelope"))
            return false;
    }
    result = envelope;
    return true;
}

bool read_body(Scanner& in, BodyPart& part) {
    if (!in.expect('(', "expected a body") || !in.enter())
        return false;
    in.spaces();
    if (in.peek() == '(' ? !read_multipart(in, part) : !read_single(in, part))
        return false;
    in.spaces();
    in.leave();
    return in.expect(')', "expected the end of a body");
}

} // namespace himalaya::imap

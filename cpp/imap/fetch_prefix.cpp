#include "imap/fetch_prefix.hpp"

#include "imap/text.hpp"

namespace himalaya::imap {

namespace {

constexpr size_t npos = std::string_view::npos;

size_t skip_quoted(std::string_view bytes, size_t position) {
    for (size_t i = position + 1; i < bytes.size(); i++) {
        if (bytes[i] == '\\')
            i++;
        else if (bytes[i] == '"')
            return i + 1;
    }
    return npos;
}

size_t skip_spaces(std::string_view bytes, size_t position) {
    while (position < bytes.size() && bytes[position] == ' ')
        position++;
    return position;
}

// "* 12 FETCH (": where the items begin.
size_t read_head(std::string_view bytes, uint32_t& seq) {
    if (!bytes.starts_with("* "))
        return npos;
    size_t i = 2;
    uint64_t number = 0;
    while (i < bytes.size() && is_digit(bytes[i]) && number <= UINT32_MAX)
        number = number * 10 + uint64_t(bytes[i++] - '0');
    if (i == 2 || number > UINT32_MAX || !starts_with_word(bytes.substr(i), " FETCH ("))
        return npos;
    seq = uint32_t(number);
    return i + 8;
}

} // namespace

std::optional<LiteralHead> literal_head(std::string_view bytes, size_t position) {
    size_t i = position;
    if (i < bytes.size() && bytes[i] == '~')
        i++;
    if (i >= bytes.size() || bytes[i] != '{')
        return std::nullopt;
    const size_t digits = ++i;
    uint64_t size = 0;
    while (i < bytes.size() && is_digit(bytes[i]) && i - digits < 18)
        size = size * 10 + uint64_t(bytes[i++] - '0');
    if (i == digits)
        return std::nullopt;
    if (i < bytes.size() && bytes[i] == '+')
        i++;
    if (i >= bytes.size() || bytes[i++] != '}')
        return std::nullopt;
    if (i < bytes.size() && bytes[i] == '\r')
        i++;
    if (i >= bytes.size() || bytes[i++] != '\n')
        return std::nullopt;
    return LiteralHead{i, size};
}

bool read_section_name(std::string_view bytes, size_t& position, Section& section) {
    const std::string_view rest = bytes.substr(position);
    size_t i = 0;
    if (starts_with_word(rest, "BODY[")) {
        section.kind = Section::Kind::body;
        i = 5;
    } else if (starts_with_word(rest, "BINARY[")) {
        section.kind = Section::Kind::binary;
        i = 7;
    } else if (starts_with_word(rest, "RFC822")) {
        const size_t end = std::min(rest.find(' '), rest.size());
        const std::string_view name = rest.substr(0, end);
        if (same_word(name, "RFC822"))
            section.kind = Section::Kind::rfc822;
        else if (same_word(name, "RFC822.HEADER"))
            section.kind = Section::Kind::rfc822_header;
        else if (same_word(name, "RFC822.TEXT"))
            section.kind = Section::Kind::rfc822_text;
        else
            return false;
        section.name = rest.substr(0, 0);
        position += end;
        return true;
    } else {
        return false;
    }
    const size_t begin = i;
    while (i < rest.size() && rest[i] != ']') {
        i = rest[i] == '"' ? skip_quoted(rest, i) : i + 1;
        if (i == npos)
            return false;
    }
    if (i >= rest.size())
        return false;
    section.name = rest.substr(begin, i - begin);
    i++;
    if (i < rest.size() && rest[i] == '<') {
        uint64_t origin = 0;
        const size_t digits = ++i;
        while (i < rest.size() && is_digit(rest[i]) && i - digits < 18)
            origin = origin * 10 + uint64_t(rest[i++] - '0');
        if (i == digits || i >= rest.size() || rest[i] != '>')
            return false;
        section.origin = origin;
        i++;
    }
    position += i;
    return true;
}

size_t skip_value(std::string_view bytes, size_t position, const Frame& gaps, size_t nesting) {
    size_t depth = 0;
    size_t i = position;
    while (i < bytes.size()) {
        const char c = bytes[i];
        if (c == '(') {
            if (++depth > nesting)
                return npos;
            i++;
        } else if (c == ')') {
            if (depth == 0)
                return i;
            i++;
            if (--depth == 0)
                return i;
            continue;
        } else if (c == '"') {
            i = skip_quoted(bytes, i);
            if (i == npos)
                return npos;
        } else if (c == '{' || (c == '~' && i + 1 < bytes.size() && bytes[i + 1] == '{')) {
            const std::optional<LiteralHead> head = literal_head(bytes, i);
            if (head) {
                i = head->data;
                if (!gaps.gap_at(i)) {
                    if (head->size > bytes.size() - i)
                        return npos;
                    i += size_t(head->size);
                }
            } else {
                i++;
            }
        } else if (c == ' ') {
            i++;
            continue;
        } else {
            while (i < bytes.size() && bytes[i] != ' ' && bytes[i] != '(' && bytes[i] != ')' &&
                   bytes[i] != '"')
                i++;
        }
        if (depth == 0)
            return i;
    }
    return depth == 0 ? i : npos;
}

bool find_body(std::string_view bytes, size_t announced, const Frame& gaps, FetchPrefix& state,
               LiteralStart& start) {
    if (state.searched == npos)
        return false;
    size_t i = state.searched ? state.searched : read_head(bytes, state.seq);
    while (i != npos && i < bytes.size()) {
        i = skip_spaces(bytes, i);
        state.searched = i;
        Section section;
        size_t value = i;
        const bool is_body = read_section_name(bytes, value, section);
        if (!is_body)
            while (value < bytes.size() && bytes[value] != ' ' && bytes[value] != ')')
                value++;
        const std::string_view name = bytes.substr(i, value - i);
        value = skip_spaces(bytes, value);
        if (value == announced) {
            if (!is_body)
                return false;
            start.fetch = true;
            start.seq = state.seq;
            start.uid = state.uid;
            start.section = section;
            state.searched = bytes.size();
            return true;
        }
        if (same_word(name, "UID")) {
            uint64_t uid = 0;
            for (size_t d = value; d < bytes.size() && is_digit(bytes[d]) && uid <= UINT32_MAX; d++)
                uid = uid * 10 + uint64_t(bytes[d] - '0');
            if (uid > 0 && uid <= UINT32_MAX)
                state.uid = uint32_t(uid);
        }
        const size_t next = value > announced ? npos : skip_value(bytes, value, gaps);
        i = next == i ? npos : next; // no step forward: not a FETCH
    }
    state.searched = npos;
    return false;
}

} // namespace himalaya::imap

#include "imap/scanner.hpp"

#include <array>
#include <bit>
#include <cstring>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "imap/fetch_prefix.hpp"

namespace himalaya::imap {

namespace {

constexpr auto ends_word = [] {
    std::array<bool, 256> table{};
    for (size_t c = 0; c <= 0x20; c++)
        table[c] = true;
    table['('] = table[')'] = table['"'] = table[0x7f] = true;
    return table;
}();

// The first quote, backslash or control character. Sixteen or eight bytes a step: strings are most of an ENVELOPE.
const char* find_special(const char* at, const char* end) {
#ifdef __SSE2__
    while (end - at >= 16) {
        const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
        const __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1f)), bytes);
        const __m128i quote = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"'));
        const __m128i slash = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'));
        const int found = _mm_movemask_epi8(_mm_or_si128(control, _mm_or_si128(quote, slash)));
        if (found)
            return at + std::countr_zero(unsigned(found));
        at += 16;
    }
#endif
    constexpr uint64_t ones = 0x0101010101010101u;
    if constexpr (std::endian::native == std::endian::little) {
        while (end - at >= 8) {
            uint64_t word;
            std::memcpy(&word, at, 8);
            const uint64_t quote = word ^ (ones * '"');
            const uint64_t slash = word ^ (ones * '\\');
            const uint64_t found =
                (((quote - ones) & ~quote) | ((slash - ones) & ~slash) | ((word - ones * 0x20) & ~word)) &
                (ones * 0x80);
            if (found)
                return at + (std::countr_zero(found) >> 3);
            at += 8;
        }
    }
    while (at < end && *at != '"' && *at != '\\' && static_cast<unsigned char>(*at) >= 0x20)
        at++;
    return at;
}

} // namespace

bool Scanner::fail(const char* message) {
    if (!m_error) {
        m_error = message;
        m_error_at = std::min(m_at, m_end);
    }
    return false;
}

bool Scanner::finish() {
    spaces();
    return at_end() || fail("more than the response should hold");
}

bool Scanner::number(uint64_t& value) {
    const char* at = m_at;
    uint64_t result = 0;
    while (is_digit(*at) && at < m_end) {
        const auto digit = uint64_t(*at - '0');
        if (result > (UINT64_MAX - digit) / 10)
            return fail("the number is too large");
        result = result * 10 + digit;
        at++;
    }
    if (at == m_at)
        return fail("expected a number");
    if (quirk::decimal_integer({at, size_t(m_end - at)}))
        for (at++; at < m_end && is_digit(*at);)
            at++;
    m_at = at;
    value = result;
    return true;
}

bool Scanner::number(uint32_t& value) {
    uint64_t wide = 0;
    const char* begin = m_at;
    if (!number(wide))
        return false;
    if (wide > UINT32_MAX) {
        m_at = begin;
        return fail("the number is too large");
    }
    value = uint32_t(wide);
    return true;
}

bool Scanner::number_or_minus_one(std::optional<uint64_t>& value) {
    if (quirk::minus_one_is_unknown(rest())) {
        m_at += 2;
        value.reset();
        return true;
    }
    uint64_t result = 0;
    if (!number(result))
        return false;
    value = result;
    return true;
}

Text Scanner::word() {
    const char* begin = m_at;
    while (m_at < m_end && !ends_word[static_cast<unsigned char>(*m_at)])
        m_at++;
    return {begin, size_t(m_at - begin)};
}

Text Scanner::name_atom() {
    const char* begin = m_at;
    while (m_at < m_end && (!ends_word[static_cast<unsigned char>(*m_at)] || quirk::bare_control(*m_at)))
        m_at++;
    return {begin, size_t(m_at - begin)};
}

bool Scanner::eat_nil_word() {
    if (m_end - m_at < 3 || upper(m_at[1]) != 'I' || upper(m_at[2]) != 'L')
        return false;
    if (m_at + 3 < m_end && !ends_word[static_cast<unsigned char>(m_at[3])])
        return false;
    m_at += 3;
    return true;
}

bool Scanner::quoted(Text& text, Quotes quotes) {
    const char* begin = m_at + 1;
    bool escapes = false;
    for (const char* at = begin;;) {
        at = find_special(at, m_end);
        if (at >= m_end)
            return fail("the quoted string has no end");
        if (*at == '"') {
            if (quotes == Quotes::strict || quirk::quote_closes({at + 1, size_t(m_end - at - 1)})) {
                m_at = at + 1;
                if (escapes)
                    return unescape(begin, at, text);
                text = {begin, size_t(at - begin)};
                return true;
            }
            at++;
        } else if (*at == '\\') {
            const bool escape = at + 1 < m_end && !quirk::lone_backslash(at[1]);
            escapes |= escape;
            at += escape ? 2 : 1;
        } else {
            if (!quirk::bare_control(*at)) {
                m_at = at;
                return fail("NUL in a quoted string");
            }
            at++;
        }
    }
}

bool Scanner::unescape(const char* begin, const char* end, Text& text) {
    auto* out = static_cast<char*>(m_arena.allocate(size_t(end - begin)));
    if (!out)
        return fail("the response holds more than allowed");
    size_t size = 0;
    for (const char* at = begin; at < end; at++) {
        if (*at == '\\' && at + 1 < end && !quirk::lone_backslash(at[1]))
            at++;
        out[size++] = *at;
    }
    text = {out, size};
    return true;
}

bool Scanner::string_value(String& value, Quotes quotes) {
    if (*m_at == '"' && m_at < m_end) {
        if (!quoted(value.text, quotes))
            return false;
        value.size = value.text.size();
        return true;
    }
    const auto head = literal_head(m_frame.bytes, position());
    if (!head)
        return fail("expected a string");
    value.size = head->size;
    if (const Frame::Gap* gap = m_frame.gap_at(head->data)) {
        value.streamed = true;
        value.literal = gap->literal;
        m_at = m_begin + head->data;
        return true;
    }
    if (head->size > m_frame.bytes.size() - head->data)
        return fail("the literal is longer than the response");
    value.text = m_frame.bytes.substr(head->data, size_t(head->size));
    m_at = m_begin + head->data + head->size;
    return true;
}

bool Scanner::string(Text& text, Quotes quotes) {
    if (*m_at == '"' && m_at < m_end)
        return quoted(text, quotes);
    String value;
    if (!string_value(value, quotes))
        return false;
    text = value.text;
    return true;
}

bool Scanner::astring(Text& text) {
    if (m_at < m_end && (*m_at == '"' || *m_at == '{' || (*m_at == '~' && m_at[1] == '{')))
        return string(text);
    text = word();
    return !text.empty() || fail("expected a word or a string");
}

bool Scanner::name(Text& text) {
    if (m_at < m_end && (*m_at == '"' || (*m_at == '{' && literal_head(m_frame.bytes, position()))))
        return string(text);
    text = name_atom();
    return !text.empty() || fail("expected a folder's name");
}

bool Scanner::words(Seq<Text>& list) {
    if (eat_nil()) { // quirk::nil_flags
        list = {};
        return true;
    }
    if (!expect('(', "expected a list"))
        return false;
    ListBuilder<Text> found(m_arena);
    for (;;) {
        spaces();
        if (eat(')'))
            break;
        const Text one = word(); // quirk::bracket_in_flag: a word does not end there
        if (one.empty())
            return fail("expected a flag");
        if (!quirk::nil_flags(one) && !add(found, one))
            return false;
    }
    list = found.list();
    return true;
}

bool Scanner::strings(Seq<Text>& list) {
    if (!expect('(', "expected a list"))
        return false;
    ListBuilder<Text> found(m_arena);
    for (;;) {
        spaces();
        if (eat(')'))
            break;
        Text one;
        if (!astring(one) || !add(found, one))
            return false;
    }
    list = found.list();
    return true;
}

bool Scanner::labels(Seq<Text>& list) {
    if (eat_nil()) {
        list = {};
        return true;
    }
    if (!expect('(', "expected a list"))
        return false;
    ListBuilder<Text> found(m_arena);
    for (;;) {
        spaces();
        if (eat(')'))
            break;
        if (eat_nil())
            continue;
        Text one;
        if (!name(one) || !add(found, one))
            return false;
    }
    list = found.list();
    return true;
}

bool Scanner::set(Ranges& ranges) {
    ListBuilder<Range> found(m_arena);
    const auto bound = [this](uint32_t& value) {
        if (eat('*')) {
            value = last_of_all;
            return true;
        }
        return number(value);
    };
    do {
        Range range;
        if (!bound(range.first))
            return false;
        range.last = range.first;
        if (eat(':') && !bound(range.last))
            return false;
        if (!add(found, range))
            return false;
    } while (eat(','));
    ranges = found.list();
    return true;
}

bool Scanner::raw(Text& text) {
    const size_t begin = position();
    const size_t end = skip_value(m_frame.bytes, begin, m_frame, m_limits.nesting);
    if (end == std::string_view::npos || end == begin)
        return fail("expected a value");
    m_at = m_begin + end;
    text = since(begin);
    return true;
}

} // namespace himalaya::imap

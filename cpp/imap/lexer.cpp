#include "imap/lexer.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "imap/fetch_prefix.hpp"
#include "imap/text.hpp"

namespace himalaya::imap {

namespace {

constexpr size_t max_gaps = 65536;
constexpr size_t tail_size = 64; // an announcement is at most 25 bytes
constexpr size_t gathered_kept = 256u << 10;

} // namespace

const Frame::Gap* Frame::gap_at(size_t position) const {
    const auto found = std::lower_bound(gaps.begin(), gaps.end(), position,
                                        [](const Gap& gap, size_t wanted) { return gap.position < wanted; });
    return found != gaps.end() && found->position == position ? &*found : nullptr;
}

uint64_t Frame::offset_of(size_t position) const {
    uint64_t result = offset + position;
    for (const Gap& gap : gaps) {
        if (gap.position > position)
            break;
        result += gap.size;
    }
    return result;
}

Lexer::Lexer(const Limits& limits) : m_limits(limits), m_prefix(std::make_unique<FetchPrefix>()) {}
Lexer::~Lexer() = default;

void Lexer::set_sink(LiteralSink* sink) {
    if (sink != m_sink)
        m_sink_told = false; // the rest of a literal on its way is nobody's
    m_sink = sink;
}

void Lexer::feed(std::span<const char> chunk) {
    if (m_at != m_end) {
        std::string joined(m_at, m_end);
        joined.append(chunk.data(), chunk.size());
        m_kept = std::move(joined);
        m_at = m_kept.data();
        m_end = m_at + m_kept.size();
    } else {
        m_kept.clear();
        if (m_kept.capacity() > gathered_kept)
            m_kept.shrink_to_fit();
        m_at = chunk.data();
        m_end = m_at + chunk.size();
    }
    m_start = m_at;
}

void Lexer::keep() {
    const bool ours = m_at >= m_kept.data() && m_at <= m_kept.data() + m_kept.size();
    if (m_at == m_end || ours)
        return;
    m_kept.assign(m_at, m_end);
    m_at = m_kept.data();
    m_end = m_at + m_kept.size();
    m_start = m_at;
}

void Lexer::finish() {
    m_finished = true;
}

void Lexer::discard() {
    if (m_state == State::streamed_literal && m_sink_told)
        m_sink->end(false);
    m_read += uint64_t(m_end - m_at);
    m_at = m_end = m_start = nullptr;
    m_kept.clear();
    m_state = State::line;
    m_fresh = true;
    m_crlf = false;
}

void Lexer::begin_frame() {
    m_fresh = false;
    m_gathered.clear();
    if (m_gathered.capacity() > gathered_kept)
        m_gathered.shrink_to_fit();
    m_gaps.clear();
    m_start = m_at;
    m_frame_offset = m_read;
    m_line_begin = m_quote_checked = 0;
    m_quoted = m_escaped = false;
    *m_prefix = {};
}

void Lexer::gather() {
    m_gathered.append(m_start, size_t(m_at - m_start));
    m_start = m_at;
}

Lexer::Found Lexer::fail(const char* message, uint64_t offset, bool lost) {
    m_malformed = {message, offset, lost};
    return Found::malformed;
}

Lexer::Found Lexer::next() {
    if (m_fresh) {
        if (m_at == m_end)
            return Found::nothing;
        begin_frame();
    }
    for (;;) {
        const bool hungry = m_left > 0 || m_state == State::line || m_state == State::skipped_line;
        if (m_at == m_end && hungry) {
            if (m_state != State::skipped_line && m_state != State::skipped_literal)
                gather();
            if (!m_finished)
                return Found::nothing;
            const State state = m_state;
            m_state = State::line;
            m_fresh = true;
            if (state == State::streamed_literal && m_sink_told)
                m_sink->end(false);
            m_left = 0;
            if (state == State::skipped_line || state == State::skipped_literal)
                return Found::nothing; // told already
            return fail(state == State::line ? "the stream ended in the middle of a line"
                                             : "the stream ended in the middle of a literal",
                        m_read);
        }
        switch (m_state) {
        case State::line:
            if (const auto found = read_line())
                return *found;
            break;
        case State::skipped_line:
            skip_line();
            if (m_fresh)
                return next();
            break;
        case State::inline_literal:
        case State::streamed_literal:
        case State::skipped_literal:
            pass_literal();
            break;
        }
    }
}

std::optional<Lexer::Found> Lexer::read_line() {
    const auto* newline = static_cast<const char*>(std::memchr(m_at, '\n', size_t(m_end - m_at)));
    const size_t length = size_t((newline ? newline + 1 : m_end) - m_at);
    const size_t line = frame_size() - m_line_begin;
    const size_t line_room = m_limits.line - line;
    const size_t frame_room = m_limits.response - frame_size();
    if (length > std::min(line_room, frame_room)) {
        const bool long_line = line_room <= frame_room;
        const uint64_t offset = long_line ? m_read + line_room : m_frame_offset;
        m_skips_literals = may_hold_literals();
        m_tail.clear(); // an announcement may lie across the limit
        for (size_t i = std::max(m_line_begin, frame_size() - std::min(frame_size(), tail_size));
             i < frame_size(); i++)
            m_tail += at(i);
        m_gathered.clear();
        m_start = m_at;
        m_state = State::skipped_line;
        return fail(long_line ? "the line is longer than allowed" : "the response is larger than allowed",
                    offset);
    }
    m_at += length;
    m_read += length;
    if (!newline)
        return std::nullopt;
    const size_t end = frame_size();
    const bool cr = end - m_line_begin >= 2 && at(end - 2) == '\r';
    if (cr)
        m_crlf = true;
    else if (m_crlf && may_hold_literals() && in_quotes())
        return std::nullopt; // a bare LF within a name
    return end_of_line(end - (cr ? 2 : 1));
}

// Whether a quoted string is open at the end of what was read of this line.
bool Lexer::in_quotes() {
    m_quote_checked = std::max(m_quote_checked, m_line_begin);
    for (const size_t end = frame_size(); m_quote_checked < end; m_quote_checked++) {
        const char c = at(m_quote_checked);
        if (m_escaped)
            m_escaped = false;
        else if (c == '\\')
            m_escaped = m_quoted;
        else if (c == '"')
            m_quoted = !m_quoted;
    }
    return m_quoted;
}

std::optional<Lexer::Found> Lexer::end_of_line(size_t content_end) {
    if (content_end > m_line_begin && at(content_end - 1) == '}' && may_hold_literals()) {
        std::array<char, tail_size> tail{};
        const size_t size = std::min(tail.size(), content_end - m_line_begin);
        for (size_t i = 0; i < size; i++)
            tail[i] = at(content_end - size + i);
        if (const auto announced = announcement({tail.data(), size}))
            return begin_literal(*announced, content_end - announced->length);
    }
    m_fresh = true;
    if (!m_gathered.empty()) {
        gather();
        m_frame.bytes = std::string_view(m_gathered).substr(0, content_end);
    } else {
        m_frame.bytes = {m_start, content_end};
    }
    m_frame.offset = m_frame_offset;
    m_frame.gaps = m_gaps;
    return Found::frame;
}

// "... {12}" or "... ~{12+}" at the end of a line.
std::optional<Lexer::Announcement> Lexer::announcement(std::string_view tail) {
    if (tail.empty() || tail.back() != '}')
        return std::nullopt;
    size_t i = tail.size() - 1;
    if (i > 0 && tail[i - 1] == '+')
        i--;
    const size_t digits_end = i;
    while (i > 0 && is_digit(tail[i - 1]))
        i--;
    const std::string_view digits = tail.substr(i, digits_end - i);
    if (digits.empty() || i < 2 || tail[i - 1] != '{')
        return std::nullopt;
    i--;
    const bool binary = tail[i - 1] == '~';
    const size_t before = binary ? i - 1 : i;
    if (before == 0 || (tail[before - 1] != ' ' && tail[before - 1] != '(' && tail[before - 1] != ')'))
        return std::nullopt;
    Announcement result;
    result.length = tail.size() - before;
    for (const char digit : digits.substr(std::min(digits.find_first_not_of('0'), digits.size()))) {
        if (result.size > UINT64_MAX / 100)
            result.too_large = true;
        else
            result.size = result.size * 10 + uint64_t(digit - '0');
    }
    return result;
}

// The text of status responses may end with "{5}" and mean nothing by it; only untagged data has literals.
bool Lexer::may_hold_literals() const {
    std::array<char, 11> head{};
    const size_t size = std::min(head.size(), m_gathered.size() + size_t(m_end - m_start)); // read or not yet
    for (size_t i = 0; i < size; i++)
        head[i] = at(i);
    const std::string_view start(head.data(), size);
    if (!start.starts_with("* ") || start.starts_with("* ["))
        return false;
    for (const std::string_view word : {"OK", "NO", "BAD", "BYE", "PREAUTH"}) {
        if (!starts_with_word(start.substr(2), word))
            continue;
        const size_t after = 2 + word.size();
        if (after >= start.size() || start[after] == ' ' || start[after] == '\r' || start[after] == '\n')
            return false;
    }
    return true;
}

std::optional<Lexer::Found> Lexer::begin_literal(const Announcement& announced, size_t begin) {
    if (announced.too_large || announced.size > m_limits.literal) {
        m_fresh = true;
        return fail("the literal is larger than allowed", m_read - (frame_size() - begin), true);
    }
    if (!m_gathered.empty())
        gather();
    LiteralStart start;
    const bool large = announced.size > m_limits.inline_literal;
    const bool wanted = large || (m_sink && m_sink->wants_all_bodies());
    const bool body = wanted && is_body(begin, start);
    m_left = announced.size;
    if (large || body) {
        if (m_gaps.size() == max_gaps) {
            m_state = State::skipped_literal;
            m_skips_literals = true;
            return fail("the response has more literals than allowed", m_frame_offset);
        }
        m_state = State::streamed_literal;
        start.literal = ++m_literals;
        start.size = announced.size;
        m_sink_told = m_sink != nullptr;
        if (m_sink_told)
            m_sink->start(start);
        gather();
        m_gaps.push_back({m_gathered.size(), announced.size, start.literal});
        return std::nullopt;
    }
    if (announced.size > m_limits.response - frame_size()) {
        m_state = State::skipped_literal;
        m_skips_literals = true;
        m_gathered.clear();
        m_start = m_at;
        return fail("the response is larger than allowed", m_frame_offset);
    }
    m_state = State::inline_literal;
    return std::nullopt;
}

bool Lexer::is_body(size_t begin, LiteralStart& start) {
    const std::string_view bytes =
        m_gathered.empty() ? std::string_view(m_start, size_t(m_at - m_start)) : std::string_view(m_gathered);
    std::string_view before = bytes.substr(0, begin);
    while (before.ends_with(' '))
        before.remove_suffix(1);
    if (!before.ends_with(']') && !before.ends_with('>') && !ends_with_word(before, "RFC822") &&
        !ends_with_word(before, "RFC822.TEXT") && !ends_with_word(before, "RFC822.HEADER"))
        return false;
    Frame so_far{bytes, m_frame_offset, m_gaps};
    return find_body(bytes, begin, so_far, *m_prefix, start);
}

void Lexer::pass_literal() {
    const size_t count = size_t(std::min<uint64_t>(m_left, uint64_t(m_end - m_at)));
    if (m_state == State::streamed_literal && m_sink_told && count)
        m_sink->bytes({m_at, count});
    m_at += count;
    m_read += count;
    m_left -= count;
    if (m_state != State::inline_literal)
        m_start = m_at;
    if (m_left > 0)
        return;
    if (m_state == State::streamed_literal && m_sink_told)
        m_sink->end(true);
    if (m_state == State::skipped_literal) {
        m_tail.clear();
        m_state = State::skipped_line;
    } else {
        line_goes_on();
    }
}

void Lexer::line_goes_on() {
    m_state = State::line;
    m_line_begin = m_quote_checked = frame_size();
    m_quoted = m_escaped = false;
}

// What is left of a response that was given up: to its end, past its literals, holding nothing of it.
void Lexer::skip_line() {
    const auto* newline = static_cast<const char*>(std::memchr(m_at, '\n', size_t(m_end - m_at)));
    const size_t length = size_t((newline ? newline + 1 : m_end) - m_at);
    m_tail.append(m_at + (length > tail_size ? length - tail_size : 0), std::min(length, tail_size));
    if (m_tail.size() > tail_size)
        m_tail.erase(0, m_tail.size() - tail_size);
    m_at += length;
    m_read += length;
    m_start = m_at;
    if (!newline)
        return;
    std::string_view tail = m_tail;
    tail.remove_suffix(1);
    if (tail.ends_with('\r'))
        tail.remove_suffix(1);
    const auto announced = m_skips_literals ? announcement(tail) : std::nullopt;
    m_tail.clear();
    if (announced && !announced->too_large && announced->size <= m_limits.literal) {
        m_left = announced->size;
        m_state = State::skipped_literal;
        return;
    }
    m_state = State::line;
    m_fresh = true;
}

} // namespace himalaya::imap

// The words of the grammar over one response: numbers, atoms, strings, sets. Each function reads at the
// cursor and says false when it cannot; the first failure and its place are kept. The byte behind a Frame is
// always a line end (the Lexer's promise), so single characters are read without asking for the end.
#pragma once

#include <cstdint>
#include <optional>

#include "imap/arena.hpp"
#include "imap/lexer.hpp"
#include "imap/quirks.hpp"

namespace himalaya::imap {

class Scanner {
  public:
    Scanner(const Frame& frame, Arena& arena, const Limits& limits)
        : m_frame(frame), m_arena(arena), m_limits(limits), m_begin(frame.bytes.data()), m_at(m_begin),
          m_end(m_begin + frame.bytes.size()) {}

    bool fail(const char* message);
    const char* error() const { return m_error; }
    uint64_t error_offset() const { return m_frame.offset_of(size_t(m_error_at - m_begin)); }

    bool at_end() const { return m_at >= m_end; }
    char peek() const { return *m_at; }
    std::string_view rest() const { return {m_at, size_t(m_end - m_at)}; }
    size_t position() const { return size_t(m_at - m_begin); }
    void advance(size_t count) { m_at += count; }
    void move_to(size_t position) { m_at = m_begin + position; }
    std::string_view since(size_t position) const {
        return {m_begin + position, size_t(m_at - m_begin) - position};
    }
    Arena& arena() { return m_arena; }
    const Frame& frame() const { return m_frame; }
    const Limits& limits() const { return m_limits; }

    bool eat(char c) {
        if (m_at >= m_end || *m_at != c)
            return false;
        m_at++;
        return true;
    }
    bool expect(char c, const char* message) { return eat(c) || fail(message); }
    bool space() { return expect(' ', "expected a space"); }
    // quirk::extra_space and quirk::trailing_space_in_status are granted where this is called.
    void spaces() {
        while (m_at < m_end && *m_at == quirk::extra_space)
            m_at++;
    }
    // The end, perhaps after spaces.
    bool finish();

    bool number(uint64_t& value);
    bool number(uint32_t& value);
    // -1 is nothing.
    bool number_or_minus_one(std::optional<uint64_t>& value);

    // All up to a space, parenthesis, quote or control character. Empty when there is none of it.
    Text word();
    // A folder's name or a label as an atom: all up to a space, parenthesis or line end.
    Text name_atom();
    bool eat_nil() { return upper(*m_at) == 'N' && eat_nil_word(); }

    struct String {
        Text text;
        uint64_t size = 0;
        bool streamed = false;
        uint32_t literal = 0;
    };
    enum class Quotes : bool { strict, unescaped };
    bool string_value(String& value, Quotes quotes = Quotes::strict); // quoted or literal
    bool string(Text& text, Quotes quotes = Quotes::strict);
    bool nstring(Text& text, Quotes quotes = Quotes::strict) {
        if (*m_at == '"' && m_at < m_end)
            return quoted(text, quotes);
        if (eat_nil()) {
            text = {};
            return true;
        }
        return string(text, quotes);
    }
    bool astring(Text& text); // an atom, too
    bool name(Text& text);    // a folder's: "INBOX", Sent, {7}..., with quirk::bare_control

    // (\Seen $Forwarded): words in parentheses; flags, attributes, capabilities.
    bool words(Seq<Text>& list);
    bool strings(Seq<Text>& list); // ("a" "b") of astrings
    bool labels(Seq<Text>& list);  // flags and strings mixed, NIL left out
    bool set(Ranges& ranges);      // 1:5,9,12:*
    // One value of any shape, as sent.
    bool raw(Text& text);

    // A list deeper in. False beyond the limit.
    bool enter() { return ++m_depth <= m_limits.nesting || fail("the lists are nested deeper than allowed"); }
    void leave() { m_depth--; }

    template<class T>
    bool add(ListBuilder<T>& list, const T& item) {
        if (list.size() >= m_limits.list)
            return fail("the list is longer than allowed");
        return list.add(item) || fail("the response holds more than allowed");
    }
    template<class T>
    T* make() {
        T* made = m_arena.make<T>();
        if (!made)
            fail("the response holds more than allowed");
        return made;
    }

  private:
    bool eat_nil_word();
    bool quoted(Text& text, Quotes quotes);
    bool unescape(const char* begin, const char* end, Text& text);

    const Frame& m_frame;
    Arena& m_arena;
    const Limits& m_limits;
    const char* m_begin;
    const char* m_at;
    const char* m_end;
    const char* m_error = nullptr;
    const char* m_error_at = nullptr;
    size_t m_depth = 0;
};

} // namespace himalaya::imap

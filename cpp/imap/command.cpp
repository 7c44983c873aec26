#include "imap/command.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "imap/quirks.hpp"
#include "imap/text.hpp"
#include "mail/modified_utf7.hpp"

namespace himalaya::imap {

namespace {

constexpr uint64_t minus_limit = 4096; // LITERAL-, RFC 7888

// LITERAL+ and LITERAL- are "{n+}" alike; the difference is how large it may be.
bool goes_at_once(const Dialect& dialect, uint64_t size) {
    switch (dialect.literals) {
    case Dialect::Literals::sync:
        return false;
    case Dialect::Literals::minus:
        return size <= minus_limit;
    case Dialect::Literals::plus:
        return true;
    }
    return false;
}

bool breaks_lines(std::string_view text) {
    return text.find_first_of("\r\n") != std::string_view::npos;
}
bool has_nul(std::string_view text) {
    return text.find('\0') != std::string_view::npos;
}

bool is_atom_char(char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte > 0x20 && byte < 0x7f && std::string_view("(){%*\"\\]").find(c) == std::string_view::npos;
}

} // namespace

bool is_atom(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), is_atom_char);
}

// `]` is in the names of Gmail's flags, and harmless outside of brackets.
bool is_flag(std::string_view text) {
    if (text.starts_with('\\'))
        text.remove_prefix(1);
    return !text.empty() && std::all_of(text.begin(), text.end(),
                                        [](char c) { return is_atom_char(c) || quirk::bracket_in_flag(c); });
}

Command::Command(const Dialect& dialect, std::string_view verb) : m_dialect(dialect) {
    m_wire.pieces.emplace_back();
    raw(verb);
}

void Command::invalid(std::string_view what) {
    if (m_error.empty())
        m_error = what;
}

void Command::put(std::string_view text) {
    m_wire.pieces.back().bytes += text;
    m_line += text.size();
}

void Command::space() {
    if (!m_glue)
        put(" ");
    m_glue = false;
}

Command& Command::raw(std::string_view text) {
    // Text that ends like an announcement would have the server take the next command for a literal.
    if (breaks_lines(text) || has_nul(text) ||
        (text.ends_with('}') && text.find('{') != std::string_view::npos))
        invalid("its words hold a line end or announce a literal");
    space();
    put(text);
    return *this;
}

Command& Command::atom(std::string_view text) {
    if (!is_flag(text))
        invalid("a word holds characters that IMAP does not allow in one");
    space();
    put(text);
    return *this;
}

Command& Command::string(std::string_view text) {
    if (has_nul(text)) {
        invalid("a name or text holds a NUL character, which IMAP cannot carry");
        return *this;
    }
    if (breaks_lines(text) || (!m_dialect.utf8 && !text::is_ascii(text)) || !text::is_utf8(text))
        return literal(text);
    space();
    std::string quoted = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\')
            quoted += '\\';
        quoted += c;
    }
    quoted += '"';
    put(quoted);
    return *this;
}

Command& Command::astring(std::string_view text) {
    // NIL as an atom would be read as nothing by some.
    if (!is_atom(text) || same_word(text, "NIL"))
        return string(text);
    space();
    put(text);
    return *this;
}

Command& Command::folder(std::string_view name) {
    if (has_nul(name)) {
        invalid("the folder's name holds a NUL character");
        return *this;
    }
    return string(m_dialect.utf8 ? std::string(name) : mail::encode_modified_utf7(name));
}

Command& Command::folder_on_wire(std::string_view name) {
    return string(name);
}

Command& Command::number(uint64_t value) {
    space();
    put(std::to_string(value));
    return *this;
}

Command& Command::uids(const UidSet& set) {
    if (set.empty())
        invalid("a set of UIDs is empty");
    space();
    put(set.text());
    return *this;
}

Command& Command::flags(const std::vector<std::string>& names) {
    open();
    for (const std::string& name : names)
        atom(name);
    return close();
}

void Command::announce(uint64_t size, bool binary) {
    const bool at_once = goes_at_once(m_dialect, size);
    space();
    put(binary ? "~{" : "{");
    put(std::to_string(size));
    put(at_once ? "+}" : "}");
    m_wire.pieces.back().bytes += "\r\n";
    m_wire.pieces.back().wait = !at_once;
    if (!at_once)
        m_wire.pieces.emplace_back();
}

Command& Command::literal(std::string_view bytes) {
    if (has_nul(bytes)) {
        invalid("a text holds a NUL character, which IMAP cannot carry");
        return *this;
    }
    announce(bytes.size(), false);
    m_wire.pieces.back().bytes += bytes;
    return *this;
}

Command& Command::literal8(std::string_view bytes) {
    if (!m_dialect.binary && has_nul(bytes)) {
        invalid("the server cannot take a text with NUL characters");
        return *this;
    }
    announce(bytes.size(), m_dialect.binary);
    m_wire.pieces.back().bytes += bytes;
    return *this;
}

Command& Command::literal_of(std::shared_ptr<const std::string> text, bool has_nul) {
    if (has_nul && !m_dialect.binary) {
        invalid("the server cannot take a text with NUL characters");
        return *this;
    }
    announce(text->size(), has_nul);
    m_wire.pieces.back().body = std::move(text);
    m_wire.pieces.emplace_back();
    return *this;
}

Command& Command::open() {
    space();
    put("(");
    m_glue = true;
    return *this;
}

Command& Command::close() {
    m_glue = false;
    put(")");
    return *this;
}

Result<Wire> Command::finish(std::string_view tag) const {
    if (!m_error.empty())
        return make_error(Code::invalid, "The command cannot be sent: " + m_error + ".",
                          "Rename the folder or flag in another client.");
    if (!is_atom(tag) || tag.find('+') != std::string_view::npos)
        return make_error(Code::internal, "The command cannot be sent: its tag is none.");
    Wire wire = m_wire;
    wire.pieces.front().bytes.insert(0, tag);
    wire.pieces.back().bytes += "\r\n";
    return wire;
}

std::vector<std::string> split_for_line(const UidSet& set, size_t line, size_t rest) {
    constexpr size_t one_range = 21;
    return set.texts(line > rest + one_range ? line - rest : one_range);
}

} // namespace himalaya::imap

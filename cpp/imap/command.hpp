// What we say to a server. Whatever a name holds, it stays inside its argument: quotes and backslashes are
// escaped, CR and LF go into a literal, NUL (which no literal may hold) makes the command invalid. Quoted
// strings are preferred to literals, because several servers read literals in LOGIN wrongly.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "imap/uid_set.hpp"

namespace himalaya::imap {

// How this connection may be talked to.
struct Dialect {
    enum class Literals : uint8_t {
        sync,  // each literal waits for the server's `+`
        minus, // LITERAL-: up to 4096 bytes go at once
        plus   // LITERAL+: all go at once
    } literals = Literals::sync;
    bool utf8 = false;   // ENABLE UTF8=ACCEPT was answered: names and strings are UTF-8
    bool binary = false; // BINARY: literal8 may be sent
};

// A command ready for the wire: pieces in order. After one with `wait` the server must answer `+` first. A `body`
// follows its piece's bytes: the message of an APPEND, shared, so that 25 MB are not copied on their way.
struct Wire {
    struct Piece {
        std::string bytes;
        bool wait = false;
        std::shared_ptr<const std::string> body;
    };
    std::vector<Piece> pieces;
    bool one_piece() const { return pieces.size() == 1 && !pieces[0].body; }
};

class Command {
  public:
    // The verb with what never changes: "SELECT", "UID FETCH", "STATUS".
    explicit Command(const Dialect& dialect, std::string_view verb);

    // Each adds one argument, with the space before it (none after an open()).
    Command& raw(std::string_view text);     // our own constant text, not checked beyond CR, LF and NUL
    Command& atom(std::string_view text);    // invalid unless it is one (flags with their backslash, too)
    Command& string(std::string_view text);  // quoted, else a literal
    Command& astring(std::string_view text); // an atom when it can be, else as string()
    Command& folder(std::string_view name);  // UTF-8; modified UTF-7 unless the dialect is utf8
    Command& folder_on_wire(std::string_view name); // a name exactly as a LIST gave it
    Command& number(uint64_t value);
    Command& uids(const UidSet& set);
    Command& flags(const std::vector<std::string>& names); // (\Seen $Forwarded)
    Command& literal(std::string_view bytes);              // always a literal
    Command& literal8(std::string_view bytes);             // ~{n}: may hold NUL
    // The same for a whole message; whoever has it has looked whether a NUL is in it.
    Command& literal_of(std::shared_ptr<const std::string> text, bool has_nul);
    Command& open();  // (
    Command& close(); // )

    // `tag SP verb ... CRLF`, or why it cannot be sent.
    Result<Wire> finish(std::string_view tag) const;

    // What the line without literals would be now: for splitting UID sets within the server's budget.
    size_t line_size() const { return m_line; }

  private:
    void space();
    void put(std::string_view text);
    void invalid(std::string_view what);
    void announce(uint64_t size, bool binary);

    Dialect m_dialect;
    Wire m_wire;
    size_t m_line = 0;
    bool m_glue = false; // the next argument follows without a space
    std::string m_error;
};

// The set in pieces that fit into a server's command line of `line` bytes, when the rest of it takes `rest`.
std::vector<std::string> split_for_line(const UidSet& set, size_t line, size_t rest);

bool is_atom(std::string_view text);
bool is_flag(std::string_view text); // atom, or backslash and atom

} // namespace himalaya::imap

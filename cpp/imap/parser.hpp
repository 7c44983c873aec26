// Bytes of a server in, typed responses out, in any chunking the same. Two steps: the Lexer finds where a
// response ends (lines, literals) and a descent over that one stretch of bytes builds views into it
// (types.hpp). A response that lies whole in a chunk is never copied; one that spans chunks is gathered once.
//
//   parser.feed(chunk);                          // the chunk must stay until next() gave nullptr, or keep()
//   while (const Response* response = parser.next())
//       ...;                                     // may stop here and go on later; keep() if the chunk must
//       go
//   parser.finish();                             // end of the stream: next() tells of what was cut off
//
// Nothing here throws on input, and nothing grows with it beyond Limits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "imap/types.hpp"

namespace himalaya::imap {

struct Limits {
    size_t line = 8u << 20;             // one line without its literals (SEARCH of a million UIDs is 7 MB)
    size_t response = 16u << 20;        // all lines and inlined literals of one response
    size_t inline_literal = 256u << 10; // larger ones go to the sink, or nowhere
    uint64_t literal = 256u << 20;      // larger ones are an error after which the stream is lost
    size_t nesting = 100;               // parentheses in each other
    size_t list = 2u << 20;             // elements of one list
    size_t memory = 64u << 20;          // lists and trees of one response
};

// A literal that goes past the parser: one large, or the body of a FETCH when the sink asks for bodies.
struct LiteralStart {
    uint32_t literal = 0; // the number Section::literal will have when the FETCH is complete
    bool fetch = false;   // else some other response's, with nothing below known
    uint32_t seq = 0;
    std::optional<uint32_t> uid; // when it came before the body; else look at the complete FETCH
    Section section;             // kind, name, origin
    uint64_t size = 0;
};

// Called from inside next(). The views are valid during the call only. Bytes are only worth keeping when their response
// comes: a FETCH may turn out Malformed after its body went by.
class LiteralSink {
  public:
    virtual ~LiteralSink() = default;
    // Bodies below Limits::inline_literal, too (true), or only those above?
    virtual bool wants_all_bodies() const { return true; }
    virtual void start(const LiteralStart& start) = 0;
    virtual void bytes(std::span<const char> bytes) = 0;
    virtual void end(bool complete) = 0; // false when the stream ended before it
};

class Parser {
  public:
    explicit Parser(const Limits& limits = {});
    ~Parser();
    Parser(Parser&&) noexcept;
    Parser& operator=(Parser&&) noexcept;

    // The sink is not owned; nullptr (the start) drops what would stream. Change it between responses.
    void set_sink(LiteralSink* sink);

    // More bytes. What an earlier chunk still holds is kept first.
    void feed(std::span<const char> chunk);

    // The next response, valid until the next call of anything here; nullptr when more bytes are needed.
    const Response* next();

    // Takes a copy of what is left of the chunk, so that the chunk may go.
    void keep();

    // No more bytes will come. next() then tells once of a response that was cut off.
    void finish();

    // Forgets everything that was fed and not yet read (STARTTLS: whatever came before TLS does not count).
    void discard();

    // Bytes taken in so far / memory held now.
    uint64_t offset() const;
    // Bytes of a response that is still coming.
    uint64_t unfinished() const;
    size_t memory() const;

  private:
    class Impl;
    std::unique_ptr<Impl> m_impl;
};

} // namespace himalaya::imap

// Where does a response end? Its first line may announce a literal ("{12}" at its end), whose bytes follow
// and after which the line goes on, and so on. The Lexer finds that end in any chunking, gathers what spans
// chunks, and lets large literals and bodies pass by to the sink without a copy. It knows no more of the
// grammar than that, so a response the parser cannot read does no harm to the next one: its literals are
// already stepped over.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "imap/parser.hpp"

namespace himalaya::imap {

// One whole response, as the parser reads it. Literals that streamed are announced in `bytes` but not there.
struct Frame {
    struct Gap {
        size_t position = 0; // in bytes, just after the announcement's line end
        uint64_t size = 0;
        uint32_t literal = 0;
    };
    std::string_view bytes; // without the last line end
    uint64_t offset = 0;    // of the first byte in the whole stream
    std::span<const Gap> gaps;

    const Gap* gap_at(size_t position) const;
    uint64_t offset_of(size_t position) const;
};

struct FetchPrefix;

class Lexer {
  public:
    explicit Lexer(const Limits& limits);
    ~Lexer();

    void set_sink(LiteralSink* sink);
    void feed(std::span<const char> chunk);
    void keep();
    void finish();
    void discard();
    bool finished() const { return m_finished; }
    // Of a response that is still coming: bytes of it so far, 0 when it was given up.
    uint64_t unfinished() const {
        bool given_up = m_state == State::skipped_line || m_state == State::skipped_literal;
        return m_fresh || given_up ? 0 : m_read - m_frame_offset;
    }

    enum class Found { nothing, frame, malformed };
    // What it found is in frame() or malformed() until the next call.
    Found next();
    const Frame& frame() const { return m_frame; }
    const Malformed& malformed() const { return m_malformed; }

    // Of the byte after the last one fed / memory of gathered bytes.
    uint64_t offset() const { return m_read + size_t(m_end - m_at); }
    size_t memory() const {
        return m_gathered.capacity() + m_kept.capacity() + m_gaps.capacity() * sizeof(Frame::Gap);
    }

  private:
    enum class State : uint8_t { line, inline_literal, streamed_literal, skipped_line, skipped_literal };
    struct Announcement {
        uint64_t size = 0;
        size_t length = 0; // of "{12}"
        bool too_large = false;
    };

    void begin_frame();
    void gather();
    std::optional<Found> read_line();
    void pass_literal();
    void skip_line();
    bool in_quotes();
    std::optional<Found> end_of_line(size_t content_end);
    static std::optional<Announcement> announcement(std::string_view tail);
    bool may_hold_literals() const;
    std::optional<Found> begin_literal(const Announcement& announced, size_t begin);
    void line_goes_on();
    bool is_body(size_t begin, LiteralStart& start);
    Found fail(const char* message, uint64_t offset, bool lost = false);
    size_t frame_size() const { return m_gathered.size() + size_t(m_at - m_start); }
    char at(size_t position) const {
        return position < m_gathered.size() ? m_gathered[position] : m_start[position - m_gathered.size()];
    }

    Limits m_limits;
    LiteralSink* m_sink = nullptr;
    Frame m_frame;
    Malformed m_malformed;

    std::string m_kept;          // unread bytes of chunks that had to go
    const char* m_at = nullptr;  // next unread byte
    const char* m_end = nullptr; // of the chunk
    uint64_t m_read = 0;         // offset of m_at in the whole stream

    State m_state = State::line;
    bool m_fresh = true; // the next byte starts a frame
    bool m_crlf = false; // the stream has shown a CRLF
    bool m_finished = false;
    const char* m_start = nullptr; // the frame's part that is still only in the chunk begins here
    std::string m_gathered;        // its part before
    uint64_t m_frame_offset = 0;
    size_t m_line_begin = 0;    // in the frame
    size_t m_quote_checked = 0; // in the frame: how far m_quoted is known
    bool m_quoted = false;
    bool m_escaped = false;
    bool m_skips_literals = false; // of a response that was given up
    bool m_sink_told = false;      // the streamed literal goes to the sink
    uint64_t m_left = 0;           // of the literal
    std::string m_tail;            // the last bytes of a line that is skipped
    std::vector<Frame::Gap> m_gaps;
    uint32_t m_literals = 0;

    std::unique_ptr<FetchPrefix> m_prefix; // made when the first body comes
};

} // namespace himalaya::imap

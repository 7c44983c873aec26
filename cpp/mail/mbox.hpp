// The mbox format, as mboxrd: messages one after the other, each behind a line "From sender date"; a line of a message
// that begins with "From ", or with that behind any number of '>', has one '>' more in the file than in the message.
// Flags stand in the fields Status, X-Status and X-Keywords; a message's own fields of those names are called X-Kept-...
// in the file. Content-Length is not believed: a program that changed a line and not the number would make us cut mail
// in the wrong places.
//
// Both directions take pieces of any size and keep a few KiB, whatever comes: gigabytes, a line without end, NULs.
// Messages have CRLF line ends, files LF (those with CRLF are read as well).
#pragma once

#include "mail/flags.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace himalaya::mail {

struct FromLine {
    std::string sender;
    std::optional<std::int64_t> arrived; // taken as UTC; nothing where the line has no date
};
// Nothing where it is no From_ line at all.
std::optional<FromLine> parse_from_line(std::string_view line);
std::string from_line(std::string_view sender, std::int64_t arrived); // with its line end

// Cuts bytes into lines, each told by its beginning (enough to know what it is) and what follows that.
class LineCutter {
  public:
    virtual ~LineCutter() = default;
    static constexpr std::size_t LONGEST_BEGIN = 1024;

  protected:
    void cut(std::string_view bytes);
    void cut_end();

    // All of the line where `whole`, without its end.
    virtual void line_begins(std::string_view begin, bool whole) = 0;
    virtual void line_goes_on(std::string_view bytes) = 0;
    virtual void line_ends() = 0;
    // A line begins with more '>' than a beginning may be long: all but the last come ahead of it.
    virtual void quotes_go_ahead(std::string_view quotes) = 0;

  private:
    void begin_is_known(bool whole);
    void content(std::string_view bytes);

    std::string m_begin;
    bool m_known = false;       // what the line is was told
    bool m_return_held = false; // a CR that may belong to the line's end
};

class MboxReader : private LineCutter {
  public:
    class Sink {
      public:
        virtual ~Sink() = default;
        virtual void on_message(const FromLine& from) = 0;
        virtual void on_bytes(std::string_view bytes) = 0; // CRLF line ends, without quotes and flags
        virtual void on_end(const Flags& flags) = 0;
    };
    explicit MboxReader(Sink& sink) : m_sink(sink) {}

    // False once the file has turned out to be no mbox: it does not begin with a From_ line.
    bool feed(std::string_view bytes);
    bool finish();

  private:
    void line_begins(std::string_view begin, bool whole) override;
    void line_goes_on(std::string_view bytes) override;
    void line_ends() override;
    void quotes_go_ahead(std::string_view quotes) override;

    bool is_separator(const FromLine& from) const;
    void open_message(const FromLine& from);
    void close_message();
    void end_field();
    void give(std::string_view bytes);
    void give_all();

    Sink& m_sink;
    std::string m_out;
    std::string m_field; // a field of flags, as it is read
    Flags m_flags;
    bool m_is_mbox = true;
    bool m_begun = false; // the first From_ line was seen
    bool m_in_header = false;
    bool m_passing = false;    // this line is given on
    bool m_blank_held = false; // an empty line, which goes if the message ends here
    bool m_bare_from = false;  // this file's From_ lines have no date
};

// One message on its way into a file.
class MboxWriter : private LineCutter {
  public:
    // `out` gets all that is written; it is the caller's to empty between two calls.
    MboxWriter(std::string& out, std::string_view sender, std::int64_t arrived, const Flags& flags);
    void add(std::string_view bytes);
    void finish();

  private:
    void line_begins(std::string_view begin, bool whole) override;
    void line_goes_on(std::string_view bytes) override;
    void line_ends() override;
    void quotes_go_ahead(std::string_view quotes) override;

    std::string& m_out;
    bool m_in_header = true;
    bool m_line_open = false;
};

} // namespace himalaya::mail

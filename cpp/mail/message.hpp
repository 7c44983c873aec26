// A message as a reader sees it, out of the bytes as they came. GMime does the parsing, as in notmuch and mu; it lives
// in a shared object of its own (build/himalaya_mime.so) that is opened with the first message, because loading it
// and GLib costs more than all the rest of the module. Everything here runs on the store's file thread.
#pragma once

#include "base/error.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace himalaya::mail {

struct Header {
    std::string name;
    std::string value; // decoded, UTF-8, one line
};

struct Part {
    std::string number; // "1.2": the way through the tree, as IMAP counts
    std::string mime;   // "text/plain"
    std::string name;   // decoded file name; may be empty
    std::string charset;
    std::string content_id;
    bool attachment = false;
    std::int64_t size = 0; // decoded bytes; 0 for multiparts
    std::vector<Part> children;
};

struct Message {
    std::vector<Header> headers;
    // UTF-8, '\n' lines, format=flowed undone: everything that is to be read, in its order, of alternatives the plain
    // one. What is only there as HTML is rendered.
    std::string text;
    // UTF-8, as sent. Where `text` has some of it, what is plain stands between the pages, so that nothing is missing
    // to who renders this instead.
    std::string html;
    bool text_from_html = false; // at least in part
    Part root;
    std::vector<Part> attachments; // without children
    bool truncated = false;        // a limit was reached: the rest is in the bytes only
};

class Mime {
  public:
    virtual ~Mime() = default;
    Message read(std::string_view bytes) const;
    // The decoded bytes of one part into a new file at `path` (never over an existing one).
    virtual Result<std::int64_t> save(std::string_view bytes, std::string_view number,
                                      const std::string& path) const noexcept = 0;

    // Who loads it: the shared object must be built from the same sources, since what passes between the two are C++
    // objects. `mend` is the command that makes it so.
    struct Loader {
        std::string stamp; // any will do where it is empty
        std::string mend = "./scripts/build";
    };
    // Opens the shared object; Error{internal} says how to mend what is missing or of other sources.
    static Result<std::shared_ptr<const Mime>> load(const std::string& shared_object, const Loader& loader);

  protected:
    // False when there was no memory for it. The shared object has a C++ library of its own, so what it throws must
    // not come to us.
    virtual bool read_into(std::string_view bytes, Message& message) const noexcept = 0;
};

// What the shared object gives: `extern "C" himalaya::mail::Mime* himalaya_mime()` and, for who must know before that,
// `extern "C" const char* himalaya_mime_stamp()`.
inline constexpr const char* MIME_SYMBOL = "himalaya_mime";
inline constexpr const char* MIME_STAMP_SYMBOL = "himalaya_mime_stamp";

} // namespace himalaya::mail

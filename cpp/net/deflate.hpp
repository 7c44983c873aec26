// COMPRESS=DEFLATE (RFC 4978): raw deflate both ways for the rest of the connection. What a few bytes may
// blow up to is not bounded by the format, so inflating is done in steps of what the caller has room for, and
// nothing is kept here but zlib's window: a bomb costs time under the budget, never memory.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "net/input.hpp"

struct z_stream_s;

namespace himalaya::net {

class Inflater {
  public:
    Inflater();
    Inflater(const Inflater&) = delete;
    Inflater& operator=(const Inflater&) = delete;
    ~Inflater();

    // A view that must live until read() gave 0 or keep() was called.
    void feed(std::span<const char> bytes) { m_input.feed(bytes); }
    void keep() { m_input.keep(); }
    // Plain bytes into `buffer`; 0: more must be fed, or ended().
    Result<std::size_t> read(std::span<char> buffer);
    bool ended() const { return m_ended; }
    // True while read() may give something without being fed.
    bool holds() const { return m_more || !m_input.empty(); }

  private:
    std::unique_ptr<z_stream_s> m_stream;
    Input m_input;
    bool m_more = false; // the last read filled its buffer: zlib may hold output
    bool m_ended = false;
};

class Deflater {
  public:
    Deflater();
    Deflater(const Deflater&) = delete;
    Deflater& operator=(const Deflater&) = delete;
    ~Deflater();

    // Appends to `out` what the other side needs to read all of `plain` now.
    void write(std::string_view plain, std::string& out);

  private:
    std::unique_ptr<z_stream_s> m_stream;
};

} // namespace himalaya::net

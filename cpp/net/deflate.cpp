#include "net/deflate.hpp"

#include <zlib.h>

namespace himalaya::net {

namespace {

constexpr int RAW = -15;

} // namespace

Inflater::Inflater() : m_stream(std::make_unique<z_stream>()) {
    if (inflateInit2(m_stream.get(), RAW) != Z_OK)
        throw make_error(Code::internal, "zlib cannot be started.");
}

Inflater::~Inflater() {
    inflateEnd(m_stream.get());
}

Result<std::size_t> Inflater::read(std::span<char> buffer) {
    if (m_ended || !holds())
        return std::size_t(0);
    m_stream->next_in = reinterpret_cast<Bytef*>(const_cast<char*>(m_input.data()));
    m_stream->avail_in = static_cast<uInt>(m_input.size());
    m_stream->next_out = reinterpret_cast<Bytef*>(buffer.data());
    m_stream->avail_out = static_cast<uInt>(buffer.size());
    int status = inflate(m_stream.get(), Z_SYNC_FLUSH);
    m_input.take(m_input.size() - m_stream->avail_in);
    m_more = m_stream->avail_out == 0;
    if (status == Z_STREAM_END)
        m_ended = true;
    else if (status != Z_OK && status != Z_BUF_ERROR)
        return make_error(Code::protocol, "The server's compressed data is damaged.",
                          "It is tried again over a new connection.");
    return buffer.size() - m_stream->avail_out;
}

Deflater::Deflater() : m_stream(std::make_unique<z_stream>()) {
    // Level 1: commands are small and literals often compressed already.
    if (deflateInit2(m_stream.get(), Z_BEST_SPEED, Z_DEFLATED, RAW, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        throw make_error(Code::internal, "zlib cannot be started.");
}

Deflater::~Deflater() {
    deflateEnd(m_stream.get());
}

void Deflater::write(std::string_view plain, std::string& out) {
    char buffer[8192];
    m_stream->next_in = reinterpret_cast<Bytef*>(const_cast<char*>(plain.data()));
    m_stream->avail_in = static_cast<uInt>(plain.size());
    do {
        m_stream->next_out = reinterpret_cast<Bytef*>(buffer);
        m_stream->avail_out = sizeof buffer;
        deflate(m_stream.get(), Z_SYNC_FLUSH);
        out.append(buffer, sizeof buffer - m_stream->avail_out);
    } while (m_stream->avail_out == 0);
}

} // namespace himalaya::net

#include "base/json_out.hpp"

#include <cmath>
#include <iterator>

#include <fmt/format.h>

#include "base/text.hpp"

namespace himalaya::json {

namespace {

void append_quoted(std::string& out, std::string_view text) {
    std::string mended;
    if (!text::is_utf8(text)) {
        mended = text::to_utf8(text);
        text = mended;
    }
    out += '"';
    for (char c : text) {
        switch (c) {
        case '"':
            out += "\\\"";
            break;
        case '\\':
            out += "\\\\";
            break;
        case '\n':
            out += "\\n";
            break;
        case '\r':
            out += "\\r";
            break;
        case '\t':
            out += "\\t";
            break;
        default:
            if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
                fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned>(c));
            else
                out += c;
        }
    }
    out += '"';
}

} // namespace

void Writer::comma() {
    if (!m_first)
        m_out += ',';
    m_first = false;
}

Writer& Writer::open(char c) {
    comma();
    m_out += c;
    m_first = true;
    return *this;
}

Writer& Writer::close(char c) {
    m_out += c;
    m_first = false;
    return *this;
}

Writer& Writer::key(std::string_view name) {
    comma();
    append_quoted(m_out, name);
    m_out += ':';
    m_first = true;
    return *this;
}

Writer& Writer::value(std::string_view text) {
    comma();
    append_quoted(m_out, text);
    return *this;
}

Writer& Writer::value(double number) {
    if (!std::isfinite(number))
        return value(nullptr);
    comma();
    fmt::format_to(std::back_inserter(m_out), "{}", number);
    return *this;
}

Writer& Writer::value(bool truth) {
    return raw(truth ? "true" : "false");
}
Writer& Writer::value(std::nullptr_t) {
    return raw("null");
}

Writer& Writer::integer(std::int64_t number) {
    comma();
    fmt::format_to(std::back_inserter(m_out), "{}", number);
    return *this;
}

Writer& Writer::natural(std::uint64_t number) {
    comma();
    fmt::format_to(std::back_inserter(m_out), "{}", number);
    return *this;
}

Writer& Writer::raw(std::string_view json) {
    comma();
    m_out += json;
    return *this;
}

std::string quoted(std::string_view text) {
    std::string out;
    append_quoted(out, text);
    return out;
}

} // namespace himalaya::json

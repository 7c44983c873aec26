#include "mail/charset.hpp"

#include <iconv.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <utility>
#include <vector>

namespace himalaya::mail {

namespace {

constexpr std::string_view REPLACEMENT = "\xef\xbf\xbd";

std::string lower(std::string_view text) {
    std::string result;
    for (char c : text)
        result += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    return result;
}

// The length of the valid UTF-8 character at the start, or 0.
std::size_t character(std::string_view text) {
    auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    unsigned char lead = byte(0);
    if (lead < 0x80)
        return 1;
    std::size_t length = lead >= 0xf0 && lead < 0xf5 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc2 ? 2 : 0;
    if (lead >= 0xf5 || length == 0 || text.size() < length)
        return 0;
    for (std::size_t i = 1; i < length; ++i)
        if ((byte(i) & 0xc0) != 0x80)
            return 0;
    if ((lead == 0xe0 && byte(1) < 0xa0) || (lead == 0xed && byte(1) >= 0xa0) ||
        (lead == 0xf0 && byte(1) < 0x90) || (lead == 0xf4 && byte(1) >= 0x90))
        return 0;
    return length;
}

bool is_utf8(std::string_view text) {
    while (!text.empty()) {
        auto length = character(text);
        if (length == 0)
            return false;
        text.remove_prefix(length);
    }
    return true;
}

std::string mended(std::string_view text) {
    std::string result;
    result.reserve(text.size());
    while (!text.empty()) {
        auto length = character(text);
        if (length == 0) {
            result += REPLACEMENT;
            text.remove_prefix(1);
        } else {
            result += text.substr(0, length);
            text.remove_prefix(length);
        }
    }
    return result;
}

// Names that mail uses and iconv does not know, or knows as something narrower than what is sent under them.
std::string known_as(std::string_view charset) {
    auto name = lower(charset);
    if (name == "iso-8859-1" || name == "latin1" || name == "us-ascii" || name == "ascii" ||
        name == "ansi_x3.4-1968" || name == "iso8859-1" || name == "iso_8859-1")
        return "windows-1252";
    if (name == "gb2312" || name == "gbk" || name == "x-gbk" || name == "gb_2312-80")
        return "gb18030";
    if (name == "ks_c_5601-1987" || name == "ks_c_5601" || name == "euc-kr" || name == "x-windows-949")
        return "cp949";
    if (name == "shift_jis" || name == "shift-jis" || name == "x-sjis" || name == "windows-31j")
        return "cp932";
    // The ending says in which order the letters come, not which they are: Hebrew and Arabic mail (RFC 1556).
    if (name == "iso-8859-8-i" || name == "iso-8859-8-e" || name == "iso-8859-6-i" || name == "iso-8859-6-e")
        return name.substr(0, name.size() - 2);
    if (name == "x-mac-roman")
        return "macintosh";
    if (name.rfind("x-mac-", 0) == 0 || name.rfind("x-cp", 0) == 0)
        return name.substr(2);
    if (name == "windows-874")
        return "cp874";
    if (name == "big5")
        return "big5-hkscs";
    if (name == "unicode-1-1-utf-7")
        return "utf-7";
    return name;
}

std::string convert(std::string_view bytes, iconv_t converter) {
    std::string result;
    result.reserve(bytes.size() + bytes.size() / 4);
    char buffer[4096];
    char* in = const_cast<char*>(bytes.data());
    std::size_t left = bytes.size();
    while (left > 0) {
        char* out = buffer;
        std::size_t room = sizeof buffer;
        auto status = iconv(converter, &in, &left, &out, &room);
        result.append(buffer, sizeof buffer - room);
        if (status != static_cast<std::size_t>(-1) || errno == E2BIG)
            continue;
        if (left == 0)
            break;
        result += REPLACEMENT;
        ++in;
        --left;
    }
    return result;
}

// Opening a converter loads its tables from the disk each time, 30 us and more for a subject of 30 bytes; a thread
// keeps the few it used last.
class Converters {
  public:
    Converters() = default;
    Converters(const Converters&) = delete;
    Converters& operator=(const Converters&) = delete;
    ~Converters() {
        for (auto& [name, converter] : m_kept)
            iconv_close(converter);
    }

    // Null for a charset that iconv does not know.
    iconv_t find(const std::string& name) {
        auto kept = std::find_if(m_kept.begin(), m_kept.end(), [&](auto& one) { return one.first == name; });
        if (kept == m_kept.end()) {
            iconv_t opened = iconv_open("UTF-8", name.c_str());
            if (reinterpret_cast<std::intptr_t>(opened) == -1)
                return nullptr;
            if (m_kept.size() == MOST) {
                iconv_close(m_kept.back().second);
                m_kept.pop_back();
            }
            m_kept.emplace_back(name, opened);
            kept = m_kept.end() - 1;
        }
        std::rotate(m_kept.begin(), kept, kept + 1);
        iconv(m_kept.front().second, nullptr, nullptr, nullptr, nullptr); // no shift state of an earlier text
        return m_kept.front().second;
    }

  private:
    static constexpr std::size_t MOST = 6;
    std::vector<std::pair<std::string, iconv_t>> m_kept; // the last used first
};

} // namespace

std::string to_utf8(std::string_view bytes, std::string_view charset) {
    auto name = known_as(charset);
    // What is valid UTF-8 with letters beyond ASCII is hardly ever anything else, whatever its label says; but
    // charsets with escape sequences are ASCII to look at.
    bool escapes = name.rfind("iso-2022", 0) == 0 || name == "utf-7" || name.rfind("utf-16", 0) == 0 ||
                   name.rfind("utf-32", 0) == 0 || name == "hz-gb-2312";
    if (!escapes && is_utf8(bytes))
        return std::string(bytes);
    if (name == "utf-8" || name == "utf8")
        return mended(bytes);
    // glibc passes over characters it does not like and takes "//" for an order of its own.
    bool plain = !name.empty() &&
                 name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-_.:") == std::string::npos;
    thread_local Converters converters;
    iconv_t converter = plain ? converters.find(name) : nullptr;
    if (!converter)
        converter = converters.find("windows-1252");
    if (!converter)
        return mended(bytes);
    auto text = convert(bytes, converter);
    return is_utf8(text) ? text : mended(text); // iconv lets codes beyond U+10FFFF pass
}

} // namespace himalaya::mail

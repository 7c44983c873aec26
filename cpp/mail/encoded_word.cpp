#include "mail/encoded_word.hpp"

#include <cstddef>
#include <optional>

#include "base/text.hpp"
#include "mail/charset.hpp"

namespace himalaya::mail {

namespace {

struct EncodedWord {
    std::string_view charset;
    bool base64 = false;
    std::string_view text;
    size_t length = 0;
};

bool is_space(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

// "=?charset*language?q?text?=" at the start of `rest`. Spaces within the text are against the rules and common.
std::optional<EncodedWord> encoded_word(std::string_view rest) {
    constexpr size_t longest_charset = 64;
    if (!rest.starts_with("=?"))
        return std::nullopt;
    const size_t charset_end = rest.substr(0, longest_charset).find('?', 2);
    if (charset_end == std::string_view::npos || charset_end == 2 || charset_end + 2 >= rest.size() ||
        rest[charset_end + 2] != '?')
        return std::nullopt;
    EncodedWord word;
    word.charset = rest.substr(2, charset_end - 2);
    for (const char c : word.charset)
        if (is_space(c) || c == '=')
            return std::nullopt;
    word.charset = word.charset.substr(0, word.charset.find('*'));
    const char encoding = text::lower(rest[charset_end + 1]);
    if (encoding != 'q' && encoding != 'b')
        return std::nullopt;
    word.base64 = encoding == 'b';
    const size_t begin = charset_end + 3;
    size_t end = begin;
    while (end < rest.size() && rest[end] != '?' && rest[end] != '\n')
        end++;
    if (end + 1 >= rest.size() || rest[end] != '?' || rest[end + 1] != '=')
        return std::nullopt;
    word.text = rest.substr(begin, end - begin);
    word.length = end + 2;
    return word;
}

int hex_value(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    c = text::lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

void append_q(std::string& out, std::string_view coded) {
    for (size_t i = 0; i < coded.size(); i++) {
        const bool escape = coded[i] == '=' && i + 2 < coded.size() && hex_value(coded[i + 1]) >= 0 &&
                            hex_value(coded[i + 2]) >= 0;
        if (escape) {
            out += char(hex_value(coded[i + 1]) * 16 + hex_value(coded[i + 2]));
            i += 2;
        } else {
            out += coded[i] == '_' ? ' ' : coded[i];
        }
    }
}

// Padding may be missing or in the middle, where two pieces were glued together; other characters are passed over.
void append_base64(std::string& out, std::string_view coded) {
    unsigned bits = 0;
    int count = 0;
    for (const char c : coded) {
        int value = -1;
        if (c >= 'A' && c <= 'Z')
            value = c - 'A';
        else if (c >= 'a' && c <= 'z')
            value = c - 'a' + 26;
        else if (c >= '0' && c <= '9')
            value = c - '0' + 52;
        else if (c == '+')
            value = 62;
        else if (c == '/')
            value = 63;
        else if (c == '=')
            count = 0;
        if (value < 0)
            continue;
        bits = (bits << 6 | unsigned(value)) & 0xffffff;
        count += 6;
        if (count >= 8) {
            count -= 8;
            out += char(bits >> count & 0xff);
        }
    }
}

// Between encoded words the text is ASCII by the rules, else UTF-8, else Windows-1252. A fold becomes one space.
void append_plain(std::string& out, std::string_view plain) {
    std::string unfolded;
    unfolded.reserve(plain.size());
    for (size_t i = 0; i < plain.size(); i++) {
        if (plain[i] != '\r' && plain[i] != '\n') {
            unfolded += plain[i];
            continue;
        }
        while (i + 1 < plain.size() && is_space(plain[i + 1]))
            i++;
        unfolded += ' ';
    }
    out += text::is_utf8(unfolded) ? unfolded : to_utf8(unfolded, "windows-1252");
}

bool is_blank(std::string_view text) {
    for (const char c : text)
        if (!is_space(c))
            return false;
    return true;
}

// Longer ones are nobody's subject: their decoding would be felt.
constexpr size_t longest_at_once = 4096;

} // namespace

Decoding decoding_of(std::string_view raw) {
    bool plain = true, ascii = true;
    for (size_t i = 0; i < raw.size(); i++) {
        const char c = raw[i];
        plain &= c != '\r' && c != '\n' && !(c == '=' && i + 1 < raw.size() && raw[i + 1] == '?');
        ascii &= static_cast<unsigned char>(c) < 0x80;
    }
    if (plain && ascii)
        return Decoding::none;
    if (raw.size() > longest_at_once || (!ascii && !text::is_utf8(raw)))
        return Decoding::on_a_worker;
    for (size_t i = raw.find("=?"); i != std::string_view::npos; i = raw.find("=?", i + 2)) {
        const auto word = encoded_word(raw.substr(i));
        if (!word)
            continue;
        if (!text::same_ignoring_case(word->charset, "utf-8"))
            return Decoding::on_a_worker;
        i += word->length - 2;
    }
    return plain ? Decoding::none : Decoding::at_once;
}

std::string decode_header(std::string_view raw) {
    std::string out;
    std::string bytes; // of neighbouring words in one charset: a character may be split between them
    std::string charset;
    bool after_word = false;
    size_t plain_begin = 0;
    const auto flush = [&] {
        if (!bytes.empty()) {
            std::string decoded = to_utf8(bytes, charset);
            for (char& c : decoded)
                if (c == '\r' || c == '\n')
                    c = ' ';
            out += decoded;
        }
        bytes.clear();
    };
    for (size_t i = 0; i < raw.size();) {
        const auto word = raw[i] == '=' ? encoded_word(raw.substr(i)) : std::nullopt;
        if (!word) {
            i++;
            continue;
        }
        const std::string_view plain = raw.substr(plain_begin, i - plain_begin);
        const bool glued = after_word && is_blank(plain);
        if (!glued || !text::same_ignoring_case(charset, word->charset))
            flush();
        if (!glued)
            append_plain(out, plain);
        charset = word->charset;
        if (word->base64)
            append_base64(bytes, word->text);
        else
            append_q(bytes, word->text);
        i += word->length;
        plain_begin = i;
        after_word = true;
    }
    flush();
    append_plain(out, raw.substr(plain_begin));
    return out;
}

} // namespace himalaya::mail

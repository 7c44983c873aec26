#include "mail/html_text.hpp"

#include "base/escape.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cstdint>
#include <vector>

namespace himalaya::mail {

namespace {

struct Entity {
    std::string_view name;
    std::string_view text;
};
constexpr std::array<Entity, 22> ENTITIES = {
    {{"amp", "&"},   {"lt", "<"},    {"gt", ">"},     {"quot", "\""}, {"apos", "'"},  {"nbsp", " "},
     {"copy", "©"},  {"reg", "®"},   {"hellip", "…"}, {"mdash", "—"}, {"ndash", "–"}, {"lsquo", "‘"},
     {"rsquo", "’"}, {"ldquo", "“"}, {"rdquo", "”"},  {"bull", "•"},  {"euro", "€"},  {"middot", "·"},
     {"laquo", "«"}, {"raquo", "»"}, {"zwnj", ""},    {"shy", ""}}};

constexpr std::array<std::string_view, 20> BLOCKS = {"p",  "div", "tr", "table", "ul", "ol",     "li",
                                                     "h1", "h2",  "h3", "h4",    "h5", "h6",     "blockquote",
                                                     "hr", "pre", "dl", "dt",    "dd", "section"};
constexpr std::array<std::string_view, 8> PARAGRAPHS = {"p",  "h1",    "h2",         "h3",
                                                        "h4", "table", "blockquote", "ul"};
constexpr std::array<std::string_view, 5> SILENT = {"style", "script", "head", "title", "template"};

template<std::size_t N>
bool is_one_of(std::string_view name, const std::array<std::string_view, N>& names) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

void add_utf8(std::string& text, std::uint32_t code) {
    if (code == 0 || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
        code = 0xfffd;
    if (code < 0x20 || code == 0x7f)
        code = ' ';
    if (code < 0x80) {
        text += static_cast<char>(code);
    } else if (code < 0x800) {
        text += static_cast<char>(0xc0 | (code >> 6));
        text += static_cast<char>(0x80 | (code & 0x3f));
    } else if (code < 0x10000) {
        text += static_cast<char>(0xe0 | (code >> 12));
        text += static_cast<char>(0x80 | ((code >> 6) & 0x3f));
        text += static_cast<char>(0x80 | (code & 0x3f));
    } else {
        text += static_cast<char>(0xf0 | (code >> 18));
        text += static_cast<char>(0x80 | ((code >> 12) & 0x3f));
        text += static_cast<char>(0x80 | ((code >> 6) & 0x3f));
        text += static_cast<char>(0x80 | (code & 0x3f));
    }
}

// "&eacute;" and its like at the start of `text`: appends what it stands for, returns its length (0: none).
std::size_t entity(std::string_view text, std::string& into) {
    auto end = text.substr(0, 12).find(';');
    if (end == std::string_view::npos || end < 2)
        return 0;
    auto name = text.substr(1, end - 1);
    if (name[0] == '#') {
        bool hex = name.size() > 1 && (name[1] == 'x' || name[1] == 'X');
        auto digits = name.substr(hex ? 2 : 1);
        std::uint32_t code = 0;
        auto [rest, problem] =
            std::from_chars(digits.data(), digits.data() + digits.size(), code, hex ? 16 : 10);
        if (problem != std::errc() || rest != digits.data() + digits.size())
            return 0;
        add_utf8(into, code);
        return end + 1;
    }
    for (const auto& known : ENTITIES)
        if (known.name == name) {
            into += known.text;
            return end + 1;
        }
    return 0;
}

class Writer {
  public:
    void word(std::string_view text) { // text without blanks at its ends
        if (text.empty())
            return;
        if (m_gap && !m_line.empty())
            m_line += ' ';
        m_gap = false;
        m_line += text;
    }
    void gap() { m_gap = true; }
    void verbatim(char c) {
        if (c == '\n')
            end_line();
        else if (c != '\r')
            m_line += c;
    }
    void end_line() {
        while (!m_line.empty() && m_line.back() == ' ')
            m_line.pop_back();
        if (m_line.empty()) {
            m_gap = false;
            return;
        }
        if (m_paragraph && !m_text.empty())
            m_text += '\n';
        m_paragraph = false;
        for (int i = 0; i < m_quotes; ++i)
            m_text += "> ";
        m_text += m_line;
        m_text += '\n';
        m_line.clear();
        m_gap = false;
    }
    void end_paragraph() {
        end_line();
        m_paragraph = true;
    }
    void quote(int by) { m_quotes = std::clamp(m_quotes + by, 0, 10); }
    std::string take() {
        end_line();
        return std::move(m_text);
    }

  private:
    std::string m_text;
    std::string m_line;
    bool m_gap = false;
    bool m_paragraph = false;
    int m_quotes = 0;
};

struct Tag {
    std::string name;
    bool closing = false;
    std::string_view attributes;
};

std::string attribute(std::string_view attributes, std::string_view wanted) {
    auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
    for (std::size_t at = 0; at + wanted.size() < attributes.size(); ++at) {
        bool same =
            std::equal(wanted.begin(), wanted.end(), attributes.begin() + static_cast<std::ptrdiff_t>(at),
                       [&](char a, char b) { return a == lower(b); });
        bool starts =
            at > 0 && (attributes[at - 1] == ' ' || attributes[at - 1] == '\n' || attributes[at - 1] == '\t');
        if (!same || !starts)
            continue;
        auto value = attributes.substr(at + wanted.size());
        while (!value.empty() && value.front() == ' ')
            value.remove_prefix(1);
        if (value.empty() || value.front() != '=')
            continue;
        value.remove_prefix(1);
        while (!value.empty() && value.front() == ' ')
            value.remove_prefix(1);
        char end = ' ';
        if (!value.empty() && (value.front() == '"' || value.front() == '\'')) {
            end = value.front();
            value.remove_prefix(1);
        }
        std::string text;
        value = value.substr(0, value.find(end));
        for (std::size_t i = 0; i < value.size(); ++i) {
            if (value[i] == '&')
                if (auto length = entity(value.substr(i), text)) {
                    i += length - 1;
                    continue;
                }
            if (static_cast<unsigned char>(value[i]) > 0x20)
                text += value[i];
        }
        return text;
    }
    return {};
}

class Renderer {
  public:
    explicit Renderer(std::string_view html) : m_html(html) {}

    std::string run() {
        while (m_at < m_html.size()) {
            if (m_html[m_at] == '<' && m_at + 1 < m_html.size() && begins_tag(m_html[m_at + 1]))
                tag();
            else
                character();
        }
        end_word();
        return m_writer.take();
    }

  private:
    static bool begins_tag(char c) {
        return c == '/' || c == '!' || c == '?' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    }

    void character() {
        if (!m_silent.empty()) {
            ++m_at;
            return;
        }
        char c = m_html[m_at];
        if (c == '&')
            if (auto length = entity(m_html.substr(m_at), m_word)) {
                m_at += length;
                return;
            }
        if (auto escape = text::escape_length(m_html.substr(m_at))) {
            m_at += escape;
            return;
        }
        ++m_at;
        if (m_pre > 0) {
            end_word();
            m_writer.verbatim(c);
        } else if (c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == '\f') {
            end_word();
            m_writer.gap();
        } else if (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f) {
            m_word += c;
        }
    }

    void end_word() {
        m_writer.word(m_word);
        m_word.clear();
    }

    // Reads past the tag at m_at and does what it says.
    void tag() {
        if (m_html.substr(m_at, 4) == "<!--") {
            auto end = m_html.find("-->", m_at + 4);
            m_at = end == std::string_view::npos ? m_html.size() : end + 3;
            return;
        }
        auto end = closing_bracket();
        auto inside = m_html.substr(m_at + 1, end - m_at - 1);
        m_at = std::min(end + 1, m_html.size());
        Tag tag;
        if (!inside.empty() && inside.front() == '/') {
            tag.closing = true;
            inside.remove_prefix(1);
        }
        std::size_t length = 0;
        while (length < inside.size() && std::isalnum(static_cast<unsigned char>(inside[length])))
            tag.name += static_cast<char>(std::tolower(static_cast<unsigned char>(inside[length++])));
        tag.attributes = inside.substr(length);
        handle(tag);
    }

    std::size_t closing_bracket() const {
        char quote = 0;
        for (auto i = m_at + 1; i < m_html.size() && i < m_at + 20'000; ++i) {
            char c = m_html[i];
            if (quote)
                quote = c == quote ? 0 : quote;
            else if ((c == '"' || c == '\'') && m_html[i - 1] == '=')
                quote = c;
            else if (c == '>')
                return i;
        }
        // An open quote to the end of the text: then the next bracket must do.
        return std::min(m_html.find('>', m_at), m_html.size());
    }

    void handle(const Tag& tag) {
        if (!m_silent.empty()) {
            if (tag.closing && tag.name == m_silent)
                m_silent.clear();
            return;
        }
        if (is_one_of(tag.name, SILENT)) {
            if (!tag.closing)
                m_silent = tag.name;
            return;
        }
        if (tag.name == "br") {
            end_word();
            m_writer.end_line();
        } else if (tag.name == "a") {
            link(tag);
        } else if (tag.name == "td" || tag.name == "th") {
            end_word();
            m_writer.gap();
        } else if (tag.name == "img" && !tag.closing) {
            if (auto alt = attribute(tag.attributes, "alt"); !alt.empty())
                m_word += "[" + alt + "]";
        } else if (is_one_of(tag.name, BLOCKS)) {
            block(tag);
        }
    }

    void block(const Tag& tag) {
        end_word();
        if (is_one_of(tag.name, PARAGRAPHS))
            m_writer.end_paragraph();
        else
            m_writer.end_line();
        if (tag.name == "pre")
            m_pre = std::max(0, m_pre + (tag.closing ? -1 : 1));
        if (tag.name == "blockquote")
            m_writer.quote(tag.closing ? -1 : 1);
        if (tag.name == "li" && !tag.closing) {
            m_writer.word("-");
            m_writer.gap();
        }
        if (tag.name == "hr") {
            m_writer.word("----------");
            m_writer.end_line();
        }
    }

    void link(const Tag& tag) {
        if (!tag.closing) {
            m_link = attribute(tag.attributes, "href");
            return;
        }
        bool named = m_link.rfind("http", 0) == 0 || m_link.rfind("mailto:", 0) == 0;
        if (named && m_word.find(m_link) == std::string::npos) {
            end_word();
            m_writer.gap();
            m_word = "<" + m_link + ">";
            end_word();
            m_writer.gap();
        }
        m_link.clear();
    }

    std::string_view m_html;
    std::size_t m_at = 0;
    Writer m_writer;
    std::string m_word;
    std::string m_silent;
    std::string m_link;
    int m_pre = 0;
};

} // namespace

std::string html_text(std::string_view html) {
    return Renderer(html).run();
}

} // namespace himalaya::mail

#include "mail/mbox.hpp"

#include "base/text.hpp"
#include "base/time.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <utility>

namespace himalaya::mail {

namespace {

constexpr std::string_view FROM = "From ";
constexpr std::string_view KEPT = "X-Kept-";
constexpr std::size_t GIVEN_AT_ONCE = 16'384;
// A folder with more keywords than this on one message is not made by people.
constexpr std::size_t LONGEST_FIELD = 65'536;
constexpr std::size_t KEYWORDS_A_LINE = 900;

constexpr std::array<std::string_view, 7> DAYS = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::array<std::string_view, 12> MONTHS = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

template<std::size_t N>
std::optional<unsigned> index_in(const std::array<std::string_view, N>& names, std::string_view name) {
    for (std::size_t i = 0; i < N; ++i)
        if (text::same_ignoring_case(names[i], name))
            return static_cast<unsigned>(i);
    return std::nullopt;
}

std::optional<std::int64_t> bounded(std::string_view digits, std::uint64_t most) {
    auto number = text::to_unsigned(digits);
    return number && *number <= most ? std::optional(static_cast<std::int64_t>(*number)) : std::nullopt;
}

std::vector<std::string_view> words_of(std::string_view line) {
    std::vector<std::string_view> words;
    for (auto word : text::split(line, ' '))
        if (!word.empty())
            words.push_back(word);
    return words;
}

// "10:02:03" or "10:02", as seconds of the day.
std::optional<std::int64_t> clock_of(std::string_view word) {
    auto parts = text::split(word, ':');
    if (parts.size() < 2 || parts.size() > 3)
        return std::nullopt;
    auto hours = bounded(parts[0], 23), minutes = bounded(parts[1], 59);
    auto seconds = parts.size() == 3 ? bounded(parts[2], 60) : std::optional<std::int64_t>(0);
    if (!hours || !minutes || !seconds)
        return std::nullopt;
    return *hours * 3600 + *minutes * 60 + *seconds;
}

// "Tue Feb  3 04:05:06 2026", from `at` on; a zone's name may stand before the year or after it.
std::optional<std::int64_t> date_of(const std::vector<std::string_view>& words, std::size_t at) {
    if (at + 5 > words.size() || !index_in(DAYS, words[at].substr(0, words[at].find(','))))
        return std::nullopt;
    auto month = index_in(MONTHS, words[at + 1]);
    auto day = bounded(words[at + 2], 31);
    auto clock = clock_of(words[at + 3]);
    if (!month || !day || *day < 1 || !clock)
        return std::nullopt;
    for (auto year_at = at + 4; year_at < std::min(words.size(), at + 7); ++year_at) {
        auto year = words[year_at].size() == 4 ? bounded(words[year_at], 9999) : std::nullopt;
        if (year && *year >= 1970)
            return time::days_from_civil(static_cast<int>(*year), *month + 1, static_cast<unsigned>(*day)) *
                       86'400 +
                   *clock;
    }
    return std::nullopt;
}

bool is_flag_field(std::string_view name) {
    return text::same_ignoring_case(name, "Status") || text::same_ignoring_case(name, "X-Status") ||
           text::same_ignoring_case(name, "X-Keywords");
}

std::string_view field_name(std::string_view line) {
    auto name = line.substr(0, line.find(':'));
    if (name.size() == line.size())
        return {};
    while (name.ends_with(' ') || name.ends_with('\t'))
        name.remove_suffix(1);
    return name;
}

// A field of flags of the message's own, under its name or already put aside under another.
bool is_kept_kind(std::string_view name) {
    while (text::starts_ignoring_case(name, KEPT))
        name.remove_prefix(KEPT.size());
    return is_flag_field(name);
}

// "Status: RO" into the flags it means.
void add_flags(Flags& flags, std::string_view line) {
    auto name = text::lower(field_name(line));
    auto value = line.substr(line.find(':') + 1);
    if (name == "x-keywords") {
        std::string blanks(value);
        std::replace_if(
            blanks.begin(), blanks.end(), [](char c) { return c == '\t' || c == ','; }, ' ');
        for (auto word : words_of(blanks))
            if (is_keyword(word))
                add_imap_flag(flags, word);
        return;
    }
    static constexpr std::array<std::pair<char, std::uint32_t>, 5> STATES = {
        {{'R', SEEN}, {'A', ANSWERED}, {'F', FLAGGED}, {'T', DRAFT}, {'D', DELETED}}};
    for (auto [letter, bit] : STATES)
        if (value.find(letter) != std::string_view::npos)
            flags.bits |= bit;
}

// Status comes last, and no program folds it: a message may begin with a blank.
std::string flag_fields(const Flags& flags) {
    std::string fields, line;
    auto end_line = [&] {
        if (!line.empty())
            fields += fmt::format("X-Keywords:{}\n", line);
        line.clear();
    };
    auto keywords = flags.keywords;
    if (flags.bits & FORWARDED)
        keywords.emplace_back("$Forwarded");
    for (const auto& keyword : keywords) {
        if (!is_keyword(keyword))
            continue;
        if (line.size() + keyword.size() > KEYWORDS_A_LINE)
            end_line();
        line += ' ';
        line += keyword;
    }
    end_line();
    std::string letters;
    for (auto [bit, letter] : {std::pair(ANSWERED, 'A'), {FLAGGED, 'F'}, {DRAFT, 'T'}, {DELETED, 'D'}})
        if (flags.bits & bit)
            letters += letter;
    if (!letters.empty())
        fields += fmt::format("X-Status: {}\n", letters);
    return fields + (flags.bits & SEEN ? "Status: RO\n" : "Status: O\n");
}

// "From " behind any number of '>'.
bool wants_quote(std::string_view begin) {
    begin.remove_prefix(std::min(begin.find_first_not_of('>'), begin.size()));
    return begin.starts_with(FROM);
}

} // namespace

std::optional<FromLine> parse_from_line(std::string_view line) {
    if (!line.starts_with(FROM))
        return std::nullopt;
    auto words = words_of(line.substr(FROM.size()));
    FromLine from;
    if (!words.empty())
        from.sender = words.front();
    for (std::size_t at = 0; at < words.size() && !from.arrived; ++at)
        from.arrived = date_of(words, at);
    return from;
}

std::string from_line(std::string_view sender, std::int64_t arrived) {
    std::string who;
    for (char c : sender)
        if (static_cast<unsigned char>(c) > ' ' && c != 0x7f)
            who += c;
    if (who.empty() || who.size() > 320)
        who = "MAILER-DAEMON";
    std::time_t when = std::clamp<std::int64_t>(arrived, 0, 253'402'300'799); // to the end of the year 9999
    std::tm parts{};
    ::gmtime_r(&when, &parts);
    return fmt::format("From {} {} {} {:2} {:02}:{:02}:{:02} {:04}\n", who,
                       DAYS[static_cast<std::size_t>(parts.tm_wday)],
                       MONTHS[static_cast<std::size_t>(parts.tm_mon)], parts.tm_mday, parts.tm_hour,
                       parts.tm_min, parts.tm_sec, parts.tm_year + 1900);
}

void LineCutter::cut(std::string_view bytes) {
    while (!bytes.empty()) {
        auto end = bytes.find('\n');
        auto part = bytes.substr(0, end);
        if (!m_known) {
            auto taken = part.substr(0, LONGEST_BEGIN - m_begin.size());
            m_begin += taken;
            part.remove_prefix(taken.size());
            if (m_begin.size() == LONGEST_BEGIN) {
                // One more or one less of so many '>' looks the same from here.
                auto other = m_begin.find_first_not_of('>');
                if (other == std::string::npos || m_begin.size() - other < FROM.size()) {
                    auto quotes = std::min(other, m_begin.size()) - 1;
                    quotes_go_ahead(std::string_view(m_begin).substr(0, quotes));
                    m_begin.erase(0, quotes);
                    bytes.remove_prefix(taken.size());
                    continue;
                }
                begin_is_known(false);
            }
        }
        if (m_known)
            content(part);
        if (end == std::string_view::npos)
            return;
        if (!m_known)
            begin_is_known(true);
        m_return_held = false;
        m_known = false;
        line_ends();
        bytes.remove_prefix(end + 1);
    }
}

void LineCutter::cut_end() {
    if (!m_known && !m_begin.empty()) {
        auto kept = m_begin.ends_with('\r');
        begin_is_known(true);
        m_return_held = kept;
        m_known = true;
    }
    if (m_known && m_return_held)
        line_goes_on("\r");
    m_return_held = m_known = false;
}

void LineCutter::begin_is_known(bool whole) {
    std::string begin;
    begin.swap(m_begin);
    m_known = true;
    if (begin.ends_with('\r')) {
        begin.pop_back();
        m_return_held = !whole;
    }
    line_begins(begin, whole);
}

void LineCutter::content(std::string_view bytes) {
    if (bytes.empty())
        return;
    if (std::exchange(m_return_held, false))
        line_goes_on("\r");
    if (bytes.ends_with('\r')) {
        m_return_held = true;
        bytes.remove_suffix(1);
    }
    if (!bytes.empty())
        line_goes_on(bytes);
}

bool MboxReader::feed(std::string_view bytes) {
    if (m_is_mbox)
        cut(bytes);
    give_all();
    return m_is_mbox;
}

bool MboxReader::finish() {
    if (m_is_mbox)
        cut_end();
    if (m_is_mbox && m_begun)
        close_message();
    return m_is_mbox;
}

bool MboxReader::is_separator(const FromLine& from) const {
    return !m_begun || from.arrived || (m_bare_from && m_blank_held);
}

void MboxReader::line_begins(std::string_view begin, bool whole) {
    m_passing = false;
    if (!m_is_mbox || (!m_begun && whole && begin.empty()))
        return;
    if (auto from = whole ? parse_from_line(begin) : std::nullopt; from && is_separator(*from)) {
        if (m_begun)
            close_message();
        else
            m_bare_from = !from->arrived;
        open_message(*from);
        return;
    }
    if (!m_begun) {
        m_is_mbox = false;
        return;
    }
    bool goes_on = m_in_header && !begin.empty() && (begin[0] == ' ' || begin[0] == '\t');
    if (!m_field.empty()) {
        if (goes_on && text::same_ignoring_case(field_name(m_field), "X-Keywords")) {
            m_field += begin;
            return;
        }
        end_field();
    }
    if (std::exchange(m_blank_held, false))
        give("\r\n");
    if (whole && begin.empty()) {
        m_in_header = false;
        m_blank_held = true;
        return;
    }
    m_passing = true;
    if (m_in_header && is_flag_field(field_name(begin))) {
        m_field = begin;
        m_passing = false;
        return;
    }
    if (m_in_header && text::starts_ignoring_case(begin, KEPT) && is_kept_kind(field_name(begin)))
        begin.remove_prefix(KEPT.size());
    if (begin.starts_with('>') && wants_quote(begin))
        begin.remove_prefix(1);
    give(begin);
}

void MboxReader::line_goes_on(std::string_view bytes) {
    if (!m_field.empty()) {
        if (m_field.size() < LONGEST_FIELD)
            m_field += bytes;
        return;
    }
    if (m_passing)
        give(bytes);
}

void MboxReader::quotes_go_ahead(std::string_view quotes) {
    if (!m_begun) {
        m_is_mbox = false;
        return;
    }
    end_field();
    if (std::exchange(m_blank_held, false))
        give("\r\n");
    give(quotes);
}

void MboxReader::end_field() {
    if (!m_field.empty())
        add_flags(m_flags, std::exchange(m_field, {}));
}

void MboxReader::line_ends() {
    if (m_passing)
        give("\r\n");
}

void MboxReader::open_message(const FromLine& from) {
    m_begun = m_in_header = true;
    m_blank_held = false;
    m_flags = {};
    m_field.clear();
    m_sink.on_message(from);
}

void MboxReader::close_message() {
    end_field();
    give_all();
    m_sink.on_end(m_flags);
}

void MboxReader::give(std::string_view bytes) {
    m_out += bytes;
    if (m_out.size() >= GIVEN_AT_ONCE)
        give_all();
}

void MboxReader::give_all() {
    if (m_out.empty())
        return;
    m_sink.on_bytes(m_out);
    m_out.clear();
}

MboxWriter::MboxWriter(std::string& out, std::string_view sender, std::int64_t arrived, const Flags& flags)
    : m_out(out) {
    m_out += from_line(sender, arrived);
    m_out += flag_fields(flags);
}

void MboxWriter::add(std::string_view bytes) {
    cut(bytes);
}

void MboxWriter::finish() {
    cut_end();
    if (m_line_open)
        m_out += '\n';
    m_out += '\n';
}

void MboxWriter::line_begins(std::string_view begin, bool whole) {
    m_line_open = true;
    if (m_in_header && whole && begin.empty())
        m_in_header = false;
    if (m_in_header && is_kept_kind(field_name(begin)))
        m_out += KEPT;
    if (wants_quote(begin))
        m_out += '>';
    m_out += begin;
}

void MboxWriter::quotes_go_ahead(std::string_view quotes) {
    line_goes_on(quotes);
}

void MboxWriter::line_goes_on(std::string_view bytes) {
    m_line_open = true;
    m_out += bytes;
}

void MboxWriter::line_ends() {
    m_line_open = false;
    m_out += '\n';
}

} // namespace himalaya::mail

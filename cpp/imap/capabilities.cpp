#include "imap/capabilities.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace himalaya::imap {

namespace {

constexpr std::array<std::pair<std::string_view, Cap>, 34> spellings = {{
    {"IMAP4REV1", Cap::imap4rev1},
    {"IMAP4REV2", Cap::imap4rev2},
    {"APPENDLIMIT", Cap::appendlimit},
    {"BINARY", Cap::binary},
    {"CHILDREN", Cap::children},
    {"COMPRESS=DEFLATE", Cap::compress_deflate},
    {"CONDSTORE", Cap::condstore},
    {"ENABLE", Cap::enable},
    {"ESEARCH", Cap::esearch},
    {"X-GM-EXT-1", Cap::gmail},
    {"ID", Cap::id},
    {"IDLE", Cap::idle},
    {"LIST-EXTENDED", Cap::list_extended},
    {"LIST-STATUS", Cap::list_status},
    {"LITERAL-", Cap::literal_minus},
    {"LITERAL+", Cap::literal_plus},
    {"LOGINDISABLED", Cap::login_disabled},
    {"MOVE", Cap::move},
    {"MULTIAPPEND", Cap::multiappend},
    {"NAMESPACE", Cap::namespaces},
    {"NOTIFY", Cap::notify},
    {"OBJECTID", Cap::objectid},
    {"PREVIEW", Cap::preview},
    {"QRESYNC", Cap::qresync},
    {"SASL-IR", Cap::sasl_ir},
    {"SAVEDATE", Cap::savedate},
    {"SPECIAL-USE", Cap::special_use},
    {"STARTTLS", Cap::starttls},
    {"STATUS=SIZE", Cap::status_size},
    {"UIDPLUS", Cap::uidplus},
    {"UNSELECT", Cap::unselect},
    {"UTF8=ACCEPT", Cap::utf8_accept},
    {"UTF8=ONLY", Cap::utf8_accept},
    {"XLIST", Cap::xlist},
}};

// RFC 9051, appendix E: these are part of IMAP4rev2 and need not be named by such a server.
constexpr std::array in_rev2 = {Cap::namespaces, Cap::unselect,      Cap::uidplus,     Cap::esearch,
                                Cap::enable,     Cap::idle,          Cap::sasl_ir,     Cap::list_extended,
                                Cap::move,       Cap::literal_minus, Cap::special_use, Cap::status_size,
                                Cap::list_status};

std::string upper(std::string_view word) {
    std::string out(word);
    for (char& c : out)
        if (c >= 'a' && c <= 'z')
            c = static_cast<char>(c - 32);
    return out;
}

} // namespace

void Capabilities::clear() {
    *this = Capabilities();
}

void Capabilities::assign(const std::vector<std::string_view>& words) {
    clear();
    for (auto word : words)
        add(word);
}

void Capabilities::add(std::string_view word) {
    if (word.empty())
        return;
    std::string name = upper(word);
    if (has_word(name))
        return;
    m_words.emplace_back(word);
    auto set = [this](Cap cap) { m_set.set(static_cast<size_t>(cap)); };
    if (name.starts_with("AUTH=")) {
        m_mechanisms.push_back(name.substr(5));
        return;
    }
    if (name.starts_with("APPENDLIMIT=")) {
        uint64_t limit = 0;
        auto digits = std::string_view(name).substr(12);
        if (std::from_chars(digits.data(), digits.data() + digits.size(), limit).ec == std::errc())
            m_append_limit = limit;
        name = "APPENDLIMIT";
    }
    for (auto& [spelling, cap] : spellings)
        if (spelling == name)
            set(cap);
    if (has(Cap::qresync)) // RFC 7162: QRESYNC includes CONDSTORE
        set(Cap::condstore);
    if (name == "IMAP4REV2")
        for (Cap cap : in_rev2)
            set(cap);
}

bool Capabilities::has_word(std::string_view word) const {
    std::string name = upper(word);
    return std::any_of(m_words.begin(), m_words.end(), [&](auto& known) { return upper(known) == name; });
}

} // namespace himalaya::imap

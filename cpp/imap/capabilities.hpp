// What a server says it can do. The words come from the greeting, from OK codes, from CAPABILITY and from ENABLED;
// those we act upon are an enum, so that a spelling can be wrong in one place only.
#pragma once

#include <bitset>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace himalaya::imap {

enum class Cap : uint8_t {
    imap4rev1,
    imap4rev2,
    appendlimit,
    binary,
    children,
    compress_deflate,
    condstore,
    enable,
    esearch,
    gmail, // X-GM-EXT-1
    id,
    idle,
    list_extended,
    list_status,
    literal_minus,
    literal_plus,
    login_disabled,
    move,
    multiappend,
    namespaces,
    notify,
    objectid,
    preview,
    qresync,
    sasl_ir,
    savedate,
    special_use,
    starttls,
    status_size,
    uidplus,
    unselect,
    utf8_accept,
    xlist,
    count
};

class Capabilities {
  public:
    // Replaces what was known. Words are taken case-insensitively.
    void assign(const std::vector<std::string_view>& words);
    void add(std::string_view word);
    void clear();

    bool known() const { return !m_words.empty(); }
    bool has(Cap cap) const { return m_set[static_cast<size_t>(cap)]; }
    // Forgets one that proved not to work here.
    void drop(Cap cap) { m_set.reset(static_cast<size_t>(cap)); }
    bool has_word(std::string_view word) const;
    // SASL mechanisms, as in AUTH=PLAIN, in the server's order, upper case.
    const std::vector<std::string>& mechanisms() const { return m_mechanisms; }
    // As the server spelled them, in its order.
    const std::vector<std::string>& words() const { return m_words; }
    // APPENDLIMIT=n: the largest message it takes.
    std::optional<uint64_t> append_limit() const { return m_append_limit; }

  private:
    std::bitset<static_cast<size_t>(Cap::count)> m_set;
    std::vector<std::string> m_words;
    std::vector<std::string> m_mechanisms;
    std::optional<uint64_t> m_append_limit;
};

} // namespace himalaya::imap

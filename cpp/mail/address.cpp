#include "mail/address.hpp"

#include "base/text.hpp"
#include "mail/encoded_word.hpp"

namespace himalaya::mail {

namespace {

// RFC 5322 atoms, spaces and all beyond ASCII need no quotes.
bool needs_quotes(std::string_view name) {
    for (const char c : name) {
        const auto byte = static_cast<unsigned char>(c);
        const bool plain = byte >= 0x80 || c == ' ' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                           (c >= 'A' && c <= 'Z') ||
                           std::string_view("!#$%&'*+-/=?^_`{|}~").find(c) != std::string_view::npos;
        if (!plain)
            return true;
    }
    return false;
}

std::string quoted(std::string_view name) {
    std::string result = "\"";
    for (const char c : name) {
        if (c == '"' || c == '\\')
            result += '\\';
        result += c;
    }
    return result + '"';
}

} // namespace

Address address_of(std::string_view name, std::string_view mailbox, std::string_view host) {
    Address result;
    result.name = std::string(text::trim(decode_header(name)));
    result.addr = text::to_utf8(mailbox);
    if (!host.empty())
        result.addr += "@" + text::to_utf8(host);
    return result;
}

std::string full_text(const Address& address) {
    const std::string name = text::clean_line(address.name);
    std::string addr = text::clean_line(address.addr);
    if (name.empty() || name == addr)
        return addr;
    const std::string shown = needs_quotes(name) ? quoted(name) : name;
    return addr.empty() ? shown : shown + " <" + addr + ">";
}

std::string full_text(const std::vector<Address>& addresses) {
    std::string result;
    for (const Address& address : addresses) {
        if (!result.empty())
            result += ", ";
        result += full_text(address);
    }
    return result;
}

std::string short_text(const Address& address) {
    return text::clean_line(address.name.empty() ? address.addr : address.name);
}

} // namespace himalaya::mail

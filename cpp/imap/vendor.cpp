#include "imap/vendor.hpp"

#include <algorithm>

namespace himalaya::imap {

namespace {

bool contains(std::string_view text, std::string_view word) {
    auto same = [](char a, char b) {
        auto low = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
        return low(a) == low(b);
    };
    return std::search(text.begin(), text.end(), word.begin(), word.end(), same) != text.end();
}

struct Name {
    std::string_view word;
    Vendor vendor;
};

// Words seen in greetings and ID replies.
constexpr Name names[] = {
    {"dovecot", Vendor::dovecot},
    {"gimap", Vendor::gmail},
    {"microsoft", Vendor::exchange},
    {"exchange", Vendor::exchange},
    {"icloud", Vendor::icloud},
    {"yahoo", Vendor::yahoo},
    {"courier", Vendor::courier},
    {"proton", Vendor::proton},
    {"cyrus", Vendor::cyrus},
    {"stalwart", Vendor::stalwart},
    {"zoho", Vendor::zoho},
    {"panda-imap", Vendor::uw},
    {"uw-imap", Vendor::uw},
    {"domino", Vendor::domino},
    {"imaprev1", Vendor::hmailserver},
    {"qq", Vendor::qq},
    {"gmx", Vendor::gmx},
    {"strato", Vendor::strato},
};

constexpr Name hosts[] = {
    {"gmail.com", Vendor::gmail},
    {"googlemail.com", Vendor::gmail},
    {"office365.com", Vendor::exchange},
    {"outlook.com", Vendor::exchange},
    {"mail.me.com", Vendor::icloud},
    {"yahoo.com", Vendor::yahoo},
    {"aol.com", Vendor::yahoo},
    {"zoho.", Vendor::zoho},
    {"qq.com", Vendor::qq},
    {"gmx.", Vendor::gmx},
    {"strato.", Vendor::strato},
};

// Does what the server can do fit what its name promises? Only then is it given more than the cautious default.
bool fits(Vendor vendor, const Capabilities& caps) {
    switch (vendor) {
    case Vendor::gmail:
        return caps.has(Cap::gmail);
    case Vendor::dovecot:
        return caps.has(Cap::literal_plus) && caps.has(Cap::idle) &&
               (caps.has(Cap::sasl_ir) || caps.has(Cap::uidplus));
    case Vendor::courier:
        return caps.has(Cap::uidplus) && !caps.has(Cap::literal_plus) && !caps.has(Cap::condstore);
    default:
        return false;
    }
}

Vendor vendor_of(const Evidence& evidence, const Capabilities& caps) {
    if (caps.has(Cap::gmail))
        return Vendor::gmail;
    for (auto& name : names)
        if (contains(evidence.id_name, name.word))
            return name.vendor;
    for (auto& name : names)
        if (contains(evidence.greeting, name.word))
            return name.vendor;
    for (auto& host : hosts)
        if (contains(evidence.host, host.word))
            return host.vendor;
    return Vendor::unknown;
}

} // namespace

std::string_view name_of(Vendor vendor) {
    constexpr std::string_view words[] = {"unknown", "dovecot",     "gmail", "exchange", "icloud", "yahoo",
                                          "courier", "proton",      "cyrus", "stalwart", "zoho",   "uw",
                                          "domino",  "hmailserver", "qq",    "gmx",      "strato"};
    return words[static_cast<size_t>(vendor)];
}

Quirks quirks_of(const Evidence& evidence, const Capabilities& caps) {
    Quirks quirks;
    quirks.vendor = vendor_of(evidence, caps);
    switch (quirks.vendor) {
    case Vendor::gmail:
    case Vendor::courier:
        if (fits(quirks.vendor, caps))
            quirks.line_budget = 16000;
        break;
    case Vendor::dovecot:
        if (fits(quirks.vendor, caps)) {
            quirks.line_budget = 64000;
            quirks.window = 32;
        }
        break;
    case Vendor::exchange:
        quirks.burst = 0;
        quirks.window = 10; // BAD from about 50 in flight on; Geary stays at 25 and still meets throttling
        quirks.id = false;
        quirks.idle_sees_all = false;
        break;
    case Vendor::yahoo:
    case Vendor::uw:
        quirks.line_budget = 1000;
        quirks.window = 5;
        quirks.burst = 0;
        break;
    case Vendor::proton:
        quirks.search_return = false;
        quirks.special_use_return = false;
        quirks.list_status = false;
        break;
    case Vendor::strato:
        quirks.list_status = false;
        quirks.search_return = false;
        break;
    case Vendor::gmx:
        quirks.id = false;
        break;
    case Vendor::qq:
    case Vendor::hmailserver:
        quirks.whole_sets = false;
        break;
    default:
        break;
    }
    return quirks;
}

} // namespace himalaya::imap

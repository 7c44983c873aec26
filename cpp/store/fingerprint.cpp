#include "store/fingerprint.hpp"

#include "base/text.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <array>

namespace himalaya::store {

namespace {

constexpr std::array<std::string_view, 8> NOT_THE_SENDERS = {
    "Status", "X-Status", "X-Keywords", "X-UID", "X-IMAP", "X-IMAPbase", "Content-Length", "Lines"};

bool is_not_the_senders(std::string_view line) {
    auto name = line.substr(0, line.find(':'));
    return name.size() < line.size() &&
           std::any_of(NOT_THE_SENDERS.begin(), NOT_THE_SENDERS.end(),
                       [&](std::string_view known) { return text::same_ignoring_case(name, known); });
}

} // namespace

struct Fingerprint::Digest {
    EVP_MD_CTX* context = EVP_MD_CTX_new();
    Digest() { EVP_DigestInit_ex(context, EVP_sha256(), nullptr); }
    Digest(const Digest&) = delete;
    Digest& operator=(const Digest&) = delete;
    ~Digest() { EVP_MD_CTX_free(context); }
};

Fingerprint::Fingerprint() : m_digest(std::make_unique<Digest>()) {}
Fingerprint::~Fingerprint() = default;

void Fingerprint::line_begins(std::string_view begin, bool whole) {
    bool goes_on = !begin.empty() && (begin[0] == ' ' || begin[0] == '\t');
    if (m_in_header && whole && begin.empty())
        m_in_header = false;
    m_left_out = m_in_header && (goes_on ? m_left_out : is_not_the_senders(begin));
    if (!m_left_out)
        take(begin);
}

void Fingerprint::line_goes_on(std::string_view bytes) {
    if (!m_left_out)
        take(bytes);
}

void Fingerprint::line_ends() {
    if (!m_left_out)
        ++m_line_ends;
}

void Fingerprint::quotes_go_ahead(std::string_view quotes) {
    m_left_out = false;
    take(quotes);
}

void Fingerprint::take(std::string_view bytes) {
    if (bytes.empty())
        return;
    for (static constexpr std::string_view SOME = "\n\n\n\n\n\n\n\n"; m_line_ends > 0;) {
        auto count = std::min(m_line_ends, SOME.size());
        EVP_DigestUpdate(m_digest->context, SOME.data(), count);
        m_line_ends -= count;
    }
    // A CR that is no part of a line's end may become one on the way through a file.
    while (!bytes.empty()) {
        auto part = bytes.substr(0, bytes.find('\r'));
        EVP_DigestUpdate(m_digest->context, part.data(), part.size());
        bytes.remove_prefix(std::min(bytes.size(), part.size() + 1));
    }
}

std::string Fingerprint::finish() {
    cut_end();
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    EVP_DigestFinal_ex(m_digest->context, digest.data(), nullptr);
    return {reinterpret_cast<const char*>(digest.data()), 16};
}

std::string fingerprint_of(std::string_view message) {
    Fingerprint fingerprint;
    fingerprint.add(message);
    return fingerprint.finish();
}

} // namespace himalaya::store

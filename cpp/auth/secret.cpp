#include "auth/secret.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <utility>

#include <openssl/crypto.h>

namespace himalaya::auth {

Secret::Secret(std::string_view text) {
    append(text);
}

Secret Secret::take(std::string& text) {
    Secret secret{std::string_view(text)};
    OPENSSL_cleanse(text.data(), text.size());
    text.clear();
    return secret;
}

Secret::Secret(Secret&& other) noexcept
    : m_bytes(std::move(other.m_bytes)), m_size(std::exchange(other.m_size, 0)),
      m_capacity(std::exchange(other.m_capacity, 0)) {}

Secret& Secret::operator=(Secret&& other) noexcept {
    if (this != &other) {
        wipe();
        m_bytes = std::move(other.m_bytes);
        m_size = std::exchange(other.m_size, 0);
        m_capacity = std::exchange(other.m_capacity, 0);
    }
    return *this;
}

Secret::~Secret() {
    wipe();
}

Secret& Secret::append(std::string_view text) {
    if (text.empty())
        return *this;
    reserve(m_size + text.size());
    std::memcpy(m_bytes.get() + m_size, text.data(), text.size());
    m_size += text.size();
    return *this;
}

void Secret::shorten(std::size_t by) {
    by = std::min(by, m_size);
    m_size -= by;
    OPENSSL_cleanse(m_bytes.get() + m_size, by);
}

void Secret::reserve(std::size_t capacity) {
    if (capacity <= m_capacity)
        return;
    std::size_t larger = std::max<std::size_t>({capacity, m_capacity * 2, 32});
    auto bytes = std::make_unique<char[]>(larger);
    if (m_size > 0) {
        std::memcpy(bytes.get(), m_bytes.get(), m_size);
        OPENSSL_cleanse(m_bytes.get(), m_capacity);
    }
    m_bytes = std::move(bytes);
    m_capacity = larger;
}

void Secret::wipe() {
    if (m_bytes)
        OPENSSL_cleanse(m_bytes.get(), m_capacity);
    m_size = 0;
}

namespace {

constexpr std::string_view ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr std::array<std::int8_t, 256> VALUES = [] {
    std::array<std::int8_t, 256> values{};
    values.fill(-1);
    for (std::size_t i = 0; i < ALPHABET.size(); ++i)
        values[static_cast<unsigned char>(ALPHABET[i])] = static_cast<std::int8_t>(i);
    return values;
}();

} // namespace

Secret base64_encode(std::string_view bytes) {
    Secret text;
    text.reserve((bytes.size() + 2) / 3 * 4);
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        std::size_t left = std::min<std::size_t>(3, bytes.size() - i);
        std::uint32_t word = static_cast<unsigned char>(bytes[i]) << 16;
        if (left > 1)
            word |= static_cast<unsigned char>(bytes[i + 1]) << 8;
        if (left > 2)
            word |= static_cast<unsigned char>(bytes[i + 2]);
        char four[4] = {ALPHABET[word >> 18], ALPHABET[word >> 12 & 63],
                        left > 1 ? ALPHABET[word >> 6 & 63] : '=', left > 2 ? ALPHABET[word & 63] : '='};
        text.append(std::string_view(four, 4));
    }
    return text;
}

bool base64_decode(std::string_view text, Secret& bytes) {
    bytes = Secret();
    if (text.size() % 4 != 0)
        return false;
    bytes.reserve(text.size() / 4 * 3);
    for (std::size_t i = 0; i < text.size(); i += 4) {
        std::size_t pad = 0;
        if (i + 4 == text.size())
            pad = text[i + 3] != '=' ? 0 : text[i + 2] != '=' ? 1 : 2;
        std::uint32_t word = 0;
        for (std::size_t j = 0; j < 4; ++j) {
            int value = j >= 4 - pad ? 0 : VALUES[static_cast<unsigned char>(text[i + j])];
            if (value < 0)
                return false;
            word = word << 6 | static_cast<std::uint32_t>(value);
        }
        char three[3] = {static_cast<char>(word >> 16), static_cast<char>(word >> 8),
                         static_cast<char>(word)};
        bytes.append(std::string_view(three, 3 - pad));
    }
    return true;
}

} // namespace himalaya::auth

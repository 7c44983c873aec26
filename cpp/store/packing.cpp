#include "store/packing.hpp"

#include "base/text.hpp"

#include <openssl/sha.h>

#include <algorithm>
#include <cstring>

namespace himalaya::store {

namespace {

constexpr char BETWEEN_PARTS = '\x1f';
constexpr char BETWEEN_ADDRESSES = '\x1e';

std::vector<std::string_view> split(std::string_view text, char separator) {
    std::vector<std::string_view> parts;
    while (!text.empty()) {
        auto end = text.find(separator);
        parts.push_back(text.substr(0, end));
        if (end == std::string_view::npos)
            break;
        text.remove_prefix(end + 1);
    }
    return parts;
}

} // namespace

// A keyword is one in whatever case; the spelling that came first stays.
std::string pack_keywords(std::vector<std::string> keywords) {
    std::stable_sort(keywords.begin(), keywords.end(), [](const std::string& a, const std::string& b) {
        return text::compare_ignoring_case(a, b) < 0;
    });
    auto same = [](const std::string& a, const std::string& b) { return text::same_ignoring_case(a, b); };
    keywords.erase(std::unique(keywords.begin(), keywords.end(), same), keywords.end());
    std::sort(keywords.begin(), keywords.end());
    std::string packed;
    for (const auto& keyword : keywords) {
        if (keyword.empty())
            continue;
        if (!packed.empty())
            packed += ' ';
        packed += keyword;
    }
    return packed;
}

std::vector<std::string> unpack_keywords(std::string_view packed) {
    std::vector<std::string> keywords;
    for (auto keyword : split(packed, ' '))
        keywords.emplace_back(keyword);
    return keywords;
}

std::string changed_keywords(std::string_view packed, std::string_view add, std::string_view remove) {
    auto keywords = unpack_keywords(packed);
    auto leaving = unpack_keywords(remove);
    std::erase_if(keywords, [&](const std::string& keyword) {
        return std::any_of(leaving.begin(), leaving.end(),
                           [&](const std::string& one) { return text::same_ignoring_case(one, keyword); });
    });
    for (auto& keyword : unpack_keywords(add))
        keywords.push_back(std::move(keyword));
    return pack_keywords(std::move(keywords));
}

std::string pack_addresses(const std::vector<Address>& addresses) {
    std::string packed;
    for (const auto& address : addresses) {
        if (!packed.empty())
            packed += BETWEEN_ADDRESSES;
        packed += text::clean_line(address.name);
        packed += BETWEEN_PARTS;
        packed += text::clean_line(address.addr);
    }
    return packed;
}

std::vector<Address> unpack_addresses(std::string_view packed) {
    std::vector<Address> addresses;
    for (auto part : split(packed, BETWEEN_ADDRESSES)) {
        auto middle = part.find(BETWEEN_PARTS);
        if (middle == std::string_view::npos)
            addresses.push_back({"", std::string(part)});
        else
            addresses.push_back({std::string(part.substr(0, middle)), std::string(part.substr(middle + 1))});
    }
    return addresses;
}

std::int64_t hash_of(std::string_view text) {
    if (text.empty())
        return 0;
    unsigned char digest[SHA256_DIGEST_LENGTH];
    SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest);
    std::int64_t hash = 0;
    std::memcpy(&hash, digest, sizeof hash);
    return hash == 0 ? 1 : hash;
}

} // namespace himalaya::store

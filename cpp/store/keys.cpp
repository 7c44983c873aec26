#include "store/keys.hpp"

#include "base/text.hpp"

#include <fmt/format.h>
#include <openssl/sha.h>

namespace himalaya::store {

namespace {

constexpr std::size_t DIGITS = 32;

// Parted by a byte that none of them holds, so that no two messages are written alike.
std::string content_hash(std::string_view message_id, std::string_view sender, std::string_view subject,
                         std::optional<std::int64_t> sent, std::int64_t size) {
    auto words = fmt::format("{}\n{}\n{}\n{}\n{}", message_id, sender, subject, sent.value_or(-1), size);
    unsigned char digest[SHA256_DIGEST_LENGTH];
    SHA256(reinterpret_cast<const unsigned char*>(words.data()), words.size(), digest);
    return text::hex({reinterpret_cast<const char*>(digest), DIGITS / 2});
}

std::optional<Id> by_name(Database& database, const Folder& folder, std::string_view validity,
                          std::string_view uid) {
    auto wanted = text::to_unsigned(validity);
    auto name = text::to_unsigned(uid);
    if (!wanted || !name || !folder.uidvalidity || static_cast<std::int64_t>(*wanted) != *folder.uidvalidity)
        return std::nullopt;
    auto row = database.prepare("SELECT id FROM message WHERE folder = ? AND remote = ? AND hidden = 0");
    if (!row.bind(folder.id, static_cast<std::int64_t>(*name)).step())
        return std::nullopt;
    return row.integer(0);
}

// Rare, and on the reader's thread: a folder of 50,000 messages takes a tenth of a second.
std::optional<Id> by_content(Database& database, const Folder& folder, std::string_view hash) {
    auto row = database.prepare("SELECT id, message_id, from_addr, subject, sent, size FROM message "
                                "WHERE folder = ? AND hidden = 0");
    row.bind(folder.id);
    while (row.step())
        if (content_hash(row.text(1), row.text(2), row.text(3), row.maybe_integer(4), row.integer(5)) == hash)
            return row.integer(0);
    return std::nullopt;
}

} // namespace

std::string key_of(const Folder& folder, const Message& message) {
    if (message.uid && folder.uidvalidity)
        return fmt::format("{}.{}", *folder.uidvalidity, *message.uid);
    return content_hash(message.message_id, message.from.addr, message.subject, message.sent, message.size);
}

std::optional<Id> message_with_key(Database& database, const Folder& folder, std::string_view key) {
    auto dot = key.find('.');
    if (dot != std::string_view::npos)
        return by_name(database, folder, key.substr(0, dot), key.substr(dot + 1));
    if (key.size() != DIGITS)
        return std::nullopt;
    return by_content(database, folder, key);
}

} // namespace himalaya::store

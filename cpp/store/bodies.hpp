// Messages as they came, packed and kept once however many folders show them. Above 1 MiB a body is a file
// named by its hash, so that the database stays quick to check and to copy.
#pragma once

#include "store/change.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace himalaya::store {

// A body ready to be written: what costs time (hash, zstd) is done before the transaction, on any thread.
struct PackedBody {
    std::string hash;   // 16 bytes
    std::string packed; // empty when it lies in a file
    std::string file;
    std::int64_t size = 0;
};

// A message lets go of a body: it may be the last one that had it.
void loosen_body(Change& change, std::optional<Id> body);

// The body of the message that the server calls `uid` there; nothing happens when it has left meanwhile.
void attach_body(Change& change, Id folder, std::int64_t uid, const PackedBody& body, bool has_attachment);

class Bodies {
  public:
    static constexpr std::size_t LARGEST_IN_DATABASE = 1 << 20;

    // Large bodies live in `folder`, made when the first one comes.
    explicit Bodies(std::filesystem::path folder) : m_folder(std::move(folder)) {}

    PackedBody pack(std::string_view bytes) const; // a large one is durable on disk when this returns
    // Writes the row, or finds the one with the same content.
    static Id keep(Change& change, const PackedBody& body);
    // Keeps it and lets `message` point to it.
    static void attach(Change& change, Id message, const PackedBody& body);
    std::optional<std::string> read(Database& database, Id body) const;
    // Of the bodies that lost a message, looks at `most` and deletes those that no other message has. False once there
    // is nothing left to look at.
    bool sweep(Change& change, int most, std::int64_t now) const;

  private:
    std::filesystem::path m_folder;
};

} // namespace himalaya::store

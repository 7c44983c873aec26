// Mail out of a file of mbox format or a Maildir, packed and ready for the database, some at a time. On the file thread.
#pragma once

#include "store/archive.hpp"
#include "store/bodies.hpp"

#include <functional>
#include <memory>
#include <vector>

namespace himalaya::store {

struct Entering {
    Arrival arrival;
    PackedBody body;
    std::string fingerprint;
    bool has_attachment = false;
};

struct Batch {
    std::vector<Entering> messages;
    std::int64_t empty = 0;
    std::int64_t unreadable = 0;
    std::optional<std::int64_t> total; // of messages in all, where that is known
    double share = 0;                  // of the archive that was read
    bool last = false;
};

class ArchiveIn {
  public:
    virtual ~ArchiveIn() = default;
    virtual Batch next() = 0;
};

// `cancelled` is asked between pieces. Large bodies go into files of the folder `large`.
std::unique_ptr<ArchiveIn> read_archive(const std::string& path, std::filesystem::path large,
                                        std::function<bool()> cancelled);

} // namespace himalaya::store

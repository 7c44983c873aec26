// Bodies in pieces, for who reads or writes many or very large ones: a message of a gigabyte is never whole in memory.
// Everything here runs on the file thread, but for stored_body().
#pragma once

#include "store/bodies.hpp"

#include <functional>
#include <memory>

namespace himalaya::store {

// A body as it comes, packed while it does; above Bodies::LARGEST_IN_DATABASE into a file.
class BodyPacker {
  public:
    explicit BodyPacker(std::filesystem::path large);
    ~BodyPacker();
    BodyPacker(BodyPacker&&) noexcept;
    BodyPacker& operator=(BodyPacker&&) noexcept;

    void add(std::string_view bytes);
    std::int64_t size() const;
    PackedBody finish(); // a large one is durable on the disk when this returns

  private:
    struct State;
    std::unique_ptr<State> m_state;
};

// A body's row, still packed.
struct StoredBody {
    std::int64_t size = 0;
    std::string packed;
    std::string file; // in place of `packed`
    std::string hash;
};
std::optional<StoredBody> stored_body(Database& database, Id body);

// Gives its bytes in pieces. False when they are not there, or do not say what their hash says: what was given then is
// to be thrown away.
bool unpack(const StoredBody& body, const std::filesystem::path& large,
            const std::function<void(std::string_view)>& give);

// Deletes files that no body's row names (a process was killed between the file and its row), once they are older than
// a day: a younger one may be waiting for its row. Returns how many.
int sweep_large_files(Database& database, const std::filesystem::path& large, std::int64_t now);

} // namespace himalaya::store

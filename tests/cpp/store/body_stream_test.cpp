#include "catch.hpp"
#include "mailbox.hpp"

#include "store/body_stream.hpp"

#include <ctime>

#include <algorithm>

using namespace himalaya;
using namespace himalaya::store;

TEST_CASE("bodies in pieces are those in one piece") {
    Folderful place;
    Bodies bodies(place.folder() / "large");
    Mailbox box;
    for (std::size_t size :
         {std::size_t(0), std::size_t(1), std::size_t(100'000), std::size_t(1) << 20, std::size_t(5) << 20}) {
        auto bytes = noise(size);
        BodyPacker packer(place.folder() / "large");
        for (std::string_view left = bytes; !left.empty();
             left.remove_prefix(std::min<std::size_t>(left.size(), 7777)))
            packer.add(left.substr(0, 7777));
        auto packed = packer.finish();
        REQUIRE(packed.hash == bodies.pack(bytes).hash);
        REQUIRE(packed.file.empty() == (packed.packed.size() > 0));
        std::string back;
        StoredBody stored{packed.size, packed.packed, packed.file, packed.hash};
        REQUIRE(unpack(stored, place.folder() / "large", [&](std::string_view piece) { back += piece; }));
        REQUIRE((back == bytes));
        stored.hash[0] ^= 1;
        REQUIRE_FALSE(unpack(stored, place.folder() / "large", [](std::string_view) {}));
        stored.size = 3;
        REQUIRE_FALSE(unpack(stored, place.folder() / "large", [](std::string_view) {}));
    }
    REQUIRE_FALSE(
        unpack({5, "", "not there", std::string(16, 'x')}, place.folder(), [](std::string_view) {}));
    REQUIRE_FALSE(
        unpack({5, "no zstd at all", "", std::string(16, 'x')}, place.folder(), [](std::string_view) {}));
}

TEST_CASE("large files that no row names go after a day") {
    Mailbox box;
    auto large = box.folder() / "large";
    Bodies bodies(large);
    auto kept = bodies.pack(noise(3u << 20)), lost = bodies.pack(noise(4u << 20));
    auto id = box.bring(box.inbox, {letter(1)}).at(0);
    {
        Change change(box.database);
        Bodies::attach(change, id, kept);
        change.commit();
    }
    auto now = static_cast<std::int64_t>(::time(nullptr));
    REQUIRE(sweep_large_files(box.database, large, now) == 0);
    REQUIRE(sweep_large_files(box.database, large, now + 100'000) == 1);
    REQUIRE(std::filesystem::exists(large / kept.file));
    REQUIRE_FALSE(std::filesystem::exists(large / lost.file));
}

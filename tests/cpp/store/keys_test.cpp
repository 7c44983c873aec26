#include "catch.hpp"
#include "mailbox.hpp"
#include "store/keys.hpp"

using namespace himalaya;
using namespace himalaya::store;

namespace {

Folder inbox_of(Mailbox& box, std::int64_t validity) {
    Change change(box.database);
    note_progress(change, box.inbox, {.uidvalidity = validity});
    change.commit();
    return *folder_of(box.database, box.inbox);
}

} // namespace

TEST_CASE("a message is found again by its key in a store that was built anew") {
    std::string key;
    {
        Mailbox box;
        box.bring(box.inbox, {letter(7), letter(8), letter(9)});
        auto folder = inbox_of(box, 77);
        auto page = list_page(box.database, box.inbox, {});
        key = key_of(folder, page.items[1]);
        REQUIRE(key == "77.8");
        REQUIRE(message_with_key(box.database, folder, key) == page.items[1].id);
    }
    Mailbox rebuilt;
    auto ids = rebuilt.bring(rebuilt.inbox, {letter(9), letter(8), letter(7)});
    REQUIRE(message_with_key(rebuilt.database, inbox_of(rebuilt, 77), key) == ids[1]);
    // The server made the folder anew: its UIDs mean other messages.
    REQUIRE_FALSE(message_with_key(rebuilt.database, inbox_of(rebuilt, 78), key));
}

TEST_CASE("a message without a name on the server is known by its content, before and after it gets one") {
    Mailbox box;
    auto ids = box.bring(box.inbox, {letter(1), letter(2)});
    inbox_of(box, 5);
    Change change(box.database);
    move(change, box.inbox, ids, box.archive, {"me", 1});
    change.commit();
    auto archive = *folder_of(box.database, box.archive);
    auto moved = *message_of(box.database, ids[1]);
    REQUIRE_FALSE(moved.uid);
    auto key = key_of(archive, moved);
    REQUIRE(key.size() == 32);
    REQUIRE(message_with_key(box.database, archive, key) == ids[1]);
    REQUIRE(key_of(archive, *message_of(box.database, ids[0])) != key);
    REQUIRE_FALSE(message_with_key(box.database, *folder_of(box.database, box.inbox), key));

    Mailbox rebuilt;
    auto again = rebuilt.bring(rebuilt.archive, {letter(1), letter(2)});
    REQUIRE(message_with_key(rebuilt.database, *folder_of(rebuilt.database, rebuilt.archive), key) ==
            again[1]);
}

TEST_CASE("what is no key finds nothing") {
    Mailbox box;
    box.bring(box.inbox, {letter(1)});
    auto folder = inbox_of(box, 5);
    for (const auto* key : {"", ".", "5.", ".1", "5.1.1", "5.-1", "5.99999999999999999999", "1", "zz",
                            "00000000000000000000000000000000", "5.2", "6.1"})
        REQUIRE_FALSE(message_with_key(box.database, folder, key));
    REQUIRE(message_with_key(box.database, folder, "5.1"));
}

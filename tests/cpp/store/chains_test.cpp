// What the user does to a message before the server has a name for it, and what of it is left when others act too.
#include "catch.hpp"

#include "acts.hpp"
#include "store/bodies.hpp"

using namespace himalaya;
using namespace himalaya::store;

TEST_CASE("a message moved on before the server named it is moved on under its name, and keeps its row") {
    Mailbox box;
    auto id = box.bring(box.inbox, {letter(1)})[0];
    move_to(box, box.inbox, id, box.archive);
    in_change(box, [&](Change& change) {
        return flag(change, box.archive, std::span(&id, 1), {.add = FLAGGED}, box.me);
    });
    move_to(box, box.archive, id, box.trash);
    auto waiting = ops(box);
    REQUIRE(waiting.size() == 3);
    REQUIRE_FALSE(waiting[1].targets[0].uid);
    REQUIRE_FALSE(waiting[2].targets[0].uid);
    finish(box, waiting[0], 40);
    // The name belongs to the folder it has left here, not to the one where it is shown.
    REQUIRE_FALSE(box.row(id).uid);
    waiting = ops(box);
    REQUIRE(waiting.size() == 2);
    REQUIRE(waiting[0].targets[0].uid == 40);
    REQUIRE(waiting[1].targets[0].uid == 40);
    finish(box, waiting[0]);
    finish(box, ops(box)[0], 7);
    REQUIRE(box.row(id).uid == 7);
    REQUIRE(box.row(id).folder == box.trash);
    REQUIRE_FALSE(box.row(id).pending);
}

TEST_CASE("a move on waits for the name that a sync brings where the server told none") {
    Mailbox box;
    auto id = box.bring(box.inbox, {letter(1)})[0];
    move_to(box, box.inbox, id, box.archive);
    move_to(box, box.archive, id, box.trash);
    finish(box, ops(box)[0]);
    auto there = letter(1);
    there.uid = 40;
    REQUIRE(box.bring(box.archive, {there}).empty());
    REQUIRE(ops(box)[0].targets[0].uid == 40);
    REQUIRE(box.folder_row(box.archive).total == 0);
}

TEST_CASE("a flag given between two moves is for the name that only a sync brings") {
    Mailbox box;
    auto id = box.bring(box.inbox, {letter(1)})[0];
    move_to(box, box.inbox, id, box.archive);
    in_change(box, [&](Change& change) {
        return flag(change, box.archive, std::span(&id, 1), {.add = FLAGGED}, box.me);
    });
    move_to(box, box.archive, id, box.trash);
    finish(box, ops(box)[0]); // the disk was full when the name came
    auto there = letter(1);
    there.uid = 40;
    box.bring(box.archive, {there});
    REQUIRE(ops(box).size() == 2);
    REQUIRE(ops(box)[0].targets[0].uid == 40);
    REQUIRE(ops(box)[1].targets[0].uid == 40);
    REQUIRE(judge(box, box.archive) == 0);
}

TEST_CASE("there and back again: the name of the first visit is not the name of the second") {
    Mailbox box;
    auto id = box.bring(box.inbox, {letter(1)})[0];
    move_to(box, box.inbox, id, box.archive);
    move_to(box, box.archive, id, box.trash);
    move_to(box, box.trash, id, box.archive);
    finish(box, ops(box)[0], 40);
    REQUIRE_FALSE(box.row(id).uid);
    finish(box, ops(box)[0], 9);
    REQUIRE(ops(box)[0].targets[0].uid == 9);
    finish(box, ops(box)[0], 41);
    REQUIRE(box.row(id).uid == 41);
    REQUIRE(ops(box).empty());
}

TEST_CASE("a copy that was moved on before it was named goes where it was moved") {
    Mailbox box;
    auto ids = box.bring(box.inbox, {letter(1)});
    in_change(box, [&](Change& change) { return copy(change, box.inbox, ids, box.archive, box.me); });
    auto twin = *ops(box)[0].targets[0].made;
    move_to(box, box.archive, twin, box.trash);
    finish(box, ops(box)[0], 40);
    REQUIRE(ops(box)[0].targets[0].uid == 40);
    finish(box, ops(box)[0], 3);
    REQUIRE(box.row(twin).uid == 3);
    REQUIRE(box.row(ids[0]).uid == 1);
}

TEST_CASE("a moved message that another client expunged first leaves no ghost behind") {
    Mailbox box;
    auto id = box.bring(box.inbox, {letter(1)})[0];
    move_to(box, box.inbox, id, box.archive);
    finish(box, ops(box)[0]); // the server answered OK and moved nothing
    REQUIRE(has_unnamed(box.database, box.archive));
    REQUIRE(judge(box, box.archive) == 1);
    REQUIRE(box.folder_row(box.archive).total == 0);
    REQUIRE_FALSE(has_unnamed(box.database, box.archive));
}

TEST_CASE("what still has to be carried out is never taken for a ghost") {
    Mailbox box;
    auto id = box.bring(box.inbox, {letter(1)})[0];
    move_to(box, box.inbox, id, box.archive);
    move_to(box, box.archive, id, box.trash);
    for (auto folder : {box.inbox, box.archive, box.trash}) {
        REQUIRE_FALSE(has_unnamed(box.database, folder));
        REQUIRE(judge(box, folder) == 0);
    }
    REQUIRE(ops(box).size() == 2);
}

TEST_CASE("a copy of a message that went meanwhile leaves no ghost and no mark of waiting") {
    Mailbox box;
    auto ids = box.bring(box.inbox, {letter(1)});
    in_change(box, [&](Change& change) { return flag(change, box.inbox, ids, {.add = SEEN}, box.me); });
    in_change(box, [&](Change& change) { return copy(change, box.inbox, ids, box.archive, box.me); });
    std::vector<std::int64_t> gone{1};
    in_change(box, [&](Change& change) { return take_away(change, box.inbox, gone); });
    auto waiting = ops(box);
    REQUIRE(waiting.size() == 1); // the copy: only the server can say what became of it
    finish(box, waiting[0]);
    REQUIRE(judge(box, box.archive) == 1);
    REQUIRE(ops(box).empty());
}

TEST_CASE("a message without a Message-ID is moved and recognised like any other") {
    Mailbox box;
    auto bare = letter(1);
    bare.message_id.clear();
    auto id = box.bring(box.inbox, {bare})[0];
    move_to(box, box.inbox, id, box.archive);
    finish(box, ops(box)[0]);
    bare.uid = 50;
    REQUIRE(box.bring(box.archive, {bare}).empty());
    REQUIRE(box.row(id).uid == 50);
}

TEST_CASE("a body is not kept for a message of another size that bears the same Message-ID") {
    Mailbox box;
    auto id = box.bring(box.inbox, {letter(1)})[0];
    Bodies bodies(box.folder() / "large");
    auto body = bodies.pack("Subject: Letter 1\r\n\r\nold");
    in_change(box, [&](Change& change) {
        Bodies::attach(change, id, body);
        forget_names(change, box.inbox);
        return 0;
    });
    auto other = letter(1);
    other.uid = 5;
    other.size += 1;
    box.bring(box.inbox, {other});
    REQUIRE(box.row(id).uid == 5);
    REQUIRE_FALSE(box.row(id).body);
}

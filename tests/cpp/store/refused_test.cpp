// What the server refuses, and what the user did after it.
#include "catch.hpp"

#include "acts.hpp"

#include <algorithm>

using namespace himalaya;
using namespace himalaya::store;

TEST_CASE("a text of the user that the server refused is never taken for a ghost") {
    Mailbox box;
    Id row = 0;
    in_change(box, [&](Change& change) { return append(change, box.archive, letter(0), box.me, row); });
    in_change(box, [&](Change& change) { return refuse(change, ops(box)[0], "too large"), 0; });
    REQUIRE_FALSE(has_unnamed(box.database, box.archive));
    REQUIRE(judge(box, box.archive) == 0);
    REQUIRE(box.folder_row(box.archive).total == 1);
}

TEST_CASE("a text of the user that the server refused goes on where it was moved meanwhile") {
    Mailbox box;
    Id row = 0;
    in_change(box, [&](Change& change) { return append(change, box.archive, letter(0), box.me, row); });
    in_change(box, [&](Change& change) {
        return flag(change, box.archive, std::span(&row, 1), {.add = FLAGGED}, box.me);
    });
    move_to(box, box.archive, row, box.trash);
    in_change(box, [&](Change& change) { return refuse(change, ops(box)[0], "too large"), 0; });
    auto waiting = ops(box);
    REQUIRE(waiting.size() == 2);
    REQUIRE(waiting[1].kind == OpKind::append);
    REQUIRE(waiting[1].folder == box.trash);
    for (auto folder : {box.archive, box.trash}) {
        REQUIRE_FALSE(has_unnamed(box.database, folder));
        REQUIRE(judge(box, folder) == 0);
    }
    finish(box, waiting[1], 5);
    REQUIRE(box.row(row).uid == 5);
    REQUIRE(ops(box)[0].targets[0].uid == 5);
    REQUIRE(box.row(row).flags == FLAGGED);
    finish(box, ops(box)[0]);
    REQUIRE_FALSE(box.row(row).pending);
    REQUIRE(box.folder_row(box.trash).total == 1);
    REQUIRE(box.folder_row(box.archive).total == 0);
}

TEST_CASE("a text that the server refused is offered anew where it is moved, and undo puts it back") {
    Mailbox box;
    Id row = 0;
    in_change(box, [&](Change& change) { return append(change, box.archive, letter(0), {}, row); });
    in_change(box, [&](Change& change) { return refuse(change, ops(box)[0], "too large"), 0; });
    auto other = box.bring(box.archive, {letter(1)})[0];
    std::vector<Id> both{row, other};
    in_change(box, [&](Change& change) { return move(change, box.archive, both, box.trash, box.me); });
    REQUIRE(box.folder_row(box.trash).total == 2);
    auto waiting = ops(box);
    REQUIRE(waiting.size() == 2);
    REQUIRE(waiting[0].kind == OpKind::append);
    REQUIRE(waiting[1].kind == OpKind::move);
    SECTION("taken by the server") {
        finish(box, waiting[0], 5);
        finish(box, waiting[1], 6);
        REQUIRE_FALSE(box.row(row).pending);
        in_change(box, [&](Change& change) { return undo(change, box.me).has_value(); });
        in_change(box, [&](Change& change) { return undo(change, box.me).has_value(); });
        REQUIRE(ops(box).size() == 2);
        for (const auto& op : ops(box)) {
            REQUIRE(op.kind == OpKind::move);
            REQUIRE(op.target == box.archive);
        }
        REQUIRE(box.row(row).folder == box.archive);
    }
    SECTION("not yet sent") {
        in_change(box, [&](Change& change) { return undo(change, box.me).has_value(); });
        in_change(box, [&](Change& change) { return undo(change, box.me).has_value(); });
        REQUIRE(ops(box).empty());
        REQUIRE(judge(box, box.archive) == 0);
        REQUIRE(box.row(row).folder == box.archive);
        REQUIRE(box.row(row).pending);
        REQUIRE(box.folder_row(box.archive).total == 2);
    }
    SECTION("refused once more, it stays where it was moved") {
        in_change(box, [&](Change& change) { return refuse(change, waiting[0], "too large"), 0; });
        REQUIRE(judge(box, box.trash) == 0);
        REQUIRE(box.row(row).folder == box.trash);
        REQUIRE(refused_in(box.database, row) == box.trash);
    }
    SECTION("taken, not named, and gone again") {
        finish(box, waiting[0]);
        REQUIRE(judge(box, box.trash) == 1);
    }
}

TEST_CASE("what is done to a text that the server refused is done here alone, and ends") {
    Mailbox box;
    Id row = 0;
    in_change(box, [&](Change& change) { return append(change, box.archive, letter(0), {}, row); });
    in_change(box, [&](Change& change) { return refuse(change, ops(box)[0], "too large"), 0; });
    auto text = std::span(&row, 1);
    in_change(box, [&](Change& change) { return flag(change, box.archive, text, {.add = SEEN}, box.me); });
    in_change(box, [&](Change& change) { return copy(change, box.archive, text, box.trash, box.me); });
    in_change(box, [&](Change& change) { return finish_here(change, ops(box)[0]); });
    in_change(box, [&](Change& change) { return finish_here(change, ops(box)[0]); });
    REQUIRE(ops(box).empty());
    REQUIRE(box.row(row).flags == SEEN);
    REQUIRE(box.row(row).pending);
    REQUIRE(box.folder_row(box.archive).unread == 0);
    REQUIRE(box.folder_row(box.trash).total == 0);
    in_change(box, [&](Change& change) { return expunge(change, box.archive, text, box.me); });
    in_change(box, [&](Change& change) { return finish_here(change, ops(box)[0]); });
    REQUIRE(ops(box).empty());
    REQUIRE_FALSE(message_of(box.database, row));
    REQUIRE(box.folder_row(box.archive).total == 0);
}

TEST_CASE("flags and copies of a message are carried out where it is after its move was refused") {
    Mailbox box;
    auto ids = box.bring(box.inbox, {letter(1), letter(2)});
    auto stays = box.bring(box.archive, {letter(3)})[0];
    move_to(box, box.inbox, ids[0], box.archive);
    move_to(box, box.inbox, ids[1], box.archive);
    std::vector<Id> all{ids[0], ids[1], stays};
    in_change(box, [&](Change& change) {
        flag(change, box.archive, all, {.add = FLAGGED | SEEN}, box.me);
        return flag(change, box.archive, std::span(ids).first(1), {.remove = SEEN}, box.me);
    });
    in_change(box, [&](Change& change) {
        return copy(change, box.archive, std::span(ids).first(1), box.trash, box.me);
    });
    for (int times = 0; times < 2; ++times)
        in_change(box, [&](Change& change) { return refuse(change, ops(box)[0], "full"), 0; });
    REQUIRE(box.row(ids[0]).flags == FLAGGED);
    REQUIRE(box.row(ids[1]).flags == (FLAGGED | SEEN));
    REQUIRE(box.folder_row(box.inbox).unread == 1);
    REQUIRE_FALSE(has_unnamed(box.database, box.archive));
    REQUIRE_FALSE(has_unnamed(box.database, box.trash));
    // In the order in which they were asked for, each once and by the name it has there.
    std::vector<std::pair<Id, Id>> flagged;
    for (const auto& op : ops(box)) {
        for (const auto& target : op.targets) {
            REQUIRE(target.uid);
            REQUIRE(op.folder == (target.message == stays ? box.archive : box.inbox));
            if (op.kind == OpKind::flag)
                flagged.emplace_back(target.message, op.add_flags);
        }
        finish(box, op);
    }
    REQUIRE(flagged.size() == 4);
    REQUIRE(std::find(flagged.begin(), flagged.end(), std::pair<Id, Id>(ids[0], FLAGGED | SEEN)) <
            std::find(flagged.begin(), flagged.end(), std::pair<Id, Id>(ids[0], 0)));
    REQUIRE(box.row(ids[0]).flags == FLAGGED);
    REQUIRE_FALSE(box.row(ids[0]).pending);
    REQUIRE(box.row(ids[1]).flags == (FLAGGED | SEEN));
    REQUIRE(box.folder_row(box.trash).total == 1);
    REQUIRE(ops(box).empty());
}

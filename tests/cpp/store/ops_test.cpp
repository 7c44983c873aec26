#include "catch.hpp"

#include "acts.hpp"
#include "base/time.hpp"
#include "store/bodies.hpp"

using namespace himalaya;
using namespace himalaya::store;

namespace {

Op only_op(Mailbox& box, std::int64_t now = INT64_MAX) {
    auto ops = ready_ops(box.database, now, 10);
    REQUIRE(ops.size() == 1);
    return ops[0];
}

} // namespace

TEST_CASE("a flag is seen at once, goes out once, and the server's old news do not undo it meanwhile") {
    Mailbox box;
    auto ids = box.bring(box.inbox, {letter(1), letter(2)});
    in_change(box, [&](Change& change) { return flag(change, box.inbox, ids, {.add = SEEN}, box.me); });
    REQUIRE(box.row(ids[0]).flags == SEEN);
    REQUIRE(box.row(ids[0]).pending);
    REQUIRE(box.folder_row(box.inbox).unread == 0);

    std::vector<FlagNews> old{{1, FLAGGED, {}}};
    in_change(box, [&](Change& change) { return bring_flags(change, box.inbox, old); });
    REQUIRE(box.row(ids[0]).flags == (SEEN | FLAGGED));

    auto op = only_op(box);
    REQUIRE(op.targets.size() == 2);
    REQUIRE(op.targets[0].uid == 1);
    finish(box, op);
    REQUIRE(ready_ops(box.database, INT64_MAX, 10).empty());
    REQUIRE(box.row(ids[0]).flags == (SEEN | FLAGGED));
    REQUIRE_FALSE(box.row(ids[0]).pending);
}

TEST_CASE("a flag that is there already is no op") {
    Mailbox box;
    auto ids = box.bring(box.inbox, {letter(1)});
    REQUIRE(in_change(box, [&](Change& change) {
                return flag(change, box.inbox, ids, {.remove = SEEN}, box.me);
            }) == 0);
    REQUIRE(pending_ops(box.database) == 0);
}

TEST_CASE("a move to where the message is already is no op") {
    Mailbox box;
    auto ids = box.bring(box.inbox, {letter(1)});
    auto to_inbox = [&](const std::vector<Id>& which) {
        return in_change(box,
                         [&](Change& change) { return move(change, box.inbox, which, box.inbox, box.me); });
    };
    REQUIRE(to_inbox(ids) == 0);
    REQUIRE_THROWS_AS(to_inbox({ids[0] + 1}), Error);
    REQUIRE(pending_ops(box.database) == 0);
}

TEST_CASE("a message named twice is one message") {
    Mailbox box;
    auto ids = box.bring(box.inbox, {letter(1)});
    std::vector<Id> twice{ids[0], ids[0]};
    in_change(box, [&](Change& change) { return flag(change, box.inbox, twice, {.add = SEEN}, box.me); });
    in_change(box, [&](Change& change) { return copy(change, box.inbox, twice, box.archive, box.me); });
    in_change(box, [&](Change& change) { return move(change, box.inbox, twice, box.trash, box.me); });
    REQUIRE(box.folder_row(box.inbox).total == 0);
    REQUIRE(box.folder_row(box.archive).total == 1);
    REQUIRE(box.folder_row(box.trash).total == 1);
    for (const auto& op : ready_ops(box.database, INT64_MAX, 10))
        REQUIRE(op.targets.size() == 1);
}

TEST_CASE("a move keeps the id, and the old place does not bring the message back") {
    Mailbox box;
    auto ids = box.bring(box.inbox, {letter(1), letter(2)});
    in_change(box, [&](Change& change) {
        return move(change, box.inbox, std::span(ids).first(1), box.archive, box.me);
    });
    REQUIRE(box.subjects(box.inbox) == std::vector<std::string>{"Letter 2"});
    REQUIRE(box.row(ids[0]).folder == box.archive);

    // The server still has it in INBOX and tells of it.
    REQUIRE(box.bring(box.inbox, {letter(1)}).empty());
    REQUIRE(box.folder_row(box.inbox).total == 1);

    auto op = only_op(box);
    REQUIRE(op.targets[0].uid == 1);
    finish(box, op, 55);
    REQUIRE(box.row(ids[0]).uid == 55);
    REQUIRE(box.bring(box.archive, {letter(55)}).empty());
    REQUIRE(box.folder_row(box.archive).total == 1);
}

TEST_CASE("a moved message whose new name the server does not tell is recognised when it comes") {
    Mailbox box;
    auto ids = box.bring(box.inbox, {letter(1)});
    in_change(box, [&](Change& change) { return move(change, box.inbox, ids, box.archive, box.me); });
    auto arrived = letter(1);
    arrived.uid = 80;
    REQUIRE(box.bring(box.archive, {arrived}).empty());
    REQUIRE(box.row(ids[0]).uid == 80);
    finish(box, only_op(box), 80);
    REQUIRE(box.folder_row(box.archive).total == 1);
}

TEST_CASE("a sync that was faster than the reply leaves one message, the one the user sees") {
    Mailbox box;
    auto ids = box.bring(box.inbox, {letter(1)});
    in_change(box, [&](Change& change) { return copy(change, box.inbox, ids, box.archive, box.me); });
    auto stranger = letter(9);
    stranger.message_id.clear(); // nothing to recognise it by
    stranger.uid = 90;
    box.bring(box.archive, {stranger});
    REQUIRE(box.folder_row(box.archive).total == 2);
    finish(box, only_op(box), 90);
    REQUIRE(box.folder_row(box.archive).total == 1);
}

TEST_CASE("what the server refuses is put back") {
    Mailbox box;
    auto ids = box.bring(box.inbox, {letter(1)});
    in_change(box, [&](Change& change) { return move(change, box.inbox, ids, box.archive, box.me); });
    in_change(box, [&](Change& change) { return move(change, box.archive, ids, box.trash, box.me); });
    auto ops = ready_ops(box.database, INT64_MAX, 10);
    REQUIRE(ops.size() == 2);
    in_change(box, [&](Change& change) { return refuse(change, ops[0], "no such mailbox"), 0; });
    REQUIRE(box.row(ids[0]).folder == box.inbox);
    REQUIRE(box.row(ids[0]).uid == 1);
    REQUIRE_FALSE(box.row(ids[0]).pending);
    REQUIRE(ready_ops(box.database, INT64_MAX, 10).empty());
    REQUIRE(box.folder_row(box.archive).total == 0);
    REQUIRE(box.folder_row(box.trash).total == 0);
}

TEST_CASE("an id of another folder is not found, and nothing of the action happens") {
    Mailbox box;
    auto here = box.bring(box.inbox, {letter(1)});
    auto there = box.bring(box.archive, {letter(2)});
    std::vector<Id> both{here[0], there[0]};
    Change change(box.database);
    REQUIRE_THROWS_AS(flag(change, box.inbox, both, {.add = SEEN}, box.me), Error);
    REQUIRE(pending_ops(box.database) == 0);
    REQUIRE(box.row(here[0]).flags == 0);
}

TEST_CASE("expunge for good waits ten seconds and can be undone in them") {
    Mailbox box;
    auto ids = box.bring(box.inbox, {letter(1)});
    in_change(box, [&](Change& change) { return expunge(change, box.inbox, ids, box.me); });
    REQUIRE(box.subjects(box.inbox).empty());
    REQUIRE(ready_ops(box.database, box.me.now + 9, 10).empty());
    REQUIRE(only_op(box, box.me.now + 10).kind == OpKind::expunge);
    // Told again by the server meanwhile, it stays hidden.
    REQUIRE(box.bring(box.inbox, {letter(1)}).empty());
    REQUIRE(box.subjects(box.inbox).empty());

    auto undone = in_change(box, [&](Change& change) { return undo(change, box.me); });
    REQUIRE(undone);
    REQUIRE(undone->messages == ids);
    REQUIRE(box.subjects(box.inbox).size() == 1);
    REQUIRE(box.folder_row(box.inbox).unread == 1);
    REQUIRE(ready_ops(box.database, INT64_MAX, 10).empty());
}

TEST_CASE("a clock that is set back holds up no op") {
    Mailbox box;
    auto ids = box.bring(box.trash, {letter(1)});
    in_change(box, [&](Change& change) { return expunge(change, box.trash, ids, box.me); });
    REQUIRE(ready_ops(box.database, box.me.now + 9, 10).empty());
    REQUIRE(ready_ops(box.database, box.me.now - 60, 10).empty());
    REQUIRE(ready_ops(box.database, box.me.now - 86'400, 10).size() == 1);
}

TEST_CASE("a move that is taken back or refused brings back what another Neovim deleted for good behind it") {
    for (bool refused : {false, true}) {
        Mailbox box;
        auto ids = box.bring(box.inbox, {letter(1), letter(2)});
        in_change(box, [&](Change& change) { return move(change, box.inbox, ids, box.trash, box.me); });
        auto one = std::span(ids).first(1);
        in_change(box, [&](Change& change) {
            return expunge(change, box.trash, one, {"other", box.me.now});
        });
        REQUIRE(box.folder_row(box.trash).total == 1);
        in_change(box, [&](Change& change) {
            if (refused)
                refuse(change, ready_ops(box.database, box.me.now, 10).at(0), "no");
            else
                REQUIRE(undo(change, box.me));
            return 0;
        });
        REQUIRE(box.subjects(box.inbox).size() == 2);
        REQUIRE(box.folder_row(box.inbox).total == 2);
        REQUIRE(box.folder_row(box.inbox).unread == 2);
        REQUIRE(box.folder_row(box.trash).total == 0);
        REQUIRE(box.folder_row(box.trash).unread == 0);
        REQUIRE(box.row(ids[0]).uid == 1);
        REQUIRE_FALSE(box.row(ids[0]).pending);
        REQUIRE(ready_ops(box.database, INT64_MAX, 10).empty());
    }
}

TEST_CASE("undo after the server has it is the opposite, once, and never another's action") {
    Mailbox box;
    auto ids = box.bring(box.inbox, {letter(1)});
    in_change(box, [&](Change& change) { return flag(change, box.inbox, ids, {.add = SEEN}, box.me); });
    finish(box, only_op(box));
    Author other{"other", box.me.now};
    REQUIRE_FALSE(in_change(box, [&](Change& change) { return undo(change, other); }));
    REQUIRE(in_change(box, [&](Change& change) { return undo(change, box.me); }));
    REQUIRE(box.row(ids[0]).flags == 0);
    REQUIRE(only_op(box).remove_flags == SEEN);
    REQUIRE_FALSE(in_change(box, [&](Change& change) { return undo(change, box.me); }));
}

TEST_CASE("undo of a move that is done moves back, keeping the id") {
    Mailbox box;
    auto ids = box.bring(box.inbox, {letter(1)});
    in_change(box, [&](Change& change) { return move(change, box.inbox, ids, box.archive, box.me); });
    finish(box, only_op(box), 7);
    in_change(box, [&](Change& change) { return undo(change, box.me); });
    REQUIRE(box.row(ids[0]).folder == box.inbox);
    auto op = only_op(box);
    REQUIRE(op.folder == box.archive);
    REQUIRE(op.targets[0].uid == 7);
}

TEST_CASE("a message expunged by another while a flag waits takes the op with it") {
    Mailbox box;
    auto ids = box.bring(box.inbox, {letter(1)});
    in_change(box, [&](Change& change) { return flag(change, box.inbox, ids, {.add = SEEN}, box.me); });
    std::vector<std::int64_t> uids{1};
    in_change(box, [&](Change& change) { return take_away(change, box.inbox, uids); });
    REQUIRE(ready_ops(box.database, INT64_MAX, 10).empty());
    REQUIRE(pending_ops(box.database) == 0);
}

TEST_CASE("a keyword is the same in any case") {
    Mailbox box;
    auto first = letter(1);
    first.keywords = {"Work"};
    auto ids = box.bring(box.inbox, {first});
    auto change_to = [&](const FlagChange& wanted) {
        return in_change(box, [&](Change& change) { return flag(change, box.inbox, ids, wanted, box.me); });
    };
    REQUIRE(change_to({.add_keywords = {"WORK"}}) == 0);
    REQUIRE(change_to({.add_keywords = {"todo", "ToDo"}}) != 0);
    REQUIRE(box.row(ids[0]).keywords == std::vector<std::string>{"Work", "todo"});
    REQUIRE(change_to({.remove_keywords = {"work"}}) != 0);
    REQUIRE(box.row(ids[0]).keywords == std::vector<std::string>{"todo"});
    in_change(box, [&](Change& change) { return undo(change, box.me)->op; });
    REQUIRE(box.row(ids[0]).keywords == std::vector<std::string>{"Work", "todo"});
}

TEST_CASE("keywords are added and undone like flags") {
    Mailbox box;
    auto first = letter(1);
    first.keywords = {"$Label1"};
    auto ids = box.bring(box.inbox, {first});
    in_change(box, [&](Change& change) {
        return flag(change, box.inbox, ids, {.add_keywords = {"todo"}, .remove_keywords = {"$Label1"}},
                    box.me);
    });
    REQUIRE(box.row(ids[0]).keywords == std::vector<std::string>{"todo"});
    finish(box, only_op(box));
    in_change(box, [&](Change& change) { return undo(change, box.me); });
    REQUIRE(box.row(ids[0]).keywords == std::vector<std::string>{"$Label1"});
}

TEST_CASE("an appended message is listed at once and named later") {
    Mailbox box;
    Id row = 0;
    in_change(box, [&](Change& change) {
        return append(change, box.inbox, letter(0, 1'700'000'500), box.me, row);
    });
    REQUIRE(box.row(row).pending);
    auto op = only_op(box);
    REQUIRE(op.kind == OpKind::append);
    REQUIRE_FALSE(op.targets[0].uid);
    finish(box, op, 12);
    REQUIRE(box.row(row).uid == 12);
}

TEST_CASE("the same body is kept once, a large one as a file, and orphans are swept") {
    Mailbox box;
    auto ids = box.bring(box.inbox, {letter(1), letter(2), letter(3)});
    Bodies bodies(box.folder() / "large");
    auto large = noise(3'000'000);
    in_change(box, [&](Change& change) {
        Bodies::attach(change, ids[0], bodies.pack("Subject: x\r\n\r\nhello"));
        Bodies::attach(change, ids[1], bodies.pack("Subject: x\r\n\r\nhello"));
        Bodies::attach(change, ids[2], bodies.pack(large));
        return 0;
    });
    REQUIRE(box.row(ids[0]).body == box.row(ids[1]).body);
    REQUIRE(bodies.read(box.database, *box.row(ids[0]).body) == "Subject: x\r\n\r\nhello");
    REQUIRE(bodies.read(box.database, *box.row(ids[2]).body) == large);
    REQUIRE(std::distance(std::filesystem::directory_iterator(box.folder() / "large"), {}) == 1);

    in_change(box, [&](Change& change) { return remove_row(change, ids[0]), remove_row(change, ids[2]), 0; });
    auto now = time::now_s();
    auto left_to_look_at = [&](std::int64_t when) {
        in_change(box, [&](Change& change) { return bodies.sweep(change, 100, when) ? 1 : 0; });
        auto row =
            box.database.prepare_once("SELECT (SELECT count(*) FROM loose), (SELECT count(*) FROM body)");
        row.step();
        return std::pair(row.integer(0), row.integer(1));
    };
    // The large one was written just now: who wrote it may be about to point to it again.
    REQUIRE(left_to_look_at(now) == std::pair<std::int64_t, std::int64_t>(1, 2));
    REQUIRE(left_to_look_at(now + 3'600) == std::pair<std::int64_t, std::int64_t>(0, 1));
    REQUIRE(bodies.read(box.database, *box.row(ids[1]).body));
    REQUIRE(std::filesystem::is_empty(box.folder() / "large"));
}

TEST_CASE("a message moved on before its first move was carried out goes both ways, by the names it gets") {
    Mailbox box;
    auto ids = box.bring(box.inbox, {letter(1)});
    in_change(box, [&](Change& change) { return move(change, box.inbox, ids, box.archive, box.me); });
    in_change(box, [&](Change& change) { return move(change, box.archive, ids, box.trash, box.me); });
    auto ops = ready_ops(box.database, INT64_MAX, 10);
    REQUIRE(ops.size() == 2);
    REQUIRE_FALSE(ops[1].targets[0].uid);

    SECTION("told by the server") {
        finish(box, ops[0], 7);
    }
    SECTION("brought by the folder's sync") {
        finish(box, ops[0]);
        auto there = letter(1);
        there.uid = 7;
        REQUIRE(box.bring(box.archive, {there}).empty()); // it is on its way out
    }
    REQUIRE_FALSE(box.row(ids[0]).uid); // the name of another folder
    auto second = only_op(box);
    REQUIRE(second.folder == box.archive);
    REQUIRE(second.targets[0].uid == 7);
    finish(box, second, 3);
    REQUIRE(box.row(ids[0]).uid == 3);
    REQUIRE(box.row(ids[0]).folder == box.trash);
    REQUIRE_FALSE(box.row(ids[0]).pending);
    REQUIRE(box.folder_row(box.archive).total == 0);
}

TEST_CASE("a move waits while its folder is made anew, and goes out under the new name") {
    Mailbox box;
    auto nameless = letter(2);
    nameless.message_id.clear();
    auto ids = box.bring(box.inbox, {letter(1), nameless, letter(3)});
    in_change(box, [&](Change& change) {
        return move(change, box.inbox, std::span(ids).first(2), box.archive, box.me);
    });
    in_change(box, [&](Change& change) {
        forget_names(change, box.inbox);
        postpone(change, only_op(box).id, 1'700'000'060);
        return 0;
    });
    for (const auto& target : only_op(box).targets)
        REQUIRE_FALSE(target.uid);
    auto again = letter(1), nameless_again = nameless, stays = letter(3);
    again.uid = 101;
    nameless_again.uid = 102;
    stays.uid = 103;
    REQUIRE(box.bring(box.inbox, {again, nameless_again, stays}).empty());
    auto op = only_op(box, box.me.now); // at once, not after the pause
    REQUIRE(op.targets.size() == 2);
    REQUIRE(op.targets[0].uid == 101);
    REQUIRE(op.targets[1].uid == 102);
    REQUIRE(box.row(ids[2]).uid == 103);
    REQUIRE(box.folder_row(box.inbox).total == 1);
    REQUIRE(box.folder_row(box.archive).total == 2);
}

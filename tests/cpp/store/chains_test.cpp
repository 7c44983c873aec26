// What the user does to a message before the server has a name for it, and what of it is left when others act too.
#include "catch.hpp"
#include "mailbox.hpp"

#include "store/bodies.hpp"

#include <algorithm>

using namespace himalaya;
using namespace himalaya::store;

namespace {

template<class Action>
auto in_change(Mailbox& box, Action action) {
    Change change(box.database);
    auto result = action(change);
    change.commit();
    return result;
}

void move_to(Mailbox& box, Id from, Id message, Id to) {
    in_change(box, [&](Change& change) { return move(change, from, std::span(&message, 1), to, box.me); });
}

std::vector<Op> ops(Mailbox& box) {
    return ready_ops(box.database, INT64_MAX, 10);
}

void finish(Mailbox& box, const Op& op, std::optional<std::int64_t> uid = {}) {
    in_change(box, [&](Change& change) {
        for (const auto& target : op.targets)
            finish_target(change, op, target, uid);
        return 0;
    });
}

// What a sync that was told of all of a folder says at its end.
std::int64_t judge(Mailbox& box, Id folder) {
    return in_change(box, [&](Change& change) {
        return judge_nameless(change, folder, [](std::int64_t, std::int64_t) { return false; }).left;
    });
}

} // namespace

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

TEST_CASE("a waiting move finds its message again under another UIDVALIDITY") {
    Mailbox box;
    auto ids = box.bring(box.inbox, {letter(1), letter(2)});
    move_to(box, box.inbox, ids[0], box.archive);
    in_change(box, [&](Change& change) { return forget_names(change, box.inbox), 0; });
    auto again = letter(1), other = letter(2);
    again.uid = 12;
    other.uid = 11;
    REQUIRE(box.bring(box.inbox, {other, again}).empty());
    REQUIRE(ops(box)[0].targets[0].uid == 12);
    REQUIRE(box.row(ids[1]).uid == 11);
    REQUIRE(box.folder_row(box.inbox).total == 1);
    REQUIRE(judge(box, box.inbox) == 0);
}

TEST_CASE("a waiting move of a message that is gone under the new UIDVALIDITY is given up with its row") {
    Mailbox box;
    auto ids = box.bring(box.inbox, {letter(1)});
    move_to(box, box.inbox, ids[0], box.archive);
    in_change(box, [&](Change& change) { return forget_names(change, box.inbox), 0; });
    REQUIRE(has_unnamed(box.database, box.inbox));
    REQUIRE(judge(box, box.inbox) == 1);
    REQUIRE(ops(box).empty());
    REQUIRE(box.folder_row(box.archive).total == 0);
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

TEST_CASE(
    "letters that differ in their date alone are not taken for one another when a folder was made anew") {
    for (bool with_id : {false, true}) {
        Mailbox box;
        std::vector<Arrival> daily;
        for (int day = 0; day < 3; ++day) {
            auto one = letter(1);
            one.uid = day + 1;
            one.sent = one.arrived + day * 86'400;
            if (!with_id)
                one.message_id.clear();
            daily.push_back(one);
        }
        auto ids = box.bring(box.inbox, daily);
        in_change(box, [&](Change& change) {
            return expunge(change, box.inbox, std::span(ids).subspan(2, 1), box.me);
        });
        move_to(box, box.inbox, ids[1], box.archive);
        in_change(box, [&](Change& change) { return forget_names(change, box.inbox), 0; });
        // The other way round, as another client may have put them back; and one that nobody knew.
        for (auto& one : daily)
            one.uid = 14 - one.uid;
        auto later = daily[0];
        later.uid = 14;
        *later.sent += 86'400 * 9;
        auto fresh = box.bring(box.inbox, {later, daily[2], daily[1], daily[0]});
        REQUIRE(fresh.size() == 1);
        REQUIRE(box.row(fresh[0]).uid == 14);
        REQUIRE(box.row(ids[0]).uid == 13);
        REQUIRE(box.row(ids[2]).uid == 11);
        auto waiting = ops(box);
        REQUIRE(waiting[0].kind == OpKind::expunge);
        REQUIRE(waiting[0].targets[0].uid == 11);
        REQUIRE(waiting[1].targets[0].uid == 12);
        REQUIRE(judge(box, box.inbox) == 0);
    }
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

TEST_CASE("a renamed folder keeps its rows and what waits for them; a doubtful one does not") {
    Mailbox box;
    auto id = box.bring(box.archive, {letter(1)})[0];
    in_change(box, [&](Change& change) {
        Progress progress;
        progress.uidvalidity = 77;
        note_progress(change, box.archive, progress);
        return flag(change, box.archive, std::span(&id, 1), {.add = SEEN}, box.me);
    });
    std::vector<Folder> listed{{.path = "INBOX", .remote = "INBOX"},
                               {.path = "Trash", .remote = "Trash"},
                               {.path = "Old mail", .remote = "Old mail"}};
    auto follow = [&](std::vector<Seen> seen) {
        in_change(box, [&](Change& change) {
            follow_renames(change, listed, seen);
            keep_folders(change, listed);
            return 0;
        });
        return folder_of(box.database, "Old mail")->id;
    };
    REQUIRE(follow({{"Old mail", 77}}) == box.archive);
    REQUIRE(box.folder_row(box.archive).uidvalidity == 0); // its messages have to show that they are the same
    REQUIRE(ops(box).size() == 1);
    listed[2] = {.path = "Another", .remote = "Another"};
    in_change(box, [&](Change& change) {
        follow_renames(change, listed, {{"Another", 5}});
        keep_folders(change, listed);
        return 0;
    });
    REQUIRE(folder_of(box.database, "Another")->id != box.archive);
    REQUIRE(is_gone(box.database, box.archive));
}

TEST_CASE("a folder that was renamed and made anew under its old name keeps its rows under the new one") {
    Mailbox box;
    auto ids = box.bring(box.archive, {letter(1), letter(2)});
    in_change(box, [&](Change& change) {
        Progress progress;
        progress.uidvalidity = 77;
        note_progress(change, box.archive, progress);
        return flag(change, box.archive, std::span(ids).first(1), {.add = SEEN}, box.me);
    });
    std::vector<Folder> listed{{.path = "INBOX", .remote = "INBOX", .role = "inbox"},
                               {.path = "Trash", .remote = "Trash", .role = "trash"},
                               {.path = "Archive", .remote = "Archive", .role = "archive"},
                               {.path = "Archive 2025", .remote = "Archive 2025"}};
    in_change(box, [&](Change& change) {
        follow_renames(change, listed, {{"Archive", 78}, {"Archive 2025", 77}});
        keep_folders(change, listed);
        return 0;
    });
    REQUIRE(folder_of(box.database, "Archive 2025")->id == box.archive);
    REQUIRE(box.folder_row(box.archive).uidvalidity == 0);
    REQUIRE(box.folder_row(box.archive).role.empty());
    REQUIRE(box.folder_row(box.archive).total == 2);
    REQUIRE(ops(box)[0].folder == box.archive);
    auto anew = *folder_of(box.database, "Archive");
    REQUIRE(anew.role == "archive");
    REQUIRE(anew.total == 0);
    REQUIRE_FALSE(anew.uidvalidity);
}

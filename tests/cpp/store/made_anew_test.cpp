// Folders that were made anew, or have another name: their messages are known again, and none is taken for another.
#include "catch.hpp"

#include "acts.hpp"

using namespace himalaya;
using namespace himalaya::store;

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

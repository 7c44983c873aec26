#include "catch.hpp"
#include "mailbox.hpp"

#include "store/archive.hpp"
#include "store/fingerprint.hpp"
#include "support/test_loop.hpp"

#include <csignal>
#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>
#include <fstream>
#include <sstream>

using namespace himalaya;
using namespace himalaya::store;
using himalaya::test::TestLoop;

namespace {

std::string text_of(int number, std::string_view more = "") {
    return fmt::format(
        "Message-ID: <{0}@example.org>\r\nFrom: Ann <ann@example.org>\r\nSubject: Letter {0}\r\n"
        "Date: Tue, 3 Feb 2026 04:05:{0:02} +0000\r\n\r\nFrom here\r\nline {0}\r\n{1}",
        number, more);
}

struct Home {
    explicit Home(const char* name = "home") {
        store = loop.value_of(Store::open(loop, Place{place.folder() / name}, {}));
        REQUIRE_FALSE(loop.run(store->write<void>(
            [](Change& change) {
                keep_folders(change, {{.path = "INBOX", .remote = "INBOX", .role = "inbox"},
                                      {.path = "Archive", .remote = "Archive"},
                                      {.path = "[Mail]", .remote = "[Mail]", .selectable = false}});
            },
            {})));
    }
    ~Home() { store->close(); }

    // As a sync would have brought it.
    Id bring(const std::string& bytes, std::int64_t uid, std::uint32_t flags = 0,
             std::vector<std::string> keywords = {}, bool with_body = true) {
        auto arrival = letter(uid);
        arrival.message_id = fmt::format("<{}@example.org>", uid);
        arrival.size = static_cast<std::int64_t>(bytes.size());
        arrival.flags = flags;
        arrival.keywords = std::move(keywords);
        return loop.value_of(store->write<Id>(
            [&, this](Change& change) {
                auto folder = folder_of(change.database(), "INBOX")->id;
                auto id = bring_in(change, folder, std::span(&arrival, 1)).fresh.at(0);
                if (with_body)
                    Bodies::attach(change, id, store->bodies().pack(bytes));
                return id;
            },
            {}));
    }

    void bring_many(int count, const std::string& more) {
        REQUIRE_FALSE(loop.run(store->write<void>(
            [&](Change& change) {
                auto folder = folder_of(change.database(), "INBOX")->id;
                for (int i = 1; i <= count; ++i) {
                    auto arrival = letter(i);
                    auto id = bring_in(change, folder, std::span(&arrival, 1)).fresh.at(0);
                    Bodies::attach(change, id, store->bodies().pack(text_of(i % 60, more)));
                }
            },
            {})));
    }

    Exported export_to(const std::string& path, ArchiveKind kind = ArchiveKind::mbox) {
        return loop.value_of(export_folder(store, {"INBOX", path, kind}, {}, [](const Passed&) {}, {}));
    }
    Imported import_from(const std::string& path, const std::string& folder = "Archive", bool local = false) {
        return loop.value_of(import_into(store, {folder, path, local}, [](const Passed&) {}, {}));
    }
    std::optional<Error> import_error(const std::string& path, const std::string& folder = "Archive") {
        return loop.run(ignore(import_into(store, {folder, path, false}, [](const Passed&) {}, {})));
    }
    template<class T>
    static loop::Task<> ignore(loop::Task<T> task) {
        co_await task;
    }

    std::vector<Message> rows(const std::string& path) {
        return loop.value_of(store->read<std::vector<Message>>(
            [path](Database& database) {
                Wanted wanted;
                wanted.page_size = 5000;
                return list_page(database, folder_of(database, path)->id, wanted).items;
            },
            {}));
    }
    std::vector<std::string> bodies(const std::string& path) {
        std::vector<std::string> all;
        for (const auto& row : rows(path))
            all.push_back(*loop.value_of(store->read<std::optional<std::string>>(
                [this, id = *row.body](Database& database) { return store->bodies().read(database, id); },
                {})));
        std::sort(all.begin(), all.end());
        return all;
    }
    std::vector<Op> ops() {
        return loop.value_of(store->read<std::vector<Op>>(
            [](Database& database) { return ready_ops(database, INT64_MAX, 10'000); }, {}));
    }
    std::string path(const char* name) const { return place.path(name); }

    TestLoop loop;
    Folderful place;
    std::shared_ptr<Store> store;
};

std::string slurp(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream all;
    all << file.rdbuf();
    return all.str();
}

void spill(const std::string& path, std::string_view bytes) {
    std::ofstream(path, std::ios::binary) << bytes;
}

} // namespace

TEST_CASE("what is exported and imported again is the same mail, with its flags") {
    auto kind = GENERATE(ArchiveKind::mbox, ArchiveKind::maildir);
    Home home;
    std::vector<std::string> sent;
    for (int i = 1; i <= 30; ++i) {
        sent.push_back(text_of(i, i == 7 ? std::string("NUL \0 and \xff\r\n", 13) : ""));
        home.bring(sent.back(), i, i % 2 ? SEEN | FLAGGED : FORWARDED | DRAFT,
                   i % 3 ? std::vector<std::string>{} : std::vector<std::string>{"todo", "later"});
    }
    sent.push_back(text_of(31, noise(3u << 20))); // lies in a file of its own
    home.bring(sent.back(), 31, ANSWERED);
    std::sort(sent.begin(), sent.end());

    auto wrote = home.export_to(home.path("out"), kind);
    REQUIRE(wrote.exported == 31);
    REQUIRE(wrote.missing + wrote.skipped == 0);
    auto again = home.export_to(home.path("out"), kind);
    REQUIRE(again.exported == 0);
    REQUIRE(again.skipped == 31);

    auto read = home.import_from(home.path("out"));
    REQUIRE(read.imported == 31);
    REQUIRE(read.skipped == 0);
    // Noise has line ends that no message has: its own bytes do not come back, those of all others do.
    auto back = home.bodies("Archive");
    REQUIRE(std::count_if(back.begin(), back.end(), [&](const std::string& bytes) {
                return std::binary_search(sent.begin(), sent.end(), bytes);
            }) == 30);
    auto before = home.rows("INBOX"), after = home.rows("Archive");
    for (std::size_t i = 0; i < before.size(); ++i) {
        REQUIRE(after[i].arrived == before[i].arrived);
        REQUIRE(after[i].message_id == before[i].message_id);
        REQUIRE((after[i].flags & SERVER_FLAGS) == (before[i].flags & SERVER_FLAGS));
        auto keywords = before[i].keywords;
        REQUIRE(after[i].keywords == keywords);
        REQUIRE(after[i].pending);
    }
    REQUIRE(home.ops().size() == 31);
    REQUIRE(home.ops().front().kind == OpKind::append);

    auto twice = home.import_from(home.path("out"));
    REQUIRE(twice.imported == 0);
    REQUIRE(twice.skipped == 31);
    REQUIRE(home.ops().size() == 31);
    auto there = home.import_from(home.path("out"), "INBOX");
    REQUIRE(there.imported == 0);
}

TEST_CASE("an export adds what is new, keeps what others wrote, and leaves a file without news untouched") {
    Home home;
    home.bring(text_of(1), 1);
    home.bring(text_of(2), 2);
    auto path = home.path("out.mbox");
    spill(path, "From bob Tue Feb  3 04:05:06 2026\nSubject: Bob's\n\nwithout a final blank line");
    ::chmod(path.c_str(), 0640);
    REQUIRE(home.export_to(path).exported == 2);
    auto first = slurp(path);
    REQUIRE(first.starts_with(
        "From bob Tue Feb  3 04:05:06 2026\nSubject: Bob's\n\nwithout a final blank line\n\nFrom ann@"));
    struct stat info {};
    REQUIRE((::stat(path.c_str(), &info) == 0 && (info.st_mode & 0777) == 0640));
    auto inode = info.st_ino;
    REQUIRE(home.export_to(path).exported == 0);
    REQUIRE((::stat(path.c_str(), &info) == 0 && info.st_ino == inode));
    home.bring(text_of(3), 3);
    auto third = home.export_to(path);
    REQUIRE(third.exported == 1);
    REQUIRE(third.skipped == 2);
    REQUIRE(slurp(path).starts_with(first));
    REQUIRE(home.import_from(path).imported == 4);
}

TEST_CASE("copies of one message in one folder all leave, and come in as one") {
    Home home;
    for (int uid = 1; uid <= 3; ++uid)
        home.bring(text_of(1), uid);
    for (auto kind : {ArchiveKind::mbox, ArchiveKind::maildir}) {
        auto path = home.path(kind == ArchiveKind::mbox ? "a" : "b");
        REQUIRE(home.export_to(path, kind).exported == 3);
        REQUIRE(home.export_to(path, kind).skipped == 3);
        auto read = home.import_from(path);
        REQUIRE(read.imported == (kind == ArchiveKind::mbox ? 1 : 0));
    }
}

TEST_CASE("one Message-ID with two texts is two messages; what other programs change is one") {
    Home home;
    auto path = home.path("in.mbox");
    std::string from = "From a Tue Feb  3 04:05:06 2026\n";
    spill(path,
          from + "Message-ID: <1@example.org>\n\none\n\n" + from + "Message-ID: <1@example.org>\n\ntwo\n\n");
    REQUIRE(home.import_from(path).imported == 2);
    spill(path, from + "Message-ID: <1@example.org>\nStatus: RO\nContent-Length: 4\nX-UID: 7\n\none\n\n\n\n" +
                    from + "Message-ID: <1@example.org>\r\n\r\ntwo");
    auto again = home.import_from(path);
    REQUIRE(again.imported == 0);
    REQUIRE(again.skipped == 2);
    spill(path, from + "Subject: without an id\n\none\n");
    REQUIRE(home.import_from(path).imported == 1);
    spill(path, from + "Subject: without an id\nLines: 1\n\none\n");
    REQUIRE(home.import_from(path).imported == 0);
}

TEST_CASE("a message whose text is not here is fetched, or counted as missing") {
    Home home;
    home.bring(text_of(1), 1);
    auto bare = home.bring(text_of(2), 2, 0, {}, false);
    REQUIRE(home.export_to(home.path("a")).missing == 1);
    REQUIRE(home.export_to(home.path("a")).exported == 0);
    int asked = 0;
    FetchBodies fetch = [&](std::vector<Id> messages) -> loop::Task<> {
        ++asked;
        REQUIRE(messages == std::vector{bare});
        return home.store->write<void>(
            [&](Change& change) { Bodies::attach(change, bare, home.store->bodies().pack(text_of(2))); }, {});
    };
    auto wrote = home.loop.value_of(export_folder(home.store, {"INBOX", home.path("a"), ArchiveKind::mbox},
                                                  fetch, [](const Passed&) {}, {}));
    REQUIRE(asked == 1);
    REQUIRE(wrote.exported == 1);
    REQUIRE(wrote.missing == 0);
    // Nor is the same message imported where only its envelope is.
    home.bring(text_of(3), 3, 0, {}, false);
    spill(home.path("b"), "From a Tue Feb  3 04:05:06 2026\n" + text_of(3));
    REQUIRE(home.import_from(home.path("b"), "INBOX").skipped == 1);
}

TEST_CASE("an export that is cancelled or fails leaves nothing under the final name") {
    Home home;
    home.bring_many(500, std::string(200, 'x'));
    auto kind = GENERATE(ArchiveKind::mbox, ArchiveKind::maildir);
    auto path = home.path("out");
    loop::CancelSource cancel;
    int steps = 0;
    auto error = home.loop.run(Home::ignore(export_folder(
        home.store, {"INBOX", path, kind}, {},
        [&](const Passed&) {
            if (++steps == 2)
                cancel.cancel();
        },
        cancel.token())));
    REQUIRE(error);
    REQUIRE(error->code == Code::cancelled);
    if (kind == ArchiveKind::mbox) {
        REQUIRE_FALSE(std::filesystem::exists(path));
        REQUIRE_FALSE(std::filesystem::exists(path + ".himalaya-part"));
        REQUIRE(home.export_to(path, kind).exported == 500);
    } else {
        REQUIRE(std::filesystem::is_empty(path + "/tmp"));
        auto rest = home.export_to(path, kind);
        REQUIRE(rest.skipped > 0);
        REQUIRE(rest.exported + rest.skipped == 500);
    }
}

TEST_CASE("an import that is cancelled goes on where it was") {
    Home home;
    std::string file;
    for (int i = 1; i <= 1500; ++i)
        file += fmt::format("From a Tue Feb  3 04:05:06 2026\nMessage-ID: <{}@x>\n\n{}\n\n", i,
                            std::string(2000, 'x'));
    spill(home.path("in"), file);
    loop::CancelSource cancel;
    auto error = home.loop.run(Home::ignore(import_into(
        home.store, {"Archive", home.path("in"), false}, [&](const Passed&) { cancel.cancel(); },
        cancel.token())));
    REQUIRE(error->code == Code::cancelled);
    auto here = home.rows("Archive").size();
    REQUIRE(here > 0);
    REQUIRE(here < 1500);
    auto rest = home.import_from(home.path("in"));
    REQUIRE(static_cast<std::size_t>(rest.skipped) == here);
    REQUIRE(home.rows("Archive").size() == 1500);
}

TEST_CASE("what cannot be is said in one sentence, and nothing of another's is touched") {
    Home home;
    home.bring(text_of(1), 1);
    auto failure = [&](const std::string& folder, const std::string& path,
                       ArchiveKind kind = ArchiveKind::mbox) {
        auto error = home.loop.run(
            Home::ignore(export_folder(home.store, {folder, path, kind}, {}, [](const Passed&) {}, {})));
        REQUIRE(error);
        REQUIRE_FALSE(error->hint.empty());
        return *error;
    };
    REQUIRE(failure("Nowhere", home.path("a")).code == Code::not_found);
    spill(home.path("letter.txt"), "Dear Bob,\n");
    REQUIRE(failure("INBOX", home.path("letter.txt")).code == Code::invalid);
    REQUIRE(slurp(home.path("letter.txt")) == "Dear Bob,\n");
    REQUIRE_FALSE(std::filesystem::exists(home.path("letter.txt.himalaya-part")));
    std::filesystem::create_directory(home.path("papers"));
    spill(home.path("papers/letter.txt"), "Dear Bob,\n");
    REQUIRE(failure("INBOX", home.path("papers"), ArchiveKind::maildir).code == Code::invalid);
    REQUIRE(failure("INBOX", home.path("papers")).code == Code::invalid);
    REQUIRE_FALSE(std::filesystem::exists(home.path("papers/cur")));
    REQUIRE(failure("INBOX", home.path("letter.txt"), ArchiveKind::maildir).code != Code::internal);
    auto full = failure("INBOX", "/dev/full/x");
    REQUIRE(full.message.starts_with("Cannot write /dev/full/x"));

    REQUIRE(home.import_error(home.path("none"))->code == Code::not_found);
    REQUIRE(home.import_error(home.path("letter.txt"))->code == Code::invalid);
    REQUIRE(home.import_error(home.path("papers"))->code == Code::invalid);
    spill(home.path("good"), "From a Tue Feb  3 04:05:06 2026\n" + text_of(1));
    REQUIRE(home.import_error(home.path("good"), "Nowhere")->code == Code::not_found);
    REQUIRE(home.import_error(home.path("good"), "[Mail]")->code == Code::invalid);
    REQUIRE(home.import_error("/dev/zero")->code == Code::invalid);
}

TEST_CASE("a disk without room ends an export with one sentence and nothing half done") {
    Home home;
    home.bring(text_of(1, noise(900u << 10)), 1);
    home.bring(text_of(2, noise(900u << 10)), 2);
    auto kind = GENERATE(ArchiveKind::mbox, ArchiveKind::maildir);
    auto path = home.path("out");
    // Files that may not grow: what writing to a full disk is, without one.
    auto before = std::signal(SIGXFSZ, SIG_IGN);
    rlimit usual{}, small{};
    ::getrlimit(RLIMIT_FSIZE, &usual);
    small = usual;
    small.rlim_cur = 800u << 10;
    ::setrlimit(RLIMIT_FSIZE, &small);
    auto error = home.loop.run(
        Home::ignore(export_folder(home.store, {"INBOX", path, kind}, {}, [](const Passed&) {}, {})));
    ::setrlimit(RLIMIT_FSIZE, &usual);
    std::signal(SIGXFSZ, before);
    REQUIRE(error);
    REQUIRE(error->message.starts_with("Cannot write"));
    REQUIRE(error->message.find('\n') == std::string::npos);
    REQUIRE_FALSE(error->hint.empty());
    if (kind == ArchiveKind::mbox)
        REQUIRE_FALSE(std::filesystem::exists(path));
    else
        REQUIRE((std::filesystem::is_empty(path + "/cur") && std::filesystem::is_empty(path + "/tmp")));
    REQUIRE(home.export_to(path, kind).exported == 2);
}

TEST_CASE("two exports to one file do not write into each other") {
    Home home;
    home.bring_many(300, std::string(200, 'x'));
    auto path = home.path("out");
    std::optional<Error> second;
    auto first = home.loop.run(Home::ignore(export_folder(
        home.store, {"INBOX", path, ArchiveKind::mbox}, {},
        [&](const Passed& passed) {
            if (passed.done < 300 && !second) {
                second.emplace();
                loop::start(Home::ignore(export_folder(home.store, {"INBOX", path, ArchiveKind::mbox}, {},
                                                       [](const Passed&) {}, {})),
                            [&](std::optional<Error> error) { second = std::move(error); });
            }
        },
        {})));
    REQUIRE_FALSE(first);
    REQUIRE(second);
    REQUIRE(second->code == Code::busy);
    REQUIRE(home.import_from(path).imported > 0);
}

TEST_CASE("without a server what is imported has arrived") {
    Home home;
    spill(home.path("in"), "From a Tue Feb  3 04:05:06 2026\n" + text_of(1));
    REQUIRE(home.import_from(home.path("in"), "New", true).imported == 1);
    REQUIRE(home.ops().empty());
    REQUIRE_FALSE(home.rows("New").at(0).pending);
    REQUIRE(home.rows("New").at(0).subject == "Letter 1");
    spill(home.path("in"), "");
    REQUIRE(home.import_from(home.path("in"), "Trash", true).imported == 0);
    auto settled = home.loop.value_of(home.store->write<int>(
        [](Change& change) {
            auto& database = change.database();
            auto trash = *folder_with_role(database, "trash");
            auto from = folder_of(database, "New")->id;
            auto id = list_page(database, from, {}).items.at(0).id;
            Author me{"me", 100};
            flag(change, from, std::span(&id, 1),
                 {.add = FLAGGED, .remove = 0, .add_keywords = {}, .remove_keywords = {}}, me);
            move(change, from, std::span(&id, 1), trash.id, me);
            return settle_here(change, 100);
        },
        {}));
    REQUIRE(settled == 2);
    REQUIRE(home.ops().empty());
    REQUIRE_FALSE(home.rows("Trash").at(0).pending);
    REQUIRE((home.rows("Trash").at(0).flags & FLAGGED) != 0);
}

TEST_CASE("a message of 100 MB passes in pieces") {
    Home home;
    auto path = home.path("in");
    {
        std::ofstream file(path, std::ios::binary);
        file << "From a Tue Feb  3 04:05:06 2026\nMessage-ID: <1@x>\n\n";
        std::string line(99, 'x');
        for (int i = 0; i < 1'000'000; ++i) {
            line[static_cast<std::size_t>(i % 90)] = static_cast<char>('a' + i % 26);
            file << line << '\n';
        }
    }
    auto resident = [] {
        std::ifstream statm("/proc/self/statm");
        std::size_t total = 0, pages = 0;
        statm >> total >> pages;
        return pages * 4096;
    };
    auto before = resident();
    std::size_t most = 0;
    auto look = [&](const Passed&) { most = std::max(most, resident()); };
    auto read = home.loop.value_of(import_into(home.store, {"INBOX", path, false}, look, {}));
    REQUIRE(read.imported == 1);
    auto wrote = home.loop.value_of(
        export_folder(home.store, {"INBOX", home.path("out"), ArchiveKind::mbox}, {}, look, {}));
    REQUIRE(wrote.exported == 1);
    REQUIRE(std::filesystem::file_size(home.path("out")) > 100'000'000);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    REQUIRE(most < before + (40u << 20));
#endif
}

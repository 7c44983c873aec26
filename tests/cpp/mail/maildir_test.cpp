#include "catch.hpp"

#include "mail/maildir.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

using namespace himalaya;
using namespace himalaya::mail;

namespace {

struct Place {
    Place() {
        std::string pattern = (std::filesystem::temp_directory_path() / "himalaya-maildir-XXXXXX").string();
        folder = mkdtemp(pattern.data());
    }
    ~Place() { std::filesystem::remove_all(folder); }
    std::string path(const char* name) const { return (folder / name).string(); }
    void write(const std::string& name, std::string_view bytes) const {
        std::ofstream(folder / name, std::ios::binary) << bytes;
    }
    std::filesystem::path folder;
};

std::string deliver(const Maildir& maildir, const std::string& unique, std::string_view bytes) {
    auto delivery = Maildir::Delivery::begin(maildir, unique).or_throw();
    delivery.write(bytes).or_throw();
    delivery.close(1'770'091'506).or_throw();
    std::vector<Maildir::Delivery> closed;
    closed.push_back(std::move(delivery));
    maildir.sync(closed).or_throw();
    return closed[0].appear(unique + ":2,S").or_throw() ? "new" : "known";
}

std::vector<std::string> names(const Maildir& maildir) {
    std::vector<std::string> all;
    for (const auto& entry : maildir.list().or_throw())
        all.push_back(entry.place + "/" + entry.file);
    return all;
}

} // namespace

TEST_CASE("a Maildir name says its flags, and flags make a name") {
    KeywordLetters letters = {"todo", "", "later"};
    auto name = parse_maildir_name("123.M4P5.host,S=10:2,FPRSTcaz", letters);
    REQUIRE(name.unique == "123.M4P5.host,S=10");
    REQUIRE(name.flags == Flags{FLAGGED | FORWARDED | ANSWERED | SEEN | DELETED, {"later", "todo"}});
    REQUIRE(parse_maildir_name("123.host").flags == Flags{});
    REQUIRE(parse_maildir_name("123.host:2,").flags == Flags{});
    REQUIRE(parse_maildir_name("123.host:2,S,F").flags == Flags{SEEN, {}});
    letters = {"todo"};
    REQUIRE(maildir_name("u", {SEEN | DRAFT | FLAGGED, {"new", "TODO", "not one"}}, letters) == "u:2,DFSab");
    REQUIRE(letters == KeywordLetters{"todo", "new"});
    letters.assign(26, "taken");
    REQUIRE(maildir_name("u", {0, {"more"}}, letters) == "u:2,");
}

TEST_CASE("keywords have their letters in Dovecot's file") {
    auto letters = parse_keyword_letters("0 todo\n2 later\nx y\n99 far\n1 b(d\n");
    REQUIRE(letters == KeywordLetters{"todo", "", "later"});
    REQUIRE(keyword_letters_file(letters) == "0 todo\n2 later\n");
}

TEST_CASE("messages appear whole or not at all, and never over another") {
    Place place;
    Maildir maildir(place.path("box"));
    maildir.make().or_throw();
    maildir.make().or_throw();
    REQUIRE(Maildir::is_one(maildir.path()));
    REQUIRE(deliver(maildir, "1.a", "one") == "new");
    REQUIRE(deliver(maildir, "1.a", "other") == "known");
    {
        auto given_up = Maildir::Delivery::begin(maildir, "2.b").or_throw();
        given_up.write("half").or_throw();
        REQUIRE_FALSE(std::filesystem::is_empty(maildir.path() + "/tmp"));
    }
    REQUIRE(names(maildir) == std::vector<std::string>{"cur/1.a:2,S"});
    REQUIRE(std::filesystem::is_empty(maildir.path() + "/tmp"));
    struct stat info {};
    REQUIRE(::stat((maildir.path() + "/cur/1.a:2,S").c_str(), &info) == 0);
    REQUIRE(info.st_size == 3);
    REQUIRE(info.st_mtime == 1'770'091'506);
    REQUIRE((info.st_mode & 0777) == 0600);
}

TEST_CASE("only plain files of new/ and cur/ are messages") {
    Place place;
    Maildir maildir(place.path("box"));
    maildir.make().or_throw();
    place.write("box/new/2", "b");
    place.write("box/cur/1:2,S", "a");
    place.write("box/cur/.hidden", "c");
    place.write("box/tmp/3", "d");
    std::filesystem::create_directory(place.folder / "box/cur/folder");
    std::filesystem::create_symlink("/etc/passwd", place.folder / "box/cur/link");
    REQUIRE(names(maildir) == std::vector<std::string>{"cur/1:2,S", "new/2"});
}

TEST_CASE("another folder is not made a Maildir") {
    Place place;
    std::filesystem::create_directory(place.folder / "papers");
    place.write("papers/letter.txt", "x");
    REQUIRE(Maildir(place.path("papers")).make().error().code == Code::invalid);
    place.write("file", "x");
    REQUIRE_FALSE(Maildir(place.path("file")).make());
    REQUIRE_FALSE(Maildir(place.path("none")).list());
}

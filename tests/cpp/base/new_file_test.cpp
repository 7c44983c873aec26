#include "base/new_file.hpp"

#include <cstdlib>
#include <filesystem>
#include <sys/stat.h>

#include "base/log.hpp"
#include "catch.hpp"

using namespace himalaya;

namespace {

struct Folder {
    Folder() {
        std::string pattern = (std::filesystem::temp_directory_path() / "himalaya-test-XXXXXX").string();
        path = mkdtemp(pattern.data());
    }
    ~Folder() { std::filesystem::remove_all(path); }
    std::string path;
};

} // namespace

TEST_CASE("a new file replaces the old one whole, for its owner alone") {
    Folder folder;
    std::string path = folder.path + "/state.json";
    REQUIRE(write_new_file(path, "one"));
    REQUIRE(write_new_file(path, std::string(100'000, 'x')));
    REQUIRE(read_small_file(path).or_throw().size() == 100'000);
    struct stat info {};
    REQUIRE(stat(path.c_str(), &info) == 0);
    REQUIRE((info.st_mode & 0777) == 0600);
    REQUIRE(std::distance(std::filesystem::directory_iterator(folder.path), {}) == 1);
}

TEST_CASE("files that cannot be are errors with the right code") {
    Folder folder;
    REQUIRE(write_new_file(folder.path + "/no/such/file", "x").error().code == Code::not_found);
    REQUIRE(read_small_file(folder.path + "/none").error().code == Code::not_found);
    REQUIRE(read_small_file(folder.path).error().code == Code::invalid);
    REQUIRE(write_new_file(folder.path + "/big", "12345"));
    REQUIRE(read_small_file(folder.path + "/big", 4).error().code == Code::invalid);
    REQUIRE(mkfifo((folder.path + "/fifo").c_str(), 0600) == 0);
    REQUIRE(read_small_file(folder.path + "/fifo").error().code == Code::invalid);
    REQUIRE(make_folders(folder.path + "/a/b/c"));
    REQUIRE(make_folders(folder.path + "/a/b/c"));
    REQUIRE_FALSE(make_folders(folder.path + "/big/below"));
    REQUIRE_FALSE(make_folders(folder.path + "/big"));
}

TEST_CASE("the log keeps lines in memory and writes them to its file") {
    Folder folder;
    std::string path = folder.path + "/himalaya.log";
    log::set_level(log::Level::info);
    log::info("test", "before the file {}", 1);
    log::open_file(path);
    log::debug("test", "dropped");
    log::warn("test", "with\x1b[31m control\n");
    log::close_file();
    std::string text = read_small_file(path).or_throw();
    REQUIRE(text.find("before the file 1\n") != std::string::npos);
    REQUIRE(text.find("with control") != std::string::npos);
    REQUIRE(text.find("dropped") == std::string::npos);
    struct stat info {};
    REQUIRE(stat(path.c_str(), &info) == 0);
    REQUIRE((info.st_mode & 0777) == 0600);

    for (int i = 0; i < 3000; ++i)
        log::info("test", "line {}", i);
    auto lines = log::recent();
    REQUIRE(lines.size() == 2000);
    REQUIRE(lines.back().text == "line 2999");
    REQUIRE(log::recent(5).front().text == "line 2995");
    REQUIRE(log::recent(5).front().room == "test");
}

#include "catch.hpp"
#include "instance/named_lock.hpp"

#include <filesystem>
#include <sys/wait.h>
#include <unistd.h>

using namespace himalaya;
using instance::NamedLock;

namespace {

struct LockFile {
    LockFile() {
        std::string pattern = (std::filesystem::temp_directory_path() / "himalaya-lock-XXXXXX").string();
        folder = mkdtemp(pattern.data());
        path = folder + "/lead";
    }
    ~LockFile() { std::filesystem::remove_all(folder); }
    std::string folder;
    std::string path;
};

} // namespace

TEST_CASE("one holder at a time, and the next one after it") {
    LockFile file;
    auto first = NamedLock::take(file.path);
    REQUIRE(first);
    REQUIRE(first->has_value());
    auto second = NamedLock::take(file.path);
    REQUIRE(second);
    REQUIRE_FALSE(second->has_value());
    (*first)->release();
    REQUIRE(NamedLock::take(file.path)->has_value());
}

TEST_CASE("a holder that is killed holds nothing") {
    LockFile file;
    int ready[2];
    REQUIRE(pipe(ready) == 0);
    auto child = fork();
    if (child == 0) {
        auto lock = NamedLock::take(file.path);
        char byte = lock && lock->has_value() ? 'y' : 'n';
        (void)!write(ready[1], &byte, 1);
        pause();
        _exit(0);
    }
    char byte = 0;
    REQUIRE(read(ready[0], &byte, 1) == 1);
    REQUIRE(byte == 'y');
    REQUIRE_FALSE(NamedLock::take(file.path)->has_value());
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    REQUIRE(NamedLock::take(file.path)->has_value());
}

TEST_CASE("a folder that does not exist is an error, not a lock") {
    auto lock = NamedLock::take("/nonexistent/lead");
    REQUIRE_FALSE(lock);
    REQUIRE(lock.error().code == Code::store);
}

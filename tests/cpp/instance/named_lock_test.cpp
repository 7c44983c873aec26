#include "catch.hpp"

#include "instance/named_lock.hpp"
#include <atomic>
#include <thread>

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

TEST_CASE("who waits has it as soon as the holder lets go, or gives up when told so") {
    LockFile file;
    auto holder = NamedLock::take(file.path);
    REQUIRE(holder->has_value());
    std::atomic<bool> abandoned = false;
    std::atomic<int> had = 0;
    auto wait = [&] {
        auto lock = NamedLock::wait(file.path, [&] { return abandoned.load(); });
        had += lock && lock->has_value() ? 1 : 0;
    };
    std::thread first(wait);
    (*holder)->release();
    first.join();
    REQUIRE(had == 1);
    holder = NamedLock::take(file.path);
    std::thread second(wait);
    abandoned = true;
    (*holder)->release();
    second.join();
    REQUIRE(had == 1);
    REQUIRE(NamedLock::take(file.path)->has_value());
}

TEST_CASE("a lock taken from a holder that is stuck is the only one") {
    LockFile file;
    auto stuck = NamedLock::take(file.path);
    REQUIRE(stuck->has_value());
    auto taken = NamedLock::replace(file.path);
    REQUIRE(taken);
    REQUIRE(taken->has_value());
    REQUIRE_FALSE(NamedLock::take(file.path)->has_value());
    (*stuck)->release(); // it wakes: what it had is worth nothing any more
    REQUIRE_FALSE(NamedLock::take(file.path)->has_value());
    (*taken)->release();
    REQUIRE(NamedLock::take(file.path)->has_value());
}

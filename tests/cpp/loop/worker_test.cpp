#include "loop/worker.hpp"

#include <filesystem>
#include <fstream>
#include <latch>
#include <thread>

#ifdef __linux__
#include <sys/resource.h>
#include <sys/syscall.h>
#endif
#include <unistd.h>

#include "base/new_file.hpp"
#include "catch.hpp"
#include "loop/fs_event.hpp"
#include "support/test_loop.hpp"

using namespace himalaya;
using namespace himalaya::loop;

TEST_CASE("work runs in order on a thread of its own and is done on the loop") {
    test::TestLoop loop;
    Worker worker(loop, "test");
    auto here = std::this_thread::get_id();
    std::vector<int> worked, done;
    for (int i = 0; i < 100; ++i)
        worker.run(
            [&, i] {
                if (std::this_thread::get_id() != here)
                    worked.push_back(i);
            },
            [&, i] {
                if (std::this_thread::get_id() == here)
                    done.push_back(i);
            });
    REQUIRE(loop.run_until([&] { return done.size() == 100; }));
    REQUIRE(worked.size() == 100);
    REQUIRE(std::is_sorted(worked.begin(), worked.end()));
    REQUIRE(std::is_sorted(done.begin(), done.end()));
}

#ifdef __linux__
TEST_CASE("a worker yields to the editor, but not one the editor's user waits for") {
    test::TestLoop loop;
    Worker worker(loop, "test");
    Worker awaited(loop, "awaited", Rank::beside_the_editor);
    auto nice = [](Worker& on) -> Task<int> {
        co_return co_await on.call<int>(
            [] { return getpriority(PRIO_PROCESS, static_cast<id_t>(syscall(SYS_gettid))); }, {});
    };
    int ours = getpriority(PRIO_PROCESS, 0); // somebody may have started the test with less than is usual
    REQUIRE(loop.value_of(nice(worker)) >= 10);
    REQUIRE(getpriority(PRIO_PROCESS, 0) == ours);
    REQUIRE(loop.value_of(nice(awaited)) == ours);
}
#endif

TEST_CASE("a task awaits work: its result, or what it threw") {
    test::TestLoop loop;
    Worker worker(loop, "test");
    auto both = [](Worker& on) -> Task<std::string> {
        auto text = co_await on.call<std::string>([] { return std::string("made"); }, {});
        try {
            co_await on.call<void>([] { throw make_error(Code::store, "disk"); }, {});
        } catch (const Error& error) {
            text += " " + error.message;
        }
        co_return text;
    };
    REQUIRE(loop.value_of(both(worker)) == "made disk");
}

TEST_CASE("a cancel ends the wait at once, and work that has not begun is skipped") {
    test::TestLoop loop;
    Worker worker(loop, "test");
    std::latch begun(1), go_on(1);
    worker.run([&] {
        begun.count_down();
        go_on.wait();
    });
    begun.wait();
    CancelSource source;
    std::atomic<bool> ran = false;
    std::optional<Error> result;
    auto wait = [](Worker& on, std::atomic<bool>& flag, CancelToken token) -> Task<void> {
        co_await on.call<void>([&flag] { flag = true; }, token);
    };
    start(wait(worker, ran, source.token()), [&](std::optional<Error> error) { result = error; });
    source.cancel();
    REQUIRE(result);
    REQUIRE(result->code == Code::cancelled);
    go_on.count_down();
    bool after = false;
    worker.run([] {}, [&] { after = true; });
    REQUIRE(loop.run_until([&] { return after; }));
    REQUIRE_FALSE(ran);
}

TEST_CASE("stop waits for what runs, drops the rest and tells who waits") {
    test::TestLoop loop;
    auto worker = std::make_unique<Worker>(loop, "test");
    std::latch begun(1);
    std::atomic<bool> interrupted = false, other = false;
    worker->run([&] {
        begun.count_down();
        while (!interrupted)
            std::this_thread::yield();
    });
    begun.wait();
    std::optional<Error> result;
    auto wait = [](Worker& on, std::atomic<bool>& flag) -> Task<void> {
        co_await on.call<void>([&flag] { flag = true; }, {});
    };
    start(wait(*worker, other), [&](std::optional<Error> error) { result = error; });
    REQUIRE(worker->waiting() == 1);
    worker->stop([&] { interrupted = true; });
    REQUIRE(result);
    REQUIRE(result->code == Code::cancelled);
    REQUIRE_FALSE(other);
    REQUIRE(worker->stopping());
    bool called = false;
    worker->run([&] { called = true; }, [&] { called = true; });
    loop.turn();
    REQUIRE_FALSE(called);
    worker.reset();
}

TEST_CASE("a worker that ends is not waited for, tells who waits, and says when its last work is done") {
    test::TestLoop loop;
    Worker worker(loop, "test");
    std::latch begun(1), go_on(1);
    bool heard = false;
    worker.run(
        [&] {
            begun.count_down();
            go_on.wait();
        },
        [&] { heard = true; });
    begun.wait();
    std::atomic<bool> ran = false;
    std::optional<Error> result;
    auto wait = [](Worker& on, std::atomic<bool>& flag) -> Task<void> {
        co_await on.call<void>([&flag] { flag = true; }, {});
    };
    start(wait(worker, ran), [&](std::optional<Error> error) { result = error; });
    std::vector<std::string> order; // first on the thread, then, behind its end, on the loop
    bool over = false;
    worker.end_with([&] { order.push_back("last"); },
                    [&] {
                        order.push_back("done");
                        worker.stop();
                        over = true;
                    });
    REQUIRE(result);
    REQUIRE(result->code == Code::cancelled);
    worker.run([&] { ran = true; });
    go_on.count_down();
    REQUIRE(loop.run_until([&] { return over; }));
    REQUIRE(order == std::vector<std::string>{"last", "done"});
    REQUIRE_FALSE(heard);
    REQUIRE_FALSE(ran);
}

TEST_CASE(
    "a worker that ends may be joined on another thread, and stopped before it comes to its last work") {
    test::TestLoop loop;
    Worker reader(loop, "reader"), writer(loop, "writer"), third(loop, "third");
    reader.end();
    std::atomic<bool> joined = false;
    bool told = false;
    writer.end_with(
        [&] {
            reader.join();
            joined = true;
        },
        [&] { told = true; });
    REQUIRE(loop.run_until([&] { return told; }));
    REQUIRE(joined);
    reader.stop();
    std::latch begun(1), go_on(1);
    third.run([&] {
        begun.count_down();
        go_on.wait();
    });
    begun.wait();
    bool last = false;
    third.end_with([&] { last = true; }, [&] { last = true; });
    third.stop([&] { go_on.count_down(); });
    loop.turn();
    REQUIRE_FALSE(last);
}

TEST_CASE("a worker may be destroyed by what it has done") {
    test::TestLoop loop;
    auto worker = std::make_unique<Worker>(loop, "test");
    bool gone = false;
    worker->run([] { throw std::runtime_error("logged, no more"); }, {});
    worker->run([] {},
                [&] {
                    worker.reset();
                    gone = true;
                });
    REQUIRE(loop.run_until([&] { return gone; }));
    loop.turn();
}

TEST_CASE("many threads may wake the loop") {
    test::TestLoop loop;
    std::atomic<int> sent = 0;
    int seen = 0;
    Async async(loop, [&] { seen = sent; });
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t)
        threads.emplace_back([&] {
            for (int i = 0; i < 1000; ++i) {
                ++sent;
                async.send();
            }
        });
    REQUIRE(loop.run_until([&] { return seen == 4000; }));
    for (std::thread& thread : threads)
        thread.join();
}

TEST_CASE("a change in a folder that is watched is told") {
    test::TestLoop loop;
    std::string pattern = (std::filesystem::temp_directory_path() / "himalaya-watch-XXXXXX").string();
    std::string folder = mkdtemp(pattern.data());
    FsEvent watch(loop);
    std::vector<std::string> names;
    REQUIRE(watch.start(folder, [&](Result<FsEvent::Change> change) {
        REQUIRE(change);
        names.push_back(change->name);
    }));
    REQUIRE(write_new_file(folder + "/state", "x"));
    REQUIRE(loop.run_until([&] { return std::find(names.begin(), names.end(), "state") != names.end(); }));
    watch.stop();
    names.clear();
    REQUIRE(write_new_file(folder + "/other", "x"));
    loop.turn();
    loop.turn();
    REQUIRE(names.empty());
    FsEvent nothing(loop);
    REQUIRE(nothing.start(folder + "/none", [](Result<FsEvent::Change>) {}).error().code == Code::not_found);
    std::filesystem::remove_all(folder);
}

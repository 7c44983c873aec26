#include "loop/process.hpp"

#include <csignal>
#include <sys/wait.h>

#include "catch.hpp"
#include "support/test_loop.hpp"

using namespace himalaya;
using namespace himalaya::loop;

namespace {

// Runs a program and collects what it says.
struct Run {
    Run(test::TestLoop& loop, std::vector<std::string> argv) : in(loop), out(loop), err(loop), process(loop) {
        options.argv = std::move(argv);
        options.stdin_pipe = &in;
        options.stdout_pipe = &out;
        options.stderr_pipe = &err;
    }
    Result<void> begin() {
        auto result = process.spawn(options, [this](Process::Exit how) { exit = how; });
        if (!result)
            return result;
        REQUIRE(out.read_start([this](Result<std::span<const char>> bytes) { take(bytes, said, out_end); }));
        REQUIRE(err.read_start(
            [this](Result<std::span<const char>> bytes) { take(bytes, complained, err_end); }));
        return {};
    }
    static void take(Result<std::span<const char>>& bytes, std::string& into, bool& end) {
        if (!bytes || bytes->empty())
            end = true;
        else
            into.append(bytes->data(), bytes->size());
    }
    bool over() const { return exit && out_end && err_end; }

    Pipe in, out, err;
    Process process;
    Process::Options options;
    std::string said, complained;
    bool out_end = false, err_end = false;
    std::optional<Process::Exit> exit;
};

} // namespace

TEST_CASE("a program's output, errors and exit code arrive") {
    test::TestLoop loop;
    Run run(loop, {"sh", "-c", "cat; echo wrong >&2; exit 3"});
    REQUIRE(run.begin());
    run.in.write("hello\n");
    run.in.shutdown();
    REQUIRE(loop.run_until([&] { return run.over(); }));
    REQUIRE(run.said == "hello\n");
    REQUIRE(run.complained == "wrong\n");
    REQUIRE(run.exit->code == 3);
    REQUIRE(run.exit->signal == 0);
    REQUIRE_FALSE(run.process.running());
    REQUIRE_FALSE(run.process.group_alive());
}

TEST_CASE("folder and environment are what was asked for") {
    test::TestLoop loop;
    Run run(loop, {"/bin/sh", "-c", "pwd; echo \"$ONE-$HOME\""});
    run.options.cwd = "/";
    run.options.env = std::vector<std::string>{"ONE=1"};
    REQUIRE(run.begin());
    REQUIRE(loop.run_until([&] { return run.over(); }));
    REQUIRE(run.said == "/\n1-\n");
    REQUIRE_FALSE(environment().empty());
}

TEST_CASE("a program that does not exist is not found, and leaves nothing behind") {
    test::TestLoop loop;
    Run run(loop, {"/no/such/program"});
    auto result = run.begin();
    REQUIRE_FALSE(result);
    REQUIRE(result.error().code == Code::not_found);
    REQUIRE(result.error().message.find("/no/such/program") != std::string::npos);
    REQUIRE_FALSE(run.process.kill(SIGTERM));
    Process nameless(loop);
    REQUIRE(nameless.spawn({}, [](Process::Exit) {}).error().code == Code::invalid);
}

TEST_CASE("a signal reaches the whole group, grandchildren too") {
    test::TestLoop loop;
    Run run(loop, {"sh", "-c", "sleep 1000 & echo ready; wait"});
    REQUIRE(run.begin());
    REQUIRE(loop.run_until([&] { return run.said == "ready\n"; }));
    REQUIRE(run.process.group_alive());
    REQUIRE(run.process.kill(SIGTERM));
    // The grandchild holds the pipes: their end says that it is gone.
    REQUIRE(loop.run_until([&] { return run.over(); }));
    REQUIRE(run.exit->signal == SIGTERM);
}

TEST_CASE("a process whose owner is gone is still reaped") {
    test::TestLoop loop;
    int pid = 0;
    {
        Process process(loop);
        Process::Options options;
        options.argv = {"sh", "-c", "exit 0"};
        REQUIRE(process.spawn(options, [](Process::Exit) { FAIL("nobody is there to be told"); }));
        pid = process.pid();
    }
    REQUIRE(loop.run_until([&] { return ::kill(pid, 0) != 0; }));
    REQUIRE(::waitpid(pid, nullptr, WNOHANG) == -1);
}

TEST_CASE("a program that closes its input at once makes the write fail and nothing else") {
    test::TestLoop loop;
    Run run(loop, {"sh", "-c", "exec <&-; echo closed; sleep 1000"});
    REQUIRE(run.begin());
    REQUIRE(loop.run_until([&] { return run.said == "closed\n"; }));
    std::optional<Error> failure;
    run.in.write(std::string(1 << 20, 'x'), [&](std::optional<Error> error) { failure = error; });
    REQUIRE(loop.run_until([&] { return failure.has_value(); }));
    REQUIRE(failure->code == Code::offline);
    run.process.kill(SIGKILL);
    REQUIRE(loop.run_until([&] { return run.over(); }));
    REQUIRE(run.exit->signal == SIGKILL);
}

// Programs as jobs, with real ones: good and bad.
#include "world.hpp"

#include <thread>

#include "base/time.hpp"

using namespace himalaya;
using namespace himalaya::jobs;
using namespace himalaya::jobs::test;

namespace {

// The editor does something else: its loop does not turn.
void busy_for(std::int64_t ms) {
    for (auto until = time::monotonic_ms() + ms; time::monotonic_ms() < until;)
        std::this_thread::yield();
}

} // namespace

TEST_CASE("a program's output and exit code arrive, stdout and stderr kept apart") {
    World world;
    auto good = world.run(World::sh("echo out; echo err >&2"));
    REQUIRE(good.ending == Ending::done);
    REQUIRE(good.out == "out\n");
    REQUIRE(good.err == "err\n");
    REQUIRE(good.attempts == 1);
    auto bad = world.run(World::sh("echo why >&2; exit 3"));
    REQUIRE(bad.ending == Ending::failed);
    REQUIRE(bad.error->code == Code::exit);
    REQUIRE(bad.code == 3);
    REQUIRE(bad.err == "why\n");
    auto killed = world.run(World::sh("kill -9 $$"));
    REQUIRE(killed.error->code == Code::exit);
    REQUIRE(killed.signal == SIGKILL);
}

TEST_CASE("a program that does not exist is named, and not tried again") {
    World world;
    Program program;
    program.argv = {"himalaya-no-such-program"};
    Spec spec;
    spec.retries = 5;
    auto none = world.run(program, spec);
    REQUIRE(none.ending == Ending::failed);
    REQUIRE(none.error->code == Code::not_found);
    REQUIRE(none.error->message.find("himalaya-no-such-program") != std::string::npos);
    REQUIRE(none.attempts == 1);
    REQUIRE(world.run(World::sh("true")).ending == Ending::done);
}

TEST_CASE("stdin is streamed whole, and who closes it at once is not at fault") {
    World world;
    std::string big(3'000'000, 'x');
    big += "\nend";
    Program cat;
    cat.argv = {"cat"};
    cat.stdin_bytes = big;
    REQUIRE(world.run(cat).out == big);
    cat.stdin_bytes = "";
    REQUIRE(world.run(cat).out.empty());
    Program closes = World::sh("exec 0<&-; echo done");
    closes.stdin_bytes = big;
    auto closed = world.run(closes);
    REQUIRE(closed.ending == Ending::done);
    REQUIRE(closed.out == "done\n");
    cat.stdin_bytes.reset(); // /dev/null
    REQUIRE(world.run(cat).ending == Ending::done);
}

TEST_CASE("output is bytes: no newline, NUL, invalid UTF-8") {
    World world;
    auto bytes = world.run(World::sh("printf 'a\\000b\\377\\376no newline'"));
    REQUIRE(bytes.out == std::string("a\0b\xff\xfeno newline", 15));
}

TEST_CASE("who writes without end is stopped at the limit and says so") {
    World world;
    Program yes;
    yes.argv = {"yes"};
    yes.max_output = 1024 * 1024;
    Spec spec;
    spec.retries = 3;
    auto stopped = world.run(yes, spec);
    REQUIRE(stopped.ending == Ending::failed);
    REQUIRE(stopped.error->code == Code::invalid);
    REQUIRE(stopped.error->message == "yes wrote more than 1 MiB to stdout.");
    REQUIRE(stopped.attempts == 1);
    REQUIRE(stopped.out.size() == yes.max_output);
    REQUIRE_FALSE(lives(stopped.pid));
    Program loud = World::sh("yes >&2");
    loud.max_output = 1000;
    REQUIRE(world.run(loud).error->message == "/bin/sh wrote more than 1000 bytes to stderr.");
}

TEST_CASE("a gigabyte is read no further than to the default limit") {
    World world;
    auto stopped = world.run(World::sh("head -c 1073741824 /dev/zero"));
    REQUIRE(stopped.error->message == "/bin/sh wrote more than 64 MiB to stdout.");
    REQUIRE(stopped.out.size() == 64 * 1024 * 1024);
}

TEST_CASE("a program deaf to SIGTERM gets SIGKILL after its grace, and keeps its slot till then") {
    World world(Queue::Limits{1, 1});
    Folder folder;
    Program deaf =
        World::sh("trap '' TERM; echo $$ > " + folder.file("pid") + "; while :; do sleep 0.01; done");
    deaf.grace_ms = 100;
    JobId id = world.start(deaf);
    // It is reaped before it is over: who comes after it finds nobody of that number.
    JobId next = world.start(World::sh("while [ ! -s " + folder.file("pid") + " ]; do :; done; " +
                                       "kill -0 $(cat " + folder.file("pid") + ") 2>/dev/null || echo gone"));
    int pid = world.number_in(folder.file("pid"));
    REQUIRE(world.runner.cancel(id));
    REQUIRE(world.outcomes.empty());
    auto cancelled = world.wait(id);
    REQUIRE(cancelled.ending == Ending::cancelled);
    REQUIRE(cancelled.error->code == Code::cancelled);
    REQUIRE(cancelled.signal == SIGKILL);
    REQUIRE_FALSE(group_lives(pid));
    REQUIRE(world.wait(next).out == "gone\n");
}

TEST_CASE("a timeout ends the whole group, grandchildren included") {
    World world;
    Folder folder;
    Spec spec;
    int grandchild = 0;
    // On a full machine the shell may not get so far in the time given; then it gets more.
    for (spec.timeout = 300 * MILLISECOND; grandchild == 0 && spec.timeout < 30'000 * MILLISECOND;
         spec.timeout *= 3) {
        auto late =
            world.run(World::sh("sleep 1000 & echo $! > " + folder.file("grandchild") + "; wait"), spec);
        REQUIRE(late.ending == Ending::timed_out);
        REQUIRE(late.error->code == Code::timeout);
        std::ifstream(folder.file("grandchild")) >> grandchild;
    }
    REQUIRE(grandchild > 0);
    REQUIRE_FALSE(lives(grandchild));
}

TEST_CASE("a grandchild left behind does not outlive its job, nor hold it up") {
    World world;
    Folder folder;
    std::string file = folder.file("grandchild");
    auto silent = world.run(World::sh("sleep 1000 >/dev/null 2>&1 & echo $! > " + file + "; echo done"));
    REQUIRE(silent.ending == Ending::done);
    REQUIRE(silent.out == "done\n");
    REQUIRE_FALSE(lives(world.number_in(file)));
    Program holds = World::sh("sleep 1000 & echo $! > " + file + "; echo done"); // it holds our stdout
    holds.grace_ms = 100;
    auto held = world.run(holds);
    REQUIRE(held.ending == Ending::done);
    REQUIRE(held.out == "done\n");
    REQUIRE_FALSE(lives(world.number_in(file)));
}

TEST_CASE("what a grandchild still has to say within the grace is heard") {
    World world;
    Program speaks = World::sh("(sleep 0.1; echo late) & echo early");
    speaks.grace_ms = 30'000;
    auto late = world.run(speaks);
    REQUIRE(late.out == "early\nlate\n");
}

TEST_CASE("a daemon that left the group and holds the output open does not hold up the job") {
    World world;
    Folder folder;
    auto daemon = world.run(World::sh("setsid sh -c 'echo $$ > " + folder.file("pid") +
                                      "; exec sleep 1000' & while [ ! -s " + folder.file("pid") +
                                      " ]; do :; done; echo done"));
    REQUIRE(daemon.ending == Ending::done);
    REQUIRE(daemon.out == "done\n");
    int pid = world.number_in(folder.file("pid"));
    REQUIRE(lives(pid));
    kill(pid, SIGKILL);
}

TEST_CASE("what came while the editor was busy is heard before anybody is taken for silent") {
    World world;
    Folder folder;
    auto work = std::make_unique<ProcessWork>(
        world.programs, World::sh("setsid sh -c 'while [ ! -e " + folder.file("go") +
                                  " ]; do :; done; echo late; echo $$ > " + folder.file("pid") +
                                  "; exec sleep 1000' & echo early"));
    ProcessWork* running = work.get();
    JobId id = world.start(std::move(work));
    int daemon = 0;
    REQUIRE(world.loop.run_until([&] {
        if (!running->result() || running->result()->pid <= 0 || kill(running->result()->pid, 0) == 0)
            return false;
        // The program has ended. The editor does something else now, for longer than a silence has to be.
        std::ofstream(folder.file("go")) << "go";
        while (!(std::ifstream(folder.file("pid")) >> daemon))
            std::this_thread::yield();
        busy_for(300);
        return true;
    }));
    REQUIRE(world.wait(id).out == "early\nlate\n");
    kill(daemon, SIGKILL);
}

TEST_CASE("lines are handed over whole, and not faster than they are taken") {
    World world;
    auto work = std::make_unique<ProcessWork>(
        world.programs,
        World::sh("i=0; while [ $i -lt 20000 ]; do echo line $i; i=$((i+1)); done; printf last"));
    ProcessWork* running = work.get();
    std::string heard;
    int count = 0;
    bool full = false;
    work->follow_lines([&](const auto& result, std::size_t from, std::size_t size) {
        REQUIRE_FALSE(full);
        full = ++count == 100;
        heard.append(result->out.view().substr(from, size)).append("\n");
        return !full;
    });
    JobId id = world.start(std::move(work));
    REQUIRE(world.loop.run_until([&] { return full; }));
    for (int i = 0; i < 50; ++i)
        world.loop.turn();
    REQUIRE(count == 100);
    full = false;
    running->resume_output();
    auto all = world.wait(id);
    REQUIRE(count == 20001);
    REQUIRE(heard == all.out + "\n");
    REQUIRE(heard.ends_with("line 19999\nlast\n"));
}

TEST_CASE("what a program left in its pipe while the lines waited is heard when they go on") {
    World world;
    Folder folder;
    auto work = std::make_unique<ProcessWork>(world.programs,
                                              World::sh("printf 'first\\nsecond\\n'; while [ ! -e " +
                                                        folder.file("go") + " ]; do :; done; seq 5000"));
    ProcessWork* running = work.get();
    int count = 0;
    bool full = true;
    work->follow_lines([&](const auto&, std::size_t, std::size_t) {
        ++count;
        return !full;
    });
    JobId id = world.start(std::move(work));
    REQUIRE(world.loop.run_until([&] { return count == 1; }));
    std::ofstream(folder.file("go")) << "go";
    REQUIRE(world.loop.run_until([&] { return kill(running->result()->pid, 0) != 0; }));
    // For longer than a silence has to be, with the loop turning, and then once more without.
    auto since = time::monotonic_ms();
    REQUIRE(world.loop.run_until([&] { return time::monotonic_ms() - since > 300; }));
    full = false;
    running->resume_output();
    busy_for(300);
    REQUIRE(world.wait(id).ending == Ending::done);
    REQUIRE(count == 5002);
}

TEST_CASE("a million lines and one of forty megabytes are handed over within the budget") {
    World world;
    int count = 0;
    std::size_t longest = 0;
    auto follow = [&](const char* script) {
        count = 0;
        longest = 0;
        auto work = std::make_unique<ProcessWork>(world.programs, World::sh(script));
        work->follow_lines([&](const auto&, std::size_t, std::size_t size) {
            ++count;
            longest = std::max(longest, size);
            return true;
        });
        return world.wait(world.start(std::move(work))).ending;
    };
    REQUIRE(follow("yes '' | head -n 1000000") == Ending::done);
    REQUIRE(count == 1'000'000);
    REQUIRE(longest == 0);
    REQUIRE(follow("head -c 40000000 /dev/zero; echo; printf x") == Ending::done);
    REQUIRE(count == 2);
    REQUIRE(longest == 40'000'000);
}

TEST_CASE("who joins late hears all lines, and the last one though a stranger holds the pipe") {
    World world;
    auto work = std::make_unique<ProcessWork>(
        world.programs, World::sh("seq 5000; setsid sleep 1000 & echo $! >&2; printf last; exec sleep 0.1"));
    ProcessWork* running = work.get();
    JobId id = world.start(std::move(work));
    REQUIRE(world.loop.run_until(
        [&] { return running->result() && running->result()->out.view().size() > 20'000; }));
    std::string heard;
    running->follow_lines([&](const auto& result, std::size_t from, std::size_t size) {
        heard.append(result->out.view().substr(from, size)).append("\n");
        return true;
    });
    auto all = world.wait(id);
    REQUIRE(heard == all.out + "\n");
    REQUIRE(heard.ends_with("\n5000\nlast\n"));
    kill(std::stoi(all.err), SIGKILL);
}

TEST_CASE("a retried program starts afresh and its last attempt counts") {
    World world;
    Folder folder;
    Spec spec;
    spec.retries = 3;
    spec.backoff = MILLISECOND;
    auto third = world.run(World::sh("echo x >> " + folder.file("n") + "; wc -l < " + folder.file("n") +
                                     "; [ $(wc -l < " + folder.file("n") + ") -ge 3 ]"),
                           spec);
    REQUIRE(third.ending == Ending::done);
    REQUIRE(third.attempts == 3);
    REQUIRE(third.out == "3\n");
}

TEST_CASE("a child sees our environment with changes, but no secret") {
    setenv("HIMALAYA_TEST_KEPT", "kept", 1);
    setenv("HIMALAYA_TEST_SECRET", "hunter2", 1);
    World world;
    world.programs.set_secrets({"HIMALAYA_TEST_SECRET"});
    Program program = World::sh("echo $HIMALAYA_TEST_KEPT:$HIMALAYA_TEST_SECRET:$ADDED; pwd");
    program.env = {{"ADDED", "added"}, {"HIMALAYA_TEST_SECRET", "again"}};
    program.cwd = "/";
    REQUIRE(world.run(program).out == "kept::added\n/\n");
    REQUIRE(environment_for_child({"A=1", "B=2"}, {{"A", "3"}}, {"B"}) == std::vector<std::string>{"A=3"});
}

TEST_CASE("a hundred programs leave no zombie and nothing for the guardian") {
    World world;
    std::vector<JobId> ids;
    for (int i = 0; i < 100; ++i)
        ids.push_back(world.start(World::sh("echo $$")));
    std::vector<id_t> pids;
    for (JobId id : ids) {
        auto result = world.wait(id);
        REQUIRE(result.ending == Ending::done);
        pids.push_back(static_cast<id_t>(std::stoul(result.out)));
    }
    REQUIRE(world.programs.guardian().groups().empty());
    for (id_t pid : pids) {
        siginfo_t info{};
        INFO("pid " << pid << " has ended and waits to be collected");
        REQUIRE(waitid(P_PID, pid, &info, WEXITED | WNOHANG | WNOWAIT) == -1);
        REQUIRE(errno == ECHILD);
    }
}

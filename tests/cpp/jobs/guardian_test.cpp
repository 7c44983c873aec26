// What is left when we are gone: nothing. A forked copy of the test plays the Neovim that dies.
#include "world.hpp"

using namespace himalaya;
using namespace himalaya::jobs;
using namespace himalaya::jobs::test;

namespace {

// A program has begun before its main() has.
bool ignores(int pid, int signal) {
    std::ifstream status("/proc/" + std::to_string(pid) + "/status");
    for (std::string line; std::getline(status, line);)
        if (line.starts_with("SigIgn:"))
            return (std::stoull(line.substr(7), nullptr, 16) >> (signal - 1) & 1) != 0;
    return false;
}

} // namespace

TEST_CASE("the guardian starts with the first job and is deaf to what ends Neovim") {
    World world;
    REQUIRE(world.programs.guardian().pid() == 0);
    world.run(World::sh("true"));
    int pid = world.programs.guardian().pid();
    REQUIRE(pid > 0);
    REQUIRE(getsid(pid) == pid);
    JobId id = world.start(World::sh("sleep 1000"));
    REQUIRE(world.until_running(id));
    for (int signal : {SIGTERM, SIGINT, SIGHUP, SIGQUIT}) {
        REQUIRE(world.loop.run_until([&] { return ignores(pid, signal); }));
        kill(pid, signal);
    }
    REQUIRE(world.run(World::sh("true")).ending == Ending::done);
    REQUIRE(lives(pid));
    REQUIRE(world.programs.guardian().pid() == pid);
    world.runner.cancel(id);
    world.wait(id);
}

TEST_CASE("the guardian holds nothing of ours but its input") {
    World world;
    world.run(World::sh("true"));
    std::string folder = "/proc/" + std::to_string(world.programs.guardian().pid()) + "/fd";
    auto holds_more = [&] {
        for (int fd = 3; fd < 256; ++fd)
            if (access((folder + "/" + std::to_string(fd)).c_str(), F_OK) == 0)
                return true;
        return false;
    };
    REQUIRE(world.loop.run_until([&] { return !holds_more(); })); // once it has got so far
}

TEST_CASE("a guardian that is killed comes back and knows the groups that run") {
    World world;
    JobId id = world.start(World::sh("trap '' TERM; while :; do sleep 0.01; done"));
    REQUIRE(world.until_running(id));
    int job = world.pid_of(id);
    Guardian& guardian = world.programs.guardian();
    int first = guardian.pid();
    kill(first, SIGKILL);
    REQUIRE(world.loop.run_until([&] { return guardian.pid() > 0 && guardian.pid() != first; }));
    REQUIRE(guardian.starts() == 2);
    REQUIRE(lives(job));
    world.runner.stop();
    world.programs.stop(); // SIGTERM, to which it is deaf; the new guardian does the rest
    REQUIRE(world.loop.run_until([&] { return !lives(job); }));
}

TEST_CASE("a guardian that does not read is replaced") {
    World world;
    world.run(World::sh("true"));
    Guardian& guardian = world.programs.guardian();
    int first = guardian.pid();
    kill(first, SIGSTOP);
    for (int i = 0; guardian.pid() == first && i < 3'000'000; ++i) {
        guardian.remove(2'000'000'000);
        guardian.add(2'000'000'000);
        if (i % 1000 == 0)
            world.loop.turn();
    }
    REQUIRE(world.loop.run_until([&] { return guardian.pid() > 0 && guardian.pid() != first; }));
    guardian.remove(2'000'000'000);
    REQUIRE(world.run(World::sh("true")).ending == Ending::done);
}

TEST_CASE("a missing guardian is told of and programs run all the same") {
    World world;
    Programs unguarded(world.loop, "/nonexistent/guardian");
    JobId id = world.start(std::make_unique<ProcessWork>(unguarded, World::sh("echo here")));
    REQUIRE(world.wait(id).out == "here\n");
    REQUIRE_FALSE(unguarded.guardian().problem().empty());
}

TEST_CASE("at a normal end the deaf get SIGKILL a tenth of a second after SIGTERM") {
    World world;
    JobId polite = world.start(World::sh("sleep 1000"));
    JobId deaf = world.start(World::sh("trap '' TERM; while :; do sleep 0.01; done"));
    REQUIRE(world.until_running(polite));
    REQUIRE(world.until_running(deaf));
    int polite_pid = world.pid_of(polite);
    int deaf_pid = world.pid_of(deaf);
    int guardian = world.programs.guardian().pid();
    world.runner.stop();
    world.programs.stop();
    // Nobody has waited for the two: they are not reaped before the loop turns again.
    REQUIRE(kill(polite_pid, 0) == 0);
    REQUIRE(kill(deaf_pid, 0) == 0);
    REQUIRE(world.loop.run_until([&] { return !lives(polite_pid) && !lives(deaf_pid) && !lives(guardian); }));
    REQUIRE(world.outcomes.empty());
}

TEST_CASE("a program that the guardian was not told of goes by its mark, and nobody else's does") {
    World world;
    Guardian& guardian = world.programs.guardian();
    Programs others(world.loop, guardian_program());
    JobId foreign = world.start(std::make_unique<ProcessWork>(others, World::sh("sleep 1000")));
    REQUIRE(world.until_running(foreign));
    Program sleeps; // no shell, whose environment would be gone for a moment while it becomes another program
    sleeps.argv = {"sleep", "1000"};
    JobId ours = world.start(sleeps);
    REQUIRE(world.until_running(ours));
    int untold = world.pid_of(ours);
    int told = guardian.pid();
    // A guardian of its own that hears of nothing before its input ends.
    loop::Pipe input(world.loop, "jobs");
    loop::Process process(world.loop, "jobs");
    loop::Process::Options options;
    options.argv = {guardian_program(), guardian.mark().first + "=" + guardian.mark().second};
    options.stdin_pipe = &input;
    bool left = false;
    REQUIRE(process.spawn(options, [&](loop::Process::Exit) { left = true; }));
    input.close();
    REQUIRE(world.wait(ours).signal == SIGTERM);
    REQUIRE_FALSE(lives(untold));
    REQUIRE(world.loop.run_until([&] { return left; }));
    REQUIRE(lives(told));
    REQUIRE(lives(world.pid_of(foreign)));
    world.runner.cancel(foreign);
    world.wait(foreign);
    others.stop();
    REQUIRE(world.loop.run_until([&] { return others.guardian().pid() == 0; }));
}

// The Neovim that dies: started by the test below, with a folder to write to.
TEST_CASE("runs deaf programs until it is killed", "[.]") {
    std::string folder = getenv("HIMALAYA_TEST_FOLDER");
    World world;
    for (int i = 0; i < 2; ++i)
        world.start(World::sh("trap '' TERM; echo $$ > " + folder + "/" + std::to_string(i) +
                              "; sleep 1000 & while :; do sleep 0.01; done"));
    REQUIRE_FALSE(world.loop.run_until([] { return false; }, 60'000));
}

TEST_CASE("killed with SIGKILL we leave no program running") {
    Folder folder;
    World world;
    Program neovim;
    neovim.argv = {this_program(), "runs deaf programs until it is killed"};
    neovim.env = {{"HIMALAYA_TEST_FOLDER", folder.file(".")}};
    JobId id = world.start(neovim);
    int first = world.number_in(folder.file("0"));
    int second = world.number_in(folder.file("1"));
    REQUIRE(group_lives(first));
    kill(world.pid_of(id), SIGKILL);
    REQUIRE(world.wait(id).signal == SIGKILL);
    REQUIRE(world.loop.run_until([&] { return !group_lives(first) && !group_lives(second); }));
}

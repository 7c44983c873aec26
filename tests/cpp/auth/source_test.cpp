#include "auth/source.hpp"

#include <csignal>
#include <cstdlib>

#include <unistd.h>

#include "base/time.hpp"
#include "catch.hpp"
#include "support/test_loop.hpp"

using namespace himalaya;
using namespace himalaya::auth;

namespace {

std::string read(test::TestLoop& loop, SecretSource source, std::vector<std::string> hidden = {}) {
    Secret secret = loop.value_of(read_secret(loop, std::move(source), std::move(hidden), 10'000, {}));
    return std::string(secret.view());
}

// A program that was given up is reaped in a later turn.
bool programs_reaped(test::TestLoop& loop) {
    return loop.run_until([&] {
        int programs = 0;
        uv_walk(
            loop.uv(),
            [](uv_handle_t* handle, void* count) {
                if (handle->type == UV_PROCESS)
                    ++*static_cast<int*>(count);
            },
            &programs);
        return programs == 0;
    });
}

Error failure(test::TestLoop& loop, SecretSource source, std::uint64_t timeout = 10'000) {
    try {
        loop.value_of(read_secret(loop, std::move(source), {}, timeout, {}));
    } catch (const Error& error) {
        REQUIRE(programs_reaped(loop));
        return error;
    }
    FAIL("a secret came");
    return {};
}

} // namespace

TEST_CASE("a command's first line is the secret, without its line end") {
    test::TestLoop loop;
    REQUIRE(read(loop, {.command = {"printf", "s3cret\\r\\nmore\\n"}}) == "s3cret");
    REQUIRE(read(loop, {.command = {"printf", "no newline"}}) == "no newline");
    REQUIRE(read(loop, {.command = {"sh", "-c", "printf first; printf ' half\\n'"}}) == "first half");
}

TEST_CASE("arguments reach the command as they are, no shell reads them") {
    test::TestLoop loop;
    REQUIRE(read(loop, {.command = {"echo", "$HOME; `id`"}}) == "$HOME; `id`");
}

TEST_CASE("a variable or the option itself is a secret too") {
    test::TestLoop loop;
    setenv("HIMALAYA_TEST_SECRET", "from the environment", 1);
    REQUIRE(read(loop, {.env = "HIMALAYA_TEST_SECRET"}) == "from the environment");
    REQUIRE(read(loop, {.value = "given"}) == "given");
    unsetenv("HIMALAYA_TEST_SECRET");
    Error error = failure(loop, {.env = "HIMALAYA_TEST_SECRET"});
    REQUIRE(error.code == Code::config);
    REQUIRE(error.message.find("HIMALAYA_TEST_SECRET") != std::string::npos);
    REQUIRE(failure(loop, {}).code == Code::config);
}

TEST_CASE("variables that hold secrets are not there for the command") {
    test::TestLoop loop;
    setenv("HIMALAYA_TEST_SECRET", "hidden", 1);
    SecretSource source{.command = {"sh", "-c", "echo \"[$HIMALAYA_TEST_SECRET]\""}};
    REQUIRE(read(loop, source, {"HIMALAYA_TEST_SECRET"}) == "[]");
    REQUIRE(read(loop, source, {"HIMALAYA_TEST"}) == "[hidden]");
    unsetenv("HIMALAYA_TEST_SECRET");
}

TEST_CASE("a command that fails says so in its own words, never with its output or arguments") {
    test::TestLoop loop;
    Error error = failure(loop, {.command = {"sh", "-c", "echo s3cret; echo 'no such\x1b entry' >&2; exit 3"},
                                 .owner = "jane at imap.example.org"});
    REQUIRE(error.code == Code::auth);
    REQUIRE(error.message == "The command sh for the password of jane at imap.example.org ended with code 3: "
                             "no such  entry.");
    REQUIRE(failure(loop, {.command = {"himalaya-no-such-program"}}).code == Code::config);
    REQUIRE(failure(loop, {.command = {"true"}}).message.find("printed nothing") != std::string::npos);
    REQUIRE(failure(loop, {.command = {"sh", "-c", "kill -9 $$"}}).message.find("signal 9") !=
            std::string::npos);
}

TEST_CASE("a command that prints without end is stopped") {
    test::TestLoop loop;
    REQUIRE(failure(loop, {.command = {"sh", "-c", "tr '\\0' x < /dev/zero"}}, 120'000).code == Code::config);
    REQUIRE(failure(loop, {.command = {"yes"}}, 120'000).code == Code::config);
}

TEST_CASE("a command may leave a program behind that keeps its output open") {
    test::TestLoop loop;
    char name[] = "/tmp/himalaya-auth-XXXXXX";
    int file = mkstemp(name);
    REQUIRE(file >= 0);
    std::string agent = std::string("sleep 300 & echo $! > ") + name + "; ";
    auto end_agent = [file] {
        char text[32] = "";
        REQUIRE(::pread(file, text, sizeof text - 1, 0) > 0);
        kill(static_cast<pid_t>(std::atoi(text)), SIGKILL);
    };
    REQUIRE(read(loop, {.command = {"sh", "-c", agent + "echo s3cret"}}) == "s3cret");
    end_agent();
    REQUIRE(failure(loop, {.command = {"sh", "-c", agent + "echo locked >&2; exit 3"}}).code == Code::auth);
    end_agent();
    close(file);
    unlink(name);
}

TEST_CASE("a command that never ends is given up, with all it started") {
    test::TestLoop loop;
    char name[] = "/tmp/himalaya-auth-XXXXXX";
    int file = mkstemp(name);
    REQUIRE(file >= 0);
    std::string script = std::string("sleep 300 & echo $! > ") + name + "; wait";
    char text[32] = "";
    // On a full machine the shell may not get so far in the time given; then it gets more.
    for (std::uint64_t timeout = 300; ::pread(file, text, sizeof text - 1, 0) <= 0; timeout *= 3) {
        REQUIRE(timeout < 30'000);
        REQUIRE(failure(loop, {.command = {"sh", "-c", script}}, timeout).code == Code::timeout);
    }
    // The sleep is gone too: signal 0 finds nobody once it is reaped.
    pid_t child = static_cast<pid_t>(std::atoi(text));
    REQUIRE(child > 0);
    REQUIRE(loop.run_until([child] { return kill(child, 0) != 0; }));
    close(file);
    unlink(name);
}

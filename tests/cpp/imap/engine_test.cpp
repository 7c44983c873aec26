#include "imap/engine.hpp"

#include "catch.hpp"

#include <map>

using namespace himalaya;
using namespace himalaya::imap;

namespace {

// Everything the engine says, as text, in order.
struct Heard : Engine::Events {
    std::vector<std::string> lines;
    std::optional<Error> ended;
    bool take = true;
    Engine* engine = nullptr;
    std::function<void(RequestId)> when_done;

    std::map<RequestId, std::pair<Verdict, CodeKind>> answers;

    static std::string name(const Response& response) {
        if (auto* fetch = std::get_if<Fetch>(&response))
            return "FETCH " + std::to_string(fetch->uid.value_or(0)) + (fetch->envelope ? " ENVELOPE" : "");
        if (auto* exists = std::get_if<Exists>(&response))
            return "EXISTS " + std::to_string(exists->count);
        if (std::get_if<SearchResult>(&response))
            return "SEARCH";
        if (std::get_if<imap::Flags>(&response))
            return "FLAGS";
        if (auto* status = std::get_if<Status>(&response))
            return "STATUS " + std::string(status->code.name);
        return "other " + std::to_string(response.index());
    }
    void on_greeting(const Status& status) override {
        lines.push_back("greeting " + std::string(status.text));
    }
    bool on_data(RequestId id, const Response& response) override {
        auto* fetch = std::get_if<Fetch>(&response);
        if (fetch && !fetch->envelope && !take)
            return false;
        lines.push_back(std::to_string(id) + " " + name(response));
        return true;
    }
    void on_unsolicited(const Response& response) override { lines.push_back("news " + name(response)); }
    void on_continuation(RequestId id, std::string_view text) override {
        lines.push_back(std::to_string(id) + " + " + std::string(text));
    }
    void on_done(RequestId id, const Completion& completion) override {
        answers[id] = {completion.verdict, completion.status->code.kind};
        lines.push_back(std::to_string(id) + " done");
        if (when_done)
            when_done(id);
    }
    void on_end(const Error& error) override { ended = error; }
};

struct Talk {
    Heard heard;
    Engine engine{heard, "T"};

    explicit Talk(std::string_view greeting = "* OK [CAPABILITY IMAP4rev1 IDLE] ready\r\n") {
        heard.engine = &engine;
        if (!greeting.empty())
            say(greeting);
    }
    void say(std::string_view bytes) {
        engine.feed({bytes.data(), bytes.size()});
        while (engine.step()) {
        }
        engine.keep();
    }
    RequestId ask(std::string_view verb, uint32_t kinds = 0, bool holds = false, bool lazy = false) {
        Request request{Command({}, verb), std::string(verb), kinds};
        request.holds = holds;
        request.lazy = lazy;
        return engine.submit(std::move(request)).or_throw();
    }
};

} // namespace

TEST_CASE("nothing is sent before the greeting") {
    Talk talk("");
    talk.ask("NOOP");
    REQUIRE_FALSE(talk.engine.has_output());
    talk.say("* OK hello\r\n");
    REQUIRE(talk.engine.take_output() == "T1 NOOP\r\n");
    REQUIRE(talk.engine.state() == State::not_authenticated);
}

TEST_CASE("what greets with something else than IMAP ends in a protocol error") {
    Talk web("HTTP/1.1 400 Bad Request\r\n");
    REQUIRE(web.heard.ended->code == himalaya::Code::protocol);
    Talk early("");
    early.say("* 3 EXISTS\r\n");
    REQUIRE(early.heard.ended->code == himalaya::Code::protocol);
    Talk bye("* BYE too many connections\r\n");
    REQUIRE(bye.heard.ended->code == himalaya::Code::busy);
}

TEST_CASE("a PREAUTH greeting is a login") {
    Talk talk("* PREAUTH welcome back\r\n");
    REQUIRE(talk.engine.state() == State::authenticated);
}

TEST_CASE("capabilities come from the greeting, from codes and from CAPABILITY") {
    Talk talk;
    REQUIRE(talk.engine.capabilities().has(Cap::idle));
    talk.ask("LOGIN");
    talk.say("T1 OK [CAPABILITY IMAP4rev1 MOVE] in\r\n");
    REQUIRE(talk.engine.capabilities().has(Cap::move));
    REQUIRE_FALSE(talk.engine.capabilities().has(Cap::idle));
    talk.say("* CAPABILITY IMAP4rev1 QRESYNC AUTH=PLAIN APPENDLIMIT=100\r\n");
    auto& caps = talk.engine.capabilities();
    REQUIRE(caps.has(Cap::condstore)); // part of QRESYNC
    REQUIRE(caps.mechanisms() == std::vector<std::string>{"PLAIN"});
    REQUIRE(caps.append_limit() == 100);
    talk.engine.forget_plaintext();
    REQUIRE_FALSE(caps.known());
}

TEST_CASE("requests are pipelined and answered in any order") {
    Talk talk;
    auto first = talk.ask("SEARCH", takes::search);
    auto second = talk.ask("NOOP");
    REQUIRE(talk.engine.take_output() == "T1 SEARCH\r\nT2 NOOP\r\n");
    talk.say("T2 OK\r\n* SEARCH 1 2\r\nT1 OK done\r\n");
    REQUIRE(talk.heard.lines == std::vector<std::string>{"greeting ready", "2 done", "1 SEARCH", "1 done"});
    REQUIRE(talk.heard.answers[first].first == Verdict::ok);
    REQUIRE(talk.heard.answers[second].first == Verdict::ok);
}

TEST_CASE("any chunking gives the same events") {
    std::string_view bytes =
        "* 2 EXISTS\r\n* 1 FETCH (UID 7 BODY[] {5}\r\nT1 OK)\r\n* SEARCH 3\r\nT1 OK done\r\n";
    std::vector<std::string> whole;
    for (size_t size : {bytes.size(), size_t(1), size_t(2), size_t(7)}) {
        Talk talk;
        talk.ask("UID FETCH", takes::fetch);
        for (size_t at = 0; at < bytes.size(); at += size)
            talk.say(bytes.substr(at, size));
        if (whole.empty())
            whole = talk.heard.lines;
        REQUIRE(talk.heard.lines == whole);
        REQUIRE(whole.back() == "1 done");
        REQUIRE_FALSE(talk.heard.ended); // a tag inside a literal is not a tag
    }
}

TEST_CASE("flags that change in the middle of a FETCH are news, not an answer") {
    Talk talk;
    talk.heard.take = false;
    talk.ask("UID FETCH", takes::fetch);
    talk.say("* 1 FETCH (UID 7 FLAGS (\\Seen))\r\n"
             "* 2 FETCH (UID 8 ENVELOPE (NIL \"s\" NIL NIL NIL NIL NIL NIL NIL NIL))\r\n");
    REQUIRE(talk.heard.lines[1] == "news FETCH 7");
    REQUIRE(talk.heard.lines[2] == "1 FETCH 8 ENVELOPE");
}

TEST_CASE("what describes a folder goes to a SELECT only when that is the oldest") {
    Talk talk;
    talk.ask("UID FETCH", takes::fetch);
    talk.ask("SELECT", takes::select);
    talk.say("* 5 EXISTS\r\nT1 OK\r\n* 9 EXISTS\r\n* OK [UIDNEXT 4] x\r\nT2 OK\r\n* 10 EXISTS\r\n");
    REQUIRE(talk.heard.lines == std::vector<std::string>{"greeting ready", "news EXISTS 5", "1 done",
                                                         "2 EXISTS 9", "2 STATUS UIDNEXT", "2 done",
                                                         "news EXISTS 10"});
}

TEST_CASE("a tag that is not ours ends the connection") {
    Talk talk;
    talk.ask("NOOP");
    talk.say("T9 OK done\r\n");
    REQUIRE(talk.heard.ended->code == himalaya::Code::protocol);
    REQUIRE_FALSE(talk.engine.submit({Command({}, "NOOP"), "NOOP"}));
}

TEST_CASE("a BYE in the middle tells everybody why") {
    Talk talk;
    talk.ask("NOOP");
    talk.say("* BYE shutting down\r\n");
    REQUIRE(talk.heard.ended->code == himalaya::Code::offline);
    REQUIRE(talk.heard.ended->message.find("shutting down") != std::string::npos);
    REQUIRE(talk.heard.ended->retryable);
    REQUIRE(talk.engine.state() == State::logout);
}

TEST_CASE("a tagged BYE answers the command and ends the connection") {
    Talk talk;
    auto id = talk.ask("SELECT");
    talk.say("T1 BYE come back later\r\n");
    REQUIRE(talk.heard.answers[id].first == Verdict::bye);
    REQUIRE(talk.heard.ended);
}

TEST_CASE("the end of the stream is an error for those who wait") {
    Talk talk;
    talk.ask("NOOP");
    talk.engine.finish();
    REQUIRE(talk.heard.ended->code == himalaya::Code::offline);
}

TEST_CASE("a line that is cut off is a lost connection and nothing the server said") {
    for (std::string_view part : {"*", "* 3 FETCH (UID 4 FL", "T1 BAD no", "* BYE [CANNOT] n",
                                  "* 3 FETCH (UID 4 BODY[] {500}\r\nhalf of"}) {
        Talk talk;
        talk.ask("NOOP");
        talk.say(part);
        talk.engine.finish();
        REQUIRE(talk.heard.ended->code == himalaya::Code::offline);
        REQUIRE(talk.heard.ended->retryable);
    }
    for (std::string_view part : {"", "*", "* OK [CAPABILITY IMAP4rev1", "* BYE [LIMI", "HTTP/1.1 40"}) {
        Heard heard;
        Engine engine(heard, "T");
        engine.feed(part);
        engine.finish();
        REQUIRE(heard.ended->code == himalaya::Code::offline);
        REQUIRE(heard.ended->hint.find("port") != std::string::npos);
    }
    Heard heard;
    Engine engine(heard, "T");
    engine.feed("HTTP/1.1 400 Bad Request\r\nCo");
    engine.finish();
    REQUIRE(heard.ended->code == himalaya::Code::protocol); // a whole line is the server's own
}

TEST_CASE("a synchronising literal waits for the server and holds what is behind it") {
    Talk talk;
    Command append({}, "APPEND");
    append.folder("INBOX").literal("hello");
    talk.engine.submit({std::move(append), "APPEND"}).or_throw();
    talk.ask("NOOP");
    REQUIRE(talk.engine.take_output() == "T1 APPEND \"INBOX\" {5}\r\n");
    talk.say("+\r\n"); // Exchange leaves the space out
    REQUIRE(talk.engine.take_output() == "hello\r\nT2 NOOP\r\n");
}

TEST_CASE("a message goes out behind its announcement and before the command that follows, uncopied") {
    const auto text = std::make_shared<const std::string>("hello");
    for (auto literals : {Dialect::Literals::plus, Dialect::Literals::sync}) {
        Talk talk;
        Command append({.literals = literals}, "APPEND");
        append.folder("INBOX").literal_of(text, false);
        talk.engine.submit({std::move(append), "APPEND"}).or_throw();
        talk.ask("NOOP");
        std::string before;
        if (literals == Dialect::Literals::sync) {
            REQUIRE(talk.engine.take_bodies().empty());
            before = talk.engine.take_output();
            talk.say("+ go on\r\n");
        }
        auto bodies = talk.engine.take_bodies();
        REQUIRE(bodies.size() == 1);
        before += bodies[0].before;
        REQUIRE(before.starts_with("T1 APPEND \"INBOX\" {5"));
        REQUIRE(before.ends_with("}\r\n"));
        REQUIRE(bodies[0].text.get() == text.get());
        REQUIRE(talk.engine.take_output() == "\r\nT2 NOOP\r\n");
        REQUIRE_FALSE(talk.engine.has_output());
    }
}

TEST_CASE("a refused literal is not sent, and the next command goes on") {
    Talk talk;
    Command append({}, "APPEND");
    append.folder("INBOX").literal("hello");
    auto id = talk.engine.submit({std::move(append), "APPEND"}).or_throw();
    talk.engine.take_output();
    talk.ask("NOOP");
    talk.say("T1 NO [TRYCREATE] no such folder\r\n");
    REQUIRE(talk.heard.answers[id] == std::pair(Verdict::no, CodeKind::try_create));
    REQUIRE(talk.engine.take_output() == "T2 NOOP\r\n");
}

TEST_CASE("IDLE holds the line until DONE, which takes the next command along") {
    Talk talk;
    auto idle = talk.ask("IDLE", 0, true);
    talk.ask("NOOP");
    REQUIRE(talk.engine.take_output() == "T1 IDLE\r\n");
    talk.say("+ idling\r\n* 4 EXISTS\r\n");
    REQUIRE(talk.heard.lines[1] == "1 + idling");
    REQUIRE(talk.heard.lines[2] == "news EXISTS 4");
    talk.engine.end_idle(idle);
    REQUIRE(talk.engine.take_output() == "DONE\r\nT2 NOOP\r\n");
    talk.say("T1 OK\r\nT2 OK\r\n");
    REQUIRE(talk.engine.idle());
}

TEST_CASE("a secret is sent but not logged") {
    Talk talk;
    talk.engine.keep_log(true);
    auto id =
        talk.engine.submit_secret("AUTHENTICATE PLAIN AGEAaHVudGVyMg==", "AUTHENTICATE PLAIN").or_throw();
    REQUIRE(talk.engine.take_output() == "T1 AUTHENTICATE PLAIN AGEAaHVudGVyMg==\r\n");
    talk.say("+ Zm9v\r\n");
    talk.engine.answer(id, "c2VjcmV0");
    REQUIRE(talk.engine.take_output() == "c2VjcmV0\r\n");
    auto log = talk.engine.take_log();
    REQUIRE(log.find("AGEA") == std::string::npos);
    REQUIRE(log.find("c2Vj") == std::string::npos);
    REQUIRE(log.find("T1 AUTHENTICATE PLAIN ****") == 0);
}

TEST_CASE("lazy requests go out with the next one that is not") {
    Talk talk;
    talk.ask("ID", 0, false, true);
    talk.ask("ENABLE", 0, false, true);
    REQUIRE_FALSE(talk.engine.has_output());
    talk.ask("SELECT");
    REQUIRE(talk.engine.take_output() == "T1 ID\r\nT2 ENABLE\r\nT3 SELECT\r\n");
}

TEST_CASE("the window holds back, closes after a BAD and opens again slowly") {
    Talk talk;
    talk.engine.set_window(4);
    for (int i = 0; i < 6; ++i)
        talk.ask("NOOP");
    REQUIRE(talk.engine.in_flight() == 4);
    talk.say("T1 BAD too many commands in flight\r\n");
    REQUIRE(talk.engine.window() == 2);
    talk.say("T2 OK\r\nT3 OK\r\nT4 OK\r\n");
    REQUIRE(talk.engine.in_flight() == 2);
    talk.say("T5 OK\r\nT6 OK\r\n");
    for (int i = 7; i < 7 + 64; ++i) {
        talk.ask("NOOP");
        talk.say("T" + std::to_string(i) + " OK\r\n");
    }
    REQUIRE(talk.engine.window() == 3);
}

TEST_CASE("questions with short answers go out at once, as many as their bytes allow, and cost the others "
          "nothing") {
    Talk talk;
    talk.engine.set_window(2);
    auto brief = [&] {
        Request request{Command({}, "STATUS"), "STATUS", takes::status};
        request.brief = true;
        return talk.engine.submit(std::move(request)).or_throw();
    };
    const size_t line = std::string("T1 STATUS\r\n").size();
    talk.engine.set_burst(6 * line);
    talk.ask("UID FETCH");
    for (int i = 2; i <= 9; ++i)
        brief();
    CHECK(talk.engine.in_flight() == 7);
    CHECK(talk.engine.queued() == 2);
    talk.say("T1 OK\r\nT2 OK\r\n");
    CHECK(talk.engine.in_flight() == 6);
    talk.say("T3 OK\r\nT4 OK\r\nT5 OK\r\nT6 OK\r\nT7 OK\r\n");
    CHECK(talk.engine.in_flight() == 2);
    talk.ask("UID FETCH");
    talk.ask("UID FETCH");
    talk.ask("UID FETCH");
    CHECK(talk.engine.in_flight() == 4);
    CHECK(talk.engine.queued() == 1);
}

TEST_CASE("a server that complained of too many commands gets no burst again") {
    Talk talk;
    talk.engine.set_window(4);
    talk.engine.set_burst(1000);
    auto brief = [&] {
        Request request{Command({}, "STATUS"), "STATUS", takes::status};
        request.brief = true;
        return talk.engine.submit(std::move(request)).or_throw();
    };
    for (int i = 1; i <= 8; ++i)
        brief();
    REQUIRE(talk.engine.in_flight() == 8);
    talk.say("T1 BAD too many commands in flight\r\n");
    REQUIRE(talk.engine.burst() == 0);
    talk.say("T2 OK\r\nT3 OK\r\nT4 OK\r\nT5 OK\r\nT6 OK\r\nT7 OK\r\nT8 OK\r\n");
    for (int i = 9; i <= 16; ++i)
        brief();
    REQUIRE(talk.engine.in_flight() == talk.engine.window());
    talk.engine.set_burst(1000);
    REQUIRE(talk.engine.burst() == 0);
}

TEST_CASE("chatter is no progress, an answer is") {
    Talk talk;
    talk.ask("UID FETCH", takes::fetch);
    auto before = talk.engine.progress();
    talk.say("* OK Still here\r\n* 5 EXISTS\r\n");
    REQUIRE(talk.engine.progress() == before);
    talk.say("* 1 FETCH (UID 1 FLAGS ())\r\n");
    REQUIRE(talk.engine.progress() > before);
}

TEST_CASE("endless nonsense ends the connection with bounded memory") {
    Talk talk;
    talk.ask("NOOP");
    for (int i = 0; i < 2000 && !talk.heard.ended; ++i)
        talk.say("* 1 FETCH )((\r\n");
    REQUIRE(talk.heard.ended->code == himalaya::Code::protocol);
    REQUIRE(talk.engine.memory() < (1u << 20));
}

TEST_CASE("a request may be withdrawn while it waits, not when it is on its way") {
    Talk talk;
    talk.engine.set_window(1);
    auto first = talk.ask("NOOP");
    auto second = talk.ask("NOOP");
    REQUIRE_FALSE(talk.engine.withdraw(first));
    REQUIRE(talk.engine.withdraw(second));
    talk.say("T1 OK\r\n");
    REQUIRE(talk.engine.idle());
}

TEST_CASE("what an answer brings forth is sent behind what already waits") {
    Talk talk;
    talk.engine.set_window(1);
    talk.ask("NOOP");
    talk.ask("CHECK");
    talk.engine.take_output();
    talk.heard.when_done = [&](RequestId id) {
        if (id == 1)
            talk.ask("STATUS");
    };
    talk.say("T1 OK\r\n");
    REQUIRE(talk.engine.take_output() == "T2 CHECK\r\n");
    talk.say("T2 OK\r\n");
    REQUIRE(talk.engine.take_output() == "T3 STATUS\r\n");
}

TEST_CASE("a name with a line end cannot become a command") {
    Talk talk;
    Command select({}, "SELECT");
    select.folder("INBOX\r\nT2 LOGOUT");
    auto id = talk.engine.submit({std::move(select), "SELECT"});
    if (id)
        REQUIRE(talk.engine.take_output().find("\r\nT2 LOGOUT") == std::string::npos);
    Command nul({}, "SELECT");
    nul.folder(std::string_view("IN\0BOX", 6));
    REQUIRE_FALSE(talk.engine.submit({std::move(nul), "SELECT"}));
}

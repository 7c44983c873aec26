#include "jobs/queue.hpp"

#include "catch.hpp"

#include <map>
#include <set>

using namespace himalaya;
using namespace himalaya::jobs;

namespace {

// Plays the driver: keeps what was ordered, job by job.
struct Play {
    explicit Play(int slots = 3) : queue(Queue::Limits{slots, slots}, 42) {}

    JobId submit(Lane lane = Lane::user, std::string key = {}, bool coalesce = false) {
        Spec spec;
        spec.lane = lane;
        spec.key = std::move(key);
        spec.coalesce = coalesce;
        return submit(std::move(spec));
    }
    JobId submit(Spec spec) {
        JobId id = queue.submit(std::move(spec), now).or_throw();
        run();
        return id;
    }
    void run() {
        queue.tick(now);
        while (auto order = queue.next_order(now)) {
            switch (order->kind) {
            case Order::Kind::start:
                started.push_back(order->id);
                break;
            case Order::Kind::stop:
                stopped.push_back(order->id);
                break;
            case Order::Kind::done:
                REQUIRE(ended.emplace(order->id, order->ending).second);
                break;
            case Order::Kind::gone:
                REQUIRE(gone.insert(order->id).second);
                break;
            }
        }
    }
    void finish(JobId id, bool done = true, bool again = true) {
        queue.finished(id, {done, again}, now);
        run();
    }
    bool cancel(JobId id) {
        bool was_alive = queue.cancel(id, now);
        run();
        return was_alive;
    }
    void pass(Time time) {
        now += time;
        run();
    }
    bool runs(JobId id) { return queue.sight(id, now).state == State::running; }

    Queue queue;
    Time now = 1000;
    std::vector<JobId> started, stopped;
    std::map<JobId, Ending> ended;
    std::set<JobId> gone;
};

} // namespace

TEST_CASE("a job starts when a slot is free and ends once") {
    Play play(1);
    JobId first = play.submit();
    JobId second = play.submit();
    REQUIRE(play.started == std::vector{first});
    REQUIRE(play.queue.metrics().queued[0] == 1);
    play.pass(10);
    play.finish(first);
    REQUIRE(play.ended.at(first) == Ending::done);
    REQUIRE(play.started == std::vector{first, second});
    REQUIRE(play.queue.metrics().waits[0].max() == 10);
    play.finish(first); // a second report of the same attempt means nothing
    REQUIRE(play.queue.metrics().count(Ending::done) == 1);
    play.finish(second, false);
    REQUIRE(play.ended.at(second) == Ending::failed);
    REQUIRE(play.gone.size() == 2);
    REQUIRE(play.queue.size() == 0);
    REQUIRE(play.queue.recent().front().id == second);
}

TEST_CASE("lanes are served in order and a lane keeps its own") {
    Play play(1);
    JobId running = play.submit();
    JobId background = play.submit(Lane::background);
    JobId ui = play.submit(Lane::ui);
    JobId user = play.submit(Lane::user);
    JobId user2 = play.submit(Lane::user);
    for (JobId id : {running, user, user2, ui, background})
        play.finish(id);
    REQUIRE(play.started == std::vector{running, user, user2, ui, background});
}

TEST_CASE("a background job starts under endless ui jobs") {
    Play play(2);
    JobId background = 0;
    std::vector<JobId> ui;
    for (int i = 0; i < 4; ++i)
        ui.push_back(play.submit(Lane::ui));
    background = play.submit(Lane::background);
    std::size_t before = play.started.size();
    for (std::size_t i = 0; !play.runs(background); ++i) {
        REQUIRE(i < 20);
        play.submit(Lane::ui);
        play.finish(play.started[i]);
    }
    REQUIRE(play.started.size() - before <= Slots::PATIENCE + 1);
}

TEST_CASE("jobs of one key run one at a time, in order, and leave the slots to others") {
    Play play(3);
    JobId a1 = play.submit(Lane::user, "a");
    JobId a2 = play.submit(Lane::user, "a");
    JobId b = play.submit(Lane::user, "b");
    JobId a3 = play.submit(Lane::user, "a");
    REQUIRE(play.started == std::vector{a1, b});
    REQUIRE(play.cancel(a2));
    play.finish(a1);
    REQUIRE(play.started == std::vector{a1, b, a3});
    play.finish(b);
    play.finish(a3);
    REQUIRE(play.queue.size() == 0);
}

TEST_CASE("within a key too the user goes first") {
    Play play(1);
    JobId other = play.submit();
    JobId background = play.submit(Lane::background, "a");
    JobId ui = play.submit(Lane::ui, "a");
    JobId user = play.submit(Lane::user, "a");
    for (JobId id : {other, user, ui, background})
        play.finish(id);
    REQUIRE(play.started == std::vector{other, user, ui, background});
}

TEST_CASE("a coalesced job joins the one before it and shares its end") {
    Play play(3);
    JobId first = play.submit(Lane::background, "list", true);
    JobId second = play.submit(Lane::user, "list", true);
    REQUIRE(play.started == std::vector{first});
    REQUIRE(play.queue.metrics().joined == 1);
    play.finish(first, false, false);
    REQUIRE(play.ended.at(first) == Ending::failed);
    REQUIRE(play.ended.at(second) == Ending::failed);
    REQUIRE(play.gone == std::set{first, second});
}

TEST_CASE("who joins lifts the job into its lane") {
    Play play(1);
    JobId running = play.submit();
    JobId background = play.submit(Lane::background, "list", true);
    JobId ui = play.submit(Lane::ui);
    JobId joined = play.submit(Lane::user, "list", true);
    play.finish(running);
    REQUIRE(play.started == std::vector{running, background});
    play.finish(background);
    play.finish(ui);
    REQUIRE(play.ended.count(joined) == 1);
    for (auto n : play.queue.metrics().queued)
        REQUIRE(n == 0);
}

TEST_CASE("the last of the joined stops the work, the others only leave") {
    Play play(1);
    JobId first = play.submit(Lane::user, "list", true);
    JobId second = play.submit(Lane::user, "list", true);
    JobId third = play.submit(Lane::user, "list", true);
    REQUIRE(play.cancel(first));
    REQUIRE_FALSE(play.cancel(first));
    REQUIRE(play.ended.at(first) == Ending::cancelled);
    REQUIRE(play.cancel(second));
    REQUIRE(play.stopped.empty());
    REQUIRE(play.cancel(third));
    REQUIRE(play.stopped == std::vector{first});
    REQUIRE(play.ended.count(third) == 0);                // only once the work has come to rest
    JobId fourth = play.submit(Lane::user, "list", true); // does not join what is being ended
    play.finish(first);
    REQUIRE(play.ended.at(third) == Ending::cancelled);
    REQUIRE(play.started == std::vector{first, fourth});
}

TEST_CASE("a cancelled job keeps its slot until its work has come to rest") {
    Play play(1);
    JobId first = play.submit();
    JobId second = play.submit();
    REQUIRE(play.cancel(first));
    REQUIRE(play.stopped == std::vector{first});
    REQUIRE(play.ended.empty());
    REQUIRE(play.started == std::vector{first});
    REQUIRE(play.cancel(first)); // still alive: nobody was told yet
    play.finish(first, true);
    REQUIRE(play.ended.at(first) == Ending::cancelled);
    REQUIRE(play.started == std::vector{first, second});
    REQUIRE_FALSE(play.cancel(first));
    REQUIRE_FALSE(play.cancel(0));
    REQUIRE_FALSE(play.cancel(123456789));
}

TEST_CASE("an attempt that takes too long is stopped and tried again where asked for") {
    Play play(1);
    Spec spec;
    spec.timeout = 100;
    spec.retries = 1;
    spec.backoff = 50;
    JobId id = play.submit(spec);
    play.pass(99);
    REQUIRE(play.stopped.empty());
    play.pass(1);
    REQUIRE(play.stopped == std::vector{id});
    JobId other = play.submit();
    play.finish(id);
    REQUIRE(play.ended.empty());
    REQUIRE(play.runs(other)); // a job that waits for its next attempt holds no slot
    play.finish(other);
    play.pass(49);
    REQUIRE(play.started.size() == 2);
    play.pass(26); // 50 and at most half as much again
    REQUIRE(play.started == std::vector{id, other, id});
    REQUIRE(play.queue.attempts(id) == 2);
    play.pass(100);
    play.finish(id);
    REQUIRE(play.ended.at(id) == Ending::timed_out);
    REQUIRE(play.queue.metrics().retried == 1);
}

TEST_CASE("the deadline counts waiting too and allows no further attempt") {
    Play play(1);
    JobId other = play.submit();
    Spec spec;
    spec.deadline = 100;
    spec.retries = 9;
    spec.backoff = 10;
    JobId queued = play.submit(spec);
    play.pass(100);
    REQUIRE(play.ended.at(queued) == Ending::timed_out);
    play.finish(other);

    JobId running = play.submit(spec);
    play.pass(100);
    REQUIRE(play.stopped == std::vector{running});
    play.finish(running);
    REQUIRE(play.ended.at(running) == Ending::timed_out);

    spec.backoff = 200; // would come back after the deadline: the failure itself is told, at once
    JobId fails = play.submit(spec);
    play.finish(fails, false);
    REQUIRE(play.ended.at(fails) == Ending::failed);
}

TEST_CASE("a failure that would only repeat itself is not repeated") {
    Play play(1);
    Spec spec;
    spec.retries = 5;
    JobId id = play.submit(spec);
    play.finish(id, false, false);
    REQUIRE(play.ended.at(id) == Ending::failed);
    REQUIRE(play.queue.attempts(id) == 0); // forgotten
}

TEST_CASE("cancel between two attempts ends the job at once") {
    Play play(1);
    Spec spec;
    spec.retries = 5;
    JobId id = play.submit(spec);
    play.finish(id, false);
    REQUIRE(play.queue.sight(id, play.now).state == State::backing_off);
    REQUIRE(play.cancel(id));
    REQUIRE(play.ended.at(id) == Ending::cancelled);
    REQUIRE_FALSE(play.queue.next_due());
}

TEST_CASE("nothing starts while paused") {
    Play play(2);
    play.queue.pause();
    JobId id = play.submit();
    REQUIRE(play.started.empty());
    play.queue.resume();
    play.run();
    REQUIRE(play.started == std::vector{id});
}

TEST_CASE("programs and tasks have slots of their own") {
    Play play(1);
    JobId command = play.submit();
    Spec spec;
    spec.pool = Pool::tasks;
    JobId task = play.submit(spec);
    REQUIRE(play.started == std::vector{command, task});
}

TEST_CASE("ten thousand queued jobs all cancelled leave nothing") {
    Play play(3);
    std::vector<JobId> ids;
    for (int i = 0; i < 10'000; ++i) {
        Spec spec;
        spec.lane = static_cast<Lane>(i % 3);
        spec.key = i % 2 ? "key" + std::to_string(i % 100) : "";
        spec.deadline = 1'000'000'000;
        ids.push_back(play.submit(spec));
    }
    for (JobId id : ids)
        REQUIRE(play.cancel(id));
    for (JobId id : play.stopped)
        play.finish(id);
    REQUIRE(play.ended.size() == ids.size());
    REQUIRE(play.gone.size() == ids.size());
    REQUIRE(play.queue.size() == 0);
    REQUIRE_FALSE(play.queue.next_due());
}

TEST_CASE("of a group that is given up what runs is stopped and nothing more starts") {
    Play play(2);
    Spec member;
    member.group = 7;
    Spec retried = member;
    retried.retries = 5;
    JobId first = play.submit(retried);
    JobId stranger = play.submit();
    JobId waiting = play.submit(member);
    JobId other = play.submit();
    JobId last = play.submit(member);
    play.queue.give_up(7, play.now);
    play.run();
    REQUIRE(play.stopped == std::vector{first});
    play.finish(first, false);
    REQUIRE(play.ended.at(first) == Ending::cancelled);
    // Its turn came: it is cancelled and the next one started.
    REQUIRE(play.ended.at(waiting) == Ending::cancelled);
    REQUIRE(play.started == std::vector{first, stranger, other});
    REQUIRE_FALSE(play.ended.count(last));
    REQUIRE_FALSE(play.queue.sweep(7, 0, play.now));
    play.run();
    REQUIRE(play.ended.at(last) == Ending::cancelled);
    REQUIRE(play.queue.size() == 2);
    // Looked at all of it: the number is free again.
    JobId again = play.submit(member);
    play.finish(stranger);
    REQUIRE(play.started.back() == again);
}

TEST_CASE("a job of a group that is given up still runs for who has joined it") {
    Play play(1);
    JobId running = play.submit();
    Spec member;
    member.group = 7;
    member.key = "inbox";
    JobId asked = play.submit(member);
    JobId joined = play.submit(Lane::user, "inbox", true);
    play.queue.give_up(7, play.now);
    play.finish(running);
    REQUIRE(play.ended.at(asked) == Ending::cancelled);
    REQUIRE(play.started == std::vector{running, asked});
    play.finish(asked);
    REQUIRE(play.ended.at(joined) == Ending::done);
    REQUIRE(play.queue.size() == 0);
    REQUIRE(play.gone.size() == 3);
}

TEST_CASE("too many jobs are refused and say so") {
    Queue queue({1, 1});
    for (std::size_t i = 0; i < Queue::MOST_JOBS; ++i)
        REQUIRE(queue.submit({}, 0));
    auto refused = queue.submit({}, 0);
    REQUIRE_FALSE(refused);
    REQUIRE(refused.error().code == Code::busy);
    for (auto next = queue.sweep(0, 0, 0); next; next = queue.sweep(0, *next, 0)) {
    }
    while (queue.next_order(0)) {
    }
    REQUIRE(queue.submit({}, 0));
}

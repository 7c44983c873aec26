// Drives the queue on the loop: brings it the time, starts and stops what it orders, tells who submitted.
//
// Starting a program costs a fork, up to a millisecond of the loop's thread: one is started per turn, and the editor
// has its own between two.
#pragma once

#include "jobs/queue.hpp"
#include "loop/timer.hpp"

#include <deque>
#include <memory>
#include <optional>

namespace himalaya::jobs {

// How an attempt ended: nothing, or why; and whether another could end otherwise.
struct AttemptResult {
    std::optional<Error> error;
    bool again = false;
};
using Ended = Function<void(AttemptResult)>;

// What a job does. Lives from submit until its job is gone.
class Work {
  public:
    virtual ~Work() = default;
    // `ended` is called once, when nothing of the attempt is left; it may be at once.
    virtual void start(Ended ended) = 0;
    // End the attempt that runs, now; `ended` follows.
    virtual void stop() = 0;
};

// What is told of a job when it has ended.
struct Report {
    JobId id = 0;
    Ending ending = Ending::done;
    const Error* error = nullptr; // unless done
    Work* work = nullptr;         // whose results these are; of a job that was joined where one has joined
    int attempts = 0;
    Time queued = 0;
    Time ran = 0;
};
using Done = Function<void(const Report&)>;

class Runner {
  public:
    explicit Runner(loop::Loop& loop, Queue::Limits limits = {});
    Runner(const Runner&) = delete;
    Runner& operator=(const Runner&) = delete;

    // done is called once, in a later turn. It may submit and cancel.
    Result<JobId> submit(Spec spec, std::unique_ptr<Work> work, Done done);
    // A coroutine as a job; its token is cancelled when the job is.
    Result<JobId> submit(Spec spec, Function<loop::Task<void>(loop::CancelToken)> task, Done done);
    // True if it had not ended. SIGTERM, or the token's cancel, has gone out when this returns.
    bool cancel(JobId id);
    // All of a group that have not ended: what runs is being stopped when this returns and nothing more of it starts;
    // what waits is told over as many turns as it takes.
    void cancel_group(Group group);
    // The same for all there are.
    void cancel_all() { sweep(0, 0); }

    void pause() { m_queue.pause(); }
    void resume();
    void set_limit(Pool pool, int limit);
    // Nothing starts any more, and nobody is called.
    void stop();

    const Queue& queue() const { return m_queue; }
    // The work of a job that has not gone, or null; who has joined another has that one's.
    Work* work_of(JobId id);
    static Time now();

  private:
    struct Entry {
        JobId id = 0;
        std::unique_ptr<Work> work;
        Done done;
        std::optional<Error> error; // of the last attempt
    };

    Entry& entry(JobId id);
    void sweep(Group group, std::uint32_t from);
    void pump();
    void pump_later();
    void obey_stops();
    void obey(const Order& order);
    void start(JobId id);
    void tell_done(const Order& order);
    void set_timer();

    loop::Loop& m_loop;
    Queue m_queue;
    std::deque<Entry> m_entries; // by the queue's slot
    loop::Timer m_timer;
    Time m_timer_due = 0; // 0: not set
    bool m_pump_comes = false;
    bool m_pumping = false;
    bool m_stopped = false;
    std::shared_ptr<bool> m_alive = std::make_shared<bool>(true);
};

} // namespace himalaya::jobs

// The job queue as a value: jobs in, orders out, no clock, no process, no thread. Who drives it tells it the
// time with each call and does what it orders; so every order of events can be played in a test.
//
// A job waits in its lane, or behind another of its key, or for its next attempt; then it runs, or is being
// ended; then it is over and forgotten. Every job submitted gets exactly one `done` order. A `gone` order
// follows once nothing of it is left (where others have joined it, its work outlives its own `done`).
//
// All steps are O(1) but for the heap of due times (O(log n)) and joined jobs (each once).
#pragma once

#include "base/error.hpp"
#include "jobs/backoff.hpp"
#include "jobs/due_times.hpp"
#include "jobs/metrics.hpp"
#include "jobs/slots.hpp"

#include <deque>
#include <functional>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace himalaya::jobs {

struct Order {
    enum class Kind : std::uint8_t {
        start, // run an attempt, report with finished()
        stop,  // end the attempt that runs, report with finished() once nothing of it is left
        done,  // tell who submitted it
        gone   // drop everything kept for it
    };
    Kind kind;
    JobId id = 0;
    JobId work = 0;               // whose work it is: another's where it has joined that
    Ending ending = Ending::done; // of `done`; of `stop`: cancelled or timed_out
};

// What is told of a job that has not ended, or of one that has lately.
struct Sight {
    JobId id = 0;
    std::string name;
    Lane lane = Lane::user;
    State state = State::over;
    Ending ending = Ending::done; // where the state is `over`
    int attempts = 0;
    Time queued = 0;  // until its first attempt
    Time running = 0; // its attempts together
    Time submitted = 0;
};

class Queue {
  public:
    static constexpr std::size_t MOST_JOBS = 200'000;
    static constexpr std::size_t RECENT = 50;

    struct Limits {
        int commands = 3;
        int tasks = 16;
    };
    explicit Queue(Limits limits, std::uint64_t seed = 1);
    Queue(const Queue&) = delete;
    Queue& operator=(const Queue&) = delete;

    // Fails with `busy` only, when MOST_JOBS have not ended yet.
    Result<JobId> submit(Spec spec, Time now);
    // True if the job had not ended.
    bool cancel(JobId id, Time now);
    // From now on none of the group starts, and those that run are being stopped; at most as many as there are slots.
    // Those that wait are cancelled when their turn comes, or by sweep().
    void give_up(Group group, Time now);
    // Cancels some hundred of a group (0: of all) that have not ended, from a slot on: where to go on, or nothing when
    // it has looked at all of them, after which the group may be used again.
    std::optional<std::uint32_t> sweep(Group group, std::uint32_t from, Time now);
    void finished(JobId id, Attempt attempt, Time now);
    // Handles everything due by now.
    void tick(Time now);
    std::optional<Time> next_due() const;

    // Nothing starts while paused; what runs goes on, what is due still falls due.
    void pause() { m_paused = true; }
    void resume() { m_paused = false; }
    bool paused() const { return m_paused; }
    void set_limit(Pool pool, int limit) { m_pools[static_cast<std::size_t>(pool)].slots.set_limit(limit); }

    // The next thing to do: first whatever is to be stopped, then told, then starts while slots are free.
    std::optional<Order> next_order(Time now);
    // What has to be stopped; never waits for anything else.
    std::optional<Order> next_stop();

    const Metrics& metrics() const { return m_metrics; }
    bool alive(JobId id) const;
    int attempts(JobId id) const;
    Pool pool(JobId id) const;
    // Whose work does the job: its own id, or that of the one it has joined; 0 when it is gone.
    JobId leader(JobId id) const;
    std::size_t size() const { return m_alive; }
    // How long it waited for its first attempt and how long its attempts have run; right from `done` to
    // `gone` too.
    Sight sight(JobId id, Time now) const;
    std::vector<Sight> sights(Time now, std::size_t most = SIZE_MAX) const; // in order of submission
    std::vector<Sight> recent() const; // the last RECENT that ended, the latest first
    static std::uint32_t slot_of(JobId id) { return static_cast<std::uint32_t>(id & SLOT_MASK); }

  private:
    using Slot = std::uint32_t;
    static constexpr Slot NONE = UINT32_MAX;
    static constexpr Time NEVER = INT64_MAX;
    static constexpr int SLOT_BITS = 20;
    static constexpr JobId SLOT_MASK = (JobId{1} << SLOT_BITS) - 1;

    // A list through the jobs themselves.
    struct List {
        Slot first = NONE;
        Slot last = NONE;
    };
    struct Key {
        Slot holder = NONE; // the one that waits in its lane, runs, or waits for its next attempt
        std::array<List, LANES> behind{};
    };
    using Keys = std::unordered_map<std::string, Key>;

    struct Job {
        Spec spec;
        JobId id = 0;
        State state = State::free;
        Ending reason = Ending::done; // why it is being ended
        bool told = false;            // its own `done` is out while joined jobs keep it at work
        bool overdue = false;         // the deadline has passed, not only the timeout of one attempt
        int attempts = 0;
        Time submitted = 0;
        Time started = 0; // this attempt
        Time first_start = NEVER;
        Time ran = 0;             // earlier attempts
        Time attempt_due = NEVER; // end of this attempt or of the backoff
        Keys::value_type* key = nullptr;
        Slot prev = NONE, next = NONE;
        Slot leader = NONE;
        std::vector<Slot> joined;
    };
    struct PoolState {
        explicit PoolState(int limit) : slots(limit) {}
        Slots slots;
        std::array<List, LANES> ready{};
        List running; // and those being ended
        Slots::Waiting waiting() const;
    };

    Job* find(JobId id);
    const Job* find(JobId id) const;
    Job& at(Slot slot) { return m_jobs[slot]; }
    static Time deadline_of(const Job& job);
    static bool is_queued(const Job& job);
    Slot slot_of(const Job& job) const { return slot_of(job.id); }
    Slot take_free();
    PoolState& pool_of(const Job& job) { return m_pools[static_cast<std::size_t>(job.spec.pool)]; }

    void push_back(List& list, Slot slot);
    void push_front(List& list, Slot slot);
    void unlink(List& list, Slot slot);
    List& list_of(const Job& job);

    void make_ready(Job& job);
    void enter_key(Job& job);
    void leave_key(Job& job);
    Job* joinable(const Spec& spec);
    void join(Job& job, Job& leader);
    void raise_lane(Job& job, Lane lane);

    std::optional<Order> next_telling();
    bool is_given_up(const Job& job) const;
    void start(Job& job, Time now);
    void stop(Job& job, Ending reason);
    void retry_or_end(Job& job, bool again, Ending ending, Time now);
    void give_up(Job& job, Ending ending, Time now);
    void leave_leader(Job& job, Ending ending, Time now);
    void end(Job& job, Ending ending, Time now);
    void tell(Job& job, Ending ending, Time now);
    void forget(Job& job);
    void set_due(Job& job);
    void fell_due(Job& job, Time now);
    Sight see(const Job& job, Time now) const;

    std::deque<Job> m_jobs;
    std::vector<Slot> m_free;
    std::size_t m_alive = 0;
    std::uint64_t m_generation = 0;
    Keys m_keys;
    std::array<PoolState, POOLS> m_pools;
    DueTimes m_due;
    Chance m_chance;
    std::deque<Order> m_stops;
    std::deque<Order> m_tellings;
    std::unordered_set<Group> m_given_up;
    Metrics m_metrics;
    std::vector<Sight> m_recent; // a ring, m_recent_next is the oldest once it is full
    std::size_t m_recent_next = 0;
    bool m_paused = false;
};

} // namespace himalaya::jobs

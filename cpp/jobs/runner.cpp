#include "jobs/runner.hpp"

#include "base/time.hpp"

#include <fmt/format.h>

namespace himalaya::jobs {

namespace {

// Reading the thread's CPU clock costs as much as a small job: ask once per so many.
constexpr int ORDERS_PER_LOOK = 16;

class TaskWork : public Work {
  public:
    TaskWork(loop::Loop& loop, Function<loop::Task<void>(loop::CancelToken)> task)
        : m_loop(loop), m_task(std::move(task)) {}

    void start(Ended ended) override {
        m_source = loop::CancelSource(m_loop.token());
        loop::start(m_task(m_source.token()), [ended = std::move(ended)](std::optional<Error> error) mutable {
            bool again = error && error->retryable;
            ended({std::move(error), again});
        });
    }
    void stop() override { m_source.cancel(); }

  private:
    loop::Loop& m_loop;
    Function<loop::Task<void>(loop::CancelToken)> m_task;
    loop::CancelSource m_source;
};

} // namespace

Runner::Runner(loop::Loop& loop, Queue::Limits limits)
    : m_loop(loop), m_queue(limits, static_cast<std::uint64_t>(time::monotonic_ns())), m_timer(loop, "jobs") {
}

Result<JobId> Runner::submit(Spec spec, std::unique_ptr<Work> work, Done done) {
    if (m_stopped)
        return make_error(Code::cancelled, "Neovim is leaving; nothing new is started.");
    auto id = m_queue.submit(std::move(spec), now());
    if (!id)
        return id;
    auto slot = Queue::slot_of(*id);
    if (slot >= m_entries.size())
        m_entries.resize(slot + 1);
    m_entries[slot] = Entry{*id, std::move(work), std::move(done), std::nullopt};
    pump_later();
    return id;
}

Result<JobId> Runner::submit(Spec spec, Function<loop::Task<void>(loop::CancelToken)> task, Done done) {
    spec.pool = Pool::tasks;
    return submit(std::move(spec), std::make_unique<TaskWork>(m_loop, std::move(task)), std::move(done));
}

bool Runner::cancel(JobId id) {
    bool was_alive = m_queue.cancel(id, now());
    obey_stops();
    if (was_alive)
        pump_later();
    return was_alive;
}

void Runner::cancel_group(Group group) {
    m_queue.give_up(group, now());
    obey_stops();
    sweep(group, 0);
}

void Runner::sweep(Group group, std::uint32_t from) {
    std::optional<std::uint32_t> next = from;
    do {
        next = m_queue.sweep(group, *next, now());
        obey_stops();
    } while (next && !m_loop.budget().exhausted());
    pump_later();
    if (next)
        m_loop.defer([this, group, next = *next, alive = std::weak_ptr(m_alive)] {
            if (alive.expired())
                return;
            loop::Slice slice(m_loop.budget(), "jobs");
            sweep(group, next);
        });
}

void Runner::resume() {
    m_queue.resume();
    pump_later();
}

void Runner::set_limit(Pool pool, int limit) {
    m_queue.set_limit(pool, limit);
    pump_later();
}

void Runner::stop() {
    m_stopped = true;
    m_timer.stop();
    m_queue.pause();
    for (Entry& each : m_entries)
        each.done = nullptr;
}

Work* Runner::work_of(JobId id) {
    auto leader = m_queue.leader(id);
    return leader ? entry(leader).work.get() : nullptr;
}

Time Runner::now() {
    return time::monotonic_ns() / 1000;
}

Runner::Entry& Runner::entry(JobId id) {
    return m_entries[Queue::slot_of(id)];
}

void Runner::pump_later() {
    if (m_pump_comes || m_pumping || m_stopped)
        return;
    m_pump_comes = true;
    m_loop.defer([this, alive = std::weak_ptr(m_alive)] {
        if (alive.expired())
            return;
        m_pump_comes = false;
        loop::Slice slice(m_loop.budget(), "jobs");
        pump();
    });
}

void Runner::pump() {
    bool more = false;
    m_pumping = true;
    m_queue.tick(now());
    for (int orders = 1;; ++orders) {
        auto order = m_queue.next_order(now());
        if (!order)
            break;
        obey(*order);
        bool forked = order->kind == Order::Kind::start && m_queue.pool(order->id) == Pool::commands;
        if (forked || (orders % ORDERS_PER_LOOK == 0 && m_loop.budget().exhausted())) {
            more = true;
            break;
        }
    }
    m_pumping = false;
    if (more)
        pump_later();
    set_timer();
}

// Whoever asks for a stop has it when the call returns; being told can wait its turn.
void Runner::obey_stops() {
    while (auto order = m_queue.next_stop())
        obey(*order);
}

void Runner::obey(const Order& order) {
    switch (order.kind) {
    case Order::Kind::start:
        start(order.id);
        break;
    case Order::Kind::stop:
        entry(order.id).work->stop();
        break;
    case Order::Kind::done:
        tell_done(order);
        break;
    case Order::Kind::gone:
        if (entry(order.id).id == order.id)
            entry(order.id) = Entry{};
        break;
    }
}

void Runner::start(JobId id) {
    Entry& mine = entry(id);
    mine.error.reset();
    mine.work->start([this, id, alive = std::weak_ptr(m_alive)](AttemptResult result) {
        if (alive.expired() || m_stopped)
            return;
        bool done = !result.error;
        entry(id).error = std::move(result.error);
        m_queue.finished(id, {done, result.again}, now());
        pump_later();
    });
}

void Runner::tell_done(const Order& order) {
    Done done = std::exchange(entry(order.id).done, nullptr);
    if (!done)
        return;
    Entry& worked = entry(order.work);
    Sight seen = m_queue.sight(order.id, now());
    std::optional<Error> error;
    if (order.ending == Ending::cancelled)
        error = make_error(Code::cancelled, fmt::format("{} was cancelled.", seen.name));
    else if (order.ending == Ending::timed_out)
        error = make_error(Code::timeout, fmt::format("{} did not end in the time given.", seen.name),
                           "Raise its timeout or deadline, or see why it hangs with :HimalayaJobs.");
    else if (order.ending == Ending::failed)
        error =
            worked.error ? *worked.error : make_error(Code::internal, fmt::format("{} failed.", seen.name));
    Report report;
    report.id = order.id;
    report.ending = order.ending;
    report.error = error ? &*error : nullptr;
    report.work = worked.work.get();
    report.attempts = seen.attempts;
    report.queued = seen.queued;
    report.ran = seen.running;
    try {
        done(report);
    } catch (...) {
        m_loop.report("jobs");
    }
}

void Runner::set_timer() {
    auto due = m_queue.next_due();
    if (!due) {
        if (m_timer_due != 0)
            m_timer.stop();
        m_timer_due = 0;
        return;
    }
    if (*due == m_timer_due && m_timer.active())
        return;
    m_timer_due = *due;
    Time wait = std::max<Time>(*due - now(), 0);
    m_timer.start(static_cast<std::uint64_t>((wait + MILLISECOND - 1) / MILLISECOND), 0, [this] {
        m_timer_due = 0;
        pump();
    });
}

} // namespace himalaya::jobs

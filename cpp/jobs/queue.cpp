#include "jobs/queue.hpp"

#include <algorithm>

namespace himalaya::jobs {

Queue::Queue(Limits limits, std::uint64_t seed)
    : m_pools{PoolState(limits.commands), PoolState(limits.tasks)}, m_chance(seed) {
    m_recent.reserve(RECENT);
}

Result<JobId> Queue::submit(Spec spec, Time now) {
    if (m_alive >= MOST_JOBS)
        return make_error(Code::busy, "Too many jobs are queued already.",
                          "Wait for some to end, or cancel them.");
    Slot slot = take_free();
    Job& job = at(slot);
    job.id = (++m_generation << SLOT_BITS) | slot;
    job.spec = std::move(spec);
    job.submitted = now;
    ++m_alive;
    ++m_metrics.submitted;
    if (Job* leader = joinable(job.spec)) {
        join(job, *leader);
    } else {
        ++m_metrics.queued[index_of(job.spec.lane)];
        if (job.spec.key.empty())
            make_ready(job);
        else
            enter_key(job);
    }
    set_due(job);
    return job.id;
}

bool Queue::cancel(JobId id, Time now) {
    Job* job = find(id);
    if (!job || job->told)
        return false;
    if (job->state == State::joined)
        leave_leader(*job, Ending::cancelled, now);
    else if (!job->joined.empty())
        tell(*job, Ending::cancelled, now); // the work goes on for those who joined it
    else
        give_up(*job, Ending::cancelled, now);
    return true;
}

void Queue::give_up(Group group, Time now) {
    m_given_up.insert(group);
    for (PoolState& pool : m_pools)
        for (Slot slot = pool.running.first; slot != NONE; slot = at(slot).next)
            if (at(slot).spec.group == group)
                cancel(at(slot).id, now);
}

std::optional<std::uint32_t> Queue::sweep(Group group, std::uint32_t from, Time now) {
    auto end = static_cast<Slot>(std::min(m_jobs.size(), std::size_t{from} + 256));
    for (Slot slot = from; slot < end; ++slot)
        if (at(slot).state != State::free && (group == 0 || at(slot).spec.group == group))
            cancel(at(slot).id, now);
    if (end < m_jobs.size())
        return end;
    m_given_up.erase(group);
    return std::nullopt;
}

void Queue::finished(JobId id, Attempt attempt, Time now) {
    Job* job = find(id);
    if (!job || (job->state != State::running && job->state != State::ending))
        return;
    auto lane = index_of(job->spec.lane);
    job->ran += now - job->started;
    m_metrics.durations[lane].add(static_cast<std::uint64_t>(now - job->started));
    --m_metrics.running[lane];
    unlink(pool_of(*job).running, slot_of(*job));
    pool_of(*job).slots.ended(job->spec.lane);
    m_due.clear(slot_of(*job));
    job->attempt_due = NEVER;
    bool stopped = job->state == State::ending;
    job->state = State::over; // in no list until retry_or_end says where it goes
    if (stopped)
        retry_or_end(*job, job->reason == Ending::timed_out && !job->overdue, job->reason, now);
    else if (attempt.done)
        end(*job, Ending::done, now);
    else
        retry_or_end(*job, attempt.again, Ending::failed, now);
}

void Queue::tick(Time now) {
    while (!m_due.empty() && m_due.next_time() <= now)
        fell_due(at(m_due.next_slot()), now);
}

std::optional<Time> Queue::next_due() const {
    if (m_due.empty())
        return std::nullopt;
    return m_due.next_time();
}

std::optional<Order> Queue::next_stop() {
    if (m_stops.empty())
        return std::nullopt;
    Order order = m_stops.front();
    m_stops.pop_front();
    return order;
}

std::optional<Order> Queue::next_order(Time now) {
    if (auto order = next_stop())
        return order;
    if (auto order = next_telling())
        return order;
    if (m_paused)
        return std::nullopt;
    for (PoolState& pool : m_pools)
        if (auto lane = pool.slots.next(pool.waiting())) {
            Job& job = at(pool.ready[index_of(*lane)].first);
            if (is_given_up(job) && cancel(job.id, now))
                return next_order(
                    now); // at most once deep: it is told now, or starts for those who have joined it
            start(job, now);
            return Order{Order::Kind::start, job.id, job.id};
        }
    return std::nullopt;
}

std::optional<Order> Queue::next_telling() {
    if (m_tellings.empty())
        return std::nullopt;
    Order order = m_tellings.front();
    m_tellings.pop_front();
    if (order.kind == Order::Kind::gone)
        forget(at(slot_of(order.id)));
    return order;
}

bool Queue::is_given_up(const Job& job) const {
    return !m_given_up.empty() && job.spec.group != 0 && m_given_up.contains(job.spec.group);
}

// Starting and ending.

void Queue::start(Job& job, Time now) {
    auto lane = index_of(job.spec.lane);
    PoolState& pool = pool_of(job);
    unlink(pool.ready[lane], slot_of(job));
    push_back(pool.running, slot_of(job));
    pool.slots.started(job.spec.lane, pool.waiting());
    --m_metrics.queued[lane];
    ++m_metrics.running[lane];
    if (job.first_start == NEVER) {
        job.first_start = now;
        m_metrics.waits[lane].add(static_cast<std::uint64_t>(now - job.submitted));
    }
    job.state = State::running;
    job.started = now;
    ++job.attempts;
    job.attempt_due = job.spec.timeout > 0 ? now + job.spec.timeout : NEVER;
    set_due(job);
}

void Queue::stop(Job& job, Ending reason) {
    job.state = State::ending;
    job.reason = reason;
    m_due.clear(slot_of(job));
    m_stops.push_back({Order::Kind::stop, job.id, job.id, reason});
}

void Queue::retry_or_end(Job& job, bool again, Ending ending, Time now) {
    bool wanted = !job.told || !job.joined.empty();
    if (!again || !wanted || job.attempts > job.spec.retries) {
        end(job, ending, now);
        return;
    }
    Time next = now + backoff(job.spec.backoff, job.attempts, m_chance.next());
    if (next >= deadline_of(job)) {
        end(job, ending, now);
        return;
    }
    ++m_metrics.retried;
    ++m_metrics.queued[index_of(job.spec.lane)];
    job.state = State::backing_off;
    job.attempt_due = next;
    set_due(job);
}

// Ends the work itself: at once where it only waits, by way of a `stop` order where it runs.
void Queue::give_up(Job& job, Ending ending, Time now) {
    if (job.state == State::running)
        stop(job, ending);
    else if (job.state == State::ending)
        job.reason = ending == Ending::cancelled ? ending : job.reason;
    else
        end(job, ending, now);
}

void Queue::end(Job& job, Ending ending, Time now) {
    if (is_queued(job)) {
        --m_metrics.queued[index_of(job.spec.lane)];
        if (job.state != State::backing_off)
            unlink(list_of(job), slot_of(job));
    }
    m_due.clear(slot_of(job));
    job.state = State::over;
    leave_key(job);
    tell(job, ending, now);
    for (Slot slot : job.joined) {
        Job& other = at(slot);
        m_due.clear(slot);
        other.state = State::over;
        other.attempts = job.attempts;
        other.first_start = job.first_start == NEVER ? NEVER : std::max(job.first_start, other.submitted);
        other.ran = job.ran;
        tell(other, ending, now);
        m_tellings.push_back({Order::Kind::gone, other.id, job.id});
    }
    job.joined.clear();
    m_tellings.push_back({Order::Kind::gone, job.id, job.id});
}

void Queue::tell(Job& job, Ending ending, Time now) {
    if (job.told)
        return;
    job.told = true;
    --m_alive;
    ++m_metrics.ended[static_cast<std::size_t>(ending)];
    m_tellings.push_back(
        {Order::Kind::done, job.id, job.leader == NONE ? job.id : at(job.leader).id, ending});

    Sight seen = see(job, now);
    seen.state = State::over;
    seen.ending = ending;
    if (m_recent.size() < RECENT)
        m_recent.push_back(std::move(seen));
    else
        m_recent[m_recent_next] = std::move(seen);
    m_recent_next = (m_recent_next + 1) % RECENT;
}

void Queue::forget(Job& job) {
    Slot slot = slot_of(job);
    job = Job{};
    m_free.push_back(slot);
}

void Queue::fell_due(Job& job, Time now) {
    bool overdue = deadline_of(job) <= now;
    if (job.state == State::joined) {
        leave_leader(job, Ending::timed_out, now);
    } else if (job.state == State::running) {
        job.overdue = overdue;
        stop(job, Ending::timed_out);
    } else if (overdue) {
        end(job, Ending::timed_out, now);
    } else { // it waited for its next attempt
        job.attempt_due = NEVER;
        job.state = State::waiting;
        push_front(pool_of(job).ready[index_of(job.spec.lane)], slot_of(job));
        set_due(job);
    }
}

void Queue::set_due(Job& job) {
    Time due = std::min(job.attempt_due, deadline_of(job));
    if (due == NEVER)
        m_due.clear(slot_of(job));
    else
        m_due.set(slot_of(job), due);
}

// Slots and lists.

Queue::Job* Queue::find(JobId id) {
    return const_cast<Job*>(std::as_const(*this).find(id));
}

const Queue::Job* Queue::find(JobId id) const {
    Slot slot = slot_of(id);
    return slot < m_jobs.size() && m_jobs[slot].id == id && id != 0 ? &m_jobs[slot] : nullptr;
}

Time Queue::deadline_of(const Job& job) {
    return job.spec.deadline > 0 ? job.submitted + job.spec.deadline : NEVER;
}

bool Queue::is_queued(const Job& job) {
    return job.state == State::waiting || job.state == State::behind_key || job.state == State::backing_off;
}

Queue::Slot Queue::take_free() {
    if (m_free.empty()) {
        m_jobs.emplace_back();
        return static_cast<Slot>(m_jobs.size() - 1);
    }
    Slot slot = m_free.back();
    m_free.pop_back();
    return slot;
}

Slots::Waiting Queue::PoolState::waiting() const {
    return {ready[0].first != NONE, ready[1].first != NONE, ready[2].first != NONE};
}

Queue::List& Queue::list_of(const Job& job) {
    auto lane = index_of(job.spec.lane);
    if (job.state == State::behind_key)
        return job.key->second.behind[lane];
    return m_pools[static_cast<std::size_t>(job.spec.pool)].ready[lane];
}

void Queue::push_back(List& list, Slot slot) {
    Job& job = at(slot);
    job.prev = list.last;
    job.next = NONE;
    (list.last == NONE ? list.first : at(list.last).next) = slot;
    list.last = slot;
}

void Queue::push_front(List& list, Slot slot) {
    Job& job = at(slot);
    job.prev = NONE;
    job.next = list.first;
    (list.first == NONE ? list.last : at(list.first).prev) = slot;
    list.first = slot;
}

void Queue::unlink(List& list, Slot slot) {
    Job& job = at(slot);
    (job.prev == NONE ? list.first : at(job.prev).next) = job.next;
    (job.next == NONE ? list.last : at(job.next).prev) = job.prev;
    job.prev = job.next = NONE;
}

} // namespace himalaya::jobs

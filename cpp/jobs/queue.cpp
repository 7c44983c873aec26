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

void Queue::cancel_all(Time now) {
    for (Slot slot = 0; slot < m_jobs.size(); ++slot)
        if (at(slot).state != State::free)
            cancel(at(slot).id, now);
}

void Queue::finished(JobId id, Attempt attempt, Time now) {
    Job* job = find(id);
    if (!job || (job->state != State::running && job->state != State::ending))
        return;
    auto lane = index_of(job->spec.lane);
    job->ran += now - job->started;
    m_metrics.durations[lane].add(static_cast<std::uint64_t>(now - job->started));
    --m_metrics.running[lane];
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

std::optional<Order> Queue::next_telling() {
    if (m_orders.empty())
        return std::nullopt;
    Order order = m_orders.front();
    m_orders.pop_front();
    if (order.kind == Order::Kind::gone)
        forget(at(slot_of(order.id)));
    return order;
}

std::optional<Order> Queue::next_order(Time now) {
    if (auto order = next_telling())
        return order;
    if (m_paused)
        return std::nullopt;
    for (PoolState& pool : m_pools)
        if (auto lane = pool.slots.next(pool.waiting())) {
            Job& job = at(pool.ready[index_of(*lane)].first);
            start(job, now);
            return Order{Order::Kind::start, job.id, job.id};
        }
    return std::nullopt;
}

// Starting and ending.

void Queue::start(Job& job, Time now) {
    auto lane = index_of(job.spec.lane);
    PoolState& pool = pool_of(job);
    unlink(pool.ready[lane], slot_of(job));
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
    m_orders.push_back({Order::Kind::stop, job.id, job.id, reason});
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
        m_orders.push_back({Order::Kind::gone, other.id, job.id});
    }
    job.joined.clear();
    m_orders.push_back({Order::Kind::gone, job.id, job.id});
}

void Queue::tell(Job& job, Ending ending, Time now) {
    if (job.told)
        return;
    job.told = true;
    --m_alive;
    ++m_metrics.ended[static_cast<std::size_t>(ending)];
    m_orders.push_back({Order::Kind::done, job.id, job.leader == NONE ? job.id : at(job.leader).id, ending});

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

// Keys and joining.

void Queue::make_ready(Job& job) {
    job.state = State::waiting;
    push_back(pool_of(job).ready[index_of(job.spec.lane)], slot_of(job));
}

void Queue::enter_key(Job& job) {
    job.key = &*m_keys.try_emplace(job.spec.key).first;
    Key& key = job.key->second;
    if (key.holder != NONE) {
        Job& holder = at(key.holder);
        bool before_it =
            holder.state == State::waiting && holder.attempts == 0 && job.spec.lane < holder.spec.lane;
        if (!before_it) {
            job.state = State::behind_key;
            push_back(key.behind[index_of(job.spec.lane)], slot_of(job));
            return;
        }
        unlink(list_of(holder), key.holder);
        holder.state = State::behind_key;
        push_front(key.behind[index_of(holder.spec.lane)], key.holder);
    }
    key.holder = slot_of(job);
    make_ready(job);
}

void Queue::leave_key(Job& job) {
    if (!job.key)
        return;
    Key& key = job.key->second;
    if (key.holder == slot_of(job)) {
        key.holder = NONE;
        for (List& behind : key.behind)
            if (behind.first != NONE) {
                key.holder = behind.first;
                unlink(behind, key.holder);
                make_ready(at(key.holder));
                break;
            }
        if (key.holder == NONE)
            m_keys.erase(job.spec.key);
    }
    job.key = nullptr;
}

// The latest of the key that has not begun to end.
Queue::Job* Queue::joinable(const Spec& spec) {
    if (!spec.coalesce || spec.key.empty())
        return nullptr;
    auto found = m_keys.find(spec.key);
    if (found == m_keys.end())
        return nullptr;
    Job* latest = nullptr;
    for (const List& behind : found->second.behind)
        if (behind.last != NONE && (!latest || at(behind.last).id > latest->id))
            latest = &at(behind.last);
    if (latest)
        return latest;
    Job& holder = at(found->second.holder);
    return holder.state == State::ending ? nullptr : &holder;
}

void Queue::join(Job& job, Job& leader) {
    ++m_metrics.joined;
    job.state = State::joined;
    job.leader = slot_of(leader);
    leader.joined.push_back(slot_of(job));
    raise_lane(leader, job.spec.lane);
}

// Work that somebody of a higher lane waits for is of that lane.
void Queue::raise_lane(Job& job, Lane lane) {
    if (!is_queued(job) || lane >= job.spec.lane)
        return;
    --m_metrics.queued[index_of(job.spec.lane)];
    ++m_metrics.queued[index_of(lane)];
    if (job.state == State::backing_off) {
        job.spec.lane = lane;
        return;
    }
    unlink(list_of(job), slot_of(job));
    job.spec.lane = lane;
    if (job.state == State::behind_key)
        enter_key(job);
    else
        make_ready(job);
}

// A joined job ends alone, unless it was the last for whom the work was done.
void Queue::leave_leader(Job& job, Ending ending, Time now) {
    Job& leader = at(job.leader);
    m_due.clear(slot_of(job));
    if (leader.told && leader.joined.size() == 1) {
        leader.overdue = true;
        give_up(leader, ending, now);
        return;
    }
    std::erase(leader.joined, slot_of(job));
    job.state = State::over;
    tell(job, ending, now);
    m_orders.push_back({Order::Kind::gone, job.id, job.id});
}

// What is seen from outside.

bool Queue::alive(JobId id) const {
    const Job* job = find(id);
    return job && !job->told;
}

int Queue::attempts(JobId id) const {
    const Job* job = find(id);
    return job ? job->attempts : 0;
}

Pool Queue::pool(JobId id) const {
    const Job* job = find(id);
    return job ? job->spec.pool : Pool::commands;
}

JobId Queue::leader(JobId id) const {
    const Job* job = find(id);
    if (!job)
        return 0;
    return job->leader == NONE ? id : m_jobs[job->leader].id;
}

Sight Queue::see(const Job& job, Time now) const {
    Sight seen;
    seen.id = job.id;
    seen.name = job.spec.name;
    seen.lane = job.spec.lane;
    seen.state = job.state;
    seen.attempts = job.attempts;
    seen.submitted = job.submitted;
    seen.queued = (job.first_start == NEVER ? now : job.first_start) - job.submitted;
    bool at_work = job.state == State::running || job.state == State::ending;
    seen.running = job.ran + (at_work ? now - job.started : 0);
    return seen;
}

Sight Queue::sight(JobId id, Time now) const {
    const Job* job = find(id);
    return job ? see(*job, now) : Sight{};
}

std::vector<Sight> Queue::sights(Time now, std::size_t most) const {
    std::vector<const Job*> jobs;
    for (const Job& job : m_jobs)
        if (job.state != State::free && job.state != State::over)
            jobs.push_back(&job);
    auto before = [](const Job* a, const Job* b) {
        bool a_runs = a->attempts > 0;
        bool b_runs = b->attempts > 0;
        return a_runs != b_runs ? a_runs : a->id < b->id;
    };
    most = std::min(most, jobs.size());
    std::partial_sort(jobs.begin(), jobs.begin() + static_cast<std::ptrdiff_t>(most), jobs.end(), before);
    std::vector<Sight> seen;
    seen.reserve(most);
    for (std::size_t i = 0; i < most; ++i)
        seen.push_back(see(*jobs[i], now));
    return seen;
}

std::vector<Sight> Queue::recent() const {
    std::vector<Sight> latest_first;
    latest_first.reserve(m_recent.size());
    for (std::size_t i = 1; i <= m_recent.size(); ++i)
        latest_first.push_back(m_recent[(m_recent_next + RECENT - i) % RECENT]);
    return latest_first;
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

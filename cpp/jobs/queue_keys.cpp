// Keys and joining: who waits behind whom, and who shares whose work.
#include "jobs/queue.hpp"

namespace himalaya::jobs {

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
    m_tellings.push_back({Order::Kind::gone, job.id, job.id});
}

} // namespace himalaya::jobs

// What is seen of the queue from outside.
#include "jobs/queue.hpp"

#include <algorithm>

namespace himalaya::jobs {

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

} // namespace himalaya::jobs

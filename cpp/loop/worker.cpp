#include "loop/worker.hpp"

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include <pthread.h>
#ifdef __linux__
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif
#ifdef __APPLE__
#include <pthread/qos.h>
#endif

#include "base/json_in.hpp"
#include "base/log.hpp"

namespace himalaya::loop {

struct Worker::Shared {
    struct Item {
        Function<void()> work;
        Function<void()> done;
        bool last = false;
    };
    struct Finished {
        Function<void()> done;
        bool last = false;
    };

    static inline std::atomic_flag readied;

    // Under lock: waiting, finished, ended, stop, async (null once the loop has let go).
    mutable std::mutex lock;
    std::condition_variable wake;
    std::deque<Item> waiting;
    std::deque<Finished> finished;
    std::unique_ptr<Async> async;
    bool ended = false; // takes no work, and tells of its last one alone
    std::atomic<bool> stop = false;
    std::mutex joining;
    std::string name;
    Rank rank = Rank::behind_the_editor;
    std::thread thread;

    void work() {
        name_thread(name);
        if (rank == Rank::behind_the_editor)
            lower_thread_priority();
        std::unique_lock guard(lock);
        for (;;) {
            wake.wait(guard, [this] { return stop || !waiting.empty(); });
            if (stop)
                return;
            Item item = std::move(waiting.front());
            waiting.pop_front();
            guard.unlock();
            try {
                item.work();
            } catch (...) {
                log::error("loop", "{} threw: {}", name, current_error().message);
            }
            item.work = nullptr;
            guard.lock();
            // Dropped or called, that happens on the loop's thread.
            finished.push_back({std::move(item.done), item.last});
            if (stop)
                return;
            async->send();
            if (waiting.empty() && !readied.test_and_set()) {
                guard.unlock();
                // Or the editor's thread would load it with the first error that has details.
                json::get_ready();
                guard.lock();
            }
        }
    }

    // On the loop, under the budget; the rest in the next turn.
    static void deliver(Loop& loop, const std::shared_ptr<Shared>& shared) {
        for (std::size_t count = 1;; ++count) {
            Finished next;
            {
                std::lock_guard guard(shared->lock);
                if (shared->stop || shared->finished.empty())
                    return;
                if (count % 4 == 0 && loop.budget().exhausted()) {
                    shared->async->send();
                    return;
                }
                next = std::move(shared->finished.front());
                shared->finished.pop_front();
                if (shared->ended && !next.last)
                    continue; // dropped, with the lock let go of
            }
            if (next.done)
                loop.enter("loop", next.done);
        }
    }
};

Worker::Worker(Loop& loop, std::string name, Rank rank) : m_loop(loop), m_shared(std::make_shared<Shared>()) {
    m_shared->name = std::move(name);
    m_shared->rank = rank;
    std::weak_ptr<Shared> weak = m_shared;
    m_shared->async = std::make_unique<Async>(loop, [&loop, weak] {
        if (auto shared = weak.lock())
            Shared::deliver(loop, shared);
    });
    m_shared->async->unref();
    m_shared->thread = std::thread([shared = m_shared.get()] { shared->work(); });
}

Worker::~Worker() {
    stop();
}

void Worker::run(Function<void()> work, Function<void()> done) {
    {
        std::lock_guard guard(m_shared->lock);
        if (m_shared->stop || m_shared->ended)
            return;
        m_shared->waiting.push_back({std::move(work), std::move(done)});
    }
    m_shared->wake.notify_one();
}

bool Worker::stopping() const {
    return m_shared->stop;
}

std::size_t Worker::waiting() const {
    std::lock_guard guard(m_shared->lock);
    return m_shared->waiting.size();
}

void Worker::stop(Function<void()> interrupt) {
    {
        std::lock_guard guard(m_shared->lock);
        m_shared->stop = true;
    }
    m_shared->wake.notify_all();
    if (interrupt)
        interrupt();
    join();
    m_shared->async.reset();
    // Dropping them tells who waits, and those may look at this worker again.
    std::shared_ptr<Shared> shared = m_shared;
    std::deque<Shared::Item> dropped = std::move(shared->waiting);
    shared->waiting.clear();
    std::deque<Shared::Finished> late = std::move(shared->finished);
    shared->finished.clear();
}

void Worker::take_no_more(Function<void()> last, Function<void()> done) {
    std::shared_ptr<Shared> shared = m_shared;
    std::deque<Shared::Item> dropped;
    std::deque<Shared::Finished> late;
    {
        std::lock_guard guard(shared->lock);
        if (shared->stop || shared->ended)
            return;
        shared->ended = true;
        dropped.swap(shared->waiting);
        late.swap(shared->finished);
        if (last)
            shared->waiting.push_back({std::move(last), std::move(done), true});
    }
    shared->wake.notify_all();
}

void Worker::end(Function<void()> interrupt) {
    if (interrupt)
        interrupt();
    take_no_more({}, {});
}

void Worker::end_with(Function<void()> last, Function<void()> done) {
    take_no_more(std::move(last), std::move(done));
}

void Worker::join() {
    {
        std::lock_guard guard(m_shared->lock);
        m_shared->stop = true;
    }
    m_shared->wake.notify_all();
    std::lock_guard one_at_a_time(m_shared->joining);
    if (m_shared->thread.joinable())
        m_shared->thread.join();
}

void lower_thread_priority() {
#if defined(__linux__)
    setpriority(PRIO_PROCESS, static_cast<id_t>(syscall(SYS_gettid)), 10);
#elif defined(__APPLE__)
    pthread_set_qos_class_self_np(QOS_CLASS_UTILITY, 0);
#endif
}

void name_thread(const std::string& name) {
#if defined(__linux__)
    pthread_setname_np(pthread_self(), name.substr(0, 15).c_str());
#elif defined(__APPLE__)
    pthread_setname_np(name.c_str());
#endif
}

} // namespace himalaya::loop

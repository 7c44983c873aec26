#include "net/aside.hpp"

#include <mutex>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "loop/async.hpp"

namespace himalaya::net {

// Owned by the Aside and by every thread. The loop's end of it is only touched under the lock, and is empty
// once the Aside has gone.
struct Aside::Shared {
    std::mutex lock;
    std::optional<loop::Async> wake;
    std::vector<Finish> finished;
    int running = 0;

    void hand_back(Finish finish) {
        std::lock_guard guard(lock);
        --running;
        if (!wake)
            return;
        finished.push_back(std::move(finish));
        wake->send();
    }

    void run_finished() {
        std::vector<Finish> all;
        {
            std::lock_guard guard(lock);
            all.swap(finished);
        }
        for (Finish& finish : all)
            if (finish)
                finish();
    }
};

Aside::Aside(loop::Loop& loop) : m_shared(std::make_shared<Shared>()) {
    // Held by its own callback weakly: a finish may destroy the Aside.
    std::weak_ptr<Shared> weak = m_shared;
    m_shared->wake.emplace(
        loop,
        [weak] {
            if (std::shared_ptr<Shared> shared = weak.lock())
                shared->run_finished();
        },
        "net");
    m_shared->wake->unref();
}

Aside::~Aside() {
    std::vector<Finish> dropped;
    std::lock_guard guard(m_shared->lock);
    m_shared->wake.reset();
    dropped.swap(m_shared->finished);
}

bool Aside::run(Work work) {
    {
        std::lock_guard guard(m_shared->lock);
        if (m_shared->running >= MOST)
            return false;
        ++m_shared->running;
    }
    try {
        std::thread([shared = m_shared, work = std::move(work)]() mutable {
            Finish finish = work();
            work = nullptr;
            shared->hand_back(std::move(finish));
        }).detach();
    } catch (const std::system_error&) {
        std::lock_guard guard(m_shared->lock);
        --m_shared->running;
        return false;
    }
    return true;
}

int Aside::running() const {
    std::lock_guard guard(m_shared->lock);
    return m_shared->running;
}

} // namespace himalaya::net

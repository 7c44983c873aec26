// A thread of our own that does work and hands the results back to the loop. libuv's pool is shared with every
// plugin and four threads small; long work does not belong there. Work runs in the order given.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "loop/async.hpp"
#include "loop/once.hpp"

namespace himalaya::loop {

// Most threads make room for the editor. One that somebody who pressed a key is waiting for must not: behind the
// programs of a busy machine its answer of a millisecond took 25.
enum class Rank { behind_the_editor, beside_the_editor };

class Worker {
  public:
    // The name is what `top -H` shows, 15 characters at most.
    Worker(Loop& loop, std::string name, Rank rank = Rank::behind_the_editor);
    // As stop().
    ~Worker();
    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;

    // work() on the thread, then done() on the loop. After stop() neither is called. What work() throws is
    // logged; call() below brings it back instead.
    void run(Function<void()> work, Function<void()> done = {});

    // `co_await worker.call<T>([] { return ...; }, token)`: the result, or what it threw. A cancel ends the
    // wait at once, and work that has not begun is skipped; work under way sees the token's cancelled().
    template<class T, class F>
    Task<T> call(F work, CancelToken token);

    // Work that runs long asks this and ends early: `:qa` waits for the join.
    bool stopping() const;
    // What has not begun is dropped, what runs is waited for. `interrupt` is called first (sqlite3_interrupt,
    // say).
    void stop(Function<void()> interrupt = {});
    // The same without waiting: what runs ends when it does, and nobody hears of it. stop() is to follow.
    void end(Function<void()> interrupt = {});
    // As end(), with `last` as the thread's last work, then done() on the loop: unless stop() comes before.
    void end_with(Function<void()> last, Function<void()> done);
    // On any other thread: waits for what runs.
    void join();
    std::size_t waiting() const;

  private:
    struct Shared;

    void take_no_more(Function<void()> last, Function<void()> done);

    Loop& m_loop;
    std::shared_ptr<Shared> m_shared;
};

// Lets the calling thread yield to the editor: nice 10 on Linux (per thread), the utility class on macOS.
void lower_thread_priority();
void name_thread(const std::string& name);

template<class T, class F>
Task<T> Worker::call(F work, CancelToken token) {
    auto once = std::make_shared<Once<T>>();
    auto result = std::make_shared<std::optional<Result<T>>>();
    run(
        [result, work = std::move(work), token]() mutable {
            if (token.cancelled())
                return;
            try {
                if constexpr (std::is_void_v<T>) {
                    work();
                    result->emplace();
                } else {
                    result->emplace(work());
                }
            } catch (...) {
                result->emplace(current_error());
            }
        },
        [result, reply = Reply<T>(once)]() mutable {
            if (*result)
                reply.answer(std::move(**result));
        });
    if constexpr (std::is_void_v<T>)
        co_await once->wait(token);
    else
        co_return co_await once->wait(token);
}

} // namespace himalaya::loop

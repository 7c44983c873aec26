// One account's store as the main thread sees it: it hands work to the store's own threads and is told of
// changes, its own and those of other Neovims, by one watched file. Threads: a writer, a reader for the
// screen's queries (the newest question first, interruptible), one for MIME and files. None of them may ever
// keep the editor waiting.
#pragma once

#include "instance/named_lock.hpp"
#include "loop/fs_event.hpp"
#include "loop/once.hpp"
#include "loop/worker.hpp"
#include "net/aside.hpp"
#include "store/bodies.hpp"
#include "store/change.hpp"
#include "store/feed.hpp"

#include <atomic>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

namespace himalaya::store {

// Where an account's files lie: <data_dir>/<account>/. The account's name has been checked by the config.
struct Place {
    std::filesystem::path folder;

    std::string database() const { return (folder / "mail.db").string(); }
    std::string changes() const { return (folder / "changes").string(); }
    std::string lead() const { return (folder / "lead").string(); }
    std::filesystem::path large() const { return folder / "large"; }
};

// What a leader hears that is none any more.
Error overtaken();
bool is_overtaken(const Error& error);

class Store : public std::enable_shared_from_this<Store> {
  public:
    using Listener = std::function<void(const News&)>;

    // Opens or makes the store, sets a damaged one aside; `noticed` is one sentence for the user when it did.
    static loop::Task<std::shared_ptr<Store>> open(loop::Loop& loop, Place place, loop::CancelToken token);
    Store(loop::Loop& loop, Place place);
    ~Store();

    const std::string& noticed() const { return m_noticed; }
    const Place& place() const { return m_place; }
    const Bodies& bodies() const { return m_bodies; }
    std::int64_t seq() const { return m_seq; }

    // `co_await store.write<T>([](Change& change) { return ...; }, token)`: one transaction, committed when
    // the work returns. Cancelled or not, a change that began is either whole or nothing.
    template<class T, class F>
    loop::Task<T> write(F work, loop::CancelToken token);
    // As write, for those who lead: refused with Error{locked} when another instance has taken over since.
    template<class T, class F>
    loop::Task<T> write_as_leader(F work, loop::CancelToken token);
    template<class T, class F>
    loop::Task<T> read(F work, loop::CancelToken token);
    // For long questions that the screen does not wait for.
    template<class T, class F>
    loop::Task<T> read_behind(F work, loop::CancelToken token);
    template<class T, class F>
    loop::Task<T> on_files(F work, loop::CancelToken token) {
        return m_files.call<T>(std::move(work), std::move(token));
    }

    // Leading (leading.cpp): true when this instance now leads (or did already).
    loop::Task<bool> lead(loop::CancelToken token);
    bool leads() const { return m_lead.has_value(); }
    // Whoever waits for it has it the moment after.
    void give_up_lead();
    // Takes the lead as soon as it is free, without asking again and again.
    void want_lead();
    // From a leader that gives no sign of life. False when somebody else leads since `epoch`.
    loop::Task<bool> take_over(std::int64_t epoch, loop::CancelToken token);
    // Before a command that changes the server: Error{locked} when another instance has taken over.
    loop::Task<> check_lead(loop::CancelToken token);
    std::int64_t epoch() const { return m_seen_epoch; } // of whoever leads, as far as news told
    const std::string& leader() const { return m_leader; }
    // Called whenever this instance began or ceased to lead.
    std::function<void(bool)> on_lead;
    std::string instance; // how the others call us

    // Bodies that no message has any more, and the space they took, a little at a time.
    loop::Task<> sweep();
    bool sweep_due() const { return m_sweep_due.load(std::memory_order_relaxed); }

    // Listeners hear of every commit, in order, once each; many commits may come as one News.
    int listen(Listener listener);
    void stop_listening(int listener);

    // False where the system does not tell of changes (too many files are watched on this machine already): then our own
    // show as ever, and for those of others somebody calls look() now and then, which also asks the system again.
    bool watched() const { return m_watched; }
    void look();

    // Ends the threads; work that waits is dropped, a statement that runs is interrupted, a commit is waited for.
    void close();
    // The same without waiting: what is left to do at the end, bringing the log back into the database among it, is
    // done on the writer's thread. close() waits for that.
    void close_behind();
    // Once all of that is done: another may have this place now.
    loop::Task<> closed(loop::CancelToken token);

  private:
    bool begin_closing();
    void close_files(); // when nothing runs that could use them
    void stop_threads();
    void open_files();
    // The writer's next transaction, in the file that lies at the store's path: another Neovim may have set a damaged
    // one aside and made a new one, while we have the old one open.
    void begin(std::optional<Change>& change);
    void follow();
    // The same for a reader, on its own thread.
    Database& here(std::unique_ptr<Database>& reading);
    void mend(const std::function<bool()>& is_damaged);
    Result<void> watch();
    void look_for_news();
    loop::Task<> read_news();
    void tell_others();                     // on the writer's thread, after a commit
    void note_change(const Change& change); // on the writer's thread, after a commit
    void keep_damage_in_mind(const Error& error);
    loop::Task<> begin_leading(std::shared_ptr<instance::NamedLock> lock, loop::CancelToken token);
    void now_leading(instance::NamedLock lock, std::int64_t epoch);
    void cease_leading();
    void on_news(const News& news);

    loop::Loop& m_loop;
    Place m_place;
    Bodies m_bodies;
    std::unique_ptr<Database> m_database; // the writer's, on its thread
    std::unique_ptr<Database> m_reading;
    std::unique_ptr<Database> m_reading_behind;
    std::mutex m_replacing;           // a reader's database, against its interruption
    std::atomic<int> m_generation{0}; // of the file that the reader has open
    int m_told_generation = 0;
    std::optional<instance::NamedLock> m_lead;
    std::int64_t m_epoch = 0; // 0: we do not lead
    std::int64_t m_seen_epoch = 0;
    std::string m_leader;
    std::shared_ptr<std::atomic<bool>> m_wants_lead; // false: who waits for it shall stop
    std::atomic<bool> m_sweep_due = true;
    bool m_sweeping = false;
    bool m_taking = false; // one of our own at a time: two would find the lock held, by ourselves
    loop::Gate m_taken{true};
    int m_changes_file = -1;
    std::string m_noticed;

    std::int64_t m_seq = 0; // the last that listeners were told of
    Id m_last_message = 0;
    std::map<int, Listener> m_listeners;
    int m_last_listener = 0;
    bool m_watched = false;
    bool m_looking = false;
    bool m_look_again = false;
    bool m_closed = false;
    std::optional<instance::NamedLock> m_last_lead; // let go of behind the last commit
    loop::Gate m_all_closed;

    loop::FsEvent m_watch;
    loop::CancelSource m_cancel;
    net::Aside m_aside;
    loop::Worker m_writer;
    loop::Worker m_reader;
    loop::Worker m_reader_behind;
    loop::Worker m_files;
};

template<class T, class F>
loop::Task<T> Store::write(F work, loop::CancelToken token) {
    auto self = shared_from_this();
    auto on_thread = [this, work = std::move(work)]() mutable -> T {
        try {
            std::optional<Change> change;
            begin(change);
            if constexpr (std::is_void_v<T>) {
                work(*change);
                change->commit();
                note_change(*change);
            } else {
                T result = work(*change);
                change->commit();
                note_change(*change);
                return result;
            }
        } catch (const Error& error) {
            keep_damage_in_mind(error);
            throw;
        }
    };
    auto call = m_writer.call<T>(std::move(on_thread), std::move(token));
    if constexpr (std::is_void_v<T>) {
        co_await call;
        if (!m_watched)
            look_for_news();
    } else {
        T result = co_await call;
        if (!m_watched)
            look_for_news();
        co_return result;
    }
}

template<class T, class F>
loop::Task<T> Store::write_as_leader(F work, loop::CancelToken token) {
    auto epoch = m_epoch;
    return write<T>(
        [epoch, work = std::move(work)](Change& change) mutable -> T {
            if (epoch == 0 || change.fact("epoch") != epoch)
                throw overtaken();
            return work(change);
        },
        std::move(token));
}

template<class T, class F>
loop::Task<T> Store::read(F work, loop::CancelToken token) {
    return m_reader.call<T>([this, work = std::move(work)]() mutable -> T { return work(here(m_reading)); },
                            std::move(token));
}

template<class T, class F>
loop::Task<T> Store::read_behind(F work, loop::CancelToken token) {
    return m_reader_behind.call<T>(
        [this, work = std::move(work)]() mutable -> T { return work(here(m_reading_behind)); },
        std::move(token));
}

} // namespace himalaya::store

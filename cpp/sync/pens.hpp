// What a source brings, written down in batches while the next ones are read: a batch is one transaction, at most a
// few are under way, and the source waits when the disk does not keep up.
#pragma once

#include "loop/once.hpp"
#include "store/store.hpp"
#include "sync/source.hpp"

#include <atomic>
#include <functional>
#include <memory>

namespace himalaya::sync {

// Counts writes under way, holds the source while there are too many, and keeps the first error.
class Writing : public std::enable_shared_from_this<Writing> {
  public:
    Writing(int most, loop::CancelToken token) : m_most(most), m_token(std::move(token)) {}

    // Runs one write; the flow is held while the most are under way.
    void start(Flow& flow, loop::Task<> write);
    void start(loop::Task<> write);
    // Until all are done; throws the first error.
    loop::Task<> finish();
    const std::optional<Error>& error() const { return m_error; }
    const loop::CancelToken& token() const { return m_token; }
    // The flow is gone: nobody is to be resumed any more.
    void forget_flow() { m_held = nullptr; }

  private:
    void done(std::optional<Error> error);

    int m_most;
    loop::CancelToken m_token;
    int m_under_way = 0;
    Flow* m_held = nullptr;
    std::optional<Error> m_error;
    loop::Gate m_empty{true};
};

// What is written in the same transaction as a batch.
using Also = std::function<void(store::Change&)>;
// What is to be said of UIDs whose messages are all in this batch and those before it; asked for on the loop.
using Noting = std::function<Also(const UidSet& done)>;

// Batches are written in their order, and none after one that failed: what a batch says of all before it holds.
class InOrder {
  public:
    std::int64_t next() { return m_given++; }
    // On the writer's thread: throws when an earlier one is not there.
    static void hold(const std::shared_ptr<InOrder>& order, std::int64_t number, store::Change& change);

  private:
    std::int64_t m_given = 0;             // the loop's
    std::atomic<std::int64_t> m_whole{0}; // the writer's
};

// When a batch is old enough to be written though it is not full: over a slow line a full one would take minutes, and
// whoever watches, or ends the sync, has nothing of it until then.
class Patience {
  public:
    bool is_over();
    void begin_anew() { m_since = 0; }

  private:
    std::uint64_t m_since = 0;
};

class EnvelopePen : public EnvelopeSink {
  public:
    // `counted` is told how many messages each committed batch had.
    EnvelopePen(std::shared_ptr<store::Store> store, store::Id folder,
                std::function<void(std::int64_t)> counted, Noting noting, loop::CancelToken token);
    void on_done(const UidSet& uids) override { m_done = m_done.united(uids); }
    void on_envelope(Flow& flow, store::Arrival arrival) override;
    // The rest, and all of it committed; `also` is part of the last transaction.
    loop::Task<> finish(Also also);

    const std::vector<store::Id>& fresh() const { return *m_fresh; }
    int updated() const { return *m_updated; }

  private:
    loop::Task<> write(std::vector<store::Arrival> batch, std::vector<Also> also);
    std::vector<Also> notes();

    std::shared_ptr<store::Store> m_store;
    store::Id m_folder;
    std::function<void(std::int64_t)> m_counted;
    std::shared_ptr<Writing> m_writing;
    Noting m_noting;
    std::shared_ptr<InOrder> m_order = std::make_shared<InOrder>();
    UidSet m_done; // and not noted yet
    std::vector<store::Arrival> m_batch;
    Patience m_patience;
    std::shared_ptr<std::vector<store::Id>> m_fresh = std::make_shared<std::vector<store::Id>>();
    std::shared_ptr<int> m_updated = std::make_shared<int>(0);
};

class BodyPen : public LetterSink {
  public:
    // A body says the same whoever brings it: only as part of a sync is leading asked for.
    enum class As { leader, anybody };
    BodyPen(std::shared_ptr<store::Store> store, store::Id folder, As as,
            std::function<void(std::int64_t)> counted, loop::CancelToken token);
    ~BodyPen() override;
    // With these it writes whole messages: rows and bodies in one transaction.
    void note(Noting noting) { m_noting = std::move(noting); }
    void on_done(const UidSet& uids) override { m_done = m_done.united(uids); }
    void on_letter(Flow& flow, store::Arrival arrival, std::optional<std::string_view> bytes) override;
    loop::Task<> finish(Also also);
    const std::vector<store::Id>& fresh() const { return *m_fresh; }
    int updated() const { return *m_updated; }

    void on_body(Flow& flow, std::int64_t uid, std::string_view bytes) override;
    void on_large_begin(std::int64_t size) override;
    void on_large_piece(Flow& flow, std::string_view bytes) override;
    void on_large_end(Flow& flow, std::int64_t uid, bool whole) override;

  private:
    struct Letter {
        std::int64_t uid;
        std::optional<std::string> bytes;
        std::optional<store::Arrival> arrival;
    };
    struct Spool;

    template<class F>
    loop::Task<> commit(F work);
    loop::Task<> write(std::vector<Letter> batch, std::vector<Also> also);
    std::vector<Also> notes();
    loop::Task<> write_piece(std::shared_ptr<Spool> spool, std::string bytes);
    loop::Task<> write_spooled(std::shared_ptr<Spool> spool, std::int64_t uid);
    void drop(std::shared_ptr<Spool> spool);
    bool is_due();
    void send(Flow& flow);

    std::shared_ptr<store::Store> m_store;
    store::Id m_folder;
    As m_as;
    std::function<void(std::int64_t)> m_counted;
    std::shared_ptr<Writing> m_writing;
    std::vector<Letter> m_batch;
    std::size_t m_batch_bytes = 0;
    Patience m_patience;
    Noting m_noting;
    std::shared_ptr<InOrder> m_order = std::make_shared<InOrder>();
    UidSet m_done; // and not noted yet
    std::shared_ptr<Spool> m_spool;
    std::shared_ptr<std::vector<store::Id>> m_fresh = std::make_shared<std::vector<store::Id>>();
    std::shared_ptr<int> m_updated = std::make_shared<int>(0);
};

} // namespace himalaya::sync

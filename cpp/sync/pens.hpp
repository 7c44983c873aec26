// What a source brings, written down in batches while the next ones are read: a batch is one transaction, at most a
// few are under way, and the source waits when the disk does not keep up.
#pragma once

#include "loop/once.hpp"
#include "store/store.hpp"
#include "sync/source.hpp"

#include <deque>
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

class EnvelopePen : public EnvelopeSink {
  public:
    // `counted` is told how many messages each committed batch had.
    EnvelopePen(std::shared_ptr<store::Store> store, store::Id folder,
                std::function<void(std::int64_t)> counted, loop::CancelToken token);
    void on_envelope(Flow& flow, store::Arrival arrival) override;
    // The rest, and all of it committed.
    loop::Task<> finish();

    const std::vector<store::Id>& fresh() const { return *m_fresh; }
    int updated() const { return *m_updated; }

  private:
    loop::Task<> write(std::vector<store::Arrival> batch);

    std::shared_ptr<store::Store> m_store;
    store::Id m_folder;
    std::function<void(std::int64_t)> m_counted;
    std::shared_ptr<Writing> m_writing;
    std::vector<store::Arrival> m_batch;
    std::shared_ptr<std::vector<store::Id>> m_fresh = std::make_shared<std::vector<store::Id>>();
    std::shared_ptr<int> m_updated = std::make_shared<int>(0);
};

class BodyPen : public BodySink {
  public:
    // A body says the same whoever brings it: only as part of a sync is leading asked for.
    enum class As { leader, anybody };
    BodyPen(std::shared_ptr<store::Store> store, store::Id folder, As as,
            std::function<void(std::int64_t)> counted, loop::CancelToken token);
    ~BodyPen() override;
    void on_body(Flow& flow, std::int64_t uid, std::string_view bytes) override;
    void on_large_begin(std::int64_t size) override;
    void on_large_piece(Flow& flow, std::string_view bytes) override;
    void on_large_end(Flow& flow, std::int64_t uid, bool whole) override;
    loop::Task<> finish();

  private:
    struct Letter {
        std::int64_t uid;
        std::string bytes;
    };
    struct Spool;

    template<class F>
    loop::Task<> commit(F work);
    loop::Task<> write(std::vector<Letter> batch);
    loop::Task<> write_piece(std::shared_ptr<Spool> spool, std::string bytes);
    loop::Task<> write_spooled(std::shared_ptr<Spool> spool, std::int64_t uid);
    void send(Flow& flow);

    std::shared_ptr<store::Store> m_store;
    store::Id m_folder;
    As m_as;
    std::function<void(std::int64_t)> m_counted;
    std::shared_ptr<Writing> m_writing;
    std::vector<Letter> m_batch;
    std::size_t m_batch_bytes = 0;
    std::shared_ptr<Spool> m_spool;
};

} // namespace himalaya::sync

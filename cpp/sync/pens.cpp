#include "sync/pens.hpp"

#include "base/text.hpp"
#include "mail/date.hpp"
#include "mail/encoded_word.hpp"
#include "mail/envelope.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>
#include <uv.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace himalaya::sync {

namespace {

// One fsync for so many rows; more would keep other instances waiting for the write lock.
constexpr std::size_t ENVELOPES_A_BATCH = 1'000;
constexpr std::size_t BODIES_A_BATCH = 1'000;
constexpr std::size_t BYTES_A_BATCH = 3u << 20;
constexpr int BATCHES_UNDER_WAY = 3;
constexpr std::uint64_t PATIENCE_NS = 1'000'000'000;

// Headers as people wrote them.
void decode(store::Arrival& arrival) {
    arrival.sent = mail::parse_date(arrival.date);
    arrival.subject = mail::decode_header(arrival.subject);
    arrival.from.name = mail::decode_header(arrival.from.name);
    for (auto& address : arrival.to)
        address.name = mail::decode_header(address.name);
    // A server without INTERNALDATE, or with one that is nonsense.
    if (arrival.arrived == 0)
        arrival.arrived = arrival.sent.value_or(0);
}

} // namespace

bool Patience::is_over() {
    auto now = uv_hrtime();
    if (m_since == 0)
        m_since = now;
    return now - m_since > PATIENCE_NS;
}

void Writing::start(loop::Task<> write) {
    ++m_under_way;
    m_empty.close();
    loop::start(std::move(write),
                [self = shared_from_this()](std::optional<Error> error) { self->done(std::move(error)); });
}

void Writing::start(Flow& flow, loop::Task<> write) {
    start(std::move(write));
    if (m_under_way >= m_most && !m_held) {
        m_held = &flow;
        flow.pause();
    }
}

void Writing::done(std::optional<Error> error) {
    --m_under_way;
    if (error && !m_error)
        m_error = std::move(error);
    if (m_held && m_under_way < m_most)
        std::exchange(m_held, nullptr)->resume();
    if (m_under_way == 0)
        m_empty.open();
}

loop::Task<> Writing::finish() {
    auto self = shared_from_this();
    // Without a token: what was given to the store is waited for, so that nothing is written after we have gone.
    while (m_under_way > 0)
        co_await m_empty.wait();
    if (m_error)
        throw Error(*m_error);
}

void InOrder::hold(const std::shared_ptr<InOrder>& order, std::int64_t number, store::Change& change) {
    if (order->m_whole != number)
        throw make_error(Code::store, "an earlier part of this mail could not be written",
                         "nothing is lost: it is asked for again at the next sync");
    change.after([order] { ++order->m_whole; });
}

EnvelopePen::EnvelopePen(std::shared_ptr<store::Store> store, store::Id folder,
                         std::function<void(std::int64_t)> counted, Noting noting, loop::CancelToken token)
    : m_store(std::move(store)), m_folder(folder), m_counted(std::move(counted)),
      m_writing(std::make_shared<Writing>(BATCHES_UNDER_WAY, std::move(token))), m_noting(std::move(noting)) {
}

std::vector<Also> EnvelopePen::notes() {
    std::vector<Also> notes;
    if (!m_done.empty() && m_noting)
        notes.push_back(m_noting(std::exchange(m_done, {})));
    return notes;
}

void EnvelopePen::on_envelope(Flow& flow, store::Arrival arrival) {
    m_batch.push_back(std::move(arrival));
    if (m_batch.size() < ENVELOPES_A_BATCH && !m_patience.is_over())
        return;
    m_patience.begin_anew();
    m_writing->start(flow, write(std::exchange(m_batch, {}), notes()));
}

loop::Task<> EnvelopePen::write(std::vector<store::Arrival> batch, std::vector<Also> also) {
    auto folder = m_folder;
    auto count = static_cast<std::int64_t>(batch.size());
    auto fresh = m_fresh;
    auto updated = m_updated;
    auto counted = m_counted;
    auto writing = m_store->write_as_leader<store::Came>(
        [folder, batch = std::move(batch), also = std::move(also), order = m_order,
         number = m_order->next()](store::Change& change) mutable {
            InOrder::hold(order, number, change);
            for (auto& arrival : batch)
                decode(arrival);
            auto came = store::bring_in(change, folder, batch);
            for (const auto& one : also)
                one(change);
            return came;
        },
        m_writing->token());
    auto came = co_await writing;
    fresh->insert(fresh->end(), came.fresh.begin(), came.fresh.end());
    *updated += came.updated;
    counted(count);
}

loop::Task<> EnvelopePen::finish(Also also) {
    m_writing->forget_flow();
    auto writing = m_writing;
    auto last = notes();
    if (also)
        last.push_back(std::move(also));
    if (!last.empty() || !m_batch.empty())
        writing->start(write(std::exchange(m_batch, {}), std::move(last)));
    auto finishing = writing->finish();
    co_await finishing;
}

// A large body on its way: a file beside the database, the file thread's from its first byte to its end. To take away
// a file of a hundred megabytes is 20 ms.
struct BodyPen::Spool {
    std::string path;
    int file = -1;

    ~Spool() { remove(); }
    void remove() {
        if (file < 0)
            return;
        ::close(std::exchange(file, -1));
        ::unlink(path.c_str());
    }
};

template<class F>
loop::Task<> BodyPen::commit(F work) {
    if (m_as == As::anybody)
        return m_store->write<void>(std::move(work), m_writing->token());
    return m_store->write_as_leader<void>(std::move(work), m_writing->token());
}

BodyPen::BodyPen(std::shared_ptr<store::Store> store, store::Id folder, As as,
                 std::function<void(std::int64_t)> counted, loop::CancelToken token)
    : m_store(std::move(store)), m_folder(folder), m_as(as), m_counted(std::move(counted)),
      m_writing(std::make_shared<Writing>(BATCHES_UNDER_WAY, std::move(token))) {}

BodyPen::~BodyPen() {
    drop(std::exchange(m_spool, nullptr));
}

void BodyPen::on_body(Flow& flow, std::int64_t uid, std::string_view bytes) {
    m_batch_bytes += bytes.size();
    m_batch.push_back({uid, std::string(bytes), {}});
    if (is_due())
        send(flow);
}

void BodyPen::on_letter(Flow& flow, store::Arrival arrival, std::optional<std::string_view> bytes) {
    m_batch_bytes += bytes ? bytes->size() : 0;
    auto uid = arrival.uid;
    m_batch.push_back({uid, bytes ? std::optional<std::string>(*bytes) : std::nullopt, std::move(arrival)});
    if (is_due())
        send(flow);
}

bool BodyPen::is_due() {
    return m_batch.size() >= BODIES_A_BATCH || m_batch_bytes >= BYTES_A_BATCH || m_patience.is_over();
}

void BodyPen::send(Flow& flow) {
    m_batch_bytes = 0;
    m_patience.begin_anew();
    m_writing->start(flow, write(std::exchange(m_batch, {}), notes()));
}

std::vector<Also> BodyPen::notes() {
    std::vector<Also> notes;
    if (!m_done.empty() && m_noting)
        notes.push_back(m_noting(std::exchange(m_done, {})));
    return notes;
}

loop::Task<> BodyPen::write(std::vector<Letter> batch, std::vector<Also> also) {
    struct Ready {
        std::int64_t uid;
        std::optional<store::PackedBody> body;
        bool attached = false;
        std::optional<store::Arrival> arrival;
    };
    auto store = m_store;
    auto folder = m_folder;
    auto counted = m_counted;
    auto token = m_writing->token();
    auto order = m_order;
    auto number = order->next();
    auto count = static_cast<std::int64_t>(batch.size());
    const auto& bodies = store->bodies();
    // Packing beside the writer: on a second core it costs the transaction nothing.
    auto packing = store->on_files<std::vector<Ready>>(
        [&bodies, batch = std::move(batch)]() mutable {
            std::vector<Ready> ready;
            ready.reserve(batch.size());
            for (auto& letter : batch) {
                auto& one = ready.emplace_back();
                one.uid = letter.uid;
                one.arrival = std::move(letter.arrival);
                if (one.arrival)
                    decode(*one.arrival);
                if (!letter.bytes)
                    continue;
                one.body = bodies.pack(*letter.bytes);
                one.attached = mail::looks_attached(*letter.bytes);
                std::string().swap(*letter.bytes);
            }
            return ready;
        },
        token);
    auto ready = co_await packing;
    auto fresh = m_fresh;
    auto updated = m_updated;
    auto came = std::make_shared<store::Came>();
    auto writing = commit([folder, ready = std::move(ready), also = std::move(also), came, order,
                           number](store::Change& change) mutable {
        InOrder::hold(order, number, change);
        std::vector<store::Arrival> arrivals;
        for (auto& letter : ready) {
            if (!letter.arrival) {
                if (letter.body)
                    store::attach_body(change, folder, letter.uid, *letter.body, letter.attached);
                continue;
            }
            // The body first, then the row that points to it.
            if (letter.body)
                letter.arrival->body = store::Bodies::keep(change, *letter.body);
            if (letter.attached)
                letter.arrival->flags |= store::HAS_ATTACHMENT;
            arrivals.push_back(std::move(*letter.arrival));
        }
        if (!arrivals.empty())
            *came = store::bring_in(change, folder, arrivals);
        for (const auto& one : also)
            one(change);
    });
    co_await writing;
    fresh->insert(fresh->end(), came->fresh.begin(), came->fresh.end());
    *updated += came->updated;
    counted(count);
}

void BodyPen::drop(std::shared_ptr<Spool> spool) {
    if (spool)
        loop::start(m_store->on_files<void>([spool] { spool->remove(); }, {}), [](const auto&) {});
}

void BodyPen::on_large_begin(std::int64_t) {
    drop(std::exchange(m_spool, nullptr));
    static std::uint64_t last = 0; // names only, main thread only
    m_spool = std::make_shared<Spool>();
    m_spool->path = (m_store->place().folder / fmt::format("arriving.{}.{}", ::getpid(), ++last)).string();
}

void BodyPen::on_large_piece(Flow& flow, std::string_view bytes) {
    if (m_spool)
        m_writing->start(flow, write_piece(m_spool, std::string(bytes)));
}

loop::Task<> BodyPen::write_piece(std::shared_ptr<Spool> spool, std::string bytes) {
    auto writing = m_store->on_files<void>(
        [spool, bytes = std::move(bytes)] {
            if (spool->file < 0)
                spool->file = ::open(spool->path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
            std::string_view left = bytes;
            while (spool->file >= 0 && !left.empty()) {
                auto wrote = ::write(spool->file, left.data(), left.size());
                if (wrote < 0 && errno == EINTR)
                    continue;
                if (wrote <= 0)
                    break;
                left.remove_prefix(static_cast<std::size_t>(wrote));
            }
            if (!left.empty())
                throw make_error(
                    Code::store,
                    fmt::format("a large message could not be written: {}", std::strerror(errno)),
                    "free some space; the sync goes on from here");
        },
        m_writing->token());
    co_await writing;
}

void BodyPen::on_large_end(Flow& flow, std::int64_t uid, bool whole) {
    auto spool = std::exchange(m_spool, nullptr);
    // Its row comes first where it travels with us; what is written later finds it.
    if (!m_batch.empty())
        send(flow);
    // A body cut short is none: it is asked for again.
    if (spool && whole)
        m_writing->start(flow, write_spooled(std::move(spool), uid));
    else
        drop(std::move(spool));
}

loop::Task<> BodyPen::write_spooled(std::shared_ptr<Spool> spool, std::int64_t uid) {
    auto store = m_store;
    auto folder = m_folder;
    auto counted = m_counted;
    auto token = m_writing->token();
    const auto& bodies = store->bodies();
    struct Ready {
        store::PackedBody body;
        bool attached;
    };
    auto packing = store->on_files<Ready>(
        [&bodies, spool]() -> Ready {
            // Whatever comes of it, read or not.
            std::unique_ptr<Spool, void (*)(Spool*)> gone(spool.get(), [](Spool* it) { it->remove(); });
            auto size = ::lseek(spool->file, 0, SEEK_END);
            std::string bytes(size > 0 ? static_cast<std::size_t>(size) : 0, '\0');
            std::size_t have = 0;
            while (have < bytes.size()) {
                auto got =
                    ::pread(spool->file, bytes.data() + have, bytes.size() - have, static_cast<off_t>(have));
                if (got <= 0)
                    throw make_error(Code::store, "a large message could not be read back from the disk",
                                     "sync again; check the disk if it stays");
                have += static_cast<std::size_t>(got);
            }
            return {bodies.pack(bytes), mail::looks_attached(bytes)};
        },
        token);
    auto ready = co_await packing;
    auto writing = commit([folder, uid, ready = std::move(ready)](store::Change& change) {
        store::attach_body(change, folder, uid, ready.body, ready.attached);
    });
    co_await writing;
    counted(1);
}

loop::Task<> BodyPen::finish(Also also) {
    m_writing->forget_flow();
    auto writing = m_writing;
    auto last = notes();
    if (also)
        last.push_back(std::move(also));
    if (!last.empty() || !m_batch.empty())
        writing->start(write(std::exchange(m_batch, {}), std::move(last)));
    auto finishing = writing->finish();
    co_await finishing;
}

} // namespace himalaya::sync

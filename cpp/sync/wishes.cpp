#include "sync/wishes.hpp"

#include "base/log.hpp"
#include "base/time.hpp"

#include <utility>

namespace himalaya::sync {

namespace {

constexpr std::uint64_t LOOK_MS = 1'000; // how far it is, while that changes

void forget(std::optional<Error> error) {
    if (error && error->code != Code::cancelled && !store::is_overtaken(*error))
        log::warn("sync", "a request between two Neovims: {}", error->message);
}

} // namespace

struct Wishes::Asking {
    explicit Asking(loop::Loop& loop) : patience(loop, "sync") { patience.unref(); }

    store::Id id = 0;
    loop::Once<std::optional<std::string>> answer;
    loop::Timer patience;
    bool seen = false;
    std::int64_t heard_at = -1;
    std::string progress;
};

struct Wishes::Serving {
    Serving(loop::Loop& loop, const loop::CancelToken& parent) : cancel(parent), heart(loop, "sync") {
        heart.unref();
    }

    store::Request request;
    loop::CancelSource cancel;
    loop::Timer heart;
    std::string told;
    std::int64_t told_ms = 0;
    bool taken = false;
};

Wishes::Wishes(loop::Loop& loop, std::shared_ptr<store::Store> store, std::shared_ptr<Counts> counts,
               Serve serve, Progress progress, loop::CancelToken token)
    : m_loop(loop), m_store(std::move(store)), m_counts(std::move(counts)), m_serve(std::move(serve)),
      m_progress(std::move(progress)), m_token(std::move(token)) {}

void Wishes::start() {
    m_store->listen([weak = weak_from_this()](const store::News& news) {
        if (auto self = weak.lock())
            self->on_requests(news.requests);
    });
}

void Wishes::look() {
    auto looking = [](std::shared_ptr<Wishes> self) -> loop::Task<> {
        auto reading = self->m_store->read<std::vector<store::Request>>(
            [](store::Database& database) { return store::all_requests(database); }, self->m_token);
        auto requests = co_await reading;
        self->on_requests(requests);
    };
    loop::start(looking(shared_from_this()), forget);
}

// The asking end.

loop::Task<std::optional<std::string>> Wishes::ask(std::string kind, std::string detail,
                                                   loop::CancelToken token) {
    auto self = shared_from_this();
    auto asking = std::make_shared<Asking>(m_loop);
    auto writing = m_store->write<store::Id>(
        [kind, detail, who = m_store->instance](store::Change& change) {
            auto now = time::now_s();
            store::forget_old_requests(change, now);
            return store::ask(change, kind, detail, who, now);
        },
        token);
    asking->id = co_await writing;
    m_asked.emplace(asking->id, asking);
    struct Asked {
        Wishes& wishes;
        Asking& asking;
        ~Asked() {
            asking.patience.stop();
            wishes.m_asked.erase(asking.id);
            try {
                wishes.withdraw(asking.id);
            } catch (...) {
                // Only memory can be missing here; the wish stays until it is old enough to be forgotten.
            }
        }
    } asked{*this, *asking};
    ++m_counts->asked;
    m_store->want_lead(); // it comes when the leader ends
    expect(asking, TAKEN_WITHIN_MS);
    look(); // an answer may have been faster than we
    co_return co_await asking->answer.wait(token);
}

const std::string* Wishes::progress() const {
    return m_asked.empty() ? nullptr : &m_asked.rbegin()->second->progress;
}

void Wishes::expect(const std::shared_ptr<Asking>& asking, std::uint64_t within_ms) {
    asking->patience.start(within_ms, 0, [weak = weak_from_this(), weakly = std::weak_ptr(asking)] {
        auto self = weak.lock();
        auto waits = weakly.lock();
        if (self && waits && self->m_asked.contains(waits->id))
            loop::start(self->take_over(waits), forget);
    });
}

loop::Task<> Wishes::take_over(std::shared_ptr<Asking> asking) {
    auto self = shared_from_this();
    auto taking = m_store->take_over(m_store->epoch(), m_token);
    bool leads = co_await taking;
    // Somebody else was faster: what was open is open for him.
    if (!leads && m_asked.contains(asking->id)) {
        expect(asking, TAKEN_WITHIN_MS);
        look();
    }
}

void Wishes::withdraw(store::Id request) {
    auto writing = m_store->write<void>(
        [request](store::Change& change) { store::withdraw_request(change, request); }, m_token);
    loop::start(std::move(writing), forget);
}

void Wishes::on_lead(bool leads) {
    if (!leads) {
        auto served = m_served;
        for (auto& [id, serving] : served)
            serving->cancel.cancel(store::overtaken());
        return;
    }
    auto asked = m_asked;
    for (auto& [id, asking] : asked)
        asking->answer.fulfil(std::optional<std::string>());
    look();
}

void Wishes::on_requests(const std::vector<store::Request>& requests) {
    auto self = shared_from_this();
    std::map<store::Id, const store::Request*> there;
    for (const auto& request : requests)
        there.emplace(request.id, &request);

    auto asked = m_asked;
    for (auto& [id, asking] : asked) {
        auto found = there.find(id);
        if (found == there.end()) {
            if (asking->seen)
                asking->answer.fulfil(make_error(
                    Code::busy, "the Neovim that leads this account forgot what was asked", "try again"));
            continue;
        }
        asking->seen = true;
        const auto& request = *found->second;
        if (request.state == "answered") {
            asking->answer.fulfil(std::optional(request.answer));
        } else if (request.state == "taken" &&
                   (request.heard_at != asking->heard_at || request.answer != asking->progress)) {
            asking->heard_at = request.heard_at;
            asking->progress = request.answer;
            expect(asking, HEARD_WITHIN_MS);
        }
    }

    auto served = m_served;
    for (auto& [id, serving] : served)
        if (serving->taken && !there.contains(id))
            serving->cancel.cancel(); // nobody is interested any more
    if (!m_store->leads())
        return;
    for (const auto& request : requests) {
        if (request.state != "asked" || request.instance == m_store->instance ||
            m_served.contains(request.id))
            continue;
        auto serving = std::make_shared<Serving>(m_loop, m_token);
        serving->request = request;
        m_served.emplace(request.id, serving);
        loop::start(serve(serving), [self, id = request.id](std::optional<Error> error) {
            self->m_served.erase(id);
            forget(std::move(error));
            if (self->m_served.empty() && self->on_idle)
                self->on_idle();
        });
    }
}

// The serving end.

loop::Task<> Wishes::serve(std::shared_ptr<Serving> serving) {
    auto id = serving->request.id;
    auto taking = m_store->write_as_leader<bool>(
        [id](store::Change& change) { return store::take_request(change, id, time::now_s()); },
        serving->cancel.token());
    if (!co_await taking)
        co_return;
    serving->taken = true;
    serving->told_ms = m_loop.now_ms();
    serving->heart.start(LOOK_MS, LOOK_MS, [weak = weak_from_this(), weakly = std::weak_ptr(serving)] {
        auto self = weak.lock();
        auto mine = weakly.lock();
        if (self && mine)
            self->beat(mine);
    });
    std::string answer;
    auto doing = m_serve(serving->request, serving->cancel.token());
    try {
        answer = co_await doing;
    } catch (const Error& error) {
        serving->heart.stop();
        // Without us it stays open, for whoever leads next.
        if (serving->cancel.cancelled() || store::is_overtaken(error))
            co_return;
        answer = to_json(error);
    }
    serving->heart.stop();
    ++m_counts->served;
    auto answering = m_store->write_as_leader<void>(
        [id, answer](store::Change& change) { store::answer(change, id, answer); }, m_token);
    co_await answering;
}

void Wishes::beat(const std::shared_ptr<Serving>& serving) {
    auto now = m_loop.now_ms();
    auto told = m_progress();
    if (told == serving->told && now - serving->told_ms < static_cast<std::int64_t>(BEAT_MS))
        return;
    serving->told = told;
    serving->told_ms = now;
    auto writing = m_store->write_as_leader<void>(
        [id = serving->request.id, told](store::Change& change) {
            store::note_request(change, id, told, time::now_s());
        },
        m_token);
    loop::start(std::move(writing), forget);
}

} // namespace himalaya::sync

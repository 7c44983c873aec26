#include "sync/account.hpp"

#include "base/json_in.hpp"
#include "base/json_out.hpp"
#include "base/log.hpp"
#include "base/time.hpp"
#include "sync/body_line.hpp"

namespace himalaya::sync {

std::optional<Kind> kind_of(std::string_view name) {
    for (auto kind : {Kind::inbox, Kind::full, Kind::folder})
        if (name_of(kind) == name)
            return kind;
    return std::nullopt;
}

std::string_view name_of(Kind kind) {
    switch (kind) {
    case Kind::inbox:
        return "inbox";
    case Kind::full:
        return "full";
    case Kind::folder:
        return "folder";
    }
    return "full";
}

bool ended_by_network(Code code) {
    return code == Code::offline || code == Code::busy;
}

Account::Account(loop::Loop& loop, Options options, std::shared_ptr<store::Store> store,
                 std::shared_ptr<Source> source, loop::CancelToken token)
    : m_loop(loop), m_options(std::move(options)), m_store(std::move(store)), m_source(std::move(source)),
      m_cancel(token), m_claims(std::make_shared<Claims>()) {
    if (!m_options.counts)
        m_options.counts = std::make_shared<Counts>();
}

void Account::start() {
    auto weak = weak_from_this();
    m_wishes = std::make_shared<Wishes>(
        m_loop, m_store, m_options.counts,
        [weak](store::Request request, loop::CancelToken token) -> loop::Task<std::string> {
            auto self = weak.lock();
            if (!self)
                throw make_error(Code::cancelled, "The account was closed.");
            return self->serve(std::move(request), std::move(token));
        },
        [weak] {
            auto self = weak.lock();
            return self ? to_json(self->standing()) : std::string();
        },
        m_cancel.token());
    m_wishes->on_idle = [weak] {
        if (auto self = weak.lock())
            self->hand_over();
    };
    m_wishes->start();
    m_store->on_lead = [weak](bool leads) {
        auto self = weak.lock();
        if (!self)
            return;
        self->m_hands_over = false;
        self->m_wishes->on_lead(leads);
        // What a sync of ours knows was read before somebody else led, or from a store that lies elsewhere now.
        if (!leads)
            for (auto* led : std::exchange(self->m_led, {}))
                led->cancel(store::overtaken());
        if (!leads && self->m_looks_after)
            self->m_store->want_lead(); // again, when whoever took it is gone
        if (self->on_lead)
            self->on_lead(leads);
    };
}

Standing Account::standing() {
    return m_progress->standing(m_loop.now_ms());
}

std::int64_t Account::bytes() const {
    return m_running > 0 ? m_source->stats().bytes - m_bytes_before : 0;
}

std::optional<Standing> Account::elsewhere() const {
    const auto* told = m_wishes ? m_wishes->progress() : nullptr;
    if (!told)
        return std::nullopt;
    return standing_of(*told);
}

loop::Task<Summary> Account::sync(Kind kind, std::string folder, loop::CancelToken token, bool again) {
    auto self = shared_from_this();
    for (;;) {
        auto leading = m_store->lead(token);
        if (!co_await leading) {
            auto asking = asked_sync(kind, folder, token);
            auto answered = co_await asking;
            if (answered)
                co_return std::move(*answered);
            continue; // the leader is gone: it is on us
        }
        while (m_turns >= m_options.at_once)
            co_await m_turn.wait(token);
        Turn turn(*this);
        loop::CancelSource led(token);
        m_led.push_back(&led);
        auto running = lead_sync(turn, kind, folder, led.token(), again);
        std::optional<Error> failure;
        std::optional<Summary> summary;
        try {
            summary = co_await running;
        } catch (const Error& error) {
            failure = error;
        }
        std::erase(m_led, &led);
        if (summary)
            co_return std::move(*summary);
        if (!store::is_overtaken(*failure))
            throw Error(*failure);
        m_store->give_up_lead(); // whoever has it now does it
    }
}

loop::Task<std::optional<Summary>> Account::asked_sync(Kind kind, std::string folder,
                                                       loop::CancelToken token) {
    json::Writer detail;
    detail.begin_object().member("kind", name_of(kind)).member("folder", folder).end_object();
    auto asking = m_wishes->ask("sync", std::move(detail).str(), token);
    auto answer = co_await asking;
    if (!answer)
        co_return std::nullopt;
    co_return summary_of(*answer).or_throw();
}

loop::Task<std::string> Account::serve(store::Request request, loop::CancelToken token) {
    auto self = shared_from_this();
    auto detail = json::Document::parse(request.detail).or_throw();
    if (request.kind == "sync") {
        auto kind = kind_of(detail["kind"].string().value_or("")).value_or(Kind::full);
        auto syncing = sync(kind, std::string(detail["folder"].string().value_or("")), token);
        auto summary = co_await syncing;
        co_return to_json(summary);
    }
    if (request.kind == "body") {
        auto fetching = fetch(detail["message"].integer().value_or(0), token);
        co_await fetching;
        co_return "{}";
    }
    if (request.kind == "lead") {
        if (!m_looks_after) { // it only led in passing
            log::info("sync", "{}: {} looks after this account from now on", m_options.name,
                      request.instance);
            m_hands_over = true; // once this is answered
        }
        co_return "{}";
    }
    throw make_error(Code::unsupported, "the Neovim that leads this account does not know what was asked",
                     "it runs an older version of the plugin: restart it");
}

void Account::hand_over() {
    if (m_hands_over && m_running == 0 && m_wishes->idle()) {
        m_hands_over = false;
        m_store->give_up_lead();
    }
}

void Account::look_after(bool wanted) {
    m_looks_after = wanted;
    if (!wanted)
        return;
    m_hands_over = false;
    loop::start(take_the_lead(), [name = m_options.name](std::optional<Error> error) {
        if (error && error->code != Code::cancelled)
            log::warn("sync", "{}: {}", name, error->message);
    });
}

loop::Task<> Account::take_the_lead() {
    auto self = shared_from_this();
    auto token = m_cancel.token();
    auto leading = m_store->lead(token);
    if (co_await leading)
        co_return;
    m_store->want_lead();
    auto asking = m_wishes->ask("lead", "{}", token); // one that only led in passing lets go
    co_await asking;
}

loop::Task<Summary> Account::lead_sync(Turn& turn, Kind kind, std::string folder, loop::CancelToken token,
                                       bool again) {
    struct Running {
        Account& account;
        explicit Running(Account& of) : account(of) { ++account.m_running; }
        ~Running() {
            --account.m_running;
            account.hand_over();
        }
    } one_more(*this);
    auto before = m_source->stats();
    auto started = m_loop.now_ms();
    // One that runs beside another's bodies is not what is shown.
    if (m_running == 1)
        m_bytes_before = before.bytes;
    auto progress = m_running > 1 ? std::make_shared<Progress>() : m_progress;
    progress->begin(started);
    Work work{m_store,
              m_source,
              progress.get(),
              [this] {
                  if (on_progress)
                      on_progress();
              },
              m_options.bodies,
              kind == Kind::full,
              token,
              &m_line_breakers};
    Summary summary;
    std::optional<Error> failure;
    auto stepping = steps(work, turn, kind, std::move(folder), summary);
    try {
        co_await stepping;
    } catch (const Error& error) {
        failure = error;
    }
    turn.end();
    if (failure && again && ended_by_network(failure->code))
        throw Error(*failure);
    auto after = m_source->stats();
    summary.bytes = after.bytes - before.bytes;
    summary.round_trips = after.round_trips - before.round_trips;
    summary.connections_opened = after.connections_opened - before.connections_opened;
    uv_update_time(m_loop.uv());
    summary.duration_ms = m_loop.now_ms() - started;
    auto keeping = keep_record(kind, summary, failure ? failure->message : std::string());
    try {
        co_await keeping;
    } catch (const Error& error) {
        log::warn("sync", "{}: the sync's record was not kept: {}", m_options.name, error.message);
    }
    if (failure) {
        m_options.counts->add(summary, *failure);
        throw Error(*failure);
    }
    m_options.counts->add(summary);
    if (m_store->sweep_due())
        loop::start(m_store->sweep(), [](std::optional<Error> error) {
            if (error && error->code != Code::cancelled)
                log::warn("store", "bodies without a message were not swept: {}", error->message);
        });
    co_return summary;
}

loop::Task<> Account::keep_record(Kind kind, const Summary& summary, std::string error) {
    return m_store->write<void>(
        [kind = std::string(name_of(kind)), summary, error = std::move(error)](store::Change& change) {
            auto row = change.database().prepare("INSERT INTO sync_run(kind, started_at, duration_ms, new, "
                                                 "updated, expunged, uploaded, bytes, "
                                                 "round_trips, error) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
            row.bind(kind, time::now_s() - summary.duration_ms / 1000, summary.duration_ms, summary.fresh,
                     summary.updated, summary.expunged, summary.uploaded, summary.bytes, summary.round_trips,
                     error)
                .run();
        },
        loop::CancelToken());
}

loop::Task<> Account::need_body(store::Id message, loop::CancelToken token) {
    auto self = shared_from_this();
    if (!m_store->leads()) {
        auto leading = m_store->lead(token);
        if (!co_await leading) {
            json::Writer detail;
            detail.begin_object().member("message", message).end_object();
            auto asking = m_wishes->ask("body", std::move(detail).str(), token);
            auto answer = co_await asking;
            if (answer) {
                auto told = summary_of(*answer);
                if (!told)
                    throw Error(told.error());
                co_return;
            }
        }
    }
    auto fetching = fetch(message, token);
    co_await fetching;
}

loop::Task<> Account::fetch(store::Id message, loop::CancelToken token) {
    auto self = shared_from_this();
    Progress progress; // nobody looks at it
    Work work{m_store, m_source, &progress, [] {}, m_options.bodies, false, token, &m_line_breakers};
    auto fetching = fetch_body(work, message);
    co_await fetching;
}

} // namespace himalaya::sync

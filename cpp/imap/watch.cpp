#include "imap/watch.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <fmt/format.h>

namespace himalaya::imap {

namespace {

// A connection that was lost sooner did not work out, and the next one waits longer.
constexpr int64_t lasting_ms = 10'000;
// A server that gives NOTIFY up again so soon after it was set is not asked for it any more.
constexpr int64_t overflow_rest_ms = 60'000;

} // namespace

std::string_view name_of(Change::Kind kind) {
    constexpr std::string_view names[] = {"messages", "expunged", "flags", "status"};
    return names[static_cast<size_t>(kind)];
}

Watch::Watch(Pool& pool) : m_pool(pool), m_cancel(pool.token()), m_backoff(pool.account().pauses_grow) {}

Watch::~Watch() {
    if (m_session)
        m_session->unlisten(this);
}

Watch::Id Watch::add(std::string folder, Function<void(const Change&)> on_change, Function<void()> on_up) {
    Id id = ++m_last;
    m_watchers.push_back(Watcher{id, std::move(folder), std::move(on_change), std::move(on_up)});
    m_stopped = false;
    begin();
    if (m_nap)
        m_nap->cancel();
    return id;
}

void Watch::remove(Id id) {
    for (auto& watcher : m_watchers)
        if (watcher.id == id)
            watcher.removed = true;
    if (m_telling == 0)
        m_watchers.remove_if([](auto& watcher) { return watcher.removed; });
    if (m_nap)
        m_nap->cancel();
}

void Watch::stop() {
    m_stopped = true;
    m_cancel.cancel();
}

void Watch::ask_now() {
    if (m_nap)
        m_nap->cancel();
}

std::string Watch::mode() const {
    constexpr std::string_view names[] = {"none", "notify", "idle", "poll"};
    return std::string(names[static_cast<size_t>(m_mode)]);
}

std::vector<std::string> Watch::folders() const {
    std::vector<std::string> names;
    for (auto& watcher : m_watchers)
        if (!watcher.removed && std::find(names.begin(), names.end(), watcher.folder) == names.end())
            names.push_back(watcher.folder);
    // IDLE hears one folder: the inbox, if it is among them.
    auto inbox = std::find(names.begin(), names.end(), "INBOX");
    if (inbox != names.end())
        std::rotate(names.begin(), inbox, inbox + 1);
    std::stable_partition(names.begin(), names.end(), [&](auto& name) { return !m_missing.contains(name); });
    return names;
}

// In whatever order: one that was found missing, or is there again, changes its place.
bool Watch::still_watched(const std::vector<std::string>& names) const {
    auto now = folders();
    return std::is_permutation(now.begin(), now.end(), names.begin(), names.end());
}

void Watch::begin() {
    if (std::exchange(m_running, true))
        return;
    auto keep = m_pool.shared_from_this();
    loop::start(run(), [keep, this](std::optional<Error>) {
        m_running = false;
        m_mode = Mode::none;
    });
}

// Under 25 minutes, and three quarters of the shortest life an IDLE was seen to have here.
uint64_t Watch::renewal_ms() const {
    uint64_t most = std::min<uint64_t>(m_pool.account().renew_ms, 24 * 60'000);
    uint64_t died = m_pool.learnt()->idle_died_after_ms;
    if (died > 0)
        most = std::clamp<uint64_t>(died * 3 / 4, std::min<uint64_t>(60'000, most), most);
    return most;
}

loop::Task<void> Watch::run() {
    auto token = m_cancel.token();
    while (!m_stopped && !folders().empty()) {
        std::optional<Error> failed;
        try {
            auto session = co_await m_pool.open_for_watch(token);
            m_session = session;
            session->listen(this);
            ++m_connection;
            m_serves_since_ms = 0;
            co_await serve(session, token);
        } catch (Error& error) {
            failed = error;
        }
        if (auto session = std::exchange(m_session, nullptr)) {
            session->unlisten(this);
            m_pool.give_back(session);
        }
        m_mode = Mode::none;
        if (m_stopped || token.cancelled() || folders().empty())
            co_return;
        if (!failed)
            continue;
        if (m_serves_since_ms > 0 && m_pool.loop().now_ms() - m_serves_since_ms >= lasting_ms)
            m_backoff.succeeded();
        // The first try after a lost connection comes at once, the next ones take their time.
        uint64_t wait = m_backoff.failed(*failed, m_pool.chance());
        if (m_backoff.failures() == 1 && failed->code != Fault::throttled)
            wait = 50;
        (void)co_await nap(wait, token);
    }
}

loop::Task<bool> Watch::nap(uint64_t ms, loop::CancelToken token) {
    m_nap.emplace(token);
    bool woken = false;
    try {
        co_await loop::sleep(m_pool.loop(), ms, m_nap->token());
    } catch (Error&) {
        woken = true;
    }
    m_nap.reset();
    token.throw_if_cancelled();
    co_return woken;
}

loop::Task<void> Watch::serve(std::shared_ptr<Session> session, loop::CancelToken token) {
    while (true) {
        auto names = folders();
        if (names.empty())
            co_return;
        m_overflowed = m_appeared = false;
        m_folder = names.front();
        Session::Use use = co_await session->use(m_folder, Priority::background, token);
        SelectOptions options;
        options.again = true;
        std::optional<Selected> selected;
        try {
            selected = co_await select(session, m_folder, std::move(options), token);
        } catch (Error& error) {
            if (!session->alive() || token.cancelled() || passes_by_itself(error.code))
                throw;
        }
        if (!selected) {
            // Not there, or not for us. Another folder is listened to, if there is one, and this one asked about.
            m_missing.insert(m_folder);
            if (m_missing.contains(folders().front())) {
                m_mode = Mode::poll;
                if (!session->is_wanted() && still_watched(names))
                    (void)co_await nap(m_pool.account().poll_ms, token);
                if (!session->alive())
                    throw Error(*session->error());
                m_missing.clear();
            }
            continue;
        }
        co_await session->settled(token);
        if (m_serves_since_ms == 0)
            m_serves_since_ms = m_pool.loop().now_ms();
        m_missing.erase(m_folder);
        Seen seen{selected->exists, selected->uid_next, selected->highest_modseq, {}};
        note(m_folder, seen);
        // Twice it took the connection with it: from now on we ask.
        bool hung = session->learnt().idle_hung >= 2;
        bool notify = session->has(Cap::notify) && session->learnt().notify && !hung;
        if (notify)
            notify = co_await set_notify(session, token);
        // Dovecot's NOTIFY says nothing of the selected folder outside IDLE, so both are asked for.
        bool idle = session->has(Cap::idle) && !hung;
        m_mode = notify ? Mode::notify : idle ? Mode::idle : Mode::poll;
        co_await ask_others(session, false, token);
        session->set_idling(idle);
        tell_up();
        m_quiet_since_ms = m_pool.loop().now_ms();
        int64_t renewed_ms = m_quiet_since_ms;
        while (true) {
            // Of other folders IDLE says nothing, and NOTIFY not always.
            bool polls = m_mode == Mode::poll || names.size() > 1;
            uint64_t wait = polls ? std::min(m_pool.account().poll_ms, renewal_ms()) : renewal_ms();
            // Where the server allows no other connection, whoever needs another folder gets this one meanwhile. What
            // came while something was asked found nobody asleep whom it could have woken.
            if (session->is_wanted() || m_overflowed || !still_watched(names))
                break;
            bool woken = co_await nap(wait, token);
            if (!session->alive())
                throw Error(*session->error());
            if (folders() != names || m_overflowed || m_appeared || session->is_wanted())
                break;
            if (m_mode == Mode::idle && !session->has(Cap::idle))
                m_mode = Mode::poll; // it was refused
            auto now = m_pool.loop().now_ms();
            bool renews =
                session->idling() && (woken || now - renewed_ms >= static_cast<int64_t>(renewal_ms()));
            if (renews)
                renewed_ms = now;
            // Asking ends the IDLE and begins another in the same breath. Some servers say nothing of the selected
            // folder while they idle, so that it is asked about, too, whenever the IDLE is renewed.
            if (polls || renews || woken || m_mode == Mode::notify)
                co_await ask_others(
                    session, renews || m_mode == Mode::poll || !session->quirks().idle_sees_all, token);
        }
        session->set_idling(false);
    }
}

loop::Task<bool> Watch::set_notify(std::shared_ptr<Session> session, loop::CancelToken token) {
    auto names = folders();
    Command command(session->dialect(), "NOTIFY SET");
    command.open().raw("selected (MessageNew MessageExpunge FlagChange)").close();
    if (names.size() > 1) {
        command.open();
        // Dovecot 2.3 says OK to a name beyond ASCII and then nothing of that folder; of all of them it tells.
        if (!std::all_of(names.begin() + 1, names.end(), [](auto& name) { return text::is_ascii(name); })) {
            command.raw("personal");
        } else {
            command.raw("mailboxes");
            command.open();
            for (size_t i = 1; i < names.size(); ++i)
                put_folder(command, *session, names[i]);
            command.close();
        }
        command.raw("(MessageNew MessageExpunge FlagChange)").close();
    }
    Request request{std::move(command), "NOTIFY"};
    Ticket ticket = session->post(std::move(request));
    Answer got = co_await session->answer(ticket, token);
    if (!got.ok())
        session->learnt().notify = false;
    co_return got.ok();
}

// What cannot be heard is asked: STATUS of the folders that are not selected, and of the selected one NOOP, which also
// tells whether the server is still there. Exchange tells the truth of a folder only after a new SELECT.
loop::Task<void> Watch::ask_others(std::shared_ptr<Session> session, bool all, loop::CancelToken token) {
    auto names = folders();
    if (names.empty())
        co_return;
    std::string selected = names.front();
    names.erase(names.begin());
    if (all && !session->quirks().idle_sees_all) {
        SelectOptions options;
        options.again = true;
        Selected now = co_await select(session, selected, std::move(options), token);
        Seen seen{now.exists, now.uid_next, now.highest_modseq, {}};
        note(selected, seen);
    } else if (all || names.empty()) {
        Request request{Command(session->dialect(), "NOOP"), "NOOP"};
        Ticket ticket = session->post(std::move(request));
        co_await session->answer(ticket, token);
    }
    auto results = co_await status(session, names, token);
    for (size_t i = 0; i < names.size(); ++i)
        if (results[i]) {
            auto& info = *results[i];
            Seen seen{info.messages.value_or(0), info.uid_next, info.highest_modseq, info.unseen};
            note(names[i], seen);
            if (m_missing.erase(names[i]) > 0)
                m_appeared = true; // it is there now: listen to it
        }
}

void Watch::note(const std::string& folder, Seen seen) {
    auto known = m_seen.find(folder);
    if (known == m_seen.end()) {
        m_seen.emplace(folder, seen);
        return;
    }
    // SELECT and STATUS do not tell the same things: what one leaves out has not changed.
    Seen before = known->second;
    auto keep = [](auto& now, const auto& old) {
        if (!now)
            now = old;
    };
    keep(seen.uid_next, before.uid_next);
    keep(seen.modseq, before.modseq);
    keep(seen.unseen, before.unseen);
    if (!before.unseen)
        before.unseen = seen.unseen;
    if (!before.uid_next)
        before.uid_next = seen.uid_next;
    if (!before.modseq)
        before.modseq = seen.modseq;
    known->second = seen;
    if (seen == before)
        return;
    Change change;
    change.folder = folder;
    change.exists = seen.exists;
    change.uid_next = seen.uid_next;
    change.modseq = seen.modseq;
    change.unseen = seen.unseen;
    tell(change);
}

void Watch::tell_up() {
    ++m_telling;
    for (auto& watcher : m_watchers)
        if (!watcher.removed && watcher.on_up && std::exchange(watcher.up, m_connection) != m_connection)
            watcher.on_up();
    if (--m_telling == 0)
        m_watchers.remove_if([](auto& watcher) { return watcher.removed; });
}

void Watch::tell(const Change& change) {
    ++m_telling;
    for (auto& watcher : m_watchers)
        if (!watcher.removed && watcher.folder == change.folder)
            watcher.on_change(change);
    if (--m_telling == 0)
        m_watchers.remove_if([](auto& watcher) { return watcher.removed; });
}

void Watch::on_news(Session& session, const Response& response) {
    m_quiet_since_ms = m_pool.loop().now_ms();
    Change change;
    change.folder = m_folder;
    if (session.selected())
        change.exists = session.selected()->exists;
    if (auto* exists = std::get_if<Exists>(&response)) {
        auto& seen = m_seen[m_folder];
        bool grew = exists->count != seen.exists;
        seen.exists = exists->count;
        // After DONE some servers repeat the number; that is no news.
        if (!grew)
            return;
        change.kind = Change::Kind::messages;
    } else if (std::get_if<Expunge>(&response)) {
        auto& seen = m_seen[m_folder];
        seen.exists -= seen.exists > 0 ? 1 : 0;
        change.kind = Change::Kind::expunged;
    } else if (auto* vanished = std::get_if<Vanished>(&response)) {
        change.kind = Change::Kind::expunged;
        change.vanished = UidSet(vanished->uids);
        if (change.exists)
            m_seen[m_folder].exists = *change.exists;
    } else if (auto* fetch = std::get_if<Fetch>(&response)) {
        if (!fetch->has_flags)
            return;
        change.kind = Change::Kind::flags;
        change.uid = fetch->uid;
        change.flags.assign(fetch->flags.begin(), fetch->flags.end());
        change.modseq = fetch->modseq;
        if (fetch->modseq)
            m_seen[m_folder].modseq = std::max(m_seen[m_folder].modseq.value_or(0), *fetch->modseq);
    } else if (auto* status = std::get_if<FolderStatus>(&response)) {
        // NOTIFY's way to tell of a folder that is not selected.
        // Dovecot 2.3 writes it as UTF-8 here, which is no odd name of the server's to be sent back as it is.
        std::string name =
            text::is_ascii(status->name) ? folder_name(session, status->name) : std::string(status->name);
        Seen seen = m_seen[name];
        seen.exists = status->messages.value_or(seen.exists);
        seen.uid_next = status->uid_next ? status->uid_next : seen.uid_next;
        seen.modseq = status->highest_modseq ? status->highest_modseq : seen.modseq;
        seen.unseen = status->unseen ? status->unseen : seen.unseen;
        return note(name, seen);
    } else if (auto* code = std::get_if<Status>(&response)) {
        if (code->code.kind == CodeKind::notification_overflow) {
            if (m_mode != Mode::notify || m_overflowed)
                return;
            // The server stopped telling: everything is asked and NOTIFY set anew, once in a while.
            auto now = m_pool.loop().now_ms();
            if (m_overflowed_ms > 0 && now - m_overflowed_ms < overflow_rest_ms)
                session.learnt().notify = false;
            m_overflowed_ms = now;
            m_overflowed = true;
            m_pool.loop().defer([keep = m_pool.shared_from_this(), this] { ask_now(); });
        } else if (!code->tag.empty()) {
            m_pool.loop().defer([keep = m_pool.shared_from_this(), this] { ask_now(); }); // IDLE refused
        }
        return;
    } else {
        return;
    }
    tell(change);
}

void Watch::on_wanted(Session&) {
    if (m_nap)
        m_pool.loop().defer([keep = m_pool.shared_from_this(), this] { ask_now(); });
}

void Watch::on_gone(Session&, const Error& error) {
    // Dead without a word while it idled: the next ones are renewed sooner.
    auto quiet = m_pool.loop().now_ms() - m_quiet_since_ms;
    if (m_mode == Mode::idle && (error.code == Fault::timeout || error.code == Fault::offline) &&
        quiet > 60'000) {
        auto& died = m_pool.learnt()->idle_died_after_ms;
        died = died == 0 ? static_cast<uint64_t>(quiet) : std::min(died, static_cast<uint64_t>(quiet));
    }
    if (m_nap)
        m_pool.loop().defer([keep = m_pool.shared_from_this(), this] { ask_now(); });
}

} // namespace himalaya::imap

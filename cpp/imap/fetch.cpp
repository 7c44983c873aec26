#include "imap/fetch.hpp"

#include "imap/text.hpp"
#include "imap/windows.hpp"

#include <algorithm>
#include <deque>
#include <fmt/format.h>
#include <map>
#include <utility>

namespace himalaya::imap {

namespace {

// A window should keep the server busy for about this long: short enough that a waiting user does not notice, long
// enough that its round trip does not show.
constexpr int64_t window_ms = 150;
constexpr uint64_t first_window = 250;
constexpr uint64_t smallest_window = 20;
constexpr uint64_t largest_window = 4000;
constexpr size_t windows_in_flight = 3;
constexpr uint64_t most_beyond = 1000;

struct Window {
    Ticket ticket;
    std::string text;      // the set as it was asked for
    uint64_t asked = 0;    // messages we think are in it
    uint64_t received = 0; // so far
    int64_t sent_ms = 0;
    bool newest_only = false;                // asked for by `*`
    std::shared_ptr<const FetchWants> wants; // none: the request's
    std::vector<uint32_t> uids;              // received
    // Messages whose answer could not be read, and what of it.
    std::vector<std::pair<uint32_t, std::string>> unread;
    std::vector<std::string> nameless; // what of such a one, where its UID could not be read either
};

// Bodies alone are fetched where the line may be slow: three windows of 250 are 3 MB under way, over a minute at 40 KiB/s
// for whoever waits behind them.
uint64_t first_window_of(const FetchWants& wants) {
    return wants.body && !wants.envelope ? smallest_window : first_window;
}

// The work of one fetch(): its state outlives the windows that refer to it.
class Fetching {
  public:
    Fetching(std::shared_ptr<Session> session, FetchRequest request, FetchSink& sink)
        : m_session(std::move(session)), m_request(std::move(request)), m_sink(sink) {}

    loop::Task<FetchResult> run(loop::CancelToken token);

  private:
    loop::Task<void> open_folder(loop::CancelToken token);
    loop::Task<void> take_oldest(loop::CancelToken token);
    void adapt(const Window& window);
    void check(const Selected& selected) const;
    std::shared_ptr<Window> send(const std::string& uids, uint64_t asked, bool newest_only,
                                 std::shared_ptr<const FetchWants> other_wants = nullptr);
    void take_newest(uint32_t uid);
    bool take_malformed(Window& window, const Malformed& malformed);
    bool floods();
    bool is_another_folder();
    loop::Task<void> ask_again(std::shared_ptr<Window> window, loop::CancelToken token);

    std::shared_ptr<Session> m_session;
    FetchRequest m_request;
    FetchSink& m_sink;
    std::string m_items;
    Session::Use m_use;
    Selected m_selected;
    std::deque<std::shared_ptr<Window>> m_flight;
    std::shared_ptr<Window> m_newest; // FETCH * that travelled with the SELECT
    uint32_t m_newest_uid = 0;
    bool m_wants_newest = false; // by `*` alone, whichever that is; of `900:*` it is wanted from 900 on
    uint64_t m_size = first_window_of(m_request.wants);
    std::optional<Windows> m_windows;
    FetchResult m_result;
    std::optional<Error> m_refused;
    std::optional<Error> m_unreadable; // a message came that cannot be had
    bool m_flooded = false;
    bool m_anew = false;
    bool m_not_open = false; // the server refused to open the folder
};

void Fetching::check(const Selected& selected) const {
    if (m_anew || (m_request.uid_validity && *m_request.uid_validity != selected.uid_validity))
        throw make_error(Fault::uidvalidity,
                         fmt::format("The folder {} was made anew on the server.", shown(m_request.folder)),
                         "Its messages are matched again before anything else is done.");
}

// Another task may have opened the folder again meanwhile, and what lies there now may be a new one: its UIDs are other
// messages. Answers come in order, so at each one it is known which folder it is of.
bool Fetching::is_another_folder() {
    auto& now = m_session->selected();
    if (now && m_selected.uid_validity != 0 && now->uid_validity != m_selected.uid_validity)
        m_anew = true;
    return m_anew;
}

// Some tell of a message twice; who tells of thousands that the folder does not have would go on for ever.
bool Fetching::floods() {
    uint64_t exists = m_selected.exists;
    if (auto& now = m_session->selected())
        exists = std::max<uint64_t>(exists, now->exists);
    if (m_result.messages < 2 * exists + most_beyond)
        return false;
    if (!std::exchange(m_flooded, true))
        m_session->loop().defer([session = m_session, folder = m_request.folder] {
            session->close(
                make_error(Fault::protocol,
                           fmt::format("The server tells of more and more messages that {} does not have.",
                                       shown(folder)),
                           "The connection was closed; ask whoever runs the server."));
        });
    return true;
}

void Fetching::take_newest(uint32_t uid) {
    m_newest_uid = std::max(m_newest_uid, uid);
    if (m_wants_newest)
        m_request.uids.add(uid);
}

bool Fetching::take_malformed(Window& window, const Malformed& malformed) {
    if (malformed.uid && !m_request.uids.contains(*malformed.uid))
        return m_request.uids.max() == last_of_all;
    if (malformed.uid && !malformed.item.empty())
        window.unread.emplace_back(*malformed.uid, malformed.item);
    else if (!malformed.item.empty())
        window.nameless.emplace_back(malformed.item);
    else if (!m_unreadable)
        m_unreadable = make_error(Fault::protocol,
                                  fmt::format("The server told of a message in {} what cannot be read: {}.",
                                              shown(m_request.folder), malformed.message),
                                  "Ask for the folder's other messages, or look at it with another program.");
    return true;
}

// A message that was answered with what cannot be read is asked for once more, without the item it failed at; and so
// on, until it comes or nothing is left that could be left out. Where the UID stands behind that item, all that did not
// come of the window are asked for: those that there are.
loop::Task<void> Fetching::ask_again(std::shared_ptr<Window> window, loop::CancelToken token) {
    if (window->unread.empty() && window->nameless.empty())
        co_return;
    std::map<std::string, UidSet> by_item;
    auto came = UidSet::of(window->uids);
    auto missing = UidSet::parse(window->text).value_or(UidSet()).without(came);
    for (auto& [uid, item] : window->unread) {
        if (!came.contains(uid)) // else it was news of a message that came
            by_item[item].add(uid);
        missing.remove(uid);
    }
    for (auto& item : window->nameless)
        by_item[item] = by_item[item].united(missing);
    for (auto& [item, asked] : by_item) {
        if (asked.empty())
            continue;
        auto less = std::make_shared<FetchWants>(window->wants ? *window->wants : m_request.wants);
        if (!leave_out(*less, item)) {
            if (!m_unreadable)
                m_unreadable =
                    make_error(Fault::protocol,
                               fmt::format("The server's {} of a message in {} cannot be read.", shown(item),
                                           shown(m_request.folder)),
                               "Ask for the folder's other messages, or look at it with another program.");
            continue;
        }
        for (auto& piece : split_for_line(asked, m_session->quirks().line_budget, m_items.size() + 40)) {
            auto again = send(piece, asked.count(), window->newest_only, less);
            Answer got = co_await m_session->answer(again->ticket, token);
            if (!got.ok())
                throw error_of(got.refusal(), fmt::format("fetch from {}", shown(m_request.folder)));
            co_await ask_again(again, token);
        }
    }
}

std::shared_ptr<Window> Fetching::send(const std::string& uids, uint64_t asked, bool newest_only,
                                       std::shared_ptr<const FetchWants> other_wants) {
    Command command(m_session->dialect(), "UID FETCH");
    command.raw(uids).raw(other_wants ? fetch_items(*other_wants, *m_session) : m_items);
    auto& wants = other_wants ? *other_wants : m_request.wants;
    uint32_t kinds = takes::fetch;
    if (wants.changed_since && m_session->has(Cap::condstore)) {
        bool vanished = wants.vanished && m_session->has(Cap::qresync) && m_session->learnt().qresync;
        command.raw(fmt::format("(CHANGEDSINCE {}{})", *wants.changed_since, vanished ? " VANISHED" : ""));
        if (vanished)
            kinds |= takes::vanished;
    }
    auto window = std::make_shared<Window>();
    window->text = uids;
    window->asked = asked;
    window->newest_only = newest_only;
    window->wants = std::move(other_wants);
    window->sent_ms = m_session->loop().now_ms();
    Request request{std::move(command), "UID FETCH", kinds};
    window->ticket =
        m_session->post(std::move(request), [this, state = window.get()](const Response& response) {
            if (auto* vanished = std::get_if<Vanished>(&response)) {
                m_sink.on_vanished(vanished->uids);
                return true;
            }
            if (auto* malformed = std::get_if<Malformed>(&response)) {
                if (state->newest_only && malformed->uid)
                    take_newest(*malformed->uid);
                return take_malformed(*state, *malformed);
            }
            auto& got = std::get<Fetch>(response);
            if (m_not_open)
                return true; // of a folder that was open before
            if (!got.uid || !answers(state->wants ? *state->wants : m_request.wants, got))
                return false;
            if (state->newest_only)
                take_newest(*got.uid);
            // `*` gives the last message whatever else was asked for; so does `900:*` in a folder of 800.
            if (!m_request.uids.contains(*got.uid))
                return m_request.uids.max() == last_of_all;
            if (is_another_folder() || floods())
                return true;
            ++state->received;
            state->uids.push_back(*got.uid);
            ++m_result.messages;
            m_sink.on_message(*m_session, got);
            return true;
        });
    window->ticket->on_large = [this, newest_only](const LiteralStart& start) -> LiteralSink* {
        if (newest_only && start.fetch && start.uid)
            take_newest(*start.uid);
        if (!start.fetch || m_not_open || is_another_folder() ||
            (start.uid && !m_request.uids.contains(*start.uid)))
            return nullptr;
        return m_sink.on_large(start);
    };
    ++m_result.windows;
    return window;
}

loop::Task<void> Fetching::open_folder(loop::CancelToken token) {
    m_use = co_await m_session->use(m_request.folder, m_request.priority, token);
    m_items = fetch_items(m_request.wants, *m_session);
    bool open_ended = m_request.uids.max() == last_of_all;
    Ticket selecting;
    {
        Session::Together together(*m_session);
        selecting = post_select(*m_session, m_request.folder);
        // The folder's newest message is asked for in the same breath; it also tells the highest UID.
        if (selecting && open_ended && m_result.windows == 0 && !m_request.uid_validity)
            m_newest = send("*", 1, true);
    }
    if (selecting) {
        Answer got = co_await m_session->answer(selecting, token);
        if (!got.ok()) {
            m_not_open = true;
            if (auto newest = std::exchange(m_newest, nullptr))
                co_await m_session->answer(newest->ticket, token);
            throw error_of(got.refusal(), fmt::format("open the folder {}", shown(m_request.folder)));
        }
    }
    if (!m_session->selected() || m_session->selected()->folder != m_request.folder) {
        // On its way with another task's SELECT.
        SelectOptions options;
        co_await select(m_session, m_request.folder, std::move(options), token);
    }
    m_selected = *m_session->selected();
    check(m_selected);
    if (m_wants_newest && !m_newest && m_newest_uid == 0 && m_selected.exists > 0)
        m_newest = send("*", 1, true);
    m_result.uid_validity = m_selected.uid_validity;
    m_sink.on_selected(m_selected);
}

void Fetching::adapt(const Window& window) {
    if (m_windows)
        m_windows->came(window.asked, window.received);
    if (window.received < 10)
        return;
    auto took = std::max<int64_t>(m_session->loop().now_ms() - window.sent_ms, 1);
    // Windows wait behind those sent before them.
    took = std::max<int64_t>(took / static_cast<int64_t>(m_flight.size() + 1), 1);
    uint64_t fits = window.received * window_ms / static_cast<uint64_t>(took);
    m_size = std::clamp((m_size + fits) / 2, smallest_window, largest_window);
}

loop::Task<void> Fetching::take_oldest(loop::CancelToken token) {
    auto window = m_flight.front();
    Answer got = co_await m_session->answer(window->ticket, token);
    m_flight.pop_front();
    if (got.ok()) {
        adapt(*window);
        co_await ask_again(window, token);
        if (auto came = UidSet::parse(window->text); came && !m_unreadable)
            m_sink.on_done(*came);
        co_return;
    }
    Error error = error_of(got.refusal(), fmt::format("fetch from {}", shown(m_request.folder)));
    // Half of a set may have come; what else is refused will be refused too.
    if (!m_refused)
        m_refused = std::move(error);
}

loop::Task<FetchResult> Fetching::run(loop::CancelToken token) {
    if (m_request.uids.empty())
        co_return m_result;
    m_wants_newest = m_request.uids.ranges().back().first == last_of_all;
    co_await open_folder(token);
    if (m_newest) {
        auto newest = std::exchange(m_newest, nullptr);
        // In an empty folder `*` is nothing, and many servers say NO or BAD to that.
        Answer got = co_await m_session->answer(newest->ticket, token);
        if (!got.ok() && m_selected.exists > 0)
            throw error_of(got.refusal(), fmt::format("fetch from {}", shown(m_request.folder)));
        co_await ask_again(newest, token);
    }
    if (m_selected.exists == 0 && !m_request.wants.vanished)
        co_return m_result;
    uint32_t highest = m_selected.uid_next && *m_selected.uid_next > 1 ? *m_selected.uid_next - 1 : 0;
    highest = std::max(highest, m_newest_uid);
    UidSet left = m_request.uids;
    if (m_newest_uid > 0)
        left.remove(Range{m_newest_uid, m_newest_uid});
    bool open_ended = left.max() == last_of_all;
    // Changes are few: one command for the whole set, for which the server looks at its own index.
    bool whole = m_request.wants.changed_since.has_value() || (open_ended && highest == 0);
    if (!whole && left.count() > first_window)
        co_await m_session->compress_for_bulk(token);
    m_windows.emplace(left, m_selected.exists, open_ended ? highest : std::max(highest, left.max()));
    auto& windows = *m_windows;
    bool whole_sent = false;
    auto more = [&] { return !m_refused && (whole ? !whole_sent : !windows.done()); };
    size_t budget = m_session->quirks().line_budget;
    std::deque<std::string> texts; // of the window being sent: more than one where the line is short
    uint64_t asked = 0;
    while (more() || !texts.empty() || !m_flight.empty()) {
        if (m_session->is_wanted(m_request.priority)) {
            while (!m_flight.empty())
                co_await take_oldest(token);
            m_use.release();
            co_await open_folder(token);
        }
        while (m_flight.size() < windows_in_flight && (more() || !texts.empty())) {
            if (texts.empty()) {
                UidSet window = whole ? left : windows.next(m_size);
                whole_sent = true;
                asked = m_size;
                auto pieces = split_for_line(window, budget, m_items.size() + 40);
                texts.assign(pieces.begin(), pieces.end());
                if (texts.empty())
                    break;
            }
            std::string uids = std::move(texts.front());
            texts.pop_front();
            m_flight.push_back(send(uids, asked, false));
        }
        if (!m_flight.empty())
            co_await take_oldest(token);
        if (m_refused)
            texts.clear();
        check(m_selected);
    }
    if (m_refused)
        throw Error(*m_refused);
    if (m_unreadable)
        throw Error(*m_unreadable);
    co_return m_result;
}

} // namespace

loop::Task<FetchResult> fetch(std::shared_ptr<Session> session, FetchRequest request, FetchSink& sink,
                              loop::CancelToken token) {
    Fetching fetching(session, std::move(request), sink);
    FetchResult result = co_await fetching.run(token);
    co_return result;
}

} // namespace himalaya::imap

// native.imap.fetch: messages become Lua tables while they are read, straight from the bytes of the connection, and
// wait in the queue into Lua; when the caller is behind, the connection is not read.
#include "lua/imap_client.hpp"

#include "lua/imap_body_file.hpp"
#include "mail/encoded_word.hpp"

#include <algorithm>
#include <deque>
#include <fmt/format.h>
#include <iterator>

namespace himalaya::lua {

using namespace himalaya::imap;

namespace {

// Messages that may wait for Lua before reading stops. With bodies their bytes count as well.
constexpr std::size_t most_waiting = 512;
constexpr std::size_t most_bytes = 4u << 20;
// Set in one turn of the loop when they come back.
constexpr std::size_t decoded_at_once = 32;

// LuaJIT walks all that lives each time as much again was made. Bodies are made by the hundred megabyte in an editor
// that may hold one: a block nobody ever touches, so that no memory stands behind it, lets it walk less often.
constexpr std::size_t ballast_bytes = 4u << 20;

// A message that waits for its texts to be decoded.
struct Waiting {
    Ref table;
    std::size_t bytes = 0;
    std::vector<Undecoded> texts;
};

class LuaSink : public FetchSink, public std::enable_shared_from_this<LuaSink> {
  public:
    LuaSink(ImapArea& area, Ref on_message, std::string directory, Ref ballast)
        : m_area(area), m_events(area.runtime.events()),
          m_listener(m_events.listen(std::move(on_message), most_waiting, Events::Pace::gathering)),
          m_directory(std::move(directory)), m_ballast(std::move(ballast)) {}

    void begin(std::shared_ptr<Session> session, const loop::CancelToken& token) {
        if (m_paused && m_session)
            m_session->resume();
        m_session = std::move(session);
        if (m_paused)
            m_session->pause();
        m_token = token;
        Events::on_room(m_listener, [weak = weak_from_this()] {
            if (auto self = weak.lock()) {
                self->m_full = false;
                self->go_on();
            }
        });
    }

    void on_message(Session&, const Fetch& message) override {
        if (message.uid)
            m_delivered.push_back(*message.uid);
        lua_State* L = m_area.runtime.state();
        lua_checkstack(L, 40);
        std::vector<Undecoded> texts;
        push_message(L, message, texts);
        std::size_t bytes = 0;
        std::shared_ptr<BodyFile> file;
        for (auto& section : message.sections) {
            bytes += section.data.size();
            if (section.streamed && m_file)
                file = std::exchange(m_file, nullptr);
        }
        if (file)
            set(L, "body_file", file->path());
        m_bytes += bytes;
        Waiting waiting{Ref::pop(L), bytes, std::move(texts)};
        if (file)
            wait_for(std::move(file), std::move(waiting));
        else
            deliver(std::move(waiting));
        hold_if_behind();
    }

    LiteralSink* on_large(const LiteralStart&) override {
        if (m_directory.empty())
            return nullptr;
        m_file = std::make_shared<BodyFile>(m_area.worker(), m_session,
                                            fmt::format("{}/{}-{}", m_directory, m_number, ++m_file_number));
        return m_file.get();
    }

    // All that was delivered is with Lua or in its queue, large ones on disk.
    loop::Task<void> settled(loop::CancelToken token) {
        co_await m_settled.wait(token);
        if (m_failed)
            throw Error(*m_failed);
    }

    UidSet delivered() const { return UidSet::of(m_delivered); }
    std::size_t count() const { return m_delivered.size(); }

  private:
    // A message is told of when its file is whole.
    void wait_for(std::shared_ptr<BodyFile> file, Waiting waiting) {
        begin_one();
        file->when_written([self = shared_from_this(), file,
                            waiting = std::move(waiting)](std::optional<Error> failed) mutable {
            if (failed && !self->m_failed)
                self->m_failed = std::move(failed);
            self->deliver(std::move(waiting));
            self->end_one();
        });
    }

    void deliver(Waiting waiting) {
        if (waiting.texts.empty())
            return offer(std::move(waiting.table), waiting.bytes);
        m_undecoded.push_back(std::move(waiting));
        decode();
    }

    // What waits goes to the worker together, one batch at a time; it comes back a little later than its neighbours.
    void decode() {
        if (m_decoding || m_undecoded.empty())
            return;
        m_decoding = true;
        begin_one();
        auto count = static_cast<std::ptrdiff_t>(std::min(m_undecoded.size(), decoded_at_once));
        auto batch =
            std::make_shared<std::vector<Waiting>>(std::make_move_iterator(m_undecoded.begin()),
                                                   std::make_move_iterator(m_undecoded.begin() + count));
        m_undecoded.erase(m_undecoded.begin(), m_undecoded.begin() + count);
        m_area.worker().run(
            [batch] {
                for (auto& waiting : *batch)
                    for (auto& one : waiting.texts)
                        one.text = mail::decode_header(one.text);
            },
            [self = shared_from_this(), batch] {
                self->m_decoding = false;
                lua_State* L = self->m_area.runtime.state();
                lua_checkstack(L, 4);
                for (auto& waiting : *batch) {
                    for (auto& one : waiting.texts) {
                        one.table.push(L);
                        set(L, one.key, one.text);
                        lua_pop(L, 1);
                    }
                    self->offer(std::move(waiting.table), waiting.bytes);
                }
                self->decode();
                self->end_one();
                self->hold_if_behind();
                self->go_on();
            });
    }

    // It is settled when Lua has it: until then the fetch may be cancelled, and nothing more of it is told.
    void offer(Ref table, std::size_t bytes) {
        begin_one();
        bool room = m_events.offer(
            m_listener, [self = shared_from_this(), table = std::move(table), bytes](lua_State* L) {
                self->m_bytes -= bytes;
                self->go_on();
                self->end_one();
                if (self->m_token.cancelled())
                    lua_pushnil(L);
                else
                    table.push(L);
                return 1;
            });
        m_full = m_full || !room;
    }

    bool is_behind(std::size_t bytes, std::size_t undecoded) const {
        return m_full || m_bytes > bytes || m_undecoded.size() > undecoded;
    }

    void hold_if_behind() {
        if (m_paused || !m_session || !is_behind(most_bytes, most_waiting))
            return;
        m_paused = true;
        m_session->pause();
    }

    void go_on() {
        if (!m_paused || is_behind(most_bytes / 2, most_waiting / 2))
            return;
        m_paused = false;
        m_session->resume();
    }

    void begin_one() {
        if (m_unsettled++ == 0)
            m_settled.close();
    }

    void end_one() {
        if (--m_unsettled == 0)
            m_settled.open();
    }

    ImapArea& m_area;
    Events& m_events;
    Events::Listener m_listener;
    loop::CancelToken m_token;
    uint64_t m_number = ++m_area.last;
    std::string m_directory;
    Ref m_ballast;
    std::shared_ptr<Session> m_session;
    std::shared_ptr<BodyFile> m_file;
    std::deque<Waiting> m_undecoded;
    loop::Gate m_settled{true};
    std::optional<Error> m_failed;
    std::vector<uint32_t> m_delivered;
    std::size_t m_bytes = 0;
    std::size_t m_unsettled = 0;
    std::size_t m_file_number = 0;
    bool m_decoding = false;
    bool m_full = false;
    bool m_paused = false;
};

loop::Task<Arguments> run_fetch(loop::Loop& loop, std::shared_ptr<Pool> pool, FetchRequest request,
                                std::shared_ptr<LuaSink> sink, loop::CancelToken token) {
    FetchResult total;
    UidSet wanted = request.uids;
    for (int attempt = 0;; ++attempt) {
        auto session = co_await pool->take(request.folder, request.priority, token);
        sink->begin(session, token);
        std::optional<Error> failed;
        try {
            FetchRequest again = request;
            again.uids = wanted;
            FetchResult result = co_await fetch(session, std::move(again), *sink, token);
            total.uid_validity = result.uid_validity;
        } catch (Error& error) {
            failed = error;
        }
        if (!failed)
            break;
        if (!may_try_again(*failed, *session, attempt))
            throw Error(*failed);
        // What has come has come; the rest is asked for on another connection.
        wanted = request.uids.without(sink->delivered());
        if (total.uid_validity == 0 && session->selected())
            total.uid_validity = session->selected()->uid_validity;
        if (total.uid_validity != 0)
            request.uid_validity = total.uid_validity;
        co_await loop::sleep(loop, retry_wait_ms(attempt), token);
    }
    co_await sink->settled(token);
    total.messages = sink->count();
    co_return [total](lua_State* L) {
        lua_createtable(L, 0, 2);
        set(L, "messages", total.messages);
        set(L, "uidvalidity", static_cast<uint64_t>(total.uid_validity));
        return 1;
    };
}

} // namespace

// fetch(client, folder, uids, items, directory, on_message, callback) -> operation
int imap_fetch(lua_State* L, Runtime& runtime) {
    auto& area = ImapArea::of(runtime);
    auto client = area.check_client(L, 1);
    FetchRequest request;
    request.folder = std::string(check_string(L, 2, "folder"));
    request.uids = check_uids(L, 3, "uids");
    request.wants = check_wants(L, 4);
    Table items(L, 4, "items");
    auto priority = items.string("priority");
    // Much at once is bulk: it steps aside for whatever else is asked.
    bool bulk = request.uids.count() > 500;
    request.priority = check_priority(priority, bulk ? Priority::background : Priority::ui);
    std::string directory = is_given(L, 5) ? std::string(check_string(L, 5, "directory")) : std::string();
    Ref ballast;
    if (bulk && request.wants.body) {
        lua_newuserdata(L, ballast_bytes);
        ballast = Ref::pop(L);
    }
    auto sink = std::make_shared<LuaSink>(area, check_function(L, 6, "on_message"), std::move(directory),
                                          std::move(ballast));
    return area.operations.run(
        L, check_function(L, 7, "cb"), client->pool->token(),
        [&loop = runtime.loop(), pool = client->pool, request, sink](loop::CancelToken token) {
            return run_fetch(loop, pool, request, sink, std::move(token));
        });
}

} // namespace himalaya::lua

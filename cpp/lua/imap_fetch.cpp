// native.imap.fetch: messages become Lua tables while they are read, straight from the bytes of the connection, and
// wait in the queue into Lua; when the caller is behind, the connection is not read.
#include "lua/imap_client.hpp"

#include "lua/imap_body_file.hpp"

#include <fmt/format.h>

namespace himalaya::lua {

using namespace himalaya::imap;

namespace {

// Messages that may wait for Lua before reading stops. With bodies their bytes count as well.
constexpr std::size_t most_waiting = 512;
constexpr std::size_t most_bytes = 4u << 20;

class LuaSink : public FetchSink, public std::enable_shared_from_this<LuaSink> {
  public:
    LuaSink(ImapArea& area, Ref on_message, std::string directory)
        : m_area(area), m_events(area.runtime.events()),
          m_listener(m_events.listen(std::move(on_message), most_waiting, Events::Pace::gathering)),
          m_directory(std::move(directory)) {}

    void begin(std::shared_ptr<Session> session, const loop::CancelToken& token) {
        m_session = std::move(session);
        m_token = token;
    }

    void on_message(Session&, const Fetch& message) override {
        if (message.uid)
            m_delivered.push_back(*message.uid);
        lua_State* L = m_area.runtime.state();
        lua_checkstack(L, 40);
        push_message(L, message);
        std::size_t bytes = 0;
        std::shared_ptr<BodyFile> file;
        for (auto& section : message.sections) {
            bytes += section.data.size();
            if (section.streamed && m_file)
                file = std::exchange(m_file, nullptr);
        }
        if (file) {
            set(L, "body_file", file->path());
            Ref table = Ref::pop(L);
            ++m_files;
            // A message is told of when its file is whole.
            file->when_written([self = shared_from_this(), file,
                                kept = std::make_shared<Ref>(std::move(table))](std::optional<Error> failed) {
                if (failed && !self->m_failed)
                    self->m_failed = std::move(failed);
                self->offer(std::move(*kept), 0);
                if (--self->m_files == 0)
                    self->m_written.open();
            });
            m_written.close();
            return;
        }
        offer(Ref::pop(L), bytes);
    }

    LiteralSink* on_large(const LiteralStart&) override {
        if (m_directory.empty())
            return nullptr;
        m_file = std::make_shared<BodyFile>(m_area.worker(), m_session,
                                            fmt::format("{}/{}-{}", m_directory, m_number, ++m_file_number));
        return m_file.get();
    }

    // All that was delivered is with Lua or in its queue, large ones on disk.
    loop::Task<void> written(loop::CancelToken token) {
        co_await m_written.wait(token);
        if (m_failed)
            throw Error(*m_failed);
    }

    UidSet delivered() const { return UidSet::of(m_delivered); }
    std::size_t count() const { return m_delivered.size(); }
    const Events::Listener& listener() const { return m_listener; }

  private:
    void offer(Ref table, std::size_t bytes) {
        m_bytes += bytes;
        bool room = m_events.offer(
            m_listener, [self = shared_from_this(), table = std::move(table), bytes](lua_State* L) {
                self->m_bytes -= bytes;
                if (self->m_paused && self->m_bytes < most_bytes / 2)
                    self->go_on();
                if (self->m_token.cancelled())
                    lua_pushnil(L);
                else
                    table.push(L);
                return 1;
            });
        if ((!room || m_bytes > most_bytes) && !m_paused && m_session) {
            m_paused = true;
            m_session->pause();
            Events::on_room(m_listener, [weak = weak_from_this()] {
                if (auto self = weak.lock())
                    self->go_on();
            });
        }
    }

    void go_on() {
        if (m_bytes > most_bytes || !std::exchange(m_paused, false))
            return;
        if (m_session)
            m_session->resume();
    }

    ImapArea& m_area;
    Events& m_events;
    Events::Listener m_listener;
    loop::CancelToken m_token;
    uint64_t m_number = ++m_area.last;
    std::string m_directory;
    std::shared_ptr<Session> m_session;
    std::shared_ptr<BodyFile> m_file;
    loop::Gate m_written{true};
    std::optional<Error> m_failed;
    std::vector<uint32_t> m_delivered;
    std::size_t m_bytes = 0;
    std::size_t m_files = 0;
    std::size_t m_file_number = 0;
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
    co_await sink->written(token);
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
    auto sink = std::make_shared<LuaSink>(area, check_function(L, 6, "on_message"), std::move(directory));
    return area.operations.run(
        L, check_function(L, 7, "cb"), client->pool->token(),
        [&loop = runtime.loop(), pool = client->pool, request, sink](loop::CancelToken token) {
            return run_fetch(loop, pool, request, sink, std::move(token));
        });
}

} // namespace himalaya::lua

// native.imap: the client for Lua. lua/himalaya/imap.lua gives it its documented shape.
#include "lua/areas.hpp"
#include "lua/imap_client.hpp"
#include "lua/long_list.hpp"

#include <fmt/format.h>

namespace himalaya::lua {

using namespace himalaya::imap;

namespace {

ImapArea* g_area = nullptr; // of the one Runtime

} // namespace

ImapArea::ImapArea(Runtime& of) : runtime(of), net(of.loop()), operations(of) {
    of.at_stop([this] {
        // Closing a pool ends its open(), which takes the client out of the map.
        auto closing = clients;
        for (auto& [id, client] : closing)
            client->pool->close();
        if (m_worker)
            m_worker->stop();
    });
}

ImapArea& ImapArea::of(Runtime& runtime) {
    if (!g_area)
        g_area = &runtime.make<ImapArea>(runtime);
    return *g_area;
}

loop::Worker& ImapArea::worker() {
    if (!m_worker)
        m_worker = std::make_unique<loop::Worker>(runtime.loop(), "himalaya-bodies");
    return *m_worker;
}

std::shared_ptr<ImapClient> ImapArea::check_client(lua_State* L, int index) {
    auto found = clients.find(static_cast<uint64_t>(check_integer(L, index, "client")));
    if (found == clients.end())
        bad_argument("client", "it is closed");
    return found->second;
}

Priority check_priority(const std::optional<std::string>& name, Priority fallback) {
    if (!name)
        return fallback;
    if (*name == "user")
        return Priority::user;
    if (*name == "ui")
        return Priority::ui;
    if (*name == "background")
        return Priority::background;
    bad_argument("priority", "expected user, ui or background");
}

bool may_try_again(const Error& error, const Session& session, int attempt) {
    // Whoever did not answer in time is waited for once more only: that was long enough.
    int most = error.code == Code::offline ? 3 : error.code == Code::timeout ? 1 : 0;
    return attempt < most && !session.alive();
}

uint64_t retry_wait_ms(int attempt) {
    return uint64_t(100) << attempt;
}

namespace {

using Client = std::shared_ptr<ImapClient>;
using SessionPtr = std::shared_ptr<Session>;

loop::Task<Arguments> run_open(ImapArea& area, Client client, loop::CancelToken token) {
    std::optional<Error> failed;
    try {
        co_await client->pool->open(token);
    } catch (Error& error) {
        failed = error;
    }
    if (failed) {
        area.clients.erase(client->id);
        client->pool->close();
        throw Error(*failed);
    }
    co_return [client](lua_State* L) {
        lua_pushnumber(L, static_cast<double>(client->id));
        return 1;
    };
}

loop::Task<Arguments> known_capabilities(Client client) {
    co_return [client](lua_State* L) {
        push_capabilities(L, client->pool->capabilities());
        return 1;
    };
}

loop::Task<Arguments> run_close(Client client) {
    if (client)
        client->pool->close();
    co_return [](lua_State*) { return 0; };
}

// open(opts, callback(err, client)) -> operation
int open(lua_State* L, Runtime& runtime) {
    auto& area = ImapArea::of(runtime);
    Table options(L, 1, "opts");
    Account account = check_account(options, runtime.loop());
    Ref callback = check_function(L, 2, "cb");
    auto client = std::make_shared<ImapClient>();
    client->id = ++area.last;
    client->pool = std::make_shared<Pool>(area.net, std::move(account));
    area.clients.emplace(client->id, client);
    return area.operations.run(
        L, std::move(callback), client->pool->token(),
        [&area, client](loop::CancelToken token) { return run_open(area, client, std::move(token)); });
}

// cancel(operation) -> boolean
int cancel(lua_State* L, Runtime& runtime) {
    auto operation = static_cast<uint64_t>(check_integer(L, 1, "operation"));
    lua_pushboolean(L, ImapArea::of(runtime).operations.cancel(operation));
    return 1;
}

// capabilities(client, callback) -> operation
int capabilities(lua_State* L, Runtime& runtime) {
    auto& area = ImapArea::of(runtime);
    auto client = area.check_client(L, 1);
    return area.operations.run(L, check_function(L, 2, "cb"), client->pool->token(),
                               [client](loop::CancelToken) { return known_capabilities(client); });
}

int stats(lua_State* L, Runtime& runtime) {
    auto client = ImapArea::of(runtime).check_client(L, 1);
    push_stats(L, client->pool->stats());
    return 1;
}

// list(client, pattern, opts { status? }, callback) -> operation
int list(lua_State* L, Runtime& runtime) {
    std::string pattern(check_string(L, 2, "pattern"));
    Table options(L, 3, "opts", false);
    bool with_status = options.boolean("status").value_or(false);
    auto work = [pattern, with_status](SessionPtr session, loop::CancelToken token) -> loop::Task<Arguments> {
        auto found = co_await imap::list(session, pattern, with_status, token);
        co_return [found = std::move(found), names = LongList()](lua_State* to) mutable {
            bool whole = names.push(to, found.size(), [&](std::size_t i) { push_folder(to, found[i]); });
            return whole ? 1 : Events::GO_ON;
        };
    };
    return ask(L, runtime, 4, {}, true, std::move(work));
}

// status(client, folder, callback) -> operation
int status(lua_State* L, Runtime& runtime) {
    std::string folder(check_string(L, 2, "folder"));
    auto work = [folder](SessionPtr session, loop::CancelToken token) -> loop::Task<Arguments> {
        std::vector<std::string> folders{folder};
        auto found = co_await imap::status(session, folders, token);
        StatusInfo info = std::move(found.front()).or_throw();
        co_return [info](lua_State* to) {
            push_status(to, info);
            return 1;
        };
    };
    return ask(L, runtime, 3, {}, true, std::move(work));
}

// search(client, folder, criteria, callback) -> operation
int search(lua_State* L, Runtime& runtime) {
    std::string folder(check_string(L, 2, "folder"));
    SearchRequest request = check_criteria(L, 3);
    request.folder = folder;
    auto work = [request](SessionPtr session, loop::CancelToken token) -> loop::Task<Arguments> {
        UidSet found = co_await imap::search(session, request, token);
        co_return [numbers = found.numbers(), list = LongList()](lua_State* to) mutable {
            bool whole =
                list.push(to, numbers.size(), [&](std::size_t i) { lua_pushnumber(to, numbers[i]); });
            return whole ? 1 : Events::GO_ON;
        };
    };
    return ask(L, runtime, 4, folder, true, std::move(work));
}

// watch(client, folder, on_change) -> watcher
int watch(lua_State* L, Runtime& runtime) {
    auto client = ImapArea::of(runtime).check_client(L, 1);
    std::string folder(check_string(L, 2, "folder"));
    auto& events = runtime.events();
    auto listener = events.listen(check_function(L, 3, "on_change"), 4096);
    auto id = client->pool->watch().add(folder, [&events, listener](const Change& change) {
        auto tell = [change](lua_State* to) {
            push_change(to, change);
            return 1;
        };
        // New mail and expunges are told one by one; of flags and counts the newest is enough.
        if (change.kind == Change::Kind::flags && change.uid)
            events.change(listener, fmt::format("flags {}", *change.uid), tell);
        else if (change.kind == Change::Kind::status)
            events.change(listener, "status", tell);
        else
            (void)events.offer(listener, tell);
    });
    lua_pushnumber(L, static_cast<double>(id));
    return 1;
}

// unwatch(client, watcher)
int unwatch(lua_State* L, Runtime& runtime) {
    auto& area = ImapArea::of(runtime);
    auto found = area.clients.find(static_cast<uint64_t>(check_integer(L, 1, "client")));
    if (found != area.clients.end())
        found->second->pool->watch().remove(static_cast<uint64_t>(check_integer(L, 2, "watcher")));
    return 0;
}

// wake(client): the machine slept or the network changed; for autocmds and tests
int wake(lua_State* L, Runtime& runtime) {
    ImapArea::of(runtime).check_client(L, 1)->pool->surroundings_changed();
    return 0;
}

// close(client, callback) -> operation; of one that is closed already nothing more happens
int close(lua_State* L, Runtime& runtime) {
    auto& area = ImapArea::of(runtime);
    auto found = area.clients.find(static_cast<uint64_t>(check_integer(L, 1, "client")));
    Ref callback = check_function(L, 2, "cb");
    Client client;
    if (found != area.clients.end()) {
        client = found->second;
        area.clients.erase(found);
    }
    return area.operations.run(L, std::move(callback), runtime.loop().token(),
                               [client](loop::CancelToken) { return run_close(client); });
}

} // namespace

void open_imap(lua_State* L, Runtime&) {
    lua_newtable(L);
    set_function<open>(L, "open");
    set_function<cancel>(L, "cancel");
    set_function<capabilities>(L, "capabilities");
    set_function<stats>(L, "stats");
    set_function<list>(L, "list");
    set_function<status>(L, "status");
    set_function<imap_fetch>(L, "fetch");
    set_function<search>(L, "search");
    add_imap_changing(L);
    set_function<watch>(L, "watch");
    set_function<unwatch>(L, "unwatch");
    set_function<wake>(L, "wake");
    set_function<close>(L, "close");
    lua_setfield(L, -2, "imap");
}

} // namespace himalaya::lua

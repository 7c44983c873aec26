// native.imap: the client for Lua. lua/himalaya/imap.lua gives it its documented shape.
#include "lua/areas.hpp"
#include "lua/imap_client.hpp"

#include <fmt/format.h>

namespace himalaya::lua {

using namespace himalaya::imap;

namespace {

ImapArea* g_area = nullptr; // of the one Runtime

} // namespace

void ImapOperation::succeed(Arguments result) {
    if (std::exchange(done, true))
        return;
    events.complete(std::move(callback), std::move(result));
}

void ImapOperation::fail(Error error) {
    if (std::exchange(done, true))
        return;
    events.fail(std::move(callback), std::move(error));
}

ImapArea::ImapArea(Runtime& of) : runtime(of), net(of.loop()) {
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

std::shared_ptr<ImapOperation> ImapArea::begin(std::shared_ptr<ImapClient> client, Ref callback) {
    auto operation = std::make_shared<ImapOperation>(runtime.events(), client->pool->token());
    operation->id = ++last;
    operation->client = std::move(client);
    operation->callback = std::move(callback);
    operations.emplace(operation->id, operation);
    return operation;
}

void ImapArea::run(std::shared_ptr<ImapOperation> operation, loop::Task<void> task) {
    loop::start(std::move(task), [this, operation](std::optional<Error> error) {
        operations.erase(operation->id);
        if (error)
            operation->fail(std::move(*error));
    });
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
using Operation = std::shared_ptr<ImapOperation>;
using SessionPtr = std::shared_ptr<Session>;

// fn(session) -> Task<void> on a connection that fits; again on another one when `repeatable` and it was lost.
template<class F>
loop::Task<void> on_session(ImapArea& area, Operation operation, std::string folder, bool repeatable, F fn) {
    auto token = operation->cancel.token();
    for (int attempt = 0;; ++attempt) {
        SessionPtr session = co_await operation->client->pool->take(folder, Priority::user, token);
        std::optional<Error> failed;
        try {
            co_await fn(session);
        } catch (Error& error) {
            failed = error;
        }
        if (!failed)
            co_return;
        if (!repeatable || !may_try_again(*failed, *session, attempt))
            throw Error(*failed);
        co_await loop::sleep(area.runtime.loop(), retry_wait_ms(attempt), token);
    }
}

int started(lua_State* L, const Operation& operation) {
    lua_pushnumber(L, static_cast<double>(operation->id));
    return 1;
}

loop::Task<void> run_open(ImapArea& area, Operation operation) {
    auto client = operation->client;
    auto token = operation->cancel.token();
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
    operation->succeed([client](lua_State* L) {
        lua_pushnumber(L, static_cast<double>(client->id));
        return 1;
    });
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
    auto operation = area.begin(client, std::move(callback));
    area.run(operation, run_open(area, operation));
    return started(L, operation);
}

// cancel(operation) -> boolean
int cancel(lua_State* L, Runtime& runtime) {
    auto& area = ImapArea::of(runtime);
    auto found = area.operations.find(static_cast<uint64_t>(check_integer(L, 1, "operation")));
    bool alive = found != area.operations.end() && !found->second->done && !found->second->cancelled();
    if (alive) {
        auto operation = found->second;
        operation->cancel.cancel();
    }
    lua_pushboolean(L, alive);
    return 1;
}

int capabilities(lua_State* L, Runtime& runtime) {
    auto client = ImapArea::of(runtime).check_client(L, 1);
    push_capabilities(L, client->pool->capabilities());
    return 1;
}

int stats(lua_State* L, Runtime& runtime) {
    auto client = ImapArea::of(runtime).check_client(L, 1);
    push_stats(L, client->pool->stats());
    return 1;
}

// list(client, pattern, opts { status? }, callback) -> operation
int list(lua_State* L, Runtime& runtime) {
    auto& area = ImapArea::of(runtime);
    auto client = area.check_client(L, 1);
    std::string pattern(check_string(L, 2, "pattern"));
    Table options(L, 3, "opts", false);
    bool with_status = options.boolean("status").value_or(false);
    auto operation = area.begin(client, check_function(L, 4, "cb"));
    auto work = [operation, pattern, with_status](SessionPtr session) -> loop::Task<void> {
        auto token = operation->cancel.token();
        auto found = co_await imap::list(session, pattern, with_status, token);
        operation->succeed([found = std::move(found)](lua_State* to) {
            push_folders(to, found);
            return 1;
        });
    };
    area.run(operation, on_session(area, operation, {}, true, std::move(work)));
    return started(L, operation);
}

// status(client, folder, callback) -> operation
int status(lua_State* L, Runtime& runtime) {
    auto& area = ImapArea::of(runtime);
    auto client = area.check_client(L, 1);
    std::string folder(check_string(L, 2, "folder"));
    auto operation = area.begin(client, check_function(L, 3, "cb"));
    auto work = [operation, folder](SessionPtr session) -> loop::Task<void> {
        auto token = operation->cancel.token();
        std::vector<std::string> folders{folder};
        auto found = co_await imap::status(session, folders, token);
        StatusInfo info = std::move(found.front()).or_throw();
        operation->succeed([info](lua_State* to) {
            push_status(to, info);
            return 1;
        });
    };
    area.run(operation, on_session(area, operation, {}, true, std::move(work)));
    return started(L, operation);
}

// search(client, folder, criteria, callback) -> operation
int search(lua_State* L, Runtime& runtime) {
    auto& area = ImapArea::of(runtime);
    auto client = area.check_client(L, 1);
    std::string folder(check_string(L, 2, "folder"));
    SearchRequest request = check_criteria(L, 3);
    request.folder = folder;
    auto operation = area.begin(client, check_function(L, 4, "cb"));
    auto work = [operation, request](SessionPtr session) -> loop::Task<void> {
        auto token = operation->cancel.token();
        UidSet found = co_await imap::search(session, request, token);
        operation->succeed([found = std::move(found)](lua_State* to) {
            push_uids(to, found);
            return 1;
        });
    };
    area.run(operation, on_session(area, operation, folder, true, std::move(work)));
    return started(L, operation);
}

Target check_target(lua_State* L) {
    Target target;
    target.folder = std::string(check_string(L, 2, "folder"));
    target.uids = check_uids(L, 3, "uids");
    return target;
}

// store(client, folder, uids, { add, remove, unchanged_since, uidvalidity }, callback) -> operation
int store(lua_State* L, Runtime& runtime) {
    auto& area = ImapArea::of(runtime);
    auto client = area.check_client(L, 1);
    Target target = check_target(L);
    Table changes(L, 4, "changes");
    StoreChange change;
    change.add = check_flags(changes.strings("add").value_or(std::vector<std::string>()), "changes.add");
    change.remove =
        check_flags(changes.strings("remove").value_or(std::vector<std::string>()), "changes.remove");
    if (auto since = changes.number("unchanged_since"))
        change.unchanged_since = static_cast<uint64_t>(*since);
    if (auto validity = changes.number("uidvalidity"))
        target.uid_validity = static_cast<uint32_t>(*validity);
    auto operation = area.begin(client, check_function(L, 5, "cb"));
    // Setting a flag twice sets it once; with UNCHANGEDSINCE the second time would find the first.
    bool repeatable = !change.unchanged_since;
    std::string folder = target.folder;
    auto work = [operation, target, change](SessionPtr session) -> loop::Task<void> {
        auto token = operation->cancel.token();
        StoreResult result = co_await imap::store(session, target, change, token);
        operation->succeed([modified = std::move(result.modified)](lua_State* to) {
            lua_createtable(to, 0, 1);
            push_uids(to, modified);
            lua_setfield(to, -2, "modified");
            return 1;
        });
    };
    area.run(operation, on_session(area, operation, folder, repeatable, std::move(work)));
    return started(L, operation);
}

void push_transfer(lua_State* L, const CopyResult& result) {
    lua_createtable(L, 0, 3);
    if (result.uid_validity != 0)
        set(L, "uidvalidity", static_cast<uint64_t>(result.uid_validity));
    set(L, "expunged", result.expunged);
    lua_createtable(L, 0, static_cast<int>(result.pairs.size()));
    for (auto& pair : result.pairs) {
        lua_pushnumber(L, pair.target);
        lua_rawseti(L, -2, static_cast<int>(pair.source));
    }
    lua_setfield(L, -2, "uids");
}

template<bool moving>
int transfer(lua_State* L, Runtime& runtime) {
    auto& area = ImapArea::of(runtime);
    auto client = area.check_client(L, 1);
    Target target = check_target(L);
    std::string to(check_string(L, 4, "target"));
    auto operation = area.begin(client, check_function(L, 5, "cb"));
    std::string folder = target.folder;
    auto work = [operation, target, to](SessionPtr session) -> loop::Task<void> {
        auto token = operation->cancel.token();
        CopyResult result;
        if constexpr (moving)
            result = co_await imap::move(session, target, to, token);
        else
            result = co_await imap::copy(session, target, to, token);
        operation->succeed([result = std::move(result)](lua_State* out) {
            push_transfer(out, result);
            return 1;
        });
    };
    // Done twice it would be there twice: a lost connection is the caller's to look into.
    area.run(operation, on_session(area, operation, folder, false, std::move(work)));
    return started(L, operation);
}

// expunge(client, folder, uids, callback) -> operation
int expunge(lua_State* L, Runtime& runtime) {
    auto& area = ImapArea::of(runtime);
    auto client = area.check_client(L, 1);
    Target target = check_target(L);
    auto operation = area.begin(client, check_function(L, 4, "cb"));
    std::string folder = target.folder;
    auto work = [operation, target](SessionPtr session) -> loop::Task<void> {
        auto token = operation->cancel.token();
        bool gone = co_await imap::expunge(session, target, token);
        operation->succeed([gone](lua_State* to) {
            lua_createtable(to, 0, 1);
            set(to, "expunged", gone);
            return 1;
        });
    };
    area.run(operation, on_session(area, operation, folder, true, std::move(work)));
    return started(L, operation);
}

NewMessage new_message(std::string_view bytes, const Table& options) {
    NewMessage message;
    message.bytes = std::string(bytes);
    message.flags = check_flags(options.strings("flags").value_or(std::vector<std::string>()), "opts.flags");
    message.internal_date = options.string("date").value_or("");
    return message;
}

// append(client, folder, message | { {message=, flags=, date=}, ... }, opts { flags, date }, callback) -> operation
int append(lua_State* L, Runtime& runtime) {
    auto& area = ImapArea::of(runtime);
    auto client = area.check_client(L, 1);
    std::string folder(check_string(L, 2, "folder"));
    Table options(L, 4, "opts", false);
    std::vector<NewMessage> messages;
    if (lua_type(L, 3) == LUA_TTABLE) {
        Table list(L, 3, "message");
        list.each_table([&](int, const Table& one) {
            messages.push_back(new_message(one.required_string("message"), one));
        });
    } else {
        messages.push_back(new_message(check_string(L, 3, "message"), options));
    }
    if (messages.empty())
        bad_argument("message", "nothing is in it");
    auto operation = area.begin(client, check_function(L, 5, "cb"));
    auto given = std::make_shared<std::vector<NewMessage>>(std::move(messages));
    auto work = [operation, folder, given](SessionPtr session) -> loop::Task<void> {
        auto token = operation->cancel.token();
        AppendResult result = co_await imap::append(session, folder, std::move(*given), token);
        operation->succeed([result = std::move(result)](lua_State* to) {
            lua_createtable(to, 0, 3);
            if (result.uid_validity != 0)
                set(to, "uidvalidity", static_cast<uint64_t>(result.uid_validity));
            if (!result.uids.empty())
                set(to, "uid", static_cast<uint64_t>(result.uids.front()));
            lua_createtable(to, static_cast<int>(result.uids.size()), 0);
            int i = 0;
            for (auto uid : result.uids) {
                lua_pushnumber(to, uid);
                lua_rawseti(to, -2, ++i);
            }
            lua_setfield(to, -2, "uids");
            return 1;
        });
    };
    area.run(operation, on_session(area, operation, {}, false, std::move(work)));
    return started(L, operation);
}

// create(client, folder, callback) -> operation
int create(lua_State* L, Runtime& runtime) {
    auto& area = ImapArea::of(runtime);
    auto client = area.check_client(L, 1);
    std::string folder(check_string(L, 2, "folder"));
    auto operation = area.begin(client, check_function(L, 3, "cb"));
    auto work = [operation, folder](SessionPtr session) -> loop::Task<void> {
        auto token = operation->cancel.token();
        co_await imap::create(session, folder, token);
        operation->client->pool->forget_folders();
        operation->succeed([](lua_State*) { return 0; });
    };
    area.run(operation, on_session(area, operation, {}, true, std::move(work)));
    return started(L, operation);
}

// watch(client, folder, on_change) -> watcher
int watch(lua_State* L, Runtime& runtime) {
    auto& area = ImapArea::of(runtime);
    auto client = area.check_client(L, 1);
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

// close(client, callback)
int close(lua_State* L, Runtime& runtime) {
    auto& area = ImapArea::of(runtime);
    auto found = area.clients.find(static_cast<uint64_t>(check_integer(L, 1, "client")));
    Ref callback = optional_function(L, 2, "cb");
    if (found != area.clients.end()) {
        auto client = found->second;
        area.clients.erase(found);
        client->pool->close();
    }
    if (callback)
        runtime.events().complete(std::move(callback), [](lua_State*) { return 0; });
    return 0;
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
    set_function<store>(L, "store");
    set_function<transfer<false>>(L, "copy");
    set_function<transfer<true>>(L, "move");
    set_function<expunge>(L, "expunge");
    set_function<append>(L, "append");
    set_function<create>(L, "create");
    set_function<watch>(L, "watch");
    set_function<unwatch>(L, "unwatch");
    set_function<wake>(L, "wake");
    set_function<close>(L, "close");
    lua_setfield(L, -2, "imap");
}

} // namespace himalaya::lua

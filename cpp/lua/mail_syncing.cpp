// native.mail: syncs, push and what changed in the store.
#include "base/time.hpp"
#include "imap/watch.hpp"
#include "lua/mail_home.hpp"
#include "lua/mail_values.hpp"
#include "store/folders.hpp"
#include "store/ops.hpp"
#include "sync/body_line.hpp"

namespace himalaya::lua {

namespace {

using Account = std::shared_ptr<MailAccount>;

sync::Kind check_kind(lua_State* L, int index) {
    if (auto kind = sync::kind_of(check_string(L, index, "kind")))
        return *kind;
    bad_argument("kind", "expected 'inbox', 'full' or 'folder'");
}

int push_summary(lua_State* L, const sync::Summary& summary) {
    lua_createtable(L, 0, 12);
    for (const auto& figure : sync::FIGURES)
        set(L, figure.name, summary.*figure.value);
    set(L, "refused", summary.refused);
    set(L, "withheld", summary.withheld);
    lua_createtable(L, static_cast<int>(summary.came.size()), 0);
    int at = 0;
    for (const auto& came : summary.came) {
        lua_createtable(L, 0, 2);
        set(L, "folder", came.folder);
        push_mail_ids(L, came.ids);
        lua_setfield(L, -2, "ids");
        lua_rawseti(L, -2, ++at);
    }
    lua_setfield(L, -2, "came");
    return 1;
}

// sync(account, kind, folder, cb, again): `again` says that it is called once more when the network ends it
int sync_thunk(lua_State* L, Runtime& runtime) {
    auto& home = MailHome::of(runtime);
    auto account = home.check_account(L, 1);
    auto kind = check_kind(L, 2);
    std::string folder = is_given(L, 3) ? std::string(check_string(L, 3, "folder")) : "";
    Ref callback = check_function(L, 4, "cb");
    bool again = lua_toboolean(L, 5);
    if (!account->account)
        bad_argument("account", "has no server to sync with");
    return home.run(L, std::move(callback), account->cancel.token(),
                    [account, kind, folder, again](loop::CancelToken token) {
                        return [](Account mine, sync::Kind what, std::string where, bool once_more,
                                  loop::CancelToken stop) -> loop::Task<Arguments> {
                            auto syncing = mine->account->sync(what, std::move(where), stop, once_more);
                            auto summary = co_await syncing;
                            co_return [summary](lua_State* to) { return push_summary(to, summary); };
                        }(account, kind, folder, again, token);
                    });
}

// ended_by_network(code) -> boolean
int ended_by_network(lua_State* L, Runtime&) {
    auto code = code_of(check_string(L, 1, "code"));
    lua_pushboolean(L, code && sync::ended_by_network(*code));
    return 1;
}

void push_standing(lua_State* L, const sync::Standing& standing) {
    set(L, "operation", standing.operation);
    set(L, "folder", standing.folder);
    if (standing.percent)
        set(L, "percent", *standing.percent);
    set(L, "done", standing.done);
    set(L, "total", standing.total);
    if (standing.eta_seconds)
        set(L, "eta_seconds", *standing.eta_seconds);
}

// standing(account) -> { syncing, elsewhere, operation, folder, percent?, done, total, eta_seconds?, leads, led_by? }
// `elsewhere`: another instance does what this one asked for
int standing(lua_State* L, Runtime& runtime) {
    auto account = MailHome::of(runtime).check_account(L, 1);
    lua_createtable(L, 0, 11);
    bool leads = account->store->leads();
    set(L, "leads", leads);
    if (!leads && !account->store->leader().empty())
        set(L, "led_by", account->store->leader());
    auto elsewhere = account->account ? account->account->elsewhere() : std::nullopt;
    set(L, "elsewhere", elsewhere.has_value());
    set(L, "syncing", account->account && account->account->syncing());
    set(L, "bytes", account->account ? account->account->bytes() : std::int64_t(0));
    if (account->account)
        push_standing(L, elsewhere ? *elsewhere : account->account->standing());
    return 1;
}

// listen(account, fn(news)): { seq, folders, messages, left, too_many, fresh, pending_ops, last_op }, after every commit, many as one
int listen(lua_State* L, Runtime& runtime) {
    auto account = MailHome::of(runtime).check_account(L, 1);
    account->news = runtime.events().listen(check_function(L, 2, "fn"));
    std::weak_ptr<MailAccount> weak = account;
    account->store->listen([weak, &runtime](const store::News& news) {
        auto mine = weak.lock();
        if (!mine || !mine->news)
            return;
        auto told = std::make_shared<store::News>(news);
        runtime.events().offer(mine->news, [told](lua_State* to) {
            lua_createtable(to, 0, 9);
            set(to, "seq", told->seq);
            set(to, "pending_ops", told->pending_ops);
            set(to, "last_op", told->last_op);
            lua_createtable(to, static_cast<int>(told->fresh.size()), 0);
            int place = 0;
            for (const auto& fresh : told->fresh) {
                lua_createtable(to, 0, 2);
                set(to, "folder", fresh.path);
                push_mail_ids(to, fresh.messages);
                lua_setfield(to, -2, "ids");
                lua_rawseti(to, -2, ++place);
            }
            lua_setfield(to, -2, "fresh");
            set(to, "too_many", told->too_many);
            lua_createtable(to, static_cast<int>(told->folders.size()), 0);
            int at = 0;
            for (const auto& folder : told->folders) {
                push_mail_folder(to, folder);
                lua_rawseti(to, -2, ++at);
            }
            lua_setfield(to, -2, "folders");
            lua_createtable(to, static_cast<int>(told->messages.size()), 0);
            at = 0;
            for (const auto& message : told->messages) {
                push_mail_item(to, message);
                lua_rawseti(to, -2, ++at);
            }
            lua_setfield(to, -2, "messages");
            lua_createtable(to, static_cast<int>(told->left.size()), 0);
            at = 0;
            for (const auto& left : told->left) {
                lua_createtable(to, 0, 2);
                set(to, "id", left.message);
                set(to, "folder_id", left.folder);
                lua_rawseti(to, -2, ++at);
            }
            lua_setfield(to, -2, "left");
            return 1;
        });
    });
    return 0;
}

// push(account, folders, fn(path)): fn is called when the server says that something changed there, and when a folder
// is watched from now on; nil instead of folders ends it. Only the instance that leads watches: one connection for all.
int push_news(lua_State* L, Runtime& runtime) {
    auto& home = MailHome::of(runtime);
    auto account = home.check_account(L, 1);
    if (!account->pool)
        return 0;
    bool wanted = is_given(L, 2);
    if (wanted) {
        account->push_folders = check_strings(L, 2, "folders");
        if (is_given(L, 3))
            account->push = runtime.events().listen(check_function(L, 3, "fn"));
    } else {
        account->push_folders.clear();
    }
    home.watch(account);
    account->account->look_after(wanted);
    return 0;
}

// on_role(account, fn(leads, led_by)): fn is called when this instance begins or ceases to lead
int on_role(lua_State* L, Runtime& runtime) {
    auto account = MailHome::of(runtime).check_account(L, 1);
    account->role = runtime.events().listen(check_function(L, 2, "fn"));
    return 0;
}

template<std::int64_t (*Count)(store::Database&)>
int counted(lua_State* L, Runtime& runtime) {
    auto& home = MailHome::of(runtime);
    auto account = home.check_account(L, 1);
    return home.run(L, check_function(L, 2, "cb"), account->cancel.token(),
                    [account](loop::CancelToken token) {
                        return [](Account mine, loop::CancelToken stop) -> loop::Task<Arguments> {
                            auto reading = mine->store->read<std::int64_t>(
                                [](store::Database& database) { return Count(database); }, stop);
                            auto count = co_await reading;
                            co_return [count](lua_State* to) {
                                push(to, count);
                                return 1;
                            };
                        }(account, token);
                    });
}

// Those that could go out now: not what waits for `undo`, or for a name on the server.
std::int64_t ready_count(store::Database& database) {
    return static_cast<std::int64_t>(store::ready_ops(database, time::now_s(), 1).size());
}

struct Run {
    std::string kind, error;
    std::int64_t started_at = 0, duration_ms = 0, fresh = 0, bytes = 0, round_trips = 0;
};

// runs(account, most, cb): the last syncs, newest first
int runs(lua_State* L, Runtime& runtime) {
    auto& home = MailHome::of(runtime);
    auto account = home.check_account(L, 1);
    auto most = check_integer(L, 2, "most");
    return home.run(
        L, check_function(L, 3, "cb"), account->cancel.token(), [account, most](loop::CancelToken token) {
            return [](Account mine, std::int64_t count, loop::CancelToken stop) -> loop::Task<Arguments> {
                auto reading = mine->store->read<std::vector<Run>>(
                    [count](store::Database& database) {
                        std::vector<Run> found;
                        auto row = database.prepare(
                            "SELECT kind, error, started_at, duration_ms, new, bytes, round_trips "
                            "FROM sync_run ORDER BY id DESC LIMIT ?");
                        row.bind(count);
                        while (row.step())
                            found.push_back({row.string(0), row.string(1), row.integer(2), row.integer(3),
                                             row.integer(4), row.integer(5), row.integer(6)});
                        return found;
                    },
                    stop);
                auto found = co_await reading;
                co_return [found](lua_State* to) {
                    lua_createtable(to, static_cast<int>(found.size()), 0);
                    int at = 0;
                    for (const auto& run : found) {
                        lua_createtable(to, 0, 7);
                        set(to, "kind", run.kind);
                        set(to, "error", run.error);
                        set(to, "started_at", run.started_at);
                        set(to, "duration_ms", run.duration_ms);
                        set(to, "new", run.fresh);
                        set(to, "bytes", run.bytes);
                        set(to, "round_trips", run.round_trips);
                        lua_rawseti(to, -2, ++at);
                    }
                    return 1;
                };
            }(account, most, token);
        });
}

// withheld(account, cb) -> { { folder, count }, ... }: deletions that wait for the user's yes
int withheld(lua_State* L, Runtime& runtime) {
    auto& home = MailHome::of(runtime);
    auto account = home.check_account(L, 1);
    return home.run(L, check_function(L, 2, "cb"), account->cancel.token(),
                    [account](loop::CancelToken token) {
                        return [](Account mine, loop::CancelToken stop) -> loop::Task<Arguments> {
                            using Counts = std::vector<std::pair<std::string, std::int64_t>>;
                            auto reading = mine->store->read<Counts>(
                                [](store::Database& database) {
                                    Counts counts;
                                    for (const auto& folder : store::all_folders(database))
                                        if (auto count = sync::withheld_deletions(database, folder.id))
                                            counts.emplace_back(folder.path, count);
                                    return counts;
                                },
                                stop);
                            auto counts = co_await reading;
                            co_return [counts](lua_State* to) {
                                lua_createtable(to, static_cast<int>(counts.size()), 0);
                                int at = 0;
                                for (const auto& [folder, count] : counts) {
                                    lua_createtable(to, 0, 2);
                                    set(to, "folder", folder);
                                    set(to, "count", count);
                                    lua_rawseti(to, -2, ++at);
                                }
                                return 1;
                            };
                        }(account, token);
                    });
}

// allow_deletions(account, folder, cb): the user's yes to what a sync withheld
int allow(lua_State* L, Runtime& runtime) {
    auto& home = MailHome::of(runtime);
    auto account = home.check_account(L, 1);
    std::string folder(check_string(L, 2, "folder"));
    return home.run(
        L, check_function(L, 3, "cb"), account->cancel.token(), [account, folder](loop::CancelToken token) {
            return [](Account mine, std::string path, loop::CancelToken stop) -> loop::Task<Arguments> {
                auto writing = mine->store->write<void>(
                    [path](store::Change& change) {
                        if (auto found = store::folder_of(change.database(), path))
                            sync::allow_deletions(change, found->id);
                    },
                    stop);
                co_await writing;
                co_return [](lua_State*) { return 0; };
            }(account, folder, token);
        });
}

using Names =
    std::vector<std::pair<std::string, std::string>>; // of a folder: its path, and as the server has it

// Those that are synced by themselves: what a user leaves out is read when it is asked for, not because they looked.
Names watchable(store::Database& database, const std::vector<std::string>& paths) {
    Names names;
    for (const auto& path : paths) {
        auto folder = store::folder_of(database, path);
        if (folder && folder->selectable)
            names.emplace_back(path, folder->remote);
        else if (path == "INBOX") // it is there before any folder was listed
            names.emplace_back(path, path);
    }
    return names;
}

loop::Task<> begin_watching(MailHome& home, Account account) {
    auto wanted = account->push_folders;
    std::erase_if(wanted, [&](const std::string& path) { return !account->account->wants(path); });
    auto reading = account->store->read<Names>(
        [wanted = std::move(wanted)](store::Database& database) { return watchable(database, wanted); },
        account->cancel.token());
    auto names = co_await reading;
    if (!account->watching.empty() || !account->store->leads() || account->push_folders.empty())
        co_return; // changed meanwhile
    for (const auto& [path, remote] : names) {
        auto tell = [&home, weak = std::weak_ptr(account), path = path] {
            if (auto mine = weak.lock())
                home.runtime.events().change(mine->push, path, [path](lua_State* to) {
                    push(to, path);
                    return 1;
                });
        };
        account->watching.push_back(account->pool->watch().add(
            remote, [tell](const imap::Change&) { tell(); }, tell));
    }
}

} // namespace

void MailHome::on_lead(const std::shared_ptr<MailAccount>& account, bool leads) {
    watch(account);
    if (account->role)
        runtime.events().change(account->role, "role",
                                [leads, who = account->store->leader()](lua_State* to) {
                                    lua_pushboolean(to, leads);
                                    push(to, who);
                                    return 2;
                                });
}

void MailHome::watch(const std::shared_ptr<MailAccount>& account) {
    if (!account->pool || account->pool->closed())
        return;
    for (auto id : std::exchange(account->watching, {}))
        account->pool->watch().remove(id);
    if (!account->store->leads() || account->push_folders.empty())
        return;
    loop::start(begin_watching(*this, account), [](std::optional<Error>) {});
}

void add_mail_syncing(lua_State* L) {
    set_function<sync_thunk>(L, "sync");
    set_function<ended_by_network>(L, "ended_by_network");
    set_function<standing>(L, "standing");
    set_function<listen>(L, "listen");
    set_function<push_news>(L, "push");
    set_function<on_role>(L, "on_role");
    set_function<counted<store::pending_ops>>(
        L, "pending");                              // (account, cb): changes that the server does not know
    set_function<counted<ready_count>>(L, "ready"); // (account, cb): whether some could go out now
    set_function<runs>(L, "runs");
    set_function<withheld>(L, "withheld");
    set_function<allow>(L, "allow_deletions");
}

} // namespace himalaya::lua

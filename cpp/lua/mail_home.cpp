// native.mail: the accounts' stores for Lua. lua/himalaya/mail.lua gives it its documented shape.
#include "lua/mail_home.hpp"

#include "base/text.hpp"
#include "base/time.hpp"
#include "lua/areas.hpp"
#include "lua/imap_values.hpp"
#include "store/folders.hpp"
#include "sync/imap_source.hpp"

#include <fmt/format.h>

#include <unistd.h>

namespace himalaya::lua {

namespace {

MailHome* g_home = nullptr; // of the one Runtime

// Parsed messages that are kept, however small: they are looked through one by one.
constexpr std::size_t MOST_READ = 256;

std::string shell_quoted(const std::string& path) {
    std::string quoted = "'";
    for (char c : path)
        quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return quoted + "'";
}

} // namespace

MailHome::MailHome(Runtime& of)
    : runtime(of), net(of.loop()), operations(of),
      instance(fmt::format("nvim_{}_{}", time::now_s(), ::getpid())),
      m_mime_path(of.build_dir() + "/himalaya_mime.so"),
      m_mend(fmt::format("cd {} && ./scripts/build", shell_quoted(of.root()))) {
    of.at_stop([this] {
        for (auto& [name, account] : accounts) {
            account->cancel.cancel();
            if (account->pool)
                account->pool->close();
            account->store->close();
        }
        for (auto& [name, store] : closing)
            if (auto still = store.lock())
                still->close();
    });
}

MailHome& MailHome::of(Runtime& runtime) {
    if (!g_home)
        g_home = &runtime.make<MailHome>(runtime);
    return *g_home;
}

std::shared_ptr<MailAccount> MailHome::check_account(lua_State* L, int index) {
    std::string name(check_string(L, index, "account"));
    auto found = accounts.find(name);
    if (found == accounts.end())
        bad_argument("account", fmt::format("'{}' is not open", name));
    return found->second;
}

namespace {

// What it takes in memory, about; a part's entry with its strings is more than its name.
std::size_t size_of(const mail::Message& message) {
    constexpr std::size_t EACH = 200;
    std::size_t size = message.text.size() + message.html.size();
    size += EACH * (message.attachments.size() + message.headers.size() + 1);
    for (const auto& header : message.headers)
        size += header.value.size();
    return size;
}

} // namespace

void MailHome::keep_read(store::Store& store, ReadMessage message) {
    message.bytes = size_of(*message.message);
    read.push_front(std::move(message));
    auto forgotten = forget_read();
    if (forgotten.empty())
        return;
    // A long one takes its milliseconds to be freed.
    auto freeing =
        store.on_files<void>([forgotten = std::move(forgotten)]() mutable { forgotten.clear(); }, {});
    loop::start(std::move(freeing), [](const auto&) {});
}

std::vector<ReadMessage> MailHome::forget_read() {
    std::size_t bytes = 0;
    std::size_t kept = 0;
    for (const auto& each : read) {
        bytes += each.bytes;
        if (kept > 0 && (bytes > most_read || kept >= MOST_READ))
            break;
        ++kept;
    }
    auto first = read.begin() + static_cast<std::ptrdiff_t>(kept);
    std::vector<ReadMessage> forgotten(std::make_move_iterator(first), std::make_move_iterator(read.end()));
    read.erase(first, read.end());
    read_counts.evictions += static_cast<std::int64_t>(forgotten.size());
    return forgotten;
}

std::shared_ptr<const mail::Mime> MailHome::mime() {
    if (!m_mime)
        m_mime = mail::Mime::load(m_mime_path, {stamp(), m_mend}).or_throw();
    return m_mime;
}

store::Folder need_folder(store::Database& database, const std::string& path) {
    auto folder = store::folder_of(database, path);
    if (!folder)
        throw make_error(Code::not_found, fmt::format("there is no folder {}", text::clean_line(path)),
                         "see :HimalayaFolder for those there are, or sync first");
    return *folder;
}

namespace {

sync::BodyPolicy check_bodies(const Table& opts) {
    sync::BodyPolicy policy;
    policy.fetch = opts.boolean("bodies").value_or(true);
    policy.newest_days = opts.integer("newest_days");
    return policy;
}

// open(account, opts { data_dir, imap?, bodies?, newest_days?, include?, exclude?, roles?, at_once? },
//      cb(err, notice?, watched))
int open(lua_State* L, Runtime& runtime) {
    auto& home = MailHome::of(runtime);
    std::string name(check_string(L, 1, "account"));
    Table opts(L, 2, "opts");
    Ref callback = check_function(L, 3, "cb");
    store::Place place{std::filesystem::path(opts.required_string("data_dir")) / name};
    auto& counts = home.counts[name];
    if (!counts)
        counts = std::make_shared<sync::Counts>();
    sync::Options options{name, home.instance, check_bodies(opts), {}, counts};
    options.selection.include = opts.strings("include").value_or(std::vector<std::string>());
    options.at_once = static_cast<int>(opts.integer("at_once").value_or(1));
    options.selection.exclude = opts.strings("exclude").value_or(std::vector<std::string>());
    auto roles = opts.string_map("roles").value_or(std::map<std::string, std::string>());
    std::shared_ptr<imap::Pool> pool;
    opts.with_table("imap", [&](const Table& imap) {
        pool = std::make_shared<imap::Pool>(home.net, lua::check_account(imap, runtime.loop()));
    });
    if (home.accounts.contains(name))
        bad_argument("account", fmt::format("'{}' is open already", name));
    return home.run(
        L, std::move(callback), runtime.loop().token(),
        [&home, name, place, options, roles, pool](loop::CancelToken token) -> loop::Task<Arguments> {
            return [](MailHome& mine, std::string account, store::Place where, sync::Options wanted,
                      std::map<std::string, std::string> own, std::shared_ptr<imap::Pool> connections,
                      loop::CancelToken stop) -> loop::Task<Arguments> {
                if (auto former = mine.closing[account].lock()) {
                    auto closing = former->closed(stop);
                    co_await closing;
                }
                auto opening = store::Store::open(mine.runtime.loop(), std::move(where), stop);
                auto store = co_await opening;
                auto made = std::make_shared<MailAccount>(mine.runtime.loop().token());
                made->name = account;
                made->store = store;
                store->instance = mine.instance;
                made->pool = connections;
                if (connections) {
                    auto source = std::make_shared<sync::ImapSource>(connections, std::move(own));
                    made->account = std::make_shared<sync::Account>(mine.runtime.loop(), std::move(wanted),
                                                                    store, source, made->cancel.token());
                    made->account->start();
                    made->account->on_lead = [weak = std::weak_ptr(made), &mine](bool leads) {
                        if (auto opened = weak.lock())
                            mine.on_lead(opened, leads);
                    };
                }
                mine.accounts[account] = made;
                co_return [notice = store->noticed(), watched = store->watched()](lua_State* to) {
                    push(to, notice);
                    lua_pushboolean(to, watched);
                    return 2;
                };
            }(home, name, place, options, roles, pool, token);
        });
}

// close(account)
int close(lua_State* L, Runtime& runtime) {
    auto& home = MailHome::of(runtime);
    auto account = home.check_account(L, 1);
    home.accounts.erase(account->name);
    account->cancel.cancel();
    if (account->pool)
        account->pool->close();
    std::erase_if(home.read, [&](const ReadMessage& kept) { return kept.store == account->store.get(); });
    account->store->close_behind();
    home.closing[account->name] = account->store;
    return 0;
}

// keep_in_memory(bytes): as much of what was read
int keep_in_memory(lua_State* L, Runtime& runtime) {
    auto& home = MailHome::of(runtime);
    home.most_read = static_cast<std::size_t>(std::max<std::int64_t>(0, check_integer(L, 1, "bytes")));
    home.forget_read();
    return 0;
}

// look(account) -> boolean: for changes of other Neovims, where the system does not tell of them; whether it does now
int look(lua_State* L, Runtime& runtime) {
    auto account = MailHome::of(runtime).check_account(L, 1);
    account->store->look();
    lua_pushboolean(L, account->store->watched());
    return 1;
}

// cancel(operation) -> boolean
int cancel(lua_State* L, Runtime& runtime) {
    auto id = check_integer(L, 1, "operation");
    lua_pushboolean(L, MailHome::of(runtime).operations.cancel(static_cast<std::uint64_t>(id)));
    return 1;
}

void push_counts(lua_State* L, const sync::Counts& counts) {
    lua_createtable(L, 0, 14);
    set(L, "cycles", counts.cycles);
    set(L, "cancelled", counts.cancelled);
    set(L, "asked", counts.asked);
    set(L, "served", counts.served);
    for (const auto& figure : sync::FIGURES)
        set(L, figure.name, counts.sum.*figure.value);
    lua_createtable(L, 0, static_cast<int>(counts.failures.size()));
    for (const auto& [code, times] : counts.failures)
        set(L, code.c_str(), times);
    lua_setfield(L, -2, "failures");
    const auto& times = counts.durations_ms;
    lua_createtable(L, 0, 6);
    set(L, "count", times.count());
    set(L, "mean_ms", times.mean());
    set(L, "p50_ms", times.percentile(0.5));
    set(L, "p90_ms", times.percentile(0.9));
    set(L, "p99_ms", times.percentile(0.99));
    set(L, "max_ms", times.max());
    lua_setfield(L, -2, "durations");
}

// sync.metrics() -> what syncs did since Neovim started: for all accounts, and in `accounts` for each
int sync_metrics(lua_State* L, Runtime&) {
    sync::Counts all;
    static const std::map<std::string, std::shared_ptr<sync::Counts>> none;
    const auto& by_name = g_home ? g_home->counts : none;
    for (const auto& [name, counts] : by_name)
        all.add(*counts);
    push_counts(L, all);
    lua_createtable(L, 0, static_cast<int>(by_name.size()));
    for (const auto& [name, counts] : by_name) {
        push_counts(L, *counts);
        lua_setfield(L, -2, name.c_str());
    }
    lua_setfield(L, -2, "accounts");
    return 1;
}

// mail.cache() -> { memory, disk, remote = { hits, misses }, evictions }: where messages were found that were read. A
// level is asked when the one before has not got it; `memory` are those that are parsed already, which has `bytes`.
// `prefetched`: those that came before they were asked for.
int cache(lua_State* L, Runtime&) {
    ReadCounts counts = g_home ? g_home->read_counts : ReadCounts();
    std::int64_t kept = 0;
    if (g_home)
        for (const auto& each : g_home->read)
            kept += static_cast<std::int64_t>(each.bytes);
    lua_createtable(L, 0, 4);
    auto add = [L](const char* name, const ReadCounts::Level& level, std::optional<std::int64_t> bytes) {
        lua_createtable(L, 0, 3);
        set(L, "hits", level.hits);
        set(L, "misses", level.misses);
        if (bytes)
            set(L, "bytes", *bytes);
        lua_setfield(L, -2, name);
    };
    add("memory", counts.memory, kept);
    add("disk", counts.disk, std::nullopt);
    add("remote", counts.remote, std::nullopt);
    set(L, "evictions", counts.evictions);
    set(L, "prefetched", counts.prefetched);
    return 1;
}

} // namespace

void open_mail(lua_State* L, Runtime&) {
    lua_newtable(L);
    set_function<open>(L, "open");
    set_function<close>(L, "close");
    set_function<cancel>(L, "cancel");
    set_function<cache>(L, "cache");
    set_function<keep_in_memory>(L, "keep_in_memory");
    set_function<look>(L, "look");
    add_mail_reading(L);
    add_mail_acting(L);
    add_mail_syncing(L);
    add_mail_archive(L);
    add_mail_stores(L);
    lua_setfield(L, -2, "mail");
    lua_newtable(L);
    set_function<sync_metrics>(L, "metrics");
    lua_setfield(L, -2, "sync");
}

} // namespace himalaya::lua

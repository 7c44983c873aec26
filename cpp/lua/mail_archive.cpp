// native.mail: mail out into files and in from them, as jobs of the one queue, so that they are seen and ended there.
#include "base/text.hpp"
#include "base/time.hpp"
#include "lua/jobs.hpp"
#include "lua/mail_home.hpp"
#include "store/archive.hpp"
#include "sync/fetch_bodies.hpp"

#include <fmt/format.h>

namespace himalaya::lua {

namespace {

using Account = std::shared_ptr<MailAccount>;
using jobs::JobId;

constexpr std::size_t LONGEST_NAME = 120;

// What Lua gets when it is over, and hears of until then.
struct Ticket {
    Ref callback;
    Events::Listener passed;
    Arguments result;
};
using Tickets = std::shared_ptr<Ticket>;

store::OnPassed tell_passed(Runtime& runtime, Tickets ticket) {
    return [&runtime, ticket](const store::Passed& passed) {
        if (!ticket->passed)
            return;
        runtime.events().change(ticket->passed, "passed", [passed](lua_State* L) {
            lua_createtable(L, 0, 3);
            set(L, "done", passed.done);
            if (passed.total)
                set(L, "total", *passed.total);
            if (passed.share)
                set(L, "share", *passed.share);
            return 1;
        });
    };
}

// Ends with the job as with the account.
struct EndsWith {
    EndsWith(const loop::CancelToken& job, const Account& account)
        : source(job), registration(account->cancel.token().on_cancel([this] { source.cancel(); })) {}
    loop::CancelSource source;
    loop::Registration registration;
};

int submit(lua_State* L, Runtime& runtime, const Account& account, std::string name, Tickets ticket,
           Function<loop::Task<>(loop::CancelToken)> task) {
    jobs::Spec spec;
    spec.name = text::cut(name, LONGEST_NAME);
    spec.key = "archive " + account->name;
    spec.pool = jobs::Pool::tasks;
    auto id = jobs_of(runtime).runner.submit(
        std::move(spec), std::move(task), [&runtime, ticket](const jobs::Report& report) {
            if (report.error)
                runtime.events().fail(std::move(ticket->callback), *report.error);
            else
                runtime.events().complete(std::move(ticket->callback), std::move(ticket->result));
        });
    if (!id) {
        runtime.events().fail(std::move(ticket->callback), id.error());
        return 0;
    }
    push(L, *id);
    return 1;
}

// An export goes on with what is here where the server cannot be reached; why is said at the end.
struct Fetching {
    Account account;
    loop::CancelToken token;
    std::string why;
};

loop::Task<> fetch(std::shared_ptr<Fetching> fetching, std::vector<store::Id> messages) {
    if (!fetching->account->account || !fetching->why.empty())
        co_return;
    auto bringing = sync::fetch_bodies(fetching->account->store, fetching->account->account->source(),
                                       std::move(messages), fetching->token);
    try {
        co_await bringing;
    } catch (const Error& error) {
        if (fetching->token.cancelled())
            throw;
        fetching->why = error.message;
    }
}

loop::Task<> export_task(Runtime& runtime, Account account, store::ExportWanted wanted, Tickets ticket,
                         loop::CancelToken token) {
    EndsWith ends(token, account);
    auto fetching = std::make_shared<Fetching>(Fetching{account, ends.source.token(), {}});
    store::FetchBodies bring = [fetching](std::vector<store::Id> messages) {
        return fetch(fetching, std::move(messages));
    };
    auto path = wanted.path;
    auto exporting = store::export_folder(account->store, std::move(wanted), std::move(bring),
                                          tell_passed(runtime, ticket), ends.source.token());
    auto exported = co_await exporting;
    ticket->result = [exported, path, why = fetching->why](lua_State* L) {
        lua_createtable(L, 0, 5);
        set(L, "exported", exported.exported);
        set(L, "missing", exported.missing);
        set(L, "skipped", exported.skipped);
        set(L, "path", path);
        if (exported.missing > 0 && !why.empty())
            set(L, "why", why);
        return 1;
    };
}

// export(account, folder, { path, format?, on_progress? }, cb) -> job
int export_thunk(lua_State* L, Runtime& runtime) {
    auto account = MailHome::of(runtime).check_account(L, 1);
    store::ExportWanted wanted;
    wanted.folder = check_string(L, 2, "folder");
    Table opts(L, 3, "opts");
    wanted.path = opts.required_string("path");
    auto format = opts.string("format");
    if (format && *format != "mbox" && *format != "maildir")
        bad_argument(opts.path("format"), "expected 'mbox' or 'maildir'");
    if (format)
        wanted.kind = *format == "mbox" ? store::ArchiveKind::mbox : store::ArchiveKind::maildir;
    auto ticket = std::make_shared<Ticket>();
    if (auto on_progress = opts.function("on_progress"))
        ticket->passed = runtime.events().listen(std::move(on_progress));
    ticket->callback = check_function(L, 4, "cb");
    auto name = fmt::format("export {}/{} to {}", account->name, text::clean_line(wanted.folder),
                            text::clean_line(wanted.path));
    return submit(L, runtime, account, std::move(name), ticket,
                  [&runtime, account, wanted, ticket](loop::CancelToken token) {
                      return export_task(runtime, account, wanted, ticket, std::move(token));
                  });
}

loop::Task<> import_task(Runtime& runtime, Account account, store::ImportWanted wanted, Tickets ticket,
                         loop::CancelToken token) {
    EndsWith ends(token, account);
    auto importing = store::import_into(account->store, std::move(wanted), tell_passed(runtime, ticket),
                                        ends.source.token());
    auto imported = co_await importing;
    ticket->result = [imported](lua_State* L) {
        lua_createtable(L, 0, 3);
        set(L, "imported", imported.imported);
        set(L, "skipped", imported.skipped);
        set(L, "missing", imported.missing);
        return 1;
    };
}

// import(account, folder, path, { on_progress? }, cb) -> job
int import_thunk(lua_State* L, Runtime& runtime) {
    auto account = MailHome::of(runtime).check_account(L, 1);
    store::ImportWanted wanted;
    wanted.folder = check_string(L, 2, "folder");
    wanted.path = check_string(L, 3, "path");
    wanted.local = !account->account;
    Table opts(L, 4, "opts", false);
    auto ticket = std::make_shared<Ticket>();
    if (auto on_progress = opts.function("on_progress"))
        ticket->passed = runtime.events().listen(std::move(on_progress));
    ticket->callback = check_function(L, 5, "cb");
    auto name = fmt::format("import {} into {}/{}", text::clean_line(wanted.path), account->name,
                            text::clean_line(wanted.folder));
    return submit(L, runtime, account, std::move(name), ticket,
                  [&runtime, account, wanted, ticket](loop::CancelToken token) {
                      return import_task(runtime, account, wanted, ticket, std::move(token));
                  });
}

// settle(account, cb) -> number of ops: what was done in an account without a server waits for nobody
int settle(lua_State* L, Runtime& runtime) {
    auto& home = MailHome::of(runtime);
    auto account = home.check_account(L, 1);
    if (account->account)
        bad_argument("account", "has a server, which is to be told");
    return home.run(
        L, check_function(L, 2, "cb"), account->cancel.token(), [account](loop::CancelToken token) {
            return [](Account mine, loop::CancelToken stop) -> loop::Task<Arguments> {
                auto writing = mine->store->write<int>(
                    [](store::Change& change) { return store::settle_here(change, time::now_s()); }, stop);
                auto count = co_await writing;
                co_return [count](lua_State* to) {
                    push(to, count);
                    return 1;
                };
            }(account, token);
        });
}

} // namespace

void add_mail_archive(lua_State* L) {
    set_function<export_thunk>(L, "export");
    set_function<import_thunk>(L, "import");
    set_function<settle>(L, "settle");
}

} // namespace himalaya::lua

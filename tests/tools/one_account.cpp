// One account's store and sync without an editor around them: what the proofs that nothing is lost drive, kill and ask.
//
//     one_account --data FOLDER [--host 127.0.0.1] --port N --user NAME --password WORD [--tls CA_FILE]
//                 [--timeout MS] [--connections 3] [--no-bodies] [--harm kill --at N] [--trace]
//
// Prints {"ok":true,"noticed":"..."} once the store is open (or why it is not, and ends), then obeys JSON lines on stdin,
// in order, one JSON line out for each; ends when stdin does.
//     {"do":"sync","kind":"full"|"inbox"|"folder","folder":"..."}
//     {"do":"flag","folder":"INBOX","ids":[1],"add":4,"remove":0,"add_keywords":["a"],"remove_keywords":[]}
//     {"do":"move"|"copy","folder","ids","target"}, {"do":"delete","folder","ids"} (to the trash; in it, for good)
//     {"do":"expunge","folder","ids"}, {"do":"append","folder","message","flags"}, {"do":"undo"}
//     {"do":"dump"}     every folder and message, and whether each body says what its hash says
//     {"do":"ops"}      how many wait; {"do":"later"}: what waits for a time is due now
//     {"do":"body","id"}                        a message's body, as a reader asks for it
//     {"do":"allow","folder"}                   the user's yes to withheld deletions
//     {"do":"arm","harm":"full","at":0}, {"do":"mend"}, {"do":"points"}      see fault_points.hpp
#include "fault_points.hpp"

#include "base/json_in.hpp"
#include "base/json_out.hpp"
#include "base/text.hpp"
#include "base/time.hpp"
#include "imap/pool.hpp"
#include "mail/flags.hpp"
#include "net/net.hpp"
#include "store/folders.hpp"
#include "store/ops.hpp"
#include "store/pages.hpp"
#include "sync/account.hpp"
#include "sync/imap_source.hpp"

#include <uv.h>

#include <cstdio>
#include <deque>

using namespace himalaya;

namespace {

struct Options {
    std::string data, host = "127.0.0.1", user, password, ca_file;
    int port = 0;
    std::uint64_t timeout_ms = 10'000;
    std::size_t connections = 3;
    bool bodies = true;
    faults::Harm harm = faults::Harm::none;
    std::int64_t at = -1;
};

faults::Harm harm_of(std::string_view name) {
    static const std::map<std::string_view, faults::Harm> names = {
        {"kill", faults::Harm::kill}, {"torn", faults::Harm::torn},   {"power", faults::Harm::power},
        {"full", faults::Harm::full}, {"error", faults::Harm::error}, {"cut", faults::Harm::cut}};
    auto found = names.find(name);
    return found == names.end() ? faults::Harm::none : found->second;
}

void say(const std::string& line) {
    auto whole = line + "\n";
    ::syscall(SYS_write, STDOUT_FILENO, whole.data(), whole.size());
}

std::string failure(const Error& error) {
    json::Writer out;
    out.begin_object().member("ok", false).member("code", name_of(error.code));
    out.member("error", error.message).member("hint", error.hint).end_object();
    return std::move(out).str();
}

std::string success() {
    return R"({"ok":true})";
}

std::vector<std::string> words(json::Value list) {
    std::vector<std::string> all;
    for (auto word : list.elements())
        all.emplace_back(word.string().value_or(""));
    return all;
}

class OneAccount {
  public:
    OneAccount(loop::Loop& loop, Options options)
        : m_loop(loop), m_options(std::move(options)), m_net(loop), m_cancel(loop.token()) {}

    loop::Task<> open() {
        store::Place place{m_options.data};
        auto opening = store::Store::open(m_loop, place, m_cancel.token());
        m_store = co_await opening;
        imap::Account account;
        account.host = m_options.host;
        account.port = static_cast<std::uint16_t>(m_options.port);
        account.security = m_options.ca_file.empty() ? net::Security::none : net::Security::implicit;
        account.ca_file = m_options.ca_file;
        account.user = m_options.user;
        account.secret = [word = m_options.password](loop::CancelToken) -> loop::Task<auth::Secret> {
            co_return auth::Secret(word);
        };
        account.timeout_ms = m_options.timeout_ms;
        account.pool_size = m_options.connections;
        m_pool = std::make_shared<imap::Pool>(m_net, account);
        auto source = std::make_shared<sync::ImapSource>(m_pool, std::map<std::string, std::string>());
        sync::Options wanted;
        wanted.name = "home";
        wanted.instance = m_author;
        wanted.bodies.fetch = m_options.bodies;
        m_account =
            std::make_shared<sync::Account>(m_loop, std::move(wanted), m_store, source, m_cancel.token());
        m_account->start();
        json::Writer out;
        out.begin_object().member("ok", true).member("noticed", m_store->noticed()).end_object();
        say(out.str());
    }

    loop::Task<std::string> obey(std::string line) {
        auto document = json::Document::parse(line).or_throw();
        auto request = document.root();
        std::string what(request["do"].string().value_or(""));
        if (what == "points") {
            co_return fmt::format(R"({{"ok":true,"points":{}}})", faults::faults().passed.load());
        } else if (what == "arm") {
            faults::faults().arm(harm_of(request["harm"].string().value_or("")),
                                 request["at"].integer().value_or(0));
            co_return success();
        } else if (what == "mend") {
            faults::faults().mend();
            co_return success();
        } else if (what == "sync") {
            auto syncing = sync(request);
            co_return co_await syncing;
        } else if (what == "dump") {
            auto dumping = m_store->read<std::string>(
                [store = m_store](store::Database& database) { return dump(*store, database); },
                m_cancel.token());
            co_return co_await dumping;
        } else if (what == "body") {
            auto fetching = m_account->need_body(request["id"].integer().value_or(0), m_cancel.token());
            co_await fetching;
            co_return success();
        } else if (what == "append") {
            auto appending = append(request);
            co_return co_await appending;
        }
        auto acting = m_store->write<std::int64_t>(action(what, request), m_cancel.token());
        auto result = co_await acting;
        co_return fmt::format(R"({{"ok":true,"result":{}}})", result);
    }

    void close() {
        m_cancel.cancel();
        if (m_pool)
            m_pool->close();
        if (m_store)
            m_store->close();
    }

  private:
    using Action = std::function<std::int64_t(store::Change&)>;

    loop::Task<std::string> sync(json::Value request) {
        auto kind = request["kind"].string().value_or("full");
        auto which = kind == "inbox"    ? sync::Kind::inbox
                     : kind == "folder" ? sync::Kind::folder
                                        : sync::Kind::full;
        std::string folder(request["folder"].string().value_or(""));
        auto syncing = m_account->sync(which, folder, m_cancel.token());
        auto summary = co_await syncing;
        json::Writer out;
        out.begin_object().member("ok", true).member("new", summary.fresh);
        out.member("updated", summary.updated).member("expunged", summary.expunged);
        out.member("uploaded", summary.uploaded);
        for (auto [name, list] : {std::pair("refused", &summary.refused), {"withheld", &summary.withheld}}) {
            out.key(name).begin_array();
            for (const auto& item : *list)
                out.value(item);
            out.end_array();
        }
        out.end_object();
        co_return std::move(out).str();
    }

    // Ten seconds that others wait are over at once here.
    store::Author me() const { return {m_author, time::now_s() - store::TIME_TO_UNDO_EXPUNGE}; }

    static store::Folder folder(store::Database& database, const std::string& path) {
        auto found = store::folder_of(database, path);
        if (!found)
            throw make_error(Code::not_found, "there is no folder " + path);
        return *found;
    }

    Action action(const std::string& what, json::Value request) {
        std::string path(request["folder"].string().value_or("INBOX"));
        std::string target(request["target"].string().value_or(""));
        std::vector<store::Id> ids;
        for (auto id : request["ids"].elements())
            ids.push_back(id.integer().value_or(0));
        auto author = me();
        if (what == "flag") {
            store::FlagChange wanted{static_cast<std::uint32_t>(request["add"].integer().value_or(0)),
                                     static_cast<std::uint32_t>(request["remove"].integer().value_or(0)),
                                     words(request["add_keywords"]), words(request["remove_keywords"])};
            return [=](store::Change& change) {
                return store::flag(change, folder(change.database(), path).id, ids, wanted, author);
            };
        }
        if (what == "move" || what == "copy")
            return [=, act = what == "move" ? store::move : store::copy](store::Change& change) {
                auto& database = change.database();
                return act(change, folder(database, path).id, ids, folder(database, target).id, author);
            };
        if (what == "delete" || what == "expunge")
            return [=](store::Change& change) {
                auto& database = change.database();
                auto from = folder(database, path).id;
                auto trash = store::folder_with_role(database, "trash");
                if (what == "expunge" || !trash || trash->id == from)
                    return store::expunge(change, from, ids, author);
                return store::move(change, from, ids, trash->id, author);
            };
        if (what == "undo")
            return [=](store::Change& change) {
                auto undone = store::undo(change, author);
                return undone ? undone->op : 0;
            };
        if (what == "ops")
            return [](store::Change& change) { return store::pending_ops(change.database()); };
        if (what == "later")
            return [](store::Change& change) -> std::int64_t {
                change.database()
                    .prepare("UPDATE op SET not_before = 0 WHERE state IN ('queued', 'sent')")
                    .run();
                return 0;
            };
        if (what == "allow")
            return [=](store::Change& change) -> std::int64_t {
                sync::allow_deletions(change, folder(change.database(), path).id);
                return 0;
            };
        throw make_error(Code::invalid, what + "?");
    }

    loop::Task<std::string> append(json::Value request) {
        std::string path(request["folder"].string().value_or(""));
        std::string bytes(request["message"].string().value_or(""));
        store::Arrival arrival;
        arrival.flags = static_cast<std::uint32_t>(request["flags"].integer().value_or(0));
        arrival.arrived = time::now_s();
        arrival.size = static_cast<std::int64_t>(bytes.size());
        arrival.message_id = std::string(request["message_id"].string().value_or(""));
        arrival.subject = std::string(request["subject"].string().value_or(""));
        auto packing = m_store->on_files<store::PackedBody>(
            [store = m_store, bytes] { return store->bodies().pack(bytes); }, m_cancel.token());
        auto packed = co_await packing;
        auto writing = m_store->write<store::Id>(
            [=, author = me()](store::Change& change) {
                store::Id row = 0;
                auto op = store::append(change, folder(change.database(), path).id, arrival, author, row);
                store::Bodies::attach(change, row, packed);
                return op;
            },
            m_cancel.token());
        auto op = co_await writing;
        co_return fmt::format(R"({{"ok":true,"result":{}}})", op);
    }

    static std::string dump(store::Store& store, store::Database& database) {
        json::Writer out;
        out.begin_object().member("ok", true).member("ops", store::pending_ops(database));
        out.key("folders").begin_object();
        for (const auto& folder : store::all_folders(database)) {
            out.key(folder.path).begin_object();
            out.member("total", folder.total).member("unread", folder.unread);
            out.member("withheld", sync::withheld_deletions(database, folder.id));
            out.key("messages").begin_array();
            auto row = database.prepare_once(fmt::format(
                "SELECT m.id, m.remote, m.flags, m.keywords, m.hidden, m.pending, m.message_id, m.subject, "
                "m.size, m.body, b.hash FROM message m LEFT JOIN body b ON b.id = m.body WHERE m.folder = {} "
                "ORDER BY m.id",
                folder.id));
            while (row.step()) {
                out.begin_object().member("id", row.integer(0)).member("uid", row.integer(1));
                out.member("flags", row.integer(2) & store::SERVER_FLAGS).member("keywords", row.text(3));
                out.member("hidden", row.integer(4) != 0).member("pending", row.integer(5));
                out.member("message_id", row.text(6)).member("subject", row.text(7));
                out.member("size", row.integer(8));
                if (!row.is_null(9)) {
                    auto hash = row.blob(10);
                    bool sound = store.bodies().read(database, row.integer(9)).has_value();
                    std::string_view raw(reinterpret_cast<const char*>(hash.data()), hash.size());
                    out.member("body", sound ? text::hex(raw) : "damaged");
                }
                out.end_object();
            }
            out.end_array().end_object();
        }
        out.end_object().end_object();
        return std::move(out).str();
    }

    loop::Loop& m_loop;
    Options m_options;
    net::Net m_net;
    loop::CancelSource m_cancel;
    std::string m_author = fmt::format("proof_{}", ::getpid());
    std::shared_ptr<store::Store> m_store;
    std::shared_ptr<imap::Pool> m_pool;
    std::shared_ptr<sync::Account> m_account;
};

struct Lines {
    OneAccount& account;
    uv_pipe_t pipe{};
    std::string pending;
    std::vector<char> room = std::vector<char>(64 << 10);
    std::deque<std::string> waiting;
    bool busy = false;
    bool over = false;
};

void next(Lines& lines) {
    if (lines.busy)
        return;
    if (lines.waiting.empty()) {
        if (lines.over)
            uv_stop(lines.pipe.loop);
        return;
    }
    lines.busy = true;
    auto line = std::move(lines.waiting.front());
    lines.waiting.pop_front();
    auto running = [](Lines& all, std::string one) -> loop::Task<> {
        auto obeying = all.account.obey(std::move(one));
        auto answer = co_await obeying;
        say(answer);
    };
    loop::start(running(lines, std::move(line)), [&lines](std::optional<Error> error) {
        if (error)
            say(failure(*error));
        lines.busy = false;
        next(lines);
    });
}

void read_lines(uv_loop_t* loop, Lines& lines) {
    uv_pipe_init(loop, &lines.pipe, 0);
    lines.pipe.data = &lines;
    if (uv_pipe_open(&lines.pipe, STDIN_FILENO) < 0)
        std::exit(2);
    uv_read_start(
        reinterpret_cast<uv_stream_t*>(&lines.pipe),
        [](uv_handle_t* handle, std::size_t, uv_buf_t* buffer) {
            auto& all = *static_cast<Lines*>(handle->data);
            *buffer = uv_buf_init(all.room.data(), static_cast<unsigned>(all.room.size()));
        },
        [](uv_stream_t* stream, ssize_t count, const uv_buf_t* buffer) {
            auto& all = *static_cast<Lines*>(stream->data);
            if (count < 0) {
                all.over = true;
                uv_read_stop(stream);
            } else {
                all.pending.append(buffer->base, static_cast<std::size_t>(count));
                for (std::size_t end; (end = all.pending.find('\n')) != std::string::npos;) {
                    all.waiting.push_back(all.pending.substr(0, end));
                    all.pending.erase(0, end + 1);
                }
            }
            next(all);
        });
}

Options parse(int count, char** arguments) {
    Options options;
    for (int i = 1; i < count; ++i) {
        std::string_view name = arguments[i];
        if (name == "--no-bodies") {
            options.bodies = false;
            continue;
        }
        if (name == "--trace") {
            faults::faults().trace = true;
            continue;
        }
        std::string value = ++i < count ? arguments[i] : "";
        if (name == "--data")
            options.data = value;
        else if (name == "--host")
            options.host = value;
        else if (name == "--port")
            options.port = std::atoi(value.c_str());
        else if (name == "--user")
            options.user = value;
        else if (name == "--password")
            options.password = value;
        else if (name == "--tls")
            options.ca_file = value;
        else if (name == "--timeout")
            options.timeout_ms = static_cast<std::uint64_t>(std::atoll(value.c_str()));
        else if (name == "--connections")
            options.connections = static_cast<std::size_t>(std::atoi(value.c_str()));
        else if (name == "--harm")
            options.harm = harm_of(value);
        else if (name == "--at")
            options.at = std::atoll(value.c_str());
        else {
            std::fprintf(stderr, "one_account: %s?\n", arguments[i - 1]);
            std::exit(2);
        }
    }
    return options;
}

} // namespace

int main(int count, char** arguments) {
    std::signal(SIGPIPE, SIG_IGN); // as Neovim does
    auto options = parse(count, arguments);
    faults::faults().arm(options.harm, options.at);
    auto* uv = uv_default_loop();
    loop::Loop loop(uv);
    OneAccount account(loop, options);
    Lines lines{account};
    lines.busy = true; // until it is open; what is said meanwhile waits
    read_lines(uv, lines);
    loop::start(account.open(), [&](std::optional<Error> error) {
        if (error) {
            say(failure(*error));
            std::_Exit(1);
        }
        lines.busy = false;
        next(lines);
    });
    uv_run(uv, UV_RUN_DEFAULT);
    account.close();
    std::_Exit(0); // what stays is the kernel's: an end without ceremony must be survivable anyway
}

// native.mail: what the screen reads. Everything here is local, but for a body that is not here yet.
#include "base/text.hpp"
#include "base/time.hpp"
#include "lua/long_list.hpp"
#include "lua/mail_home.hpp"
#include "lua/mail_values.hpp"
#include "mail/query.hpp"
#include "store/folders.hpp"
#include "store/keys.hpp"
#include "store/ops.hpp"
#include "store/pages.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace himalaya::lua {

namespace {

using Account = std::shared_ptr<MailAccount>;

store::Message need_message(store::Database& database, store::Id folder, store::Id id) {
    auto message = store::message_of(database, id);
    if (!message || message->folder != folder || message->hidden)
        throw make_error(Code::not_found, "that message is not in this folder any more",
                         "refresh the list (:HimalayaRefresh)");
    return *message;
}

// folders(account, cb)
loop::Task<Arguments> folders(Account account, loop::CancelToken token) {
    auto reading = account->store->read<std::vector<store::Folder>>(
        [](store::Database& database) { return store::all_folders(database); }, token);
    auto found = co_await reading;
    co_return [found = std::move(found), list = LongList()](lua_State* L) mutable {
        bool whole = list.push(L, found.size(), [&](std::size_t i) { push_mail_folder(L, found[i]); });
        return whole ? 1 : Events::GO_ON;
    };
}

store::Filter filter_of(const mail::Query& query) {
    store::Filter filter;
    filter.words = query.words;
    filter.from = query.from;
    filter.to = query.to;
    filter.subject = query.subject;
    filter.before = query.before;
    filter.after = query.after;
    filter.without = query.unread ? store::SEEN : 0u;
    filter.with = (query.flagged ? store::FLAGGED : 0u) | (query.answered ? store::ANSWERED : 0u) |
                  (query.has_attachment ? store::HAS_ATTACHMENT : 0u);
    return filter;
}

struct Listing {
    store::Folder folder;
    store::Page page;
    bool filtered = false;
    bool stale = false;
};

int push_listing(lua_State* L, const Listing& listing, LongList& list) {
    const auto& items = listing.page.items;
    if (!list.push(L, items.size(), [&](std::size_t i) { push_mail_item(L, items[i]); }))
        return Events::GO_ON;
    lua_createtable(L, 0, 6);
    lua_insert(L, -2);
    lua_setfield(L, -2, "items");
    // How many match is not known without looking at all of them.
    if (!listing.filtered) {
        set(L, "total", listing.folder.total);
        set(L, "unread", listing.folder.unread);
    }
    if (listing.page.next)
        set(L, "next", store::to_text(*listing.page.next));
    if (listing.page.previous)
        set(L, "previous", store::to_text(*listing.page.previous));
    set(L, "stale", listing.stale);
    return 1;
}

struct ListWanted {
    std::string folder;
    store::Wanted wanted;
    std::string query;
    std::int64_t fresh_for = 300; // seconds
};

loop::Task<Arguments> list(Account account, ListWanted asked, loop::CancelToken token) {
    asked.wanted.filter = filter_of(mail::parse_query(asked.query).or_throw());
    auto reading = account->store->read<std::shared_ptr<Listing>>(
        [asked](store::Database& database) {
            auto listing = std::make_shared<Listing>();
            listing->folder = need_folder(database, asked.folder);
            listing->page = store::list_page(database, listing->folder.id, asked.wanted);
            listing->filtered = !asked.wanted.filter.empty();
            listing->stale = time::now_s() - listing->folder.synced_at > asked.fresh_for;
            return listing;
        },
        token);
    auto listing = co_await reading;
    co_return
        [listing, items = LongList()](lua_State* L) mutable { return push_listing(L, *listing, items); };
}

std::optional<store::Cursor> check_cursor(const Table& opts, const char* field) {
    auto text = opts.string(field);
    if (!text)
        return std::nullopt;
    auto cursor = store::cursor_of(*text);
    if (!cursor)
        bad_argument(opts.path(field), "expected `next` or `previous` of an earlier list");
    return cursor;
}

// list(account, folder, opts, cb)
int list_thunk(lua_State* L, Runtime& runtime) {
    auto& home = MailHome::of(runtime);
    auto account = home.check_account(L, 1);
    ListWanted asked;
    asked.folder = check_string(L, 2, "folder");
    Table opts(L, 3, "opts", false);
    auto positive = [&](const char* field, std::int64_t otherwise, std::int64_t most) {
        auto value = opts.integer(field).value_or(otherwise);
        if (value < 1 || value > most)
            bad_argument(opts.path(field), fmt::format("expected 1 to {}, got {}", most, value));
        return value;
    };
    asked.wanted.page = positive("page", 1, 1 << 30);
    asked.wanted.page_size = positive("page_size", 50, 5'000);
    asked.wanted.after = check_cursor(opts, "after");
    asked.wanted.before = check_cursor(opts, "before");
    asked.wanted.thread = opts.boolean("thread").value_or(false);
    asked.query = opts.string("query").value_or("");
    asked.fresh_for = opts.integer("fresh_for").value_or(300);
    return home.run(L, check_function(L, 4, "cb"), account->cancel.token(),
                    [account, asked](loop::CancelToken token) { return list(account, asked, token); });
}

int folders_thunk(lua_State* L, Runtime& runtime) {
    auto& home = MailHome::of(runtime);
    auto account = home.check_account(L, 1);
    return home.run(L, check_function(L, 2, "cb"), account->cancel.token(),
                    [account](loop::CancelToken token) { return folders(account, token); });
}

// count(account, folder, cb)
int count_thunk(lua_State* L, Runtime& runtime) {
    auto& home = MailHome::of(runtime);
    auto account = home.check_account(L, 1);
    std::string path(check_string(L, 2, "folder"));
    return home.run(
        L, check_function(L, 3, "cb"), account->cancel.token(), [account, path](loop::CancelToken token) {
            return [](Account mine, std::string wanted, loop::CancelToken stop) -> loop::Task<Arguments> {
                auto reading = mine->store->read<store::Folder>(
                    [wanted](store::Database& database) { return need_folder(database, wanted); }, stop);
                auto folder = co_await reading;
                co_return [folder](lua_State* to) {
                    lua_createtable(to, 0, 2);
                    if (folder.uidvalidity) {
                        set(to, "total", folder.total);
                        set(to, "unread", folder.unread);
                    }
                    return 1;
                };
            }(account, path, token);
        });
}

struct Wish {
    std::string folder;
    store::Id id = 0;
    std::size_t offset = 0;
    std::size_t max_bytes = 262'144;
    std::size_t most_parts = 10'000; // as many tables as that take several milliseconds
    bool mark_seen = false;
};

// The message's bytes, from the server where they are not here; and the row as it was. They are let go of where they
// were used, on the file thread: to free 60 MB is 5 ms.
loop::Task<std::pair<store::Message, std::shared_ptr<std::string>>>
bytes_of(MailHome& home, Account account, std::string folder, store::Id id, loop::CancelToken token) {
    struct Got {
        store::Message row;
        std::shared_ptr<std::string> bytes;
    };
    for (bool asked = false;; asked = true) {
        auto reading = account->store->read<Got>(
            [account, folder, id](store::Database& database) {
                Got got{need_message(database, need_folder(database, folder).id, id), nullptr};
                if (got.row.body)
                    if (auto bytes = account->store->bodies().read(database, *got.row.body))
                        got.bytes = std::make_shared<std::string>(std::move(*bytes));
                return got;
            },
            token);
        auto got = co_await reading;
        (asked ? home.read_counts.remote : home.read_counts.disk).count(got.bytes != nullptr);
        if (got.bytes)
            co_return std::pair(std::move(got.row), std::move(got.bytes));
        if (asked || !account->account)
            throw make_error(Code::not_found, "the server does not give this message's text",
                             "sync and try again");
        auto fetching = account->account->need_body(id, token);
        co_await fetching;
    }
}

struct Parsed {
    std::shared_ptr<const mail::Message> message;
    std::string key; // what the message is called in an address
};

loop::Task<Parsed> parsed(MailHome& home, Account account, const Wish& wish, loop::CancelToken token) {
    auto asking = account->store->read<std::pair<store::Message, std::string>>(
        [path = wish.folder, id = wish.id](store::Database& database) {
            auto folder = need_folder(database, path);
            auto message = need_message(database, folder.id, id);
            auto key = store::key_of(folder, message);
            return std::pair(std::move(message), std::move(key));
        },
        token);
    auto [row, key] = co_await asking;
    auto matches = [&, &body = row.body](const ReadMessage& kept) {
        return body && kept.body == *body && kept.store == account->store.get();
    };
    auto kept = std::find_if(home.read.begin(), home.read.end(), matches);
    home.read_counts.memory.count(kept != home.read.end());
    if (kept != home.read.end())
        co_return Parsed{kept->message, std::move(key)};
    auto getting = bytes_of(home, account, wish.folder, wish.id, token);
    auto got = co_await getting;
    auto body = got.first.body;
    auto parsing = account->store->on_files<std::shared_ptr<const mail::Message>>(
        [&home, bytes = std::move(got.second)]() -> std::shared_ptr<const mail::Message> {
            return std::make_shared<mail::Message>(home.mime()->read(*bytes));
        },
        token);
    auto message = co_await parsing;
    if (body)
        home.keep_read(*account->store, {account->store.get(), *body, message});
    co_return Parsed{std::move(message), std::move(key)};
}

// Where a slice may end: never inside a character, and at the end of a line where one is near.
std::size_t slice_end(std::string_view text, std::size_t offset, std::size_t most) {
    if (text.size() - offset <= most)
        return text.size();
    auto end = offset + most;
    auto line = text.rfind('\n', end - 1);
    if (line != std::string_view::npos && line > offset && end - line < 4'096)
        return line + 1;
    while (end > offset && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80)
        --end;
    return end > offset ? end : std::min(text.size(), offset + most);
}

struct ReadLists {
    LongList headers;
    LongList attachments;
};

int push_read(lua_State* L, const Parsed& parsed, const Wish& wish, ReadLists& lists) {
    const auto& message = *parsed.message;
    auto push_part = [&](std::size_t i) {
        const auto& part = message.attachments[i];
        lua_createtable(L, 0, 4);
        set(L, "name", part.name);
        set(L, "mime", part.mime);
        set(L, "size", part.size);
        set(L, "part", part.number);
    };
    auto push_header = [&](std::size_t i) {
        const auto& header = message.headers[i];
        lua_createtable(L, 0, 2);
        set(L, "name", header.name);
        set(L, "value", header.value);
    };
    if (!lists.attachments.push(L, std::min(message.attachments.size(), wish.most_parts), push_part))
        return Events::GO_ON;
    if (!lists.headers.push(L, message.headers.size(), push_header))
        return Events::GO_ON;
    lua_createtable(L, 0, 11);
    lua_insert(L, -3);
    lua_setfield(L, -3, "headers");
    lua_setfield(L, -2, "attachments");
    set(L, "key", parsed.key);
    auto offset = std::min(wish.offset, message.text.size());
    auto end = slice_end(message.text, offset, wish.max_bytes);
    set(L, "text", std::string_view(message.text).substr(offset, end - offset));
    set(L, "offset", static_cast<std::int64_t>(offset));
    set(L, "next_offset", static_cast<std::int64_t>(end));
    set(L, "more", end < message.text.size());
    set(L, "size", static_cast<std::int64_t>(message.text.size()));
    set(L, "text_from_html", message.text_from_html);
    // Only with the first slice, and only as much of it as a slice may be.
    if (!message.html.empty() && offset == 0)
        set(L, "html", std::string_view(message.html).substr(0, wish.max_bytes));
    set(L, "attachment_count", static_cast<std::int64_t>(message.attachments.size()));
    return 1;
}

loop::Task<Arguments> read(MailHome& home, Account account, Wish wish, loop::CancelToken token) {
    auto parsing = parsed(home, account, wish, token);
    auto got = co_await parsing;
    if (wish.mark_seen) {
        auto marking = account->store->write<store::Id>(
            [wish, instance = home.instance](store::Change& change) {
                auto folder = need_folder(change.database(), wish.folder);
                // Not an action that undo takes back: reading is not undone.
                store::FlagChange seen;
                seen.add = store::SEEN;
                return store::flag(change, folder.id, std::span(&wish.id, 1), seen, {"", time::now_s()});
            },
            token);
        co_await marking;
    }
    co_return
        [got, wish, lists = ReadLists()](lua_State* L) mutable { return push_read(L, got, wish, lists); };
}

// read(account, folder, id, opts, cb)
int read_thunk(lua_State* L, Runtime& runtime) {
    auto& home = MailHome::of(runtime);
    auto account = home.check_account(L, 1);
    Wish wish;
    wish.folder = check_string(L, 2, "folder");
    wish.id = check_integer(L, 3, "id");
    Table opts(L, 4, "opts", false);
    auto size = [&](const char* field, std::int64_t otherwise, std::int64_t least) {
        auto value = opts.integer(field).value_or(otherwise);
        if (value < least || value > (1 << 30))
            bad_argument(opts.path(field), fmt::format("expected {} to 2^30, got {}", least, value));
        return static_cast<std::size_t>(value);
    };
    wish.offset = size("offset", 0, 0);
    wish.max_bytes = size("max_bytes", 262'144, 4);
    wish.most_parts = size("max_attachments", 10'000, 0);
    wish.mark_seen = opts.boolean("mark_seen").value_or(false);
    return home.run(
        L, check_function(L, 5, "cb"), account->cancel.token(),
        [&home, account, wish](loop::CancelToken token) { return read(home, account, wish, token); });
}

// prefetch(account, folder, id, cb): the message's bytes come here where they are not yet
int prefetch_thunk(lua_State* L, Runtime& runtime) {
    auto& home = MailHome::of(runtime);
    auto account = home.check_account(L, 1);
    std::string folder(check_string(L, 2, "folder"));
    auto id = check_integer(L, 3, "id");
    return home.run(L, check_function(L, 4, "cb"), account->cancel.token(),
                    [&home, account, folder, id](loop::CancelToken token) {
                        return [](MailHome& at, Account mine, std::string where, store::Id which,
                                  loop::CancelToken stop) -> loop::Task<Arguments> {
                            auto looking = mine->store->read<bool>(
                                [where, which](store::Database& database) {
                                    auto folder_row = need_folder(database, where);
                                    return need_message(database, folder_row.id, which).body.has_value();
                                },
                                stop);
                            if (!co_await looking && mine->account) {
                                auto fetching = mine->account->need_body(which, stop);
                                co_await fetching;
                                ++at.read_counts.prefetched;
                            }
                            co_return [](lua_State*) { return 0; };
                        }(home, account, folder, id, token);
                    });
}

// find(account, folder, key, cb) -> id
int find_thunk(lua_State* L, Runtime& runtime) {
    auto& home = MailHome::of(runtime);
    auto account = home.check_account(L, 1);
    std::string folder(check_string(L, 2, "folder"));
    std::string key(check_string(L, 3, "key"));
    return home.run(
        L, check_function(L, 4, "cb"), account->cancel.token(),
        [account, folder, key](loop::CancelToken token) {
            return [](Account mine, std::string where, std::string name,
                      loop::CancelToken stop) -> loop::Task<Arguments> {
                auto looking = mine->store->read<std::optional<store::Id>>(
                    [where, name](store::Database& database) {
                        return store::message_with_key(database, need_folder(database, where), name);
                    },
                    stop);
                auto id = co_await looking;
                if (!id)
                    throw make_error(Code::not_found, "the message of this address is not in its folder",
                                     "open the folder to look for it");
                co_return [id](lua_State* to) {
                    push(to, *id);
                    return 1;
                };
            }(account, folder, key, token);
        });
}

// save_attachment(account, folder, id, part, path, cb)
int save_thunk(lua_State* L, Runtime& runtime) {
    auto& home = MailHome::of(runtime);
    auto account = home.check_account(L, 1);
    std::string folder(check_string(L, 2, "folder"));
    auto id = check_integer(L, 3, "id");
    std::string part(check_string(L, 4, "part"));
    std::string path(check_string(L, 5, "path"));
    return home.run(L, check_function(L, 6, "cb"), account->cancel.token(),
                    [&home, account, folder, id, part, path](loop::CancelToken token) {
                        return [](MailHome& at, Account mine, std::string where, store::Id which,
                                  std::string number, std::string file,
                                  loop::CancelToken stop) -> loop::Task<Arguments> {
                            auto getting = bytes_of(at, mine, where, which, stop);
                            auto bytes = (co_await getting).second;
                            auto saving = mine->store->on_files<std::int64_t>(
                                [&at, bytes = std::move(bytes), number, file] {
                                    return at.mime()->save(*bytes, number, file).or_throw();
                                },
                                stop);
                            auto size = co_await saving;
                            co_return [file, size](lua_State* to) {
                                lua_createtable(to, 0, 2);
                                set(to, "path", file);
                                set(to, "size", size);
                                return 1;
                            };
                        }(home, account, folder, id, part, path, token);
                    });
}

} // namespace

void add_mail_reading(lua_State* L) {
    set_function<folders_thunk>(L, "folders");
    set_function<list_thunk>(L, "list");
    set_function<count_thunk>(L, "count");
    set_function<read_thunk>(L, "read");
    set_function<prefetch_thunk>(L, "prefetch");
    set_function<find_thunk>(L, "find");
    set_function<save_thunk>(L, "save_attachment");
}

} // namespace himalaya::lua

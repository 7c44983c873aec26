// native.mail: what the user does to mail. One transaction each: what is to be told to the server, and what is seen.
#include "base/text.hpp"
#include "base/time.hpp"
#include "lua/mail_home.hpp"
#include "lua/mail_values.hpp"
#include "mail/flags.hpp"
#include "store/folders.hpp"
#include "store/ops.hpp"

#include <fmt/format.h>

namespace himalaya::lua {

namespace {

using Account = std::shared_ptr<MailAccount>;
using Ids = std::vector<store::Id>;

store::Folder need_target(store::Database& database, const std::string& path) {
    auto folder = need_folder(database, path);
    if (!folder.selectable)
        throw make_error(Code::invalid, fmt::format("{} holds folders, not messages", text::clean_line(path)),
                         "choose another folder");
    return folder;
}

using Action = std::function<store::Id(store::Change&, const store::Folder&, const store::Author&)>;

// One action in one transaction; Lua gets { op, ids }.
int act(lua_State* L, Runtime& runtime, int callback, std::string path, Ids ids, Action action) {
    auto& home = MailHome::of(runtime);
    auto account = home.check_account(L, 1);
    return home.run(
        L, check_function(L, callback, "cb"), account->cancel.token(),
        [account, path, ids, action, instance = home.instance](loop::CancelToken token) {
            return [](Account mine, std::string where, Ids which, Action doing, std::string who,
                      loop::CancelToken stop) -> loop::Task<Arguments> {
                auto writing = mine->store->write<store::Id>(
                    [where, doing, who](store::Change& change) {
                        return doing(change, need_folder(change.database(), where), {who, time::now_s()});
                    },
                    stop);
                auto op = co_await writing;
                co_return [op, which](lua_State* to) {
                    lua_createtable(to, 0, 2);
                    if (op != 0)
                        set(to, "op", op);
                    push_mail_ids(to, which);
                    lua_setfield(to, -2, "ids");
                    return 1;
                };
            }(account, path, ids, action, instance, token);
        });
}

void add_words(const std::vector<std::string>& words, std::uint32_t& flags,
               std::vector<std::string>& keywords, const std::string& path) {
    for (const auto& word : words) {
        if (auto flag = mail::flag_of(word)) {
            flags |= flag;
            continue;
        }
        // A keyword is an IMAP atom: anything else could end the command it is sent in.
        if (!mail::is_keyword(word))
            bad_argument(path, fmt::format("'{}' is neither a flag nor a keyword", text::clean_line(word)));
        keywords.push_back(word);
    }
}

// flag(account, folder, ids, { add, remove }, cb)
int flag(lua_State* L, Runtime& runtime) {
    std::string folder(check_string(L, 2, "folder"));
    auto ids = check_ids(L, 3, "ids");
    Table wanted(L, 4, "change");
    store::FlagChange change;
    add_words(wanted.strings("add").value_or(std::vector<std::string>()), change.add, change.add_keywords,
              wanted.path("add"));
    add_words(wanted.strings("remove").value_or(std::vector<std::string>()), change.remove,
              change.remove_keywords, wanted.path("remove"));
    return act(L, runtime, 5, std::move(folder), ids,
               [ids, change](store::Change& write, const store::Folder& from, const store::Author& author) {
                   return store::flag(write, from.id, ids, change, author);
               });
}

template<store::Id (*Transfer)(store::Change&, store::Id, std::span<const store::Id>, store::Id,
                               const store::Author&)>
int transfer(lua_State* L, Runtime& runtime) {
    std::string folder(check_string(L, 2, "folder"));
    auto ids = check_ids(L, 3, "ids");
    std::string target(check_string(L, 4, "target"));
    return act(L, runtime, 5, std::move(folder), ids,
               [ids, target](store::Change& write, const store::Folder& from, const store::Author& author) {
                   return Transfer(write, from.id, ids, need_target(write.database(), target).id, author);
               });
}

// delete(account, folder, ids, cb): to the trash; what lies in the trash, for good
int remove(lua_State* L, Runtime& runtime) {
    std::string folder(check_string(L, 2, "folder"));
    auto ids = check_ids(L, 3, "ids");
    return act(L, runtime, 4, std::move(folder), ids,
               [ids](store::Change& write, const store::Folder& from, const store::Author& author) {
                   auto trash = store::folder_with_role(write.database(), "trash");
                   if (!trash)
                       throw make_error(Code::config, "this account has no trash folder",
                                        "name it: accounts.<name>.folders.roles = { trash = '...' }");
                   if (trash->id == from.id)
                       return store::expunge(write, from.id, ids, author);
                   return store::move(write, from.id, ids, trash->id, author);
               });
}

// undo(account, cb) -> { number, op, ids } or nothing to undo
int undo(lua_State* L, Runtime& runtime) {
    auto& home = MailHome::of(runtime);
    auto account = home.check_account(L, 1);
    return home.run(L, check_function(L, 2, "cb"), account->cancel.token(),
                    [account, instance = home.instance](loop::CancelToken token) {
                        return [](Account mine, std::string who,
                                  loop::CancelToken stop) -> loop::Task<Arguments> {
                            auto writing = mine->store->write<std::optional<store::Undone>>(
                                [who](store::Change& change) {
                                    return store::undo(change, {who, time::now_s()});
                                },
                                stop);
                            auto undone = co_await writing;
                            if (!undone)
                                throw make_error(Code::not_found, "there is nothing to undo", "");
                            co_return [undone](lua_State* to) {
                                lua_createtable(to, 0, 3);
                                set(to, "number", undone->op);
                                set(to, "op", store::name_of(undone->kind));
                                push_mail_ids(to, undone->messages);
                                lua_setfield(to, -2, "ids");
                                return 1;
                            };
                        }(account, instance, token);
                    });
}

} // namespace

void add_mail_acting(lua_State* L) {
    set_function<flag>(L, "flag");
    set_function<transfer<store::move>>(L, "move");
    set_function<transfer<store::copy>>(L, "copy");
    set_function<remove>(L, "delete");
    set_function<undo>(L, "undo");
}

} // namespace himalaya::lua

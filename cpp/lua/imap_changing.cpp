// native.imap: what changes mail on the server. What would be there twice if done twice is never tried again by itself.
#include "lua/imap_client.hpp"

#include "imap/grammar.hpp"

#include <utility>

namespace himalaya::lua {

using namespace himalaya::imap;

namespace {

using SessionPtr = std::shared_ptr<Session>;

Target check_target(lua_State* L) {
    Target target;
    target.folder = std::string(check_string(L, 2, "folder"));
    target.uids = check_uids(L, 3, "uids");
    return target;
}

// store(client, folder, uids, { add, remove, unchanged_since, uidvalidity }, callback) -> operation
int store(lua_State* L, Runtime& runtime) {
    Target target = check_target(L);
    Table changes(L, 4, "changes");
    StoreChange change;
    change.add = check_flags(changes.strings("add").value_or(std::vector<std::string>()), "changes.add");
    change.remove =
        check_flags(changes.strings("remove").value_or(std::vector<std::string>()), "changes.remove");
    change.unchanged_since = check_count(changes, "unchanged_since");
    if (auto validity = check_count(changes, "uidvalidity", UINT32_MAX))
        target.uid_validity = static_cast<uint32_t>(*validity);
    // Setting a flag twice sets it once; with UNCHANGEDSINCE the second time would find the first.
    bool repeatable = !change.unchanged_since;
    std::string folder = target.folder;
    auto work = [target, change](SessionPtr session, loop::CancelToken token) -> loop::Task<Arguments> {
        StoreResult result = co_await imap::store(session, target, change, token);
        // Only of those that were asked for, whatever the server names.
        UidSet modified = result.modified.shared(target.uids);
        if (modified.count() > Limits().list)
            throw make_error(Code::protocol,
                             "The server says that more messages changed than a folder holds.",
                             "Ask whoever runs the server.");
        co_return [modified = std::move(modified)](lua_State* to) {
            lua_createtable(to, 0, 1);
            push_uids(to, modified);
            lua_setfield(to, -2, "modified");
            return 1;
        };
    };
    return ask(L, runtime, 5, folder, repeatable, std::move(work));
}

void push_transfer(lua_State* L, const CopyResult& result) {
    lua_createtable(L, 0, 3);
    if (result.uid_validity != 0)
        set(L, "uidvalidity", static_cast<uint64_t>(result.uid_validity));
    lua_createtable(L, 0, static_cast<int>(result.pairs.size()));
    for (auto& pair : result.pairs) {
        lua_pushnumber(L, pair.source); // a UID may be more than the int of lua_rawseti
        lua_pushnumber(L, pair.target);
        lua_rawset(L, -3);
    }
    lua_setfield(L, -2, "uids");
}

template<bool moving>
int transfer(lua_State* L, Runtime& runtime) {
    Target target = check_target(L);
    std::string to(check_string(L, 4, "target"));
    std::string folder = target.folder;
    auto work = [target, to](SessionPtr session, loop::CancelToken token) -> loop::Task<Arguments> {
        CopyResult result;
        if constexpr (moving)
            result = co_await imap::move(session, target, to, token);
        else
            result = co_await imap::copy(session, target, to, token);
        co_return [result = std::move(result)](lua_State* out) {
            push_transfer(out, result);
            if constexpr (moving)
                set(out, "expunged", result.expunged);
            return 1;
        };
    };
    // Done twice it would be there twice: a lost connection is for the caller to look into.
    return ask(L, runtime, 5, folder, false, std::move(work));
}

// expunge(client, folder, uids, callback) -> operation
int expunge(lua_State* L, Runtime& runtime) {
    Target target = check_target(L);
    std::string folder = target.folder;
    auto work = [target](SessionPtr session, loop::CancelToken token) -> loop::Task<Arguments> {
        bool gone = co_await imap::expunge(session, target, token);
        co_return [gone](lua_State* to) {
            lua_createtable(to, 0, 1);
            set(to, "expunged", gone);
            return 1;
        };
    };
    return ask(L, runtime, 4, folder, true, std::move(work));
}

// A message as Lua gave it: a large one is copied piece by piece, out of the string that is held for it.
struct Given {
    NewMessage message;
    Ref held;
    std::string_view text;
};

// The text lies on top of the stack.
Given given(lua_State* L, const Table& options) {
    Given given;
    given.text = check_string(L, -1, "message");
    given.held = Ref::of(L, -1);
    given.message.flags =
        check_flags(options.strings("flags").value_or(std::vector<std::string>()), "opts.flags");
    given.message.internal_date = options.string("date").value_or("");
    if (auto& date = given.message.internal_date; !date.empty() && !epoch_of(date))
        bad_argument(options.path("date"), "expected a date like '02-Oct-2026 17:28:25 +0200'");
    return given;
}

loop::Task<std::vector<NewMessage>> copied(loop::Loop& loop, std::vector<Given>& all) {
    constexpr std::size_t piece = 256 * 1024;
    std::vector<NewMessage> messages;
    for (auto& one : all) {
        auto& bytes = one.message.bytes;
        bytes.reserve(one.text.size());
        while (bytes.size() < one.text.size()) {
            bytes.append(one.text.substr(bytes.size(), piece));
            if (loop.budget().exhausted())
                co_await loop.next_turn();
        }
        messages.push_back(std::move(one.message));
    }
    co_return messages;
}

// append(client, folder, message | { {message=, flags=, date=}, ... }, opts { flags, date }, callback) -> operation
int append(lua_State* L, Runtime& runtime) {
    std::string folder(check_string(L, 2, "folder"));
    Table options(L, 4, "opts", false);
    auto all = std::make_shared<std::vector<Given>>();
    if (lua_type(L, 3) == LUA_TTABLE) {
        Table list(L, 3, "message");
        list.each_table([&](int, const Table& one) {
            lua_pushliteral(L, "message");
            lua_rawget(L, -2);
            all->push_back(given(L, one));
            lua_pop(L, 1);
        });
    } else {
        lua_pushvalue(L, 3);
        all->push_back(given(L, options));
        lua_pop(L, 1);
    }
    if (all->empty())
        bad_argument("message", "nothing is in it");
    auto work = [&loop = runtime.loop(), folder, all](SessionPtr session,
                                                      loop::CancelToken token) -> loop::Task<Arguments> {
        std::vector<NewMessage> messages = co_await copied(loop, *all);
        AppendResult result = co_await imap::append(session, folder, std::move(messages), token);
        co_return [result = std::move(result)](lua_State* to) {
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
        };
    };
    return ask(L, runtime, 5, {}, false, std::move(work));
}

// create(client, folder, callback) -> operation
int create(lua_State* L, Runtime& runtime) {
    std::string folder(check_string(L, 2, "folder"));
    auto pool = ImapArea::of(runtime).check_client(L, 1)->pool;
    auto work = [pool, folder](SessionPtr session, loop::CancelToken token) -> loop::Task<Arguments> {
        co_await imap::create(session, folder, token);
        pool->forget_folders();
        co_return [](lua_State*) { return 0; };
    };
    return ask(L, runtime, 3, {}, true, std::move(work));
}

} // namespace

void add_imap_changing(lua_State* L) {
    set_function<store>(L, "store");
    set_function<transfer<false>>(L, "copy");
    set_function<transfer<true>>(L, "move");
    set_function<expunge>(L, "expunge");
    set_function<append>(L, "append");
    set_function<create>(L, "create");
}

} // namespace himalaya::lua

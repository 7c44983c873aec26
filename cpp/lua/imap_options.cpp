// What Lua hands to the IMAP client: an account's options, items of a message, UIDs, flags, criteria. All of it is
// checked here, so that nothing wrong goes further than the call.
#include "lua/imap_values.hpp"

#include "base/log.hpp"

#include <algorithm>
#include <array>
#include <fmt/format.h>

namespace himalaya::lua {

using namespace himalaya::imap;

Account check_account(const Table& options, loop::Loop& loop) {
    Account account;
    account.host = options.required_string("host");
    account.user = options.string("user").value_or("");
    auto tls = options.string("tls").value_or("implicit");
    if (tls == "implicit")
        account.security = net::Security::implicit;
    else if (tls == "starttls")
        account.security = net::Security::starttls;
    else if (tls == "none")
        account.security = net::Security::none;
    else
        bad_argument(options.path("tls"), "expected implicit, starttls or none");
    auto port = options.integer("port").value_or(account.security == net::Security::implicit ? 993 : 143);
    if (port < 1 || port > 65535)
        bad_argument(options.path("port"), "expected a number from 1 to 65535");
    account.port = static_cast<uint16_t>(port);
    account.ca_file = options.string("ca_file").value_or("");
    auto size = options.integer("pool_size").value_or(3);
    if (size < 1 || size > 20)
        bad_argument(options.path("pool_size"), "expected a number from 1 to 20");
    account.pool_size = static_cast<std::size_t>(size);
    auto seconds = [&](const char* name, double fallback) {
        double value = options.number(name).value_or(fallback);
        if (!(value > 0) || value > 1e6)
            bad_argument(options.path(name), "expected a positive number of seconds");
        return static_cast<uint64_t>(value * 1000);
    };
    account.idle_timeout_ms = seconds("idle_timeout", 300);
    account.timeout_ms = seconds("network_timeout", 30);
    account.poll_ms = seconds("poll_interval", 60);
    account.renew_ms = seconds("idle_renewal", 24 * 60);
    account.pauses_grow = options.boolean("exponential_backoff").value_or(true);
    if (auto limit = options.number("bandwidth_limit")) {
        if (!(*limit >= 1) || *limit > 1e9)
            bad_argument(options.path("bandwidth_limit"), "expected KiB per second, 1 or more");
        account.bandwidth = std::make_shared<net::Bandwidth>(static_cast<uint64_t>(*limit));
    }
    if (auto compress = options.boolean("compress"))
        account.compress = *compress ? Compress::always : Compress::never;
    auto source = std::make_shared<auth::SecretSource>();
    options.with_table("auth", [&](const Table& table) {
        auto type = table.string("type").value_or("password");
        if (type != "password" && type != "oauth2")
            bad_argument(table.path("type"), "expected password or oauth2");
        account.kind = type == "oauth2" ? auth::Kind::oauth2 : auth::Kind::password;
        source->command = table.strings("command").value_or(std::vector<std::string>());
        source->env = table.string("env").value_or("");
        source->value = table.string("value").value_or("");
        source->purpose = account.kind == auth::Kind::oauth2 ? "access token" : "password";
        if (source->command.empty() && source->env.empty() && source->value.empty())
            bad_argument(table.path("command"), "expected a command, an env or a value");
    });
    source->owner = fmt::format("{} at {}", account.user, account.host);
    account.secret = [source, &loop](loop::CancelToken token) {
        std::vector<std::string> hidden;
        if (!source->env.empty())
            hidden.push_back(source->env);
        return auth::read_secret(loop, *source, std::move(hidden), auth::COMMAND_TIMEOUT_MS,
                                 std::move(token));
    };
    if (options.boolean("debug").value_or(false))
        account.log = [host = account.host](std::string_view line) {
            log::add(log::Level::debug, "imap", fmt::format("{} {}", host, line));
        };
    return account;
}

std::optional<uint64_t> check_count(const Table& table, const char* field, int64_t most) {
    auto number = table.integer(field);
    if (number && (*number < 0 || *number > most))
        bad_argument(table.path(field), fmt::format("expected 0 to {}, got {}", most, *number));
    return number ? std::optional(static_cast<uint64_t>(*number)) : std::nullopt;
}

namespace {

// "1.2", "HEADER", "1.2.MIME": numbers, and at most one word, at the end.
bool is_part(std::string_view name) {
    for (bool last = false; !last;) {
        size_t dot = name.find('.');
        std::string_view word = name.substr(0, dot);
        last = dot == std::string_view::npos;
        bool number = !word.empty() && word.size() < 10 && word[0] != '0' &&
                      word.find_first_not_of("0123456789") == std::string_view::npos;
        if (!number && !(last && (word == "HEADER" || word == "TEXT" || word == "MIME")))
            return false;
        name.remove_prefix(last ? name.size() : dot + 1);
    }
    return true;
}

} // namespace

// The names of `items`, without the two fields that it may have beside them.
static std::vector<std::string> check_items(lua_State* L, int index) {
    if (lua_type(L, index) != LUA_TTABLE)
        return check_strings(L, index, "items");
    lua_newtable(L);
    int names = lua_gettop(L);
    lua_pushnil(L);
    while (lua_next(L, index)) {
        std::string_view key = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "";
        if (key == "changed_since" || key == "priority") {
            lua_pop(L, 1);
            continue;
        }
        lua_pushvalue(L, -2);
        lua_insert(L, -2);
        lua_rawset(L, names);
    }
    auto list = check_strings(L, names, "items");
    lua_pop(L, 1);
    return list;
}

FetchWants check_wants(lua_State* L, int index) {
    FetchWants wants;
    struct Item {
        std::string_view name;
        bool FetchWants::*wanted;
    };
    constexpr std::array items = {
        Item{"flags", &FetchWants::flags},
        Item{"envelope", &FetchWants::envelope},
        Item{"size", &FetchWants::size},
        Item{"internaldate", &FetchWants::internal_date},
        Item{"bodystructure", &FetchWants::structure},
        Item{"body", &FetchWants::body},
        Item{"preview", &FetchWants::preview},
        Item{"modseq", &FetchWants::modseq},
        Item{"savedate", &FetchWants::save_date},
        Item{"objectid", &FetchWants::object_ids},
        Item{"gmail", &FetchWants::gmail},
    };
    for (auto& name : check_items(L, index)) {
        auto item = std::find_if(items.begin(), items.end(), [&](auto& i) { return i.name == name; });
        if (item != items.end()) {
            wants.*(item->wanted) = true;
        } else if (name == "uid") {
            // always there
        } else if (name == "headers") {
            wants.parts.push_back("HEADER");
        } else if (name.starts_with("header:") && is_atom(std::string_view(name).substr(7))) {
            wants.headers.push_back(name.substr(7));
        } else if (name.starts_with("part:") && is_part(std::string_view(name).substr(5))) {
            wants.parts.push_back(name.substr(5));
        } else {
            bad_argument("items", fmt::format("unknown item '{}'", name));
        }
    }
    Table table(L, index, "items");
    wants.changed_since = check_count(table, "changed_since");
    return wants;
}

// The number that means `*` in a set is none: it would be whichever message is the newest.
static std::optional<uint32_t> uid_of(double number) {
    if (!(number >= 1) || number >= double(last_of_all) || number != double(uint32_t(number)))
        return std::nullopt;
    return uint32_t(number);
}

UidSet check_uids(lua_State* L, int index, std::string_view name) {
    if (lua_type(L, index) == LUA_TNUMBER) {
        auto uid = uid_of(lua_tonumber(L, index));
        if (!uid)
            bad_argument(name, "expected a UID");
        UidSet set;
        set.add(*uid);
        return set;
    }
    if (lua_type(L, index) == LUA_TSTRING) {
        std::size_t size = 0;
        const char* text = lua_tolstring(L, index, &size);
        auto set = UidSet::parse(std::string_view(text, size));
        if (!set)
            bad_argument(name, "expected UIDs such as '1:5,9' or '1:*'");
        return *set;
    }
    if (lua_type(L, index) != LUA_TTABLE)
        bad_argument(name, "expected a list of UIDs or a text such as '1:*'");
    std::vector<uint32_t> numbers;
    auto count = lua_objlen(L, index);
    numbers.reserve(count);
    for (std::size_t i = 1; i <= count; ++i) {
        lua_rawgeti(L, index, static_cast<int>(i));
        double number = lua_type(L, -1) == LUA_TNUMBER ? lua_tonumber(L, -1) : 0;
        lua_pop(L, 1);
        auto uid = uid_of(number);
        if (!uid)
            bad_argument(name, fmt::format("[{}] is not a UID", i));
        numbers.push_back(*uid);
    }
    return UidSet::of(numbers);
}

std::vector<std::string> check_flags(const std::vector<std::string>& names, std::string_view path) {
    std::vector<std::string> flags;
    for (auto& name : names) {
        std::string flag = name;
        for (auto& known : flag_names)
            if (name == known.name)
                flag = std::string(known.flag);
        if (!is_flag(flag))
            bad_argument(path, fmt::format("'{}' is not a flag", name));
        flags.push_back(std::move(flag));
    }
    return flags;
}

SearchRequest check_criteria(lua_State* L, int index) {
    SearchRequest request;
    if (lua_type(L, index) == LUA_TSTRING) {
        request.raw = std::string(check_string(L, index, "criteria"));
        if (request.raw.find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos)
            bad_argument("criteria", "a line end or NUL cannot be in it");
        return request;
    }
    if (lua_type(L, index) != LUA_TTABLE)
        bad_argument("criteria", "expected a text or a table");
    // { unseen = true, from = 'mary', header = { 'List-Id', 'x' }, seen = false }
    lua_pushnil(L);
    while (lua_next(L, index) != 0) {
        if (lua_type(L, -2) != LUA_TSTRING)
            bad_argument("criteria", "expected names as keys, such as { from = 'mary' }");
        Criterion criterion;
        criterion.key = std::string(check_string(L, -2, "criteria"));
        for (char& c : criterion.key)
            c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c == '_' ? '-' : c;
        if (lua_type(L, -1) == LUA_TBOOLEAN) {
            criterion.negated = !lua_toboolean(L, -1);
        } else if (lua_type(L, -1) == LUA_TTABLE && criterion.key == "UID") {
            criterion.values.push_back(check_uids(L, lua_gettop(L), "criteria.uid").text());
        } else if (lua_type(L, -1) == LUA_TTABLE) {
            criterion.values = check_strings(L, lua_gettop(L), "criteria." + criterion.key);
        } else if (lua_type(L, -1) == LUA_TNUMBER) {
            std::string path = "criteria." + std::string(check_string(L, -2, "criteria"));
            auto number = check_integer(L, -1, path);
            if (number < 0)
                bad_argument(path, "expected 0 or more");
            criterion.values.push_back(fmt::format("{}", number));
        } else {
            criterion.values.push_back(std::string(check_string(L, -1, "criteria." + criterion.key)));
        }
        request.criteria.push_back(std::move(criterion));
        lua_pop(L, 1);
    }
    return request;
}

} // namespace himalaya::lua

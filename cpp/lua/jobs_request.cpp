#include "lua/jobs_request.hpp"

#include <algorithm>
#include <span>

#include <fmt/format.h>

#include "base/text.hpp"

namespace himalaya::lua {

namespace {

using jobs::Time;

constexpr std::size_t LONGEST_NAME = 80;
// A year: larger numbers are a mistake, and would not fit when counted in microseconds.
constexpr double LONGEST_MS = 366.0 * 24 * 3600 * 1000;

Time time_field(const Table& opts, const char* field, Time otherwise) {
    auto ms = opts.number(field);
    if (!ms)
        return otherwise;
    if (!(*ms >= 0 && *ms <= LONGEST_MS))
        bad_argument(opts.path(field), fmt::format("expected milliseconds, 0 or more, got {}", *ms));
    return static_cast<Time>(*ms * static_cast<double>(jobs::MILLISECOND));
}

std::int64_t count_field(const Table& opts, const char* field, std::int64_t otherwise, std::int64_t most) {
    auto count = opts.integer(field);
    if (!count)
        return otherwise;
    if (*count < 0 || *count > most)
        bad_argument(opts.path(field), fmt::format("expected 0 to {}, got {}", most, *count));
    return *count;
}

void check_no_nul(std::string_view text, const std::string& name) {
    if (text.find('\0') != std::string_view::npos)
        bad_argument(name, "holds a NUL byte, which no program can be given");
}

std::vector<std::string> check_argv(lua_State* L, int index, const std::string& name, std::string program) {
    std::vector<std::string> argv = check_strings(L, index, name);
    for (std::size_t i = 0; i < argv.size(); ++i)
        if (argv[i].find('\0') != std::string::npos)
            check_no_nul(argv[i], fmt::format("{}[{}]", name, i + 1));
    if (!program.empty())
        argv.insert(argv.begin(), std::move(program));
    if (argv.empty() || argv[0].empty())
        bad_argument(name, "expected a program and its arguments");
    return argv;
}

std::string short_name(const std::vector<std::string>& argv) {
    std::string name = argv[0].substr(argv[0].rfind('/') + 1);
    for (std::size_t i = 1; i < argv.size() && name.size() < LONGEST_NAME; ++i)
        name.append(" ").append(argv[i]);
    if (name.size() > LONGEST_NAME) {
        std::size_t end = LONGEST_NAME;
        while (end > 0 && (static_cast<unsigned char>(name[end]) & 0xC0) == 0x80)
            --end;
        name.resize(end);
        name += "...";
    }
    return name;
}

constexpr std::string_view OPTIONS[] = {"timeout", "deadline", "retries",  "backoff", "grace",
                                        "cwd",     "env",      "stdin",    "key",     "max_output",
                                        "name",    "coalesce", "on_stdout"};
constexpr std::string_view COMMAND_FIELDS[] = {"argv", "opts", "priority"};

void check_known(lua_State* L, int index, const std::string& name, std::span<const std::string_view> known,
                 std::string_view otherwise) {
    if (lua_type(L, index) != LUA_TTABLE)
        return;
    lua_pushnil(L);
    while (lua_next(L, index)) {
        lua_pop(L, 1);
        if (lua_type(L, -1) != LUA_TSTRING)
            bad_argument(name, fmt::format("has a {} as a key", lua_typename(L, lua_type(L, -1))));
        std::string_view key = check_string(L, -1, name);
        if (std::find(known.begin(), known.end(), key) == known.end())
            bad_argument(fmt::format("{}.{}", name, key), otherwise);
    }
}

// stdin: a string, which stays Lua's and is only kept alive, or a list of lines.
std::optional<jobs::Input> stdin_field(lua_State* L, int index, const Table& opts) {
    if (!opts.has("stdin"))
        return std::nullopt;
    lua_pushliteral(L, "stdin");
    lua_rawget(L, index);
    if (lua_type(L, -1) != LUA_TTABLE) {
        std::string_view bytes = check_string(L, -1, opts.path("stdin"));
        return jobs::Input(std::make_shared<const Ref>(Ref::pop(L)), bytes);
    }
    lua_pop(L, 1);
    std::string bytes;
    auto lines = opts.strings("stdin");
    for (const std::string& line : *lines)
        bytes.append(line).append("\n");
    return jobs::Input(std::move(bytes));
}

} // namespace

Request check_request(lua_State* L, int first, const std::string& prefix, const std::string& argv_name,
                      std::string first_word) {
    Request request;
    request.program.argv = check_argv(L, first, argv_name, std::move(first_word));
    check_known(L, first + 1, prefix + "opts", OPTIONS, "is not an option of a job");
    Table opts(L, first + 1, prefix + "opts", false);
    if (lua_type(L, first + 2) != LUA_TFUNCTION)
        bad_argument(prefix + "cb", fmt::format("expected the callback, a function, got {}",
                                                lua_typename(L, lua_type(L, first + 2))));
    request.callback = Ref::of(L, first + 2);
    if (is_given(L, first + 3)) {
        std::string name = prefix + "priority";
        auto lane = jobs::lane_of(check_string(L, first + 3, name));
        if (!lane)
            bad_argument(name, fmt::format("expected 'user', 'ui' or 'background', got '{}'",
                                           check_string(L, first + 3, name)));
        request.spec.lane = *lane;
        request.program.background = *lane == jobs::Lane::background;
    }

    jobs::Spec& spec = request.spec;
    spec.name = text::clean_line(opts.string("name").value_or(short_name(request.program.argv)));
    if (auto key = opts.string("key")) {
        if (key->empty())
            bad_argument(opts.path("key"), "expected a name, got an empty string");
        spec.key = *std::move(key);
    }
    spec.coalesce = opts.boolean("coalesce").value_or(false);
    if (spec.coalesce && spec.key.empty())
        bad_argument(opts.path("coalesce"), "needs a key: jobs join others of their key");
    spec.retries = static_cast<int>(count_field(opts, "retries", 0, 1000));
    spec.backoff = time_field(opts, "backoff", spec.backoff);
    spec.timeout = time_field(opts, "timeout", 0);
    spec.deadline = time_field(opts, "deadline", 0);

    jobs::Program& program = request.program;
    program.grace_ms = time_field(opts, "grace", program.grace_ms * jobs::MILLISECOND) / jobs::MILLISECOND;
    program.cwd = opts.string("cwd").value_or("");
    check_no_nul(program.cwd, opts.path("cwd"));
    program.max_output = static_cast<std::size_t>(count_field(
        opts, "max_output", static_cast<std::int64_t>(program.max_output), std::int64_t{1} << 31));
    program.stdin_bytes = stdin_field(L, first + 1, opts);
    if (auto env = opts.string_map("env"))
        for (auto& [name, value] : *env) {
            if (name.empty() || name.find('=') != std::string::npos)
                bad_argument(opts.path("env"), fmt::format("'{}' cannot be the name of a variable", name));
            check_no_nul(name + value, opts.path("env"));
            program.env.emplace_back(name, value);
        }
    request.on_stdout = opts.function("on_stdout");
    return request;
}

Request check_command(lua_State* L, int commands, int i, int callback) {
    std::string name = fmt::format("commands[{}]", i);
    int top = lua_gettop(L);
    lua_rawgeti(L, commands, i);
    if (lua_type(L, -1) != LUA_TTABLE)
        bad_argument(name, fmt::format("expected a table, got {}", lua_typename(L, lua_type(L, -1))));
    check_known(L, top + 1, name, COMMAND_FIELDS, "is no part of a command");
    name += ".";
    for (const char* field : {"argv", "opts", "cb", "priority"}) {
        lua_pushstring(L, field);
        lua_rawget(L, top + 1);
    }
    lua_pushvalue(L, callback);
    lua_replace(L, top + 4);
    Request request = check_request(L, top + 2, name, name + "argv");
    lua_settop(L, top);
    return request;
}

int check_batch(lua_State* L, Runtime&) {
    lua_settop(L, 3);
    auto count = static_cast<std::int64_t>(check_list(L, 1, "commands"));
    if (lua_type(L, 2) != LUA_TFUNCTION)
        bad_argument(
            "cb", fmt::format("expected the callback, a function, got {}", lua_typename(L, lua_type(L, 2))));
    auto most = std::min(count, check_integer(L, 3, "most"));
    for (int i = 1; i <= most; ++i)
        (void)check_command(L, 1, i, 2);
    push(L, count);
    return 1;
}

} // namespace himalaya::lua

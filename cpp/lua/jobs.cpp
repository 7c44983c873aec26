// native.jobs: the job queue for Lua. himalaya.core.async_commands gives it its shape for users.
#include "lua/jobs.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "lua/areas.hpp"
#include "lua/jobs_bench.hpp"
#include "lua/runtime.hpp"

namespace himalaya::lua {

namespace {

using jobs::JobId;
using jobs::Time;

Jobs* g_jobs = nullptr; // kept by the Runtime, which is never destroyed before it

// Lines that may wait for on_stdout before the program's output is read no further.
constexpr std::size_t LINES_WAITING = 1024;
constexpr std::size_t LONGEST_NAME = 80;
// A year: larger numbers are a mistake, and would not fit when counted in microseconds.
constexpr double LONGEST_MS = 366.0 * 24 * 3600 * 1000;

double in_ms(Time time) {
    return static_cast<double>(time) / 1000;
}

// What Lua waits for of one job.
struct Ticket {
    Ref callback;
    Events::Listener lines;
    bool over = false;
};

// Reading the arguments.

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

std::vector<std::string> check_argv(lua_State* L, int index, const std::string& name) {
    std::vector<std::string> argv = check_strings(L, index, name);
    if (argv.empty() || argv[0].empty())
        bad_argument(name, "expected a program and its arguments");
    for (std::size_t i = 0; i < argv.size(); ++i)
        check_no_nul(argv[i], fmt::format("{}[{}]", name, i + 1));
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

void check_known(lua_State* L, int index, const std::string& name) {
    static constexpr std::string_view KNOWN[] = {"timeout", "deadline", "retries",  "backoff", "grace",
                                                 "cwd",     "env",      "stdin",    "key",     "max_output",
                                                 "name",    "coalesce", "on_stdout"};
    if (lua_type(L, index) != LUA_TTABLE)
        return;
    lua_pushnil(L);
    while (lua_next(L, index)) {
        lua_pop(L, 1);
        std::string_view key = lua_type(L, -1) == LUA_TSTRING ? check_string(L, -1, name) : "a number";
        if (std::find(std::begin(KNOWN), std::end(KNOWN), key) == std::end(KNOWN))
            bad_argument(fmt::format("{}.{}", name, key), "is not an option of a job");
    }
}

// stdin: a string, or a list of lines.
std::optional<std::string> stdin_field(lua_State* L, int index, const Table& opts) {
    if (!opts.has("stdin"))
        return std::nullopt;
    lua_pushliteral(L, "stdin");
    lua_rawget(L, index);
    bool list = lua_type(L, -1) == LUA_TTABLE;
    lua_pop(L, 1);
    if (!list)
        return opts.string("stdin");
    std::string bytes;
    auto lines = opts.strings("stdin");
    for (const std::string& line : *lines)
        bytes.append(line).append("\n");
    return bytes;
}

struct Request {
    jobs::Spec spec;
    jobs::Program program;
    Ref callback;
    Ref on_stdout;
};

// (argv, opts, cb, priority, prefix, argv's name)
Request check_request(lua_State* L) {
    lua_settop(L, 6);
    std::string prefix = is_given(L, 5) ? std::string(check_string(L, 5, "prefix")) : "";
    std::string argv_name = prefix + (is_given(L, 6) ? std::string(check_string(L, 6, "name")) : "argv");
    Request request;
    request.program.argv = check_argv(L, 1, argv_name);
    check_known(L, 2, prefix + "opts");
    Table opts(L, 2, prefix + "opts", false);
    if (lua_type(L, 3) != LUA_TFUNCTION)
        bad_argument(prefix + "cb", fmt::format("expected the callback, a function, got {}",
                                                lua_typename(L, lua_type(L, 3))));
    request.callback = Ref::of(L, 3);
    if (is_given(L, 4)) {
        std::string name = prefix + "priority";
        auto lane = jobs::lane_of(check_string(L, 4, name));
        if (!lane)
            bad_argument(name, fmt::format("expected 'user', 'ui' or 'background', got '{}'",
                                           check_string(L, 4, name)));
        request.spec.lane = *lane;
    }

    jobs::Spec& spec = request.spec;
    spec.name = opts.string("name").value_or(short_name(request.program.argv));
    spec.key = opts.string("key").value_or("");
    spec.coalesce = opts.boolean("coalesce").value_or(false);
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
    program.stdin_bytes = stdin_field(L, 2, opts);
    if (auto env = opts.string_map("env"))
        for (auto& [name, value] : *env) {
            check_no_nul(name + value, opts.path("env"));
            program.env.emplace_back(name, value);
        }
    request.on_stdout = opts.function("on_stdout");
    return request;
}

// Telling Lua.

void push_result(lua_State* L, const jobs::ProgramResult& result, int attempts, Time queued, Time ran) {
    lua_createtable(L, 0, 7);
    set(L, "code", result.code);
    set(L, "signal", result.signal);
    set(L, "stdout", result.out.view());
    set(L, "stderr", result.err.view());
    set(L, "attempts", attempts);
    set(L, "queued_ms", in_ms(queued));
    set(L, "duration_ms", in_ms(ran));
}

void tell(Runtime& runtime, Ticket& ticket, const jobs::Report& report) {
    ticket.over = true;
    auto* work = dynamic_cast<jobs::ProcessWork*>(report.work);
    auto result = work ? work->result() : nullptr;
    std::optional<Error> error;
    if (report.error)
        error = *report.error;
    runtime.events().call(std::move(ticket.callback),
                          [error = std::move(error), result = std::move(result), attempts = report.attempts,
                           queued = report.queued, ran = report.ran](lua_State* L) {
                              if (error) {
                                  push(L, *error);
                                  if (result && result->pid > 0) {
                                      push_result(L, *result, attempts, queued, ran);
                                      lua_setfield(L, -2, "detail");
                                  }
                                  return 1;
                              }
                              lua_pushnil(L);
                              push_result(L, *result, attempts, queued, ran);
                              return 2;
                          });
}

// Each line is an event of its own, so that a block of ten thousand still leaves the editor its turns.
bool offer_lines(Runtime& runtime, const Ticket& ticket, std::string_view block) {
    bool room = true;
    while (!block.empty() && !ticket.over) {
        std::size_t end = block.find('\n');
        std::string line(block.substr(0, end));
        block.remove_prefix(end == std::string_view::npos ? block.size() : end + 1);
        room = runtime.events().offer(ticket.lines, [line = std::move(line)](lua_State* L) {
            push(L, line);
            return 1;
        });
    }
    return room;
}

jobs::ProcessWork* program_of(JobId id) {
    return g_jobs ? dynamic_cast<jobs::ProcessWork*>(g_jobs->runner.work_of(id)) : nullptr;
}

// submit(argv, opts, cb, priority, prefix?, name?) -> id; prefix and name are what messages about arguments say.
int submit(lua_State* L, Runtime& runtime) {
    Request request = check_request(L);
    auto ticket = std::make_shared<Ticket>();
    ticket->callback = std::move(request.callback);
    Jobs& all = jobs_of(runtime);
    auto work = std::make_unique<jobs::ProcessWork>(all.programs, std::move(request.program));
    auto id =
        all.runner.submit(std::move(request.spec), std::move(work),
                          [&runtime, ticket](const jobs::Report& report) { tell(runtime, *ticket, report); });
    if (!id) {
        runtime.events().fail(std::move(ticket->callback), id.error());
        lua_pushnumber(L, 0);
        return 1;
    }
    all.programs.guardian().ensure_soon();
    if (request.on_stdout) {
        ticket->lines = runtime.events().listen(std::move(request.on_stdout), LINES_WAITING);
        runtime.events().on_room(ticket->lines, [job = *id] {
            if (auto* program = program_of(job))
                program->resume_output();
        });
        program_of(*id)->follow_lines(
            [&runtime, ticket](std::string block) { return offer_lines(runtime, *ticket, block); });
    }
    push(L, *id);
    return 1;
}

// check(argv, opts, cb, priority, prefix?, name?): raises what submit() would.
int check(lua_State* L, Runtime&) {
    (void)check_request(L);
    return 0;
}

JobId check_id(lua_State* L) {
    double number = check_number(L, 1, "id");
    return number >= 0 && number < 9e15 && std::floor(number) == number ? static_cast<JobId>(number) : 0;
}

int cancel(lua_State* L, Runtime& runtime) {
    lua_pushboolean(L, jobs_of(runtime).runner.cancel(check_id(L)));
    return 1;
}

int cancel_all(lua_State*, Runtime& runtime) {
    jobs_of(runtime).runner.cancel_all();
    return 0;
}

int alive(lua_State* L, Runtime& runtime) {
    lua_pushboolean(L, jobs_of(runtime).runner.queue().alive(check_id(L)));
    return 1;
}

int pause(lua_State*, Runtime& runtime) {
    jobs_of(runtime).runner.pause();
    return 0;
}

int resume(lua_State*, Runtime& runtime) {
    jobs_of(runtime).runner.resume();
    return 0;
}

// configure({ max_concurrent?, secrets? })
int configure(lua_State* L, Runtime& runtime) {
    Table opts(L, 1, "opts");
    Jobs& all = jobs_of(runtime);
    if (auto limit = opts.integer("max_concurrent"))
        all.runner.set_limit(jobs::Pool::commands,
                             static_cast<int>(std::clamp<std::int64_t>(*limit, 1, 1000)));
    if (auto secrets = opts.strings("secrets"))
        all.programs.set_secrets(*std::move(secrets));
    return 0;
}

// Looking.

template<class Numbers>
void set_by_lane(lua_State* L, const char* name, const Numbers& numbers) {
    lua_createtable(L, 0, jobs::LANES);
    for (std::size_t i = 0; i < jobs::LANES; ++i)
        set(L, jobs::LANE_NAMES[i].data(), numbers[i]);
    lua_setfield(L, -2, name);
}

void set_histograms(lua_State* L, const char* name, const std::array<Histogram, jobs::LANES>& lanes) {
    lua_createtable(L, 0, jobs::LANES);
    for (std::size_t i = 0; i < jobs::LANES; ++i) {
        const Histogram& times = lanes[i];
        lua_createtable(L, 0, 6);
        set(L, "count", times.count());
        set(L, "mean_ms", times.mean() / 1000);
        set(L, "p50_ms", static_cast<double>(times.percentile(0.5)) / 1000);
        set(L, "p90_ms", static_cast<double>(times.percentile(0.9)) / 1000);
        set(L, "p99_ms", static_cast<double>(times.percentile(0.99)) / 1000);
        set(L, "max_ms", static_cast<double>(times.max()) / 1000);
        lua_setfield(L, -2, jobs::LANE_NAMES[i].data());
    }
    lua_setfield(L, -2, name);
}

void push_counts(lua_State* L, const jobs::Metrics& metrics) {
    lua_createtable(L, 0, 16);
    set_by_lane(L, "queued", metrics.queued);
    set(L, "running", metrics.running_now());
    set(L, "completed", metrics.count(jobs::Ending::done));
    set(L, "failed", metrics.count(jobs::Ending::failed));
    set(L, "cancelled", metrics.count(jobs::Ending::cancelled));
    set(L, "timed_out", metrics.count(jobs::Ending::timed_out));
    set(L, "retried", metrics.retried);
}

int status(lua_State* L, Runtime& runtime) {
    push_counts(L, jobs_of(runtime).runner.queue().metrics());
    return 1;
}

int metrics(lua_State* L, Runtime& runtime) {
    Jobs& all = jobs_of(runtime);
    const jobs::Metrics& counted = all.runner.queue().metrics();
    push_counts(L, counted);
    set(L, "submitted", counted.submitted);
    set(L, "joined", counted.joined);
    set(L, "paused", all.runner.queue().paused());
    set_by_lane(L, "running_by_lane", counted.running);
    set_histograms(L, "waits", counted.waits);
    set_histograms(L, "durations", counted.durations);
    const jobs::Guardian& guardian = all.programs.guardian();
    lua_createtable(L, 0, 4);
    set(L, "pid", guardian.pid());
    set(L, "starts", guardian.starts());
    set(L, "groups", static_cast<std::uint64_t>(guardian.groups().size()));
    if (!guardian.problem().empty())
        set(L, "problem", guardian.problem());
    lua_setfield(L, -2, "guardian");
    return 1;
}

void push_sights(lua_State* L, const std::vector<jobs::Sight>& sights) {
    lua_createtable(L, static_cast<int>(sights.size()), 0);
    int i = 0;
    for (const jobs::Sight& sight : sights) {
        lua_createtable(L, 0, 8);
        set(L, "id", sight.id);
        set(L, "name", sight.name);
        set(L, "priority", jobs::LANE_NAMES[index_of(sight.lane)]);
        bool over = sight.state == jobs::State::over;
        set(L, "state",
            over ? jobs::ENDING_NAMES[static_cast<std::size_t>(sight.ending)] : name_of(sight.state));
        set(L, "attempts", sight.attempts);
        set(L, "queued_ms", in_ms(sight.queued));
        set(L, "duration_ms", in_ms(sight.running));
        if (auto* program = program_of(sight.id); program && program->result() && sight.attempts > 0)
            set(L, "pid", program->result()->pid);
        lua_rawseti(L, -2, ++i);
    }
}

// list(most?) -> { jobs = running first, then queued in order of submission; recent = the latest first; queued, running }
int list(lua_State* L, Runtime& runtime) {
    auto most = is_given(L, 1) ? std::max<std::int64_t>(check_integer(L, 1, "most"), 0) : 200;
    const jobs::Queue& queue = jobs_of(runtime).runner.queue();
    push_counts(L, queue.metrics());
    push_sights(L, queue.sights(jobs::Runner::now(), static_cast<std::size_t>(most)));
    lua_setfield(L, -2, "jobs");
    push_sights(L, queue.recent());
    lua_setfield(L, -2, "recent");
    set(L, "alive", static_cast<std::uint64_t>(queue.size()));
    return 1;
}

} // namespace

Jobs::Jobs(Runtime& runtime)
    : runner(runtime.loop()), programs(runtime.loop(), runtime.build_dir() + "/himalaya_guardian") {}

Jobs& jobs_of(Runtime&) {
    return *g_jobs;
}

void open_jobs(lua_State* L, Runtime& runtime) {
    g_jobs = &runtime.make<Jobs>(runtime);
    runtime.at_stop([] {
        g_jobs->runner.stop();
        g_jobs->programs.stop();
    });
    lua_newtable(L);
    set_function<submit>(L, "submit");
    set_function<check>(L, "check");
    set_function<cancel>(L, "cancel");
    set_function<cancel_all>(L, "cancel_all");
    set_function<alive>(L, "alive");
    set_function<pause>(L, "pause");
    set_function<resume>(L, "resume");
    set_function<configure>(L, "configure");
    set_function<status>(L, "status");
    set_function<metrics>(L, "metrics");
    set_function<list>(L, "list");
    set_function<bench_tasks>(L, "bench_tasks");
    lua_setfield(L, -2, "jobs");
}

} // namespace himalaya::lua

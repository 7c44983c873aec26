// native.jobs: the job queue for Lua. himalaya.core.async_commands gives it its shape for users.
#include "lua/jobs.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "lua/areas.hpp"
#include "lua/jobs_bench.hpp"
#include "lua/jobs_request.hpp"
#include "lua/runtime.hpp"

namespace himalaya::lua {

namespace {

using jobs::JobId;
using jobs::Time;

Jobs* g_jobs = nullptr; // kept by the Runtime, which is never destroyed before it

// Lines that may wait for on_stdout before the program's output is read no further.
constexpr std::size_t LINES_WAITING = 1024;

double in_ms(Time time) {
    return static_cast<double>(time) / 1000;
}

// What Lua waits for of one job.
struct Ticket {
    Ref callback;
    Events::Listener lines;
    bool over = false;
};

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

// Each line is an event of its own, so that ten thousand still leave the editor its turns.
bool offer_line(Runtime& runtime, const Ticket& ticket, std::shared_ptr<const jobs::ProgramResult> result,
                std::size_t from, std::size_t size) {
    if (ticket.over)
        return true;
    return runtime.events().offer(ticket.lines, [result = std::move(result), from, size](lua_State* L) {
        push(L, result->out.view().substr(from, size));
        return 1;
    });
}

jobs::ProcessWork* program_of(JobId id) {
    return g_jobs ? dynamic_cast<jobs::ProcessWork*>(g_jobs->runner.work_of(id)) : nullptr;
}

// Pushes the job's id.
void submit_request(lua_State* L, Runtime& runtime, Request request) {
    auto ticket = std::make_shared<Ticket>();
    ticket->callback = std::move(request.callback);
    Jobs& all = jobs_of(runtime);
    bool may_join_background = request.spec.coalesce && !request.program.background;
    auto work = std::make_unique<jobs::ProcessWork>(all.programs, std::move(request.program));
    auto id =
        all.runner.submit(std::move(request.spec), std::move(work),
                          [&runtime, ticket](const jobs::Report& report) { tell(runtime, *ticket, report); });
    push(L, id ? *id : 0);
    if (!id) {
        runtime.events().fail(std::move(ticket->callback), id.error());
        return;
    }
    all.programs.guardian().ensure_soon();
    if (may_join_background)
        if (auto* program = program_of(*id))
            program->come_forward();
    if (request.on_stdout) {
        ticket->lines = runtime.events().listen(std::move(request.on_stdout), LINES_WAITING);
        runtime.events().on_room(ticket->lines, [job = *id] {
            if (auto* program = program_of(job))
                program->resume_output();
        });
        program_of(*id)->follow_lines(
            [&runtime, ticket](const auto& result, std::size_t from, std::size_t size) {
                return offer_line(runtime, *ticket, result, from, size);
            });
    }
}

// submit(argv, opts, cb, priority, program?) -> id; of a program that is given argv holds the arguments only
int submit(lua_State* L, Runtime& runtime) {
    lua_settop(L, 5);
    if (is_given(L, 5)) {
        std::string program(check_string(L, 5, "program"));
        submit_request(L, runtime, check_request(L, 1, "", "args", std::move(program)));
    } else {
        submit_request(L, runtime, check_request(L, 1, "", "argv"));
    }
    return 1;
}

// submit_command(commands, i, cb, group) -> id: one of a batch
int submit_command(lua_State* L, Runtime& runtime) {
    lua_settop(L, 4);
    (void)Table(L, 1, "commands");
    Request request = check_command(L, 1, static_cast<int>(check_integer(L, 2, "i")), 3);
    request.spec.group = static_cast<jobs::Group>(check_integer(L, 4, "group"));
    submit_request(L, runtime, std::move(request));
    return 1;
}

// group() -> what submit_command() takes for jobs that are to be cancelled together
int group(lua_State* L, Runtime&) {
    static jobs::Group last = 0;
    push(L, ++last);
    return 1;
}

int cancel_group(lua_State* L, Runtime& runtime) {
    auto number = check_integer(L, 1, "group");
    if (number < 1)
        bad_argument("group", "expected what group() gave");
    jobs_of(runtime).runner.cancel_group(static_cast<jobs::Group>(number));
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

// configure({ max_concurrent?, secrets?, background_yields? })
int configure(lua_State* L, Runtime& runtime) {
    Table opts(L, 1, "opts");
    Jobs& all = jobs_of(runtime);
    if (auto limit = opts.integer("max_concurrent"))
        all.runner.set_limit(jobs::Pool::commands,
                             static_cast<int>(std::clamp<std::int64_t>(*limit, 1, 1000)));
    if (auto secrets = opts.strings("secrets"))
        all.programs.set_secrets(*std::move(secrets));
    if (auto yields = opts.boolean("background_yields"))
        all.programs.set_background_yields(*yields);
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
    set_function<submit_command>(L, "submit_command");
    set_function<check_batch>(L, "check_batch");
    set_function<group>(L, "group");
    set_function<cancel_group>(L, "cancel_group");
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

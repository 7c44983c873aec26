#include "lua/events.hpp"

#include <fmt/format.h>

#include "base/log.hpp"
#include "base/time.hpp"
#include "lua/whose.hpp"

namespace himalaya::lua {

namespace {

constexpr std::size_t GATHERED = 100;
constexpr std::uint64_t GATHERING_MS = 4;
// A turn in which so little was spent is as good as a new one.
constexpr std::uint64_t FRESH_NS = 200'000;

} // namespace

class Events::Target {
  public:
    Ref callback;
    Pace pace = Pace::prompt;
    std::size_t high = 64;
    std::size_t waiting = 0;
    bool full = false;
    std::uint64_t id = 0;
    Function<void()> on_room;
};

Events::Events(loop::Loop& loop, lua_State* L, Ref schedule, Ref dispatcher, Ref report)
    : m_loop(loop), m_L(L), m_schedule(std::move(schedule)), m_dispatcher(std::move(dispatcher)),
      m_report(std::move(report)), m_gathering(loop, "lua") {
    lua_getglobal(L, "debug");
    lua_getfield(L, -1, "traceback");
    m_traceback = Ref::pop(L);
    lua_pop(L, 1);
}

void Events::complete(Ref callback, Arguments result) {
    if (callback)
        push({std::move(callback), nullptr, std::move(result), {}, true});
}

void Events::fail(Ref callback, Error error) {
    call(std::move(callback), [error = std::make_unique<Error>(std::move(error))](lua_State* L) {
        lua::push(L, *error);
        return 1;
    });
}

void Events::finish(Ref callback, Result<void> result) {
    if (result)
        complete(std::move(callback), nullptr);
    else
        fail(std::move(callback), std::move(result.error()));
}

void Events::call(Ref callback, Arguments arguments) {
    if (callback)
        push({std::move(callback), nullptr, std::move(arguments), {}, false});
}

Events::Listener Events::listen(Ref callback, std::size_t high, Pace pace) {
    static std::uint64_t last = 0;
    auto target = std::make_shared<Target>();
    target->callback = std::move(callback);
    target->high = high;
    target->pace = pace;
    target->id = ++last;
    return target;
}

void Events::change(const Listener& listener, std::string key, Arguments arguments) {
    key += fmt::format("\n{}", listener->id);
    auto found = m_by_key.find(key);
    if (found != m_by_key.end()) {
        m_queue[found->second - m_first].arguments = std::move(arguments);
        return;
    }
    m_by_key[key] = m_first + m_queue.size();
    ++listener->waiting;
    push({Ref(), listener, std::move(arguments), std::move(key), false});
}

bool Events::offer(const Listener& listener, Arguments arguments) {
    if (++listener->waiting >= listener->high)
        listener->full = true;
    push({Ref(), listener, std::move(arguments), {}, false}, listener->pace);
    return !listener->full;
}

void Events::on_room(const Listener& listener, Function<void()> fn) {
    listener->on_room = std::move(fn);
}

std::size_t Events::waiting(const Listener& listener) {
    return listener->waiting;
}

void Events::push(Event event, Pace pace) {
    if (m_stopped)
        return;
    m_queue.push_back(std::move(event));
    if (m_scheduled || m_deferred)
        return;
    if (pace == Pace::prompt || m_queue.size() >= GATHERED)
        schedule();
    else if (!m_gathering.active())
        m_gathering.start(GATHERING_MS, 0, [this] { schedule(); });
}

// Only enqueues in Neovim, so it is safe in the middle of uv_run.
void Events::schedule() {
    if (m_stopped || m_scheduled)
        return;
    m_gathering.stop();
    lua_checkstack(m_L, 4);
    m_schedule.push(m_L);
    m_dispatcher.push(m_L);
    m_scheduled = true;
    if (lua_pcall(m_L, 1, 0, 0) != 0) {
        m_scheduled = false;
        log::error("lua", "vim.schedule failed: {}", lua_tostring(m_L, -1) ? lua_tostring(m_L, -1) : "?");
        lua_pop(m_L, 1);
    }
}

void Events::dispatch() {
    m_scheduled = false;
    if (m_stopped || m_queue.empty())
        return;
    bool first = m_last_turn != m_loop.turn();
    m_last_turn = m_loop.turn();
    while (!m_stopped && !m_queue.empty()) {
        Whose function = next();
        if (!has_room(function, std::exchange(first, false)))
            break;
        Event event = std::move(m_queue.front());
        m_queue.pop_front();
        ++m_first;
        if (!event.key.empty())
            m_by_key.erase(event.key);
        // The callback may wait for the next one with vim.wait.
        if (!m_queue.empty())
            schedule();
        if (!deliver(std::move(event), function))
            break;
    }
    if (m_queue.empty() || m_stopped || m_deferred)
        return;
    // Scheduling again from here would be run before the editor looks at its keys.
    m_deferred = true;
    m_loop.defer([this] {
        m_deferred = false;
        if (!m_queue.empty())
            schedule();
    });
}

Whose Events::next() const {
    if (!lua_checkstack(m_L, 4))
        return {};
    const Event& event = m_queue.front();
    (event.target ? event.target->callback : event.once).push(m_L);
    Whose function = whose(m_L, -1);
    lua_pop(m_L, 1);
    return function;
}

// Whatever the others used, the queue moves in every second turn.
bool Events::has_room(const Whose& function, bool first) {
    const loop::Budget& budget = m_loop.budget();
    if (first && (m_put_off || m_brief.same(function)))
        return true;
    std::uint64_t limit = loop::Budget::LUA_NS;
    if (!m_brief.same(function)) {
        std::uint64_t cost = std::min(m_costs.of(function), loop::Budget::LIMIT_NS);
        limit = std::clamp(loop::Budget::LIMIT_NS - cost, FRESH_NS, limit);
    }
    if (!budget.exhausted(limit))
        return true;
    m_put_off = true;
    return false;
}

bool Events::deliver(Event event, const Whose& function) {
    lua_State* L = m_L;
    loop::Budget& budget = m_loop.budget();
    int top = lua_gettop(L);
    if (!lua_checkstack(L, 64))
        return true;
    m_traceback.push(L);
    (event.target ? event.target->callback : event.once).push(L);
    int failed = 0;
    m_put_off = false;
    // One that was brief the last time is not timed: the CPU clock is a system call, and messages come by the thousand.
    // What it takes counts as ours, unless it turns out to be long.
    bool timed = !m_brief.same(function);
    std::uint64_t spent = timed ? budget.spent() : 0;
    try {
        int count = 0;
        if (event.nil_first) {
            lua_pushnil(L);
            ++count;
        }
        if (event.arguments) {
            int pushed = event.arguments(L);
            if (pushed == GO_ON) {
                lua_settop(L, top);
                m_queue.push_front(std::move(event));
                --m_first;
                return false;
            }
            count += pushed;
        }
        event.arguments = nullptr;
        ++m_delivered;
        loop::Budget::Place place = !timed ? budget.place() : function.ours ? budget.here() : budget.leave();
        std::uint64_t theirs = budget.theirs();
        std::int64_t began = time::monotonic_ns();
        failed = lua_pcall(L, count, 0, top + 1);
        std::int64_t took = time::monotonic_ns() - began;
        if (timed && function.ours && took > NAMED_NS)
            budget.note(function.place(), loop::thread_cpu_ns() - place.since - (budget.theirs() - theirs));
        if ((timed && !function.ours) || failed != 0)
            budget.back(place);
        if (!timed && !function.ours && took > BRIEF_NS)
            budget.was_theirs(began);
        m_brief = took < BRIEF_NS ? function : Whose{};
        // A turn that ended meanwhile (vim.wait) has spent less than before it.
        if (timed)
            m_costs.learn(function, std::max(budget.spent(), spent) - spent);
    } catch (...) {
        // What pushes arguments has thrown; a Lua error never comes out of lua_pcall.
        m_loop.report("lua");
    }
    if (failed != 0) {
        const char* text = lua_tostring(L, -1);
        std::string message = text ? fmt::format("A callback raised: {}", text)
                                   : fmt::format("A callback raised a {}.", lua_typename(L, lua_type(L, -1)));
        lua_settop(L, top);
        report(message);
    }
    lua_settop(L, top);
    if (!event.target)
        return true;
    Target& target = *event.target;
    --target.waiting;
    if (target.full && target.waiting <= target.high / 2) {
        target.full = false;
        if (target.on_room)
            m_loop.enter("lua", target.on_room);
    }
    return true;
}

void Events::report(const std::string& message) {
    log::error("lua", "{}", message);
    // The same text again within five seconds only counts in the log: ten thousand callbacks may share one fault.
    std::int64_t now = time::monotonic_ms();
    std::erase_if(m_reported, [&](const auto& entry) { return entry.second + 5000 < now; });
    if (m_stopped || m_reported.size() > 100 || !m_reported.emplace(message, now).second)
        return;
    lua_State* L = m_L;
    int top = lua_gettop(L);
    lua_checkstack(L, 4);
    m_report.push(L);
    lua::push(L, message);
    if (lua_pcall(L, 1, 0, 0) != 0)
        log::error("lua", "The notice failed: {}", lua_tostring(L, -1) ? lua_tostring(L, -1) : "?");
    lua_settop(L, top);
}

void Events::stop() {
    m_stopped = true;
    m_gathering.stop();
    m_queue.clear();
    m_by_key.clear();
}

} // namespace himalaya::lua

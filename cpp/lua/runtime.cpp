#include "lua/runtime.hpp"

#include <pthread.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/syscall.h>
#endif

#include "base/log.hpp"
#include "base/time.hpp"
#include "loop/handle.hpp"
#include "lua/whose.hpp"

namespace himalaya::lua {

namespace {

Runtime* g_runtime = nullptr;
bool g_stopped = false;

// The start of what luv keeps at "luv_context", the same since luv 1.30.
struct LuvContext {
    uv_loop_t* loop;
    lua_State* L;
    void* pcall;
};

bool on_main_thread() {
#ifdef __APPLE__
    return pthread_main_np() == 1;
#else
    return syscall(SYS_gettid) == static_cast<long>(getpid());
#endif
}

LuvContext& luv_context(lua_State* L) {
    lua_pushliteral(L, "luv_context");
    lua_rawget(L, LUA_REGISTRYINDEX);
    auto* context = static_cast<LuvContext*>(lua_touserdata(L, -1));
    lua_pop(L, 1);
    if (!context || !context->loop || !context->L)
        throw make_error(Code::unsupported, "This Lua has no event loop of Neovim's.",
                         "himalaya.nvim runs inside Neovim 0.10 or newer.");
    return *context;
}

// What vim.schedule calls; once more after the end, it may be, since a schedule cannot be taken back.
int run_dispatcher(lua_State*) {
    if (Runtime* runtime = Runtime::current())
        runtime->loop().enter("lua", [&] { runtime->events().dispatch(); });
    return 0;
}

} // namespace

int run_body(lua_State* L, Body body) noexcept {
    try {
        Runtime* runtime = Runtime::current();
        if (!runtime)
            throw BadArgument{"himalaya has stopped: Neovim is closing."};
        loop::Budget& budget = runtime->loop().budget();
        loop::Slice slice(budget, "lua");
        std::int64_t began = time::monotonic_ns();
        int results = body(L, *runtime);
        // Wall time, as the processor's would have to be asked before.
        if (std::int64_t took = time::monotonic_ns() - began; took > NAMED_NS)
            budget.note(running(L), static_cast<std::uint64_t>(took));
        return results;
    } catch (const BadArgument& bad) {
        lua_settop(L, 0);
        luaL_where(L, 1);
        push(L, bad.message);
    } catch (...) {
        lua_settop(L, 0);
        luaL_where(L, 1);
        push(L, loop::current_error().message);
    }
    lua_concat(L, 2);
    return -1;
}

Runtime* Runtime::current() {
    return g_runtime;
}

Runtime::Runtime(uv_loop_t* uv, lua_State* L) : m_loop(uv), m_L(L) {}

Runtime& Runtime::open(lua_State* L, int host) {
    if (!on_main_thread())
        throw make_error(Code::unsupported, "himalaya.native cannot be loaded in a thread made by vim.uv.",
                         "Require it on Neovim's main thread.");
    LuvContext& luv = luv_context(L);
    if (g_runtime) {
        if (g_runtime->loop().uv() != luv.loop)
            throw make_error(Code::unsupported, "himalaya.native is loaded on another event loop already.");
        return *g_runtime;
    }
    if (g_stopped)
        throw make_error(Code::unsupported, "himalaya has stopped: Neovim is closing.");
    loop::check_handle_sizes();
    Table functions(L, host, "host");
    Ref schedule = functions.function("schedule");
    Ref report = functions.function("report");
    if (!schedule || !report)
        throw make_error(Code::internal, "himalaya.native is opened by lua/himalaya/native.lua.");

    auto* runtime = new Runtime(luv.loop, luv.L);
    g_runtime = runtime;
    runtime->m_root = functions.string("root").value_or("");
    runtime->m_build_dir = functions.string("build_dir").value_or("");
    lua_pushcclosure(L, run_dispatcher, 0);
    Ref dispatcher = Ref::pop(L);
    runtime->m_events = std::make_unique<Events>(runtime->m_loop, luv.L, std::move(schedule),
                                                 std::move(dispatcher), std::move(report));
    return *runtime;
}

void Runtime::push_metrics(lua_State* L) {
    lua_createtable(L, 0, static_cast<int>(m_metrics.size()));
    for (auto& [name, push_table] : m_metrics) {
        push_table(L);
        lua_setfield(L, -2, name.c_str());
    }
}

void Runtime::stop() {
    if (g_stopped)
        return;
    g_stopped = true;
    // First the users of the loop, then who waits, then what they stood on. All wait for no one but threads.
    while (!m_at_stop.empty()) {
        Function<void()> fn = std::move(m_at_stop.back());
        m_at_stop.pop_back();
        m_loop.enter("lua", fn);
    }
    m_loop.stop();
    while (!m_kept.empty())
        m_kept.pop_back();
    m_events->stop();
    m_loop.close();
    log::close_file();
    g_runtime = nullptr;
}

} // namespace himalaya::lua

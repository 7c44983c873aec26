// native.jobs.bench_tasks: what the queue itself costs, without the programs that it mostly starts.
#pragma once

#include "lua/lua.hpp"

namespace himalaya::lua {

class Runtime;

// bench_tasks(n, cb): n tasks that do nothing, over all lanes and 64 keys; cb() for each that ends.
int bench_tasks(lua_State* L, Runtime& runtime);

} // namespace himalaya::lua

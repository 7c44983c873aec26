// What a caller of the job queue asks for, read from Lua and checked before anything is made of it.
#pragma once

#include "jobs/process_work.hpp"
#include "jobs/spec.hpp"
#include "lua/values.hpp"

namespace himalaya::lua {

struct Request {
    jobs::Spec spec;
    jobs::Program program;
    Ref callback;
    Ref on_stdout;
};

// argv, opts, cb and priority lie at `first` and behind it; the messages call them `prefix` and their names.
// `program` comes before what is in argv.
Request check_request(lua_State* L, int first, const std::string& prefix, const std::string& argv_name,
                      std::string program = {});

// The i-th of a list of commands, { argv =, opts =, priority = }; what is wrong with it names it. The list and the
// callback lie at those places.
Request check_command(lua_State* L, int commands, int i, int callback);

// check_batch(commands, cb, most) -> how many there are; raises what is wrong with the list, or with one of its first
// `most` commands.
int check_batch(lua_State* L, Runtime& runtime);

} // namespace himalaya::lua

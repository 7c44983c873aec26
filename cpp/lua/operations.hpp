// What Lua asked for and waits for: a task, with a number to cancel it by, whose end is told to one callback, once.
#pragma once

#include "loop/cancel.hpp"
#include "loop/task.hpp"
#include "lua/runtime.hpp"

#include <cstdint>
#include <map>
#include <memory>

namespace himalaya::lua {

class Operations {
  public:
    using Work = Function<loop::Task<Arguments>(loop::CancelToken)>;

    explicit Operations(Runtime& runtime) : m_runtime(runtime) {}

    // Begins the work; what its task returns pushes the result. Gives Lua the operation's number.
    int run(lua_State* L, Ref callback, const loop::CancelToken& parent, Work work);
    // Whether it was still under way.
    bool cancel(std::uint64_t operation);

  private:
    struct Operation;

    loop::Task<> carry_out(std::shared_ptr<Operation> operation, Work work);

    Runtime& m_runtime;
    std::map<std::uint64_t, std::shared_ptr<Operation>> m_operations;
    std::uint64_t m_last = 0;
};

} // namespace himalaya::lua

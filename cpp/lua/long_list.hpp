// A list for Lua that may be too long for one turn: 10,000 attachments are 5 ms of making tables. It is filled under the
// budget, a part each time the dispatcher comes by.
//
//     [items, list = LongList()](lua_State* L) mutable {
//         if (!list.push(L, items.size(), [&](std::size_t i) { push_item(L, items[i]); }))
//             return Events::GO_ON;
//         ...
#pragma once

#include <cstddef>

#include "lua/runtime.hpp"
#include "lua/values.hpp"

namespace himalaya::lua {

class LongList {
  public:
    // Pushes the list once it is whole. Until then it gives false, and the stack is as it was.
    template<class F>
    bool push(lua_State* L, std::size_t count, F push_item) {
        constexpr std::size_t AT_ONCE = 16;
        if (!m_list) {
            lua_createtable(L, static_cast<int>(count), 0);
            m_list = Ref::of(L, -1);
        } else {
            m_list.push(L);
        }
        loop::Budget& budget = Runtime::current()->loop().budget();
        for (std::size_t done = 0; m_filled < count; ++done) {
            if (done > 0 && done % AT_ONCE == 0 && budget.exhausted(loop::Budget::LUA_NS)) {
                lua_pop(L, 1);
                return false;
            }
            push_item(m_filled);
            lua_rawseti(L, -2, static_cast<int>(++m_filled));
        }
        return true;
    }

  private:
    Ref m_list;
    std::size_t m_filled = 0;
};

} // namespace himalaya::lua

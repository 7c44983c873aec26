// The one piece of global state: what lives between the first require and VimLeavePre. Areas of the room keep their
// objects here and are stopped in reverse order. Its memory stays until the process ends, since the end may come
// from inside a callback of ours (a user's `:qa`).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "loop/loop.hpp"
#include "lua/events.hpp"
#include "lua/lua.hpp"

namespace himalaya::lua {

class Runtime {
  public:
    // Null before the first require, and from VimLeavePre on.
    static Runtime* current();
    // Makes it, or gives the one there is. `host` is the stack index of what lua/himalaya/native.lua hands over.
    // Throws Error where this cannot run: another thread, another loop.
    static Runtime& open(lua_State* L, int host);

    loop::Loop& loop() { return m_loop; }
    Events& events() { return *m_events; }
    // luv's main state, the only one to keep.
    lua_State* state() const { return m_L; }
    // The checkout, and where its build is.
    const std::string& root() const { return m_root; }
    const std::string& build_dir() const { return m_build_dir; }

    // An object that lives until VimLeavePre; those made later go first.
    template<class T, class... Args>
    T& make(Args&&... args) {
        auto object = std::make_shared<T>(std::forward<Args>(args)...);
        T& made = *object;
        m_kept.push_back(std::move(object));
        return made;
    }
    // Called at VimLeavePre before anything is destroyed, in reverse order; nothing in it may wait.
    void at_stop(Function<void()> fn) { m_at_stop.push_back(std::move(fn)); }

    // A part of native.metrics(): fn pushes one plain table.
    void add_metrics(std::string name, Function<void(lua_State*)> push) {
        m_metrics.emplace_back(std::move(name), std::move(push));
    }
    void push_metrics(lua_State* L);

    void stop();

  private:
    Runtime(uv_loop_t* uv, lua_State* L);

    loop::Loop m_loop;
    lua_State* m_L;
    std::string m_root;
    std::string m_build_dir;
    std::unique_ptr<Events> m_events;
    std::vector<std::shared_ptr<void>> m_kept;
    std::vector<Function<void()>> m_at_stop;
    std::vector<std::pair<std::string, Function<void(lua_State*)>>> m_metrics;
};

} // namespace himalaya::lua

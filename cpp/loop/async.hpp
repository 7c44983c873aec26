// Waking the loop from another thread. Many sends may become one call.
#pragma once

#include "loop/loop.hpp"

namespace himalaya::loop {

class Async {
  public:
    Async(Loop& loop, Function<void()> fn, const char* room = "loop");

    // Callable from any thread while this object lives.
    void send();
    void unref();

  private:
    struct State {
        Loop* loop = nullptr;
        const char* room = nullptr;
        Function<void()> fn;
    };

    Owned<uv_async_t, State> m_box;
};

} // namespace himalaya::loop

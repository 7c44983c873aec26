// The one way into Lua. From a uv callback Lua must not be called (a vim.wait in it would abort Neovim), so what is
// to be told is queued, at most one vim.schedule is outstanding, and a dispatcher that it runs drains the queue under
// the budget; the rest goes on after the editor had its turn.
//
// Completions are never dropped: the handles alive bound them. State changes coalesce by key: a new one takes the
// place of one not yet told. Streams tell their source to stop when too much waits. A callback that raises is
// reported, once each, and the queue goes on.
//
// A callback may run the loop itself (vim.wait): the dispatcher is then entered again and goes on from where it is.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <unordered_map>

#include "base/error.hpp"
#include "base/function.hpp"
#include "loop/loop.hpp"
#include "loop/timer.hpp"
#include "lua/costs.hpp"
#include "lua/values.hpp"
#include "lua/whose.hpp"

namespace himalaya::lua {

// Pushes the arguments of a callback and says how many. Runs later, in the dispatcher; must not raise in Lua. Those of
// a completion may be made over some turns: Events::GO_ON instead of a number has it called again in the next.
using Arguments = Function<int(lua_State*)>;

class Events {
  public:
    static constexpr int GO_ON = -1;

    // A Lua function called again and again. What was queued for it is told also after its owner let go of it.
    class Target;
    using Listener = std::shared_ptr<Target>;

    // `schedule` is vim.schedule, `dispatcher` a function that calls dispatch(), `report` takes a message.
    Events(loop::Loop& loop, lua_State* L, Ref schedule, Ref dispatcher, Ref report);

    // callback(nil, ...what arguments push after the nil...) and callback(err), once.
    void complete(Ref callback, Arguments result);
    void fail(Ref callback, Error error);
    void finish(Ref callback, Result<void> result);
    // callback(...) with nothing put before.
    void call(Ref callback, Arguments arguments);

    // A listener for changes and streams; `high` items may wait before offer() says no. A gathering one is told of
    // what was offered when a hundred wait or 4 ms have passed: each way into the editor costs it 10 us of looking
    // after its screen and its keys, more than the call of a function does.
    enum class Pace { prompt, gathering };
    Listener listen(Ref callback, std::size_t high = 64, Pace pace = Pace::prompt);
    // Of the changes with one key only the newest is told.
    void change(const Listener& listener, std::string key, Arguments arguments);
    // An item of a stream, told in order. False: enough, stop until on_room is called. The item is taken in any case.
    bool offer(const Listener& listener, Arguments arguments);
    // Called on the loop when a listener that had said no has room again.
    static void on_room(const Listener& listener, Function<void()> fn);
    static std::size_t waiting(const Listener& listener);

    std::size_t size() const { return m_queue.size(); }
    std::uint64_t delivered() const { return m_delivered; }

    // Only the dispatcher calls this.
    void dispatch();
    // Nothing is told any more; callable inside dispatch().
    void stop();
    // Says that something went wrong in a user's function: log and one notice per text.
    void report(const std::string& message);

  private:
    struct Event {
        Ref once;
        std::shared_ptr<Target> target;
        Arguments arguments;
        std::string key;
        bool nil_first; // a completion without an error
    };

    void push(Event event, Pace pace = Pace::prompt);
    void schedule();
    // Whose function the queue's first event is for.
    Whose next() const;
    // Whether this turn has room for it. One that was put off is put off no more.
    bool has_room(const Whose& function, bool first);
    // False: what it brings is not ready, and the event waits at the queue's head.
    bool deliver(Event event, const Whose& function);

    loop::Loop& m_loop;
    lua_State* m_L;
    Ref m_schedule;
    Ref m_dispatcher;
    Ref m_report;
    Ref m_traceback;
    std::deque<Event> m_queue;
    std::uint64_t m_first = 0; // number of the queue's first event
    std::unordered_map<std::string, std::uint64_t> m_by_key;
    std::uint64_t m_delivered = 0;
    Whose m_brief; // the function that was called last, when it took next to nothing
    Costs m_costs;
    bool m_put_off = false; // the queue's first event, in the turn before
    std::uint64_t m_last_turn = ~std::uint64_t(0);
    loop::Timer m_gathering;
    std::unordered_map<std::string, std::int64_t> m_reported; // text -> when
    bool m_scheduled = false;
    bool m_deferred = false;
    bool m_stopped = false;
};

} // namespace himalaya::lua

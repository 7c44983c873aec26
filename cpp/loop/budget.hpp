// One budget of 2 ms of thread CPU time for everything we do in one turn of the loop. The editor draws and
// takes keys between turns, so what we use in one of them is the longest a key press can wait for us. CPU
// time and not wall time: a machine under load must not make us do less and less.
//
// A turn runs from one poll of the loop to the next: the callbacks of that poll, the functions the editor
// runs after it (our dispatcher into Lua among them). Work is measured by `Slice`, one per entry from outside
// (a uv callback, a thunk called from Lua); slices nest, and time counts for the innermost room.
//
// A function that others gave us (a callback, an autocommand) runs inside our slices: what it takes is spent, so that
// we do not add to it, but it is no work of ours. It has a room of its own and is left out of the figures of turns.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/histogram.hpp"

namespace himalaya::loop {

class Budget {
  public:
    static constexpr std::uint64_t LIMIT_NS = 2'000'000;
    // Who stops where, so that the last step taken still ends inside the limit and nobody starves: what comes
    // from sockets leaves room for the functions that are due, and those for the way into Lua.
    static constexpr std::uint64_t STREAMS_NS = 800'000;
    static constexpr std::uint64_t DEFERRED_NS = 1'100'000;
    static constexpr std::uint64_t LUA_NS = 1'500'000;

    struct Room {
        const char* name = nullptr;
        std::uint64_t total_ns = 0;
        std::uint64_t longest_ns = 0; // one slice, inner ones included
        std::uint64_t slices = 0;
        std::uint64_t turn_ns = 0; // in the open turn
    };
    static constexpr const char* THEIRS = "theirs";

    // The longest turn: the room that worked most in it, and who that was, where somebody has told.
    struct Longest {
        std::uint64_t ns = 0;
        const char* room = nullptr;
        std::string what;
        std::uint64_t what_ns = 0;
    };

    // CPU time used in this turn, the open slice included.
    std::uint64_t spent() const;
    // True when whoever may work until `limit` has to go on in the next turn. Asks the wall clock first, which is no
    // system call and never behind the CPU's: 25 ns until the limit comes near.
    bool exhausted(std::uint64_t limit = DEFERRED_NS) const;

    std::uint64_t turns() const { return m_turns; }
    std::uint64_t turns_over() const { return m_over; }
    std::uint64_t longest_ns() const { return m_longest.ns; }
    const Longest& longest() const { return m_longest; }
    const Histogram& histogram() const { return m_histogram; }
    // The rooms that have worked so far; the name is null after the last.
    const std::array<Room, 24>& rooms() const { return m_rooms; }
    // The figures begin anew (for benches); the open turn goes on.
    void reset_figures();

    // The loop's poll begins: the turn that ends is counted, a new one starts.
    void begin_turn();

    // What comes between leave() and back() is a function of somebody else's. Outside a slice both do nothing. A
    // function left by an error does not come back by itself: its caller goes back to where it was, or its slice ends.
    struct Place {
        Room* room = nullptr;
        std::uint64_t since = 0;
    };
    Place leave();
    Place here() const;
    Place place() const { return {m_current, 0}; } // at no time: only to come back to
    void back(Place place);
    // The same said afterwards, for one that nobody thought worth a look at the CPU's clock: everything since then (a
    // monotonic time) was a function of somebody else's. What cannot be told apart stays ours.
    void was_theirs(std::int64_t since);
    // All time so far that was not ours.
    std::uint64_t theirs() const { return m_theirs; }

    // Tells who worked for so long in this turn.
    void note(std::string what, std::uint64_t ns);

  private:
    friend class Slice;

    Room* room(const char* name);
    void switch_to(Room* room, std::uint64_t now);

    std::array<Room, 24> m_rooms{};
    Room* m_current = nullptr;
    std::uint64_t m_since = 0; // CPU clock when the current room began or was resumed
    std::uint64_t m_wall_since = 0;
    std::uint64_t m_spent = 0;
    std::uint64_t m_turns = 0;
    std::uint64_t m_over = 0;
    std::uint64_t m_theirs = 0; // of all that was spent, not ours
    std::uint64_t m_theirs_before = 0;
    Longest m_longest;
    Longest m_noted;       // of the open turn
    Histogram m_histogram; // microseconds of turns in which we did anything
};

// An entry into our code, with the room's name (a string literal).
class Slice {
  public:
    Slice(Budget& budget, const char* room);
    ~Slice();
    Slice(const Slice&) = delete;
    Slice& operator=(const Slice&) = delete;

  private:
    Budget& m_budget;
    Budget::Room* m_room;
    Budget::Room* m_outer;
    std::uint64_t m_start;
    std::uint64_t m_theirs;
};

// CPU time of the calling thread in nanoseconds.
std::uint64_t thread_cpu_ns();

} // namespace himalaya::loop

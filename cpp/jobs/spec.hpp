// What a job is before anybody runs it: plain values, so that the queue can be tested without a clock, and so
// that every caller (Lua, sync, the background scheduler) says the same things in the same words.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace himalaya::jobs {

using Time = std::int64_t; // microseconds of a clock that never goes back; the driver brings it
using JobId = std::uint64_t;

constexpr Time MILLISECOND = 1000;

enum class Lane : std::uint8_t { user, ui, background };
constexpr std::size_t LANES = 3;
constexpr std::array<std::string_view, LANES> LANE_NAMES = {"user", "ui", "background"};

inline std::size_t index_of(Lane lane) {
    return static_cast<std::size_t>(lane);
}
std::optional<Lane> lane_of(std::string_view name);

// Programs and tasks of our own have slots of their own: three programs at work do not hold up a folder's
// list.
enum class Pool : std::uint8_t { commands, tasks };
constexpr std::size_t POOLS = 2;

// Jobs that are cancelled together; 0 is no group.
using Group = std::uint64_t;

struct Spec {
    std::string name;
    std::string key; // jobs of one key run one at a time; empty: no key
    Lane lane = Lane::user;
    Pool pool = Pool::commands;
    Group group = 0;
    bool coalesce = false; // join a job of the same key that has not ended instead of running again
    int retries = 0;       // further attempts after one that failed or timed out
    Time backoff = 500 * MILLISECOND; // before the first further attempt
    Time timeout = 0;                 // per attempt; 0: none
    Time deadline = 0;                // from submit to end, waiting included; 0: none
};

// How a job ended.
enum class Ending : std::uint8_t { done, failed, cancelled, timed_out };
constexpr std::size_t ENDINGS = 4;
constexpr std::array<std::string_view, ENDINGS> ENDING_NAMES = {"done", "failed", "cancelled", "timed_out"};

// What the driver says of one attempt. `again` is false where another attempt could only fail the same way.
struct Attempt {
    bool done = false;
    bool again = false;
};

enum class State : std::uint8_t { free, waiting, behind_key, backing_off, running, ending, joined, over };
std::string_view name_of(State state);

} // namespace himalaya::jobs

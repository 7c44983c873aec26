#include "jobs/spec.hpp"

namespace himalaya::jobs {

std::optional<Lane> lane_of(std::string_view name) {
    for (std::size_t i = 0; i < LANES; ++i)
        if (LANE_NAMES[i] == name)
            return static_cast<Lane>(i);
    return std::nullopt;
}

std::string_view name_of(State state) {
    switch (state) {
    case State::free:
        return "free";
    case State::waiting:
        return "queued";
    case State::behind_key:
        return "queued behind its key";
    case State::backing_off:
        return "waiting to retry";
    case State::running:
        return "running";
    case State::ending:
        return "ending";
    case State::joined:
        return "joined";
    case State::over:
        return "over";
    }
    return "";
}

} // namespace himalaya::jobs

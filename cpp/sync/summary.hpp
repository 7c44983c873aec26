// What one sync did, for those who asked for it, in this Neovim or in another one that leads; and the sum of all syncs
// of an account since Neovim started.
#pragma once

#include "base/error.hpp"
#include "base/histogram.hpp"
#include "store/rows.hpp"

#include <array>
#include <map>
#include <string>
#include <vector>

namespace himalaya::sync {

struct Came {
    std::string folder;
    std::vector<store::Id> ids;
};

struct Summary {
    std::int64_t fresh = 0;
    std::int64_t updated = 0;
    std::int64_t expunged = 0;
    std::int64_t uploaded = 0;
    std::int64_t bytes = 0;
    std::int64_t duration_ms = 0;
    std::int64_t round_trips = 0;
    std::int64_t connections_opened = 0;
    std::vector<Came> came;            // new mail, not of a first sync
    std::vector<std::string> refused;  // what the server would not do, a sentence each
    std::vector<std::string> withheld; // folders whose deletions wait for the user
};

// As JSON, the way it travels between two Neovims. Reading takes what it knows and leaves the rest at nothing.
std::string to_json(const Summary& summary);
std::string to_json(const Error& error);
Result<Summary> summary_of(std::string_view json); // an Error as it was written, or Code::invalid

struct Counts {
    std::uint64_t cycles = 0; // those that ended well
    std::uint64_t cancelled = 0;
    std::map<std::string, std::uint64_t> failures; // by the error's code
    std::uint64_t asked = 0;                       // of the Neovim that leads
    std::uint64_t served = 0;                      // for those that do not
    Summary sum;
    Histogram durations_ms; // of cycles that ended well

    void add(const Summary& done);
    // Whatever a sync did before it failed counts too.
    void add(const Summary& before, const Error& failure);
    void add(const Counts& other);
};

// The numbers of a Summary by the name that users see.
struct Figure {
    const char* name;
    std::int64_t Summary::*value;
};
inline constexpr std::array<Figure, 8> FIGURES = {{{"new", &Summary::fresh},
                                                   {"updated", &Summary::updated},
                                                   {"expunged", &Summary::expunged},
                                                   {"uploaded", &Summary::uploaded},
                                                   {"bytes", &Summary::bytes},
                                                   {"duration_ms", &Summary::duration_ms},
                                                   {"round_trips", &Summary::round_trips},
                                                   {"connections_opened", &Summary::connections_opened}}};

} // namespace himalaya::sync

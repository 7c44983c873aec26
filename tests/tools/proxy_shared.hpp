// What the proxy is told to do, what its connections share, and what is counted of each.
#pragma once

#include <openssl/ssl.h>
#include <uv.h>

#include <cstdint>
#include <string>
#include <vector>

namespace proxy {

enum class Direction { up, down }; // to the server, to the client
enum class Harm { none, cut, reset, stall, swallow };

// What happens to a connection, and where: after `byte` bytes of `direction`, or once `command` lines of the client
// have gone to the server. `times` connections suffer it, those that follow do not.
struct Fault {
    Harm harm = Harm::none;
    Direction direction = Direction::down;
    std::int64_t byte = -1;
    std::int64_t command = -1;
    std::int64_t times = 1;
};

struct Line {
    int connection;
    std::uint64_t
        at; // uv_hrtime when it came from the server: the same clock in every process of the machine
    std::string text;
};

// What all connections share.
struct Limits {
    std::uint64_t delay = 0; // ns, each way
    double bytes_per_ns = 0; // 0: no limit; each way, all connections together
    std::uint64_t free_at[2] = {0, 0};
};

struct Shared {
    uv_loop_t* loop = nullptr;
    SSL_CTX* tls = nullptr; // TLS ends here when given
    Limits limits;
    Fault fault;
    std::vector<std::string> watched;   // a server line that contains one of these is kept with its time
    std::vector<std::string> forbidden; // a client line that contains one of these words is kept
    std::vector<Line> lines;
    std::vector<Line> broken_rules;
};

struct Figures {
    int id = 0;
    std::int64_t round_trips = 1; // TCP's own handshake
    std::int64_t bytes[2] = {0, 0};
    std::int64_t commands = 0;
    std::int64_t round_trips_to_fetch = 0; // when the first `* N FETCH` came; 0 before, and within TLS
    bool open = true;
};

} // namespace proxy

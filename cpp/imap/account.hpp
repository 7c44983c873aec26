// How to reach an account's server, and what one connection learns that the next need not ask again.
#pragma once

#include "auth/sasl.hpp"
#include "imap/capabilities.hpp"
#include "imap/vendor.hpp"
#include "loop/cancel.hpp"
#include "loop/task.hpp"
#include "net/wire.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>

namespace himalaya::imap {

enum class Compress { automatic, always, never };

struct Account {
    std::string host;
    uint16_t port = 993;
    net::Security security = net::Security::implicit;
    std::string ca_file;
    std::string user;
    auth::Kind kind = auth::Kind::password;
    // Asked at every login; what it gives is wiped after use.
    std::function<loop::Task<auth::Secret>(loop::CancelToken)> secret;
    std::shared_ptr<net::Bandwidth> bandwidth;
    uint64_t timeout_ms = 30'000; // without progress
    Compress compress = Compress::automatic;
    size_t pool_size = 3;
    uint64_t idle_timeout_ms = 300'000;
    uint64_t poll_ms = 60'000;       // where the server has no push
    uint64_t renew_ms = 24 * 60'000; // IDLE is re-issued after so long
    bool pauses_grow = true;         // between attempts to connect; else they are all as long as the first
    // Lines of the wire, secrets blotted out; empty: no log.
    std::function<void(std::string_view line)> log;
};

// Lives with the pool. What a server refused once is not tried again on the next connection.
struct Learnt {
    Capabilities capabilities; // after login
    bool search_return = true;
    bool list_return = true;
    bool special_use_return = true;
    bool list_status = true;
    bool id = true;
    bool enable = true;
    bool notify = true;
    bool burst = true;   // many short questions at once
    bool qresync = true; // SELECT (QRESYNC ...)
    bool compress = true;
    bool utf8 = true;
    std::string id_name;
    std::set<std::string>
        odd_names;               // folders whose names are no modified UTF-7: sent back exactly as they came
    std::string personal_prefix; // NAMESPACE: what our own folders' names begin with
    bool namespace_known = false;
    std::vector<std::string> spent_mechanisms;
    unsigned idle_hung = 0; // IDLEs in a row that were not granted or not ended though they were young
    uint64_t idle_died_after_ms = 0; // the shortest IDLE that was found dead
};

} // namespace himalaya::imap

// A loop, a CA of its own and what a reader got: what tests of connections start from.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "catch.hpp"
#include "net/net.hpp"
#include "net/wire.hpp"
#include "support/test_loop.hpp"
#include "support/tls_server.hpp"

namespace himalaya::net::tests {

using namespace himalaya::test;

struct World {
    Certificate ca = make_certificate({.name = "Example CA", .ca = true});
    TemporaryFile ca_file{ca.pem()};
    Certificate certificate = make_certificate(
        {.name = "localhost", .hosts = {"DNS:localhost", "IP:127.0.0.1", "IP:::1"}, .issuer = &ca});
    TestLoop loop;
    std::unique_ptr<Net> net = std::make_unique<Net>(loop);

    WireOptions to(const TlsServer& server, Security security = Security::implicit) {
        WireOptions options;
        options.host = "127.0.0.1";
        options.port = server.port();
        options.security = security;
        options.ca_file = ca_file.path();
        options.timeout_ms = 20'000;
        return options;
    }
    std::unique_ptr<Wire> open(WireOptions options) {
        return loop.value_of(Wire::open(*net, std::move(options), {}));
    }
    Error refused(WireOptions options, loop::CancelToken token = {}) {
        try {
            loop.value_of(Wire::open(*net, std::move(options), token));
        } catch (const Error& error) {
            return error;
        }
        FAIL("it connected");
        return {};
    }
};

// What a reader got.
struct Reader {
    std::string text;
    std::size_t bytes = 0;
    bool ended = false;
    std::optional<Error> error;

    void start(Wire& wire, bool keep = true) {
        wire.read_start(
            [this, keep](std::span<const char> view) {
                bytes += view.size();
                if (keep)
                    text.append(view.data(), view.size());
            },
            [this](std::optional<Error> reason) {
                ended = true;
                error = std::move(reason);
            });
    }
};

inline TlsServer::Handler echo() {
    return [](Peer& peer) {
        if (!peer.start_tls())
            return;
        char bytes[16 * 1024];
        while (std::size_t count = peer.read_some(bytes, sizeof bytes))
            if (!peer.send({bytes, count}))
                return;
    };
}

} // namespace himalaya::net::tests

// SCRAM-SHA-256 (RFC 5802, RFC 7677): the password never leaves us, and the server proves that it knew it.
// With a channel binding (-PLUS) the proof holds for this TLS connection only.
//
// The hashing is what makes guessing expensive: 4,096 rounds are 1 ms, 600,000 are 150 ms. It is done in
// slices of SLICE rounds, one a turn, and a server that asks for more than MAX_ROUNDS is turned down.
#pragma once

#include <memory>
#include <string>

#include "auth/sasl.hpp"

namespace himalaya::auth {

struct Scram {
    enum class Binding {
        none,        // "n": we could not, whatever the server offers
        not_offered, // "y": we could, the server did not offer; an honest server that did will notice
        exporter,
        end_point
    };
    static constexpr int SLICE = 512;
    static constexpr int MAX_ROUNDS = 2'000'000;
    static constexpr int MIN_ROUNDS_UNENCRYPTED = 4096;

    Binding binding = Binding::none;
    std::string binding_data;
    bool encrypted = true;
    int slice = SLICE; // rounds a turn
    std::string nonce; // for test vectors; empty: a fresh random one
};

std::unique_ptr<Mechanism> scram_sha256(Login login, Scram scram);

} // namespace himalaya::auth

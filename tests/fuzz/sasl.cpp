// Challenges for every mechanism: the first byte picks it, lines after it are what the server says, base64 or not.
// Nothing may crash, run for ever or answer with the password in the clear where it should not.
// needs auth/sasl.cpp auth/mechanisms.cpp auth/scram.cpp auth/saslprep.cpp auth/nfkc.cpp auth/secret.cpp
// needs auth/refusal.cpp
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>

#include "auth/sasl.hpp"
#include "auth/saslprep.hpp"
#include "auth/scram.hpp"

using namespace himalaya;
using namespace himalaya::auth;

namespace {

std::unique_ptr<Mechanism> mechanism(unsigned which) {
    Login login{which >= 6 ? Kind::oauth2 : Kind::password, "jane", Secret("s3cret-p4ssword"),
                "imap.example.org", 993};
    switch (which) {
    case 0:
        return plain(std::move(login));
    case 1:
        return auth::login(std::move(login));
    case 2:
        return scram_sha256(std::move(login), {Scram::Binding::none, {}, true, 4, "nonce"});
    case 3:
        return scram_sha256(std::move(login), {Scram::Binding::not_offered, {}, false, 4, "nonce"});
    case 4:
        return scram_sha256(std::move(login), {Scram::Binding::exporter, "EXPORTED", true, 4, "nonce"});
    case 5:
        return scram_sha256(std::move(login), {Scram::Binding::end_point, "HASHED", true, 4, "nonce"});
    case 6:
        return xoauth2(std::move(login));
    default:
        return oauthbearer(std::move(login));
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0)
        return 0;
    unsigned which = data[0] % 8;
    bool raw = data[0] & 0x10; // the text is what stands inside the base64
    std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
    Exchange exchange(mechanism(which), {"jane", "imap.example.org", "", which >= 6}, data[0] & 0x20,
                      Secret("s3cret-p4ssword"));
    exchange.command();
    std::string_view rest = input;
    bool scram = which >= 2 && which <= 5;
    while (!rest.empty()) {
        std::size_t end = rest.find('\n');
        std::string_view line = rest.substr(0, end);
        rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
        Secret encoded;
        if (raw) {
            encoded = base64_encode(line);
            line = encoded.view();
        }
        // A server that knows the password may put it into its nonce, which SCRAM has to send back.
        Secret challenge;
        bool known =
            base64_decode(line, challenge) && challenge.view().find("s3cret") != std::string_view::npos;
        Mechanism::Answer answer = exchange.answer(line);
        // A million rounds are legal and slow: a few slices of four show as much.
        for (int slices = 0; answer && !*answer && slices < 4; ++slices)
            answer = exchange.proceed();
        if (!answer || !*answer)
            break;
        Secret bytes;
        if (!base64_decode((*answer)->view(), bytes))
            std::abort();
        if (scram && !known && bytes.view().find("s3cret") != std::string_view::npos)
            std::abort();
    }
    // Without the password no server can forge its proof.
    if (scram && exchange.accepted())
        std::abort();
    Refusal refusal = exchange.refused({"NO", "AUTHENTICATIONFAILED", std::string(input.substr(0, 2000))});
    if (refusal.error.message.find("s3cret-p4ssword") != std::string::npos ||
        refusal.error.message.size() > 2000)
        std::abort();
    (void)saslprep(input.substr(0, 64), "password");
    return 0;
}

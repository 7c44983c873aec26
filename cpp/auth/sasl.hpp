// Logging in, without clock or socket: what goes with AUTHENTICATE, what answers each challenge, and whether
// the server has proven itself too. The session sends and receives; this decides.
//
//   auto exchange = auth::choose(offer, std::move(login));          // Error{auth}: nothing here we may use
//   send(tag + " " + exchange->command().view() + CRLF);
//   on "+ challenge":  auto answer = exchange->answer(challenge);    // an error: send "*", then report it
//                      while (answer && !*answer) { next turn; answer = exchange->proceed(); }
//                      send((*answer)->view() + CRLF);
//   on "tag OK":       exchange->accepted().or_throw();             // SCRAM: the server knew the secret as
//   well on "tag NO":       throw exchange->refused(reply).error;
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "auth/refusal.hpp"
#include "auth/secret.hpp"
#include "base/error.hpp"

namespace himalaya::auth {

// What ties a login to the TLS connection under it, so that nobody in the middle can pass it on.
struct ChannelBinding {
    std::string exporter;  // tls-exporter (RFC 9266); empty below TLS 1.3
    std::string end_point; // tls-server-end-point (RFC 5929); empty when the certificate's hash gives none
};

// What the server lets us use, from its capabilities, and what we may use from the user's options.
struct Offer {
    std::vector<std::string> mechanisms; // what stands behind AUTH=, any case
    bool sasl_ir = false;                // the first answer may go with AUTHENTICATE
    bool login_command = true;           // LOGINDISABLED was not seen
    bool encrypted = false;              // TLS is up
    bool plaintext_allowed = false;      // no TLS, and the user said so: tls='none'; see may_be_plaintext
    ChannelBinding binding;
};

// Without TLS a password goes in the clear only to this machine itself: tls='none' and a loopback host.
bool may_be_plaintext(std::string_view tls_option, std::string_view host);

enum class Kind { password, oauth2 };

struct Login {
    Kind kind = Kind::password;
    std::string user;
    Secret secret; // the password, or the access token
    std::string host;
    std::uint16_t port = 993;
};

// One mechanism's side of the exchange; bytes as they are, base64 is Exchange's work.
class Mechanism {
  public:
    // No answer yet: call proceed() in a later turn (SCRAM spreads its hashing).
    using Answer = Result<std::optional<Secret>>;

    virtual ~Mechanism() = default;
    virtual std::string_view name() const = 0;
    // True when we speak first; the first answer then belongs to AUTHENTICATE or to an empty challenge.
    virtual bool speaks_first() const { return true; }
    virtual Answer answer(std::string_view challenge) = 0;
    virtual Answer proceed() { return make_error(Code::internal, "This login has nothing left to compute."); }
    // After the server's OK: has it done its part?
    virtual Result<void> accepted() { return {}; }
    // What the server complained of inside the exchange (the JSON of OAuth, the e= of SCRAM).
    virtual std::string_view complaint() const { return {}; }
};

std::unique_ptr<Mechanism> plain(Login login);
std::unique_ptr<Mechanism> login(Login login);
std::unique_ptr<Mechanism> xoauth2(Login login);
std::unique_ptr<Mechanism> oauthbearer(Login login);

class Exchange {
  public:
    // `hidden` is the password or token: it is blotted out where a server repeats it in a refusal.
    Exchange(std::unique_ptr<Mechanism> mechanism, Context context, bool sasl_ir, Secret hidden);
    // The old LOGIN command instead of a mechanism.
    static Exchange login_command(const Login& login, Context context);

    std::string_view name() const;
    // The command without tag and CRLF: `AUTHENTICATE PLAIN AGpvZQ...` or `LOGIN "..." "..."`.
    Secret command();
    // The line that answers a challenge (what stood behind "+ "), without CRLF.
    Mechanism::Answer answer(std::string_view challenge);
    Mechanism::Answer proceed();
    Result<void> accepted();
    Refusal refused(const Reply& reply) const;

  private:
    Exchange(Secret command, Context context, Secret hidden);
    Mechanism::Answer encoded(Mechanism::Answer answer);

    std::unique_ptr<Mechanism> m_mechanism;
    Context m_context;
    Secret m_command;
    Secret m_hidden;
    Secret m_last_line; // in base64; servers repeat lines they do not understand
    bool m_sasl_ir = false;
    bool m_first_sent = false;
    int m_challenges = 0;
};

// The best mechanism both sides know; `spent` names those the server turned down as such (Refusal::try_next).
Result<Exchange> choose(const Offer& offer, Login login, const std::vector<std::string>& spent = {});

} // namespace himalaya::auth

// Which mechanism: the strongest both sides know. A password goes in the clear only over TLS, or where the
// user chose tls='none' and the host is this machine.
#include <algorithm>
#include <cctype>
#include <utility>

#include <fmt/format.h>

#include "auth/sasl.hpp"
#include "auth/saslprep.hpp"
#include "auth/scram.hpp"
#include "net/resolver.hpp"

namespace himalaya::auth {

namespace {

bool same_word(std::string_view a, std::string_view b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](unsigned char x, unsigned char y) { return std::toupper(x) == std::toupper(y); });
}

bool has(const std::vector<std::string>& words, std::string_view word) {
    return std::any_of(words.begin(), words.end(), [&](const std::string& w) { return same_word(w, word); });
}

bool breaks_lines(std::string_view text) {
    return text.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos;
}

bool has_control(std::string_view text) {
    return std::any_of(text.begin(), text.end(), [](unsigned char c) { return c < 32 || c == 127; });
}

std::string list_of(const std::vector<std::string>& mechanisms) {
    std::string words;
    for (const std::string& mechanism : mechanisms) {
        if (words.size() > 200)
            return words + " ...";
        words += words.empty() ? "" : ", ";
        for (unsigned char c : mechanism)
            words += c > 32 && c < 127 ? static_cast<char>(c) : '?';
    }
    return words.empty() ? "nothing" : words;
}

Result<void> check(const Login& login) {
    if (login.user.empty())
        return make_error(Code::config, fmt::format("No user is set for {}.", login.host), "Set imap.user.");
    if (has_control(login.user))
        return make_error(Code::config, "imap.user has control characters in it.", "Set imap.user anew.");
    if (login.secret.empty())
        return make_error(Code::config,
                          fmt::format("The {} for {} at {} is empty.",
                                      login.kind == Kind::oauth2 ? "access token" : "password", login.user,
                                      login.host),
                          "See what the command or variable of imap.auth gives.");
    if (login.kind == Kind::oauth2 ? has_control(login.secret.view()) : breaks_lines(login.secret.view()))
        return make_error(Code::config,
                          fmt::format("The {} for {} at {} has control characters in it.",
                                      login.kind == Kind::oauth2 ? "access token" : "password", login.user,
                                      login.host),
                          "See what the command or variable of imap.auth gives.");
    return {};
}

Result<Exchange> oauth(const Offer& offer, Login login, Context context,
                       const std::vector<std::string>& spent) {
    context.oauth = true;
    Secret hidden = login.secret.copy();
    auto usable = [&](std::string_view name) { return has(offer.mechanisms, name) && !has(spent, name); };
    if (!offer.encrypted && !offer.plaintext_allowed)
        return make_error(Code::auth, fmt::format("The token for {} is not sent without TLS.", login.host),
                          "Set imap.tls to 'implicit' or 'starttls'.");
    if (usable("OAUTHBEARER"))
        return Exchange(oauthbearer(std::move(login)), std::move(context), offer.sasl_ir, std::move(hidden));
    if (usable("XOAUTH2"))
        return Exchange(xoauth2(std::move(login)), std::move(context), offer.sasl_ir, std::move(hidden));
    return make_error(
        Code::auth,
        fmt::format("{} takes no OAuth token; it offers {}.", login.host, list_of(offer.mechanisms)),
        "Set imap.auth to { type = 'password', ... }.");
}

} // namespace

bool may_be_plaintext(std::string_view tls_option, std::string_view host) {
    return tls_option == "none" && net::is_loopback(host);
}

Result<Exchange> choose(const Offer& offer, Login login, const std::vector<std::string>& spent) {
    if (Result<void> good = check(login); !good)
        return good.error();
    Context context{login.user, login.host, {}, false};
    if (login.kind == Kind::oauth2)
        return oauth(offer, std::move(login), std::move(context), spent);

    auto usable = [&](std::string_view name) { return has(offer.mechanisms, name) && !has(spent, name); };
    Secret hidden = login.secret.copy();
    bool clear = offer.encrypted || offer.plaintext_allowed;
    const ChannelBinding& binding = offer.binding;
    // A password that SASLprep forbids can still go with PLAIN, as the bytes it is.
    bool preparable = static_cast<bool>(saslprep(login.secret.view(), "password")) &&
                      static_cast<bool>(saslprep(login.user, "user"));
    if (preparable && usable("SCRAM-SHA-256-PLUS") && !binding.exporter.empty() &&
        !has(spent, "tls-exporter"))
        return Exchange(scram_sha256(std::move(login), {Scram::Binding::exporter, binding.exporter, true}),
                        std::move(context), offer.sasl_ir, std::move(hidden));
    if (preparable && usable("SCRAM-SHA-256-PLUS") && !binding.end_point.empty())
        return Exchange(scram_sha256(std::move(login), {Scram::Binding::end_point, binding.end_point, true}),
                        std::move(context), offer.sasl_ir, std::move(hidden));
    if (preparable && usable("SCRAM-SHA-256")) {
        bool could_bind = !binding.exporter.empty() || !binding.end_point.empty();
        bool offered = has(offer.mechanisms, "SCRAM-SHA-256-PLUS");
        Scram scram{
            could_bind && !offered ? Scram::Binding::not_offered : Scram::Binding::none, {}, offer.encrypted};
        return Exchange(scram_sha256(std::move(login), std::move(scram)), std::move(context), offer.sasl_ir,
                        std::move(hidden));
    }
    if (clear && usable("PLAIN"))
        return Exchange(plain(std::move(login)), std::move(context), offer.sasl_ir, std::move(hidden));
    if (clear && usable("LOGIN"))
        return Exchange(auth::login(std::move(login)), std::move(context), offer.sasl_ir, std::move(hidden));
    if (clear && offer.login_command && !has(spent, "LOGIN command"))
        return Exchange::login_command(login, std::move(context));

    if (!clear)
        return make_error(Code::auth, fmt::format("The password for {} is not sent without TLS.", login.host),
                          "Set imap.tls to 'implicit' or 'starttls'.");
    bool only_oauth = has(offer.mechanisms, "XOAUTH2") || has(offer.mechanisms, "OAUTHBEARER");
    return make_error(Code::auth,
                      fmt::format("{} takes no password we can give it; it offers {}.", login.host,
                                  list_of(offer.mechanisms)),
                      only_oauth ? "Set imap.auth to { type = 'oauth2', ... }."
                                 : "See whether the server wants TLS first, or another way to log in.");
}

} // namespace himalaya::auth

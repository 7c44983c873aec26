#include "auth/refusal.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <optional>

#include <fmt/format.h>

namespace himalaya::auth {

namespace {

constexpr std::string_view APP_PASSWORD =
    "This account wants an app password: make one in the account's security "
    "settings and use it instead of your own.";
constexpr std::string_view WRONG =
    "See whether the user and password are right; many providers want an app password "
    "or OAuth instead of your own password.";
constexpr std::string_view TOKEN =
    "The access token is expired or revoked: run :HimalayaOAuthRefresh, or log in again.";
constexpr std::string_view BROWSER =
    "Log in once in a web browser and confirm that it was you, then try again.";
constexpr std::string_view ENABLE_IMAP = "Switch IMAP on in the account's settings on the web.";
constexpr std::string_view WAIT = "Nothing to do: it is tried again later.";
constexpr std::string_view USE_TLS = "Set imap.tls to 'implicit' or 'starttls'.";
constexpr std::string_view USE_OAUTH = "This server takes no passwords any more: set imap.auth to "
                                       "{ type = 'oauth2', ... }.";
constexpr std::string_view FEWER = "Lower imap.pool_size, or close other mail programs of this account.";
constexpr std::string_view ADMIN = "Ask whoever runs the server.";
constexpr std::string_view EXPIRED = "Set a new password in the account's settings on the web.";
constexpr std::string_view SCOPE =
    "The access token does not allow IMAP: log in again and grant access to mail.";
constexpr std::string_view BASIC =
    "See whether the user is the full address, IMAP is switched on for the account, and "
    "the server still takes passwords.";

struct Known {
    std::string_view words; // lower case, found anywhere in the text
    Code code;
    std::string_view hint;
};

// The first that fits is taken, so the narrower stands above the wider.
constexpr std::array KNOWN = {
    // Mail.ru, Gmail, Yahoo, Fastmail, iCloud
    Known{"application-specific password", Code::auth, APP_PASSWORD},
    Known{"app-specific password", Code::auth, APP_PASSWORD},
    Known{"application password", Code::auth, APP_PASSWORD},
    Known{"app password", Code::auth, APP_PASSWORD},
    // Gmail
    Known{"web login required", Code::auth, BROWSER},
    Known{"log in via your web browser", Code::auth, BROWSER},
    Known{"web browser", Code::auth, BROWSER},
    // Gmail, Zoho, GMX, Yandex
    Known{"not enabled for imap", Code::auth, ENABLE_IMAP},
    Known{"enable imap", Code::auth, ENABLE_IMAP},
    Known{"imap is disabled", Code::auth, ENABLE_IMAP},
    Known{"imap disabled", Code::auth, ENABLE_IMAP},
    Known{"imap access is disabled", Code::auth, ENABLE_IMAP},
    Known{"imap service is not enabled", Code::auth, ENABLE_IMAP},
    // Exchange
    Known{"basicauthblocked", Code::auth, USE_OAUTH},
    Known{"basic auth", Code::auth, USE_OAUTH},
    Known{"throttled", Code::throttled, WAIT},
    Known{"authenticated but not connected", Code::auth,
          "See whether IMAP is switched on for this mailbox, and imap.user is its own address."},
    // limits
    Known{"overquota", Code::throttled, WAIT},
    Known{"bandwidth limit", Code::throttled, WAIT},
    Known{"rate limit", Code::throttled, WAIT},
    Known{"too many login", Code::throttled, WAIT},
    Known{"too many failed", Code::throttled, WAIT},
    Known{"too many attempts", Code::throttled, WAIT},
    Known{"too many auth", Code::throttled, WAIT},
    Known{"login frequency", Code::throttled, WAIT},
    Known{"try again later", Code::throttled, WAIT},
    Known{"too many simultaneous", Code::busy, FEWER},
    Known{"too many connections", Code::busy, FEWER},
    Known{"number of connections", Code::busy, FEWER},
    Known{"connection limit", Code::busy, FEWER},
    // TLS first
    Known{"plaintext authentication disallowed", Code::auth, USE_TLS},
    Known{"cleartext", Code::auth, USE_TLS},
    Known{"starttls", Code::auth, USE_TLS},
    // tokens and secrets
    Known{"insufficient_scope", Code::auth, SCOPE},
    Known{"invalid_token", Code::auth, TOKEN},
    Known{"token expired", Code::auth, TOKEN},
    Known{"expired token", Code::auth, TOKEN},
    Known{"expired access token", Code::auth, TOKEN},
    Known{"sasl authentication failed for oauth", Code::auth, TOKEN},
    Known{"password expired", Code::auth, EXPIRED},
    Known{"password has expired", Code::auth, EXPIRED},
    Known{"temporary", Code::offline, WAIT},
    Known{"system error", Code::offline, WAIT},
    Known{"login failed", Code::auth, BASIC},
    Known{"authenticate failed", Code::auth, BASIC},
};

struct KnownCode {
    std::string_view code;
    Code means;
    std::string_view hint;
};

// Response codes of RFC 5530 and of vendors. ALERT and WEBALERT say nothing by themselves, their text does.
constexpr std::array CODES = {
    KnownCode{"AUTHENTICATIONFAILED", Code::auth, WRONG},
    KnownCode{"AUTHORIZATIONFAILED", Code::auth, "See whether this user may read that mailbox."},
    KnownCode{"EXPIRED", Code::auth, EXPIRED},
    KnownCode{"PRIVACYREQUIRED", Code::auth, USE_TLS},
    KnownCode{"CONTACTADMIN", Code::auth, ADMIN},
    KnownCode{"NOPERM", Code::auth, ADMIN},
    KnownCode{"WEBALERT", Code::auth, BROWSER},
    KnownCode{"UNAVAILABLE", Code::offline, WAIT},
    KnownCode{"SERVERBUG", Code::offline, WAIT},
    KnownCode{"OVERQUOTA", Code::throttled, WAIT},
    KnownCode{"THROTTLED", Code::throttled, WAIT},
    KnownCode{"LIMIT", Code::busy, FEWER},
    KnownCode{"INUSE", Code::busy, FEWER},
};

std::string lower(std::string_view text) {
    std::string result(text);
    std::transform(result.begin(), result.end(), result.begin(),
                   [](unsigned char c) { return static_cast<char>(c < 128 ? std::tolower(c) : c); });
    return result;
}

// The server's words go to a terminal: no controls, and not without end.
std::string shown(std::string_view text) {
    constexpr std::size_t MOST = 300;
    std::string safe;
    for (unsigned char c : text) {
        if (safe.size() >= MOST) {
            while (!safe.empty() && (static_cast<unsigned char>(safe.back()) & 0xc0) == 0x80)
                safe.pop_back();
            if (!safe.empty() && static_cast<unsigned char>(safe.back()) >= 0xc0)
                safe.pop_back();
            return safe + "...";
        }
        if (c < 32 || c == 127) {
            if (!safe.empty() && safe.back() != ' ')
                safe += ' ';
        } else {
            safe += static_cast<char>(c);
        }
    }
    while (!safe.empty() && (safe.back() == ' ' || safe.back() == '.'))
        safe.pop_back();
    return safe;
}

// "Suggested Backoff Time: 92415 milliseconds"
std::optional<long long> back_off(std::string_view lower_text) {
    std::size_t at = lower_text.find("backoff time:");
    if (at == std::string_view::npos)
        return std::nullopt;
    at += std::string_view("backoff time:").size();
    while (at < lower_text.size() && lower_text[at] == ' ')
        ++at;
    long long ms = 0;
    auto [end, bad] = std::from_chars(lower_text.data() + at, lower_text.data() + lower_text.size(), ms);
    if (bad != std::errc() || ms < 0 || ms > 24LL * 3600 * 1000)
        return std::nullopt;
    std::string_view unit = lower_text.substr(static_cast<std::size_t>(end - lower_text.data()));
    if (unit.starts_with(" sec"))
        ms *= 1000;
    return ms;
}

bool wants_app_password(std::string_view lower_host) {
    for (std::string_view host :
         {"gmail.com", "googlemail.com", "google.com", "mail.me.com", "icloud.com", "mail.yahoo.com",
          "aol.com", "fastmail.com", "mail.ru", "yandex.com", "yandex.ru"})
        if (lower_host == host ||
            (lower_host.ends_with(host) && lower_host[lower_host.size() - host.size() - 1] == '.'))
            return true;
    return false;
}

bool mechanism_unknown(const Reply& reply, const std::string& words, std::string_view complaint) {
    if (complaint == "unsupported-channel-binding-type" || complaint == "channel-bindings-dont-match" ||
        complaint == "channel-binding-not-supported" || complaint == "other-error")
        return true;
    if (lower(reply.code) == "cannot")
        return true;
    for (std::string_view said :
         {"unsupported auth", "unsupported mechanism", "mechanism not", "unknown mechanism",
          "mechanism is not", "not supported", "unrecognized auth", "unknown command", "disabled mechanism",
          "no mechanism"})
        if (words.find(said) != std::string::npos)
            return true;
    return lower(reply.status) == "bad" && words.find("throttled") == std::string::npos &&
           words.find("not connected") == std::string::npos && words.find("too many") == std::string::npos;
}

} // namespace

Refusal explain(const Reply& reply, const Context& context, std::string_view complaint) {
    std::string words = lower(reply.code + " " + reply.text + " ");
    std::string complained = lower(complaint);
    Code code = Code::auth;
    std::string_view hint;
    auto in_words = [&](const Known& known) { return words.find(known.words) != std::string::npos; };
    auto in_code = [&](const KnownCode& known) { return lower(known.code) == lower(reply.code); };
    auto said = std::find_if(KNOWN.begin(), KNOWN.end(), in_words);
    auto coded = std::find_if(CODES.begin(), CODES.end(), in_code);
    bool app_password = !context.oauth && wants_app_password(lower(context.host));

    if (complained.find("insufficient_scope") != std::string::npos) {
        hint = SCOPE;
    } else if (said != KNOWN.end() && (said->hint != BASIC || coded == CODES.end())) {
        code = said->code;
        hint = said->hint;
    } else if (coded != CODES.end()) {
        code = coded->means;
        hint = coded->hint;
    } else {
        hint = WRONG;
    }
    if (code == Code::auth && (hint == WRONG || hint == BASIC)) {
        if (context.oauth)
            hint = TOKEN;
        else if (app_password)
            hint = APP_PASSWORD;
    }

    std::string text = shown(reply.text);
    if (text.empty())
        text = reply.code.empty() ? std::string("no reason given") : shown(reply.code);
    Refusal refusal;
    refusal.error = make_error(
        code, fmt::format("{} refused the login of {}: {}", context.host, shown(context.user), text),
        std::string(hint));
    if (code == Code::throttled)
        if (std::optional<long long> ms = back_off(words))
            refusal.error.detail = fmt::format(R"({{"wait_ms":{}}})", *ms);
    refusal.try_next = code == Code::auth && mechanism_unknown(reply, words, complaint);
    return refusal;
}

} // namespace himalaya::auth

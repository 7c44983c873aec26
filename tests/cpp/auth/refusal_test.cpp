#include "auth/refusal.hpp"

#include "catch.hpp"

using namespace himalaya;
using namespace himalaya::auth;

namespace {

struct Case {
    const char* host;
    const char* status;
    const char* code;
    const char* text;
    Code means;
    const char* hint; // part of it
};

} // namespace

TEST_CASE("known refusals get the hint that helps, and keep the server's words") {
    const Case known[] = {
        {"imap.gmail.com", "NO", "ALERT",
         "Application-specific password required: https://support.example.com/185833 (Failure)", Code::auth,
         "app password"},
        {"imap.gmail.com", "NO", "AUTHENTICATIONFAILED", "Invalid credentials (Failure)", Code::auth,
         "app password"},
        {"imap.gmail.com", "NO", "WEBALERT", "Web login required.", Code::auth, "browser"},
        {"imap.gmail.com", "NO", "ALERT", "Please log in via your web browser: https://support.example.com",
         Code::auth, "browser"},
        {"imap.gmail.com", "NO", "ALERT",
         "Your account is not enabled for IMAP use. Please visit your settings", Code::auth, "IMAP on"},
        {"imap.gmail.com", "NO", "OVERQUOTA", "Account exceeded command or bandwidth limits. (Failure)",
         Code::throttled, "later"},
        {"imap.gmail.com", "NO", "", "[OverQuota] Account exceeded limits", Code::throttled, "later"},
        {"imap.gmail.com", "NO", "ALERT", "Too many simultaneous connections. (Failure)", Code::busy,
         "pool_size"},
        {"outlook.office365.com", "NO", "", "LOGIN failed.", Code::auth, "takes passwords"},
        {"outlook.office365.com", "NO", "", "AUTHENTICATE failed.", Code::auth, "takes passwords"},
        {"outlook.office365.com", "BAD", "", "User is authenticated but not connected.", Code::auth,
         "switched on"},
        {"outlook.office365.com", "NO", "", "LogonDenied-BasicAuthBlocked-BasicAuthBlocked", Code::auth,
         "oauth2"},
        {"imap.mail.yahoo.com", "NO", "AUTHENTICATIONFAILED", "LOGIN Invalid credentials", Code::auth,
         "app password"},
        {"imap.mail.yahoo.com", "NO", "LIMIT", "LOGIN Rate limit hit.", Code::throttled, "later"},
        {"imap.mail.me.com", "NO", "AUTHENTICATIONFAILED", "Authentication Failed", Code::auth,
         "app password"},
        {"imap.example.org", "NO", "AUTHENTICATIONFAILED", "Authentication failed.", Code::auth,
         "user and password"},
        {"imap.example.org", "NO", "PRIVACYREQUIRED",
         "Plaintext authentication disallowed on non-secure connections.", Code::auth, "starttls"},
        {"imap.example.org", "NO", "UNAVAILABLE", "Temporary authentication failure.", Code::offline,
         "later"},
        {"imap.example.org", "NO", "EXPIRED", "Change it", Code::auth, "new password"},
        {"imap.example.org", "NO", "CONTACTADMIN", "Account locked", Code::auth, "runs the server"},
        {"imap.example.org", "NO", "LIMIT", "Maximum number of connections from user+IP exceeded", Code::busy,
         "pool_size"},
        {"127.0.0.1", "NO", "", "too many login attempts, please wait", Code::throttled, "later"},
        {"imap.example.org", "NO", "", "nothing anybody knows", Code::auth, "user and password"},
    };
    for (const Case& c : known) {
        CAPTURE(c.text);
        Refusal refusal = explain({c.status, c.code, c.text}, {"jane", c.host, "PLAIN", false});
        CHECK(refusal.error.code == c.means);
        CHECK(refusal.error.hint.find(c.hint) != std::string::npos);
        CHECK(refusal.error.message.find(std::string(c.text).substr(0, 12)) != std::string::npos);
        CHECK(refusal.error.retryable == (c.means != Code::auth));
    }
}

TEST_CASE("throttling carries the back-off the server names") {
    Refusal refusal = explain({"BAD", "", "Request is throttled. Suggested Backoff Time: 92415 milliseconds"},
                              {"jane", "h", "", false});
    REQUIRE(refusal.error.code == Code::throttled);
    REQUIRE(refusal.error.detail == R"({"wait_ms":92415})");
    REQUIRE_FALSE(refusal.try_next);
    REQUIRE(explain({"BAD", "", "throttled. Backoff Time: 999999999999999999999"}, {}).error.detail.empty());
}

TEST_CASE("an OAuth refusal tells an expired token from one that may not read mail") {
    Context oauth{"jane", "imap.example.org", "XOAUTH2", true};
    REQUIRE(explain({"NO", "AUTHENTICATIONFAILED", "Invalid credentials"}, oauth, R"({"status":"400"})")
                .error.hint.find("expired") != std::string::npos);
    REQUIRE(explain({"NO", "", "no"}, oauth, R"({"status":"insufficient_scope"})").error.hint.find("grant") !=
            std::string::npos);
}

TEST_CASE("a refused mechanism asks for the next, a refused secret does not") {
    REQUIRE(explain({"BAD", "", "Unsupported authentication mechanism"}, {}).try_next);
    REQUIRE(explain({"NO", "CANNOT", "no"}, {}).try_next);
    REQUIRE(explain({"NO", "", "no"}, {}, "unsupported-channel-binding-type").try_next);
    REQUIRE_FALSE(explain({"NO", "AUTHENTICATIONFAILED", "Invalid credentials"}, {}).try_next);
}

TEST_CASE("the server's words reach no terminal as controls, and not without end") {
    Error error =
        explain({"NO", "", "a\x1b[31mred\r\n\x07" + std::string(5000, 'x')}, {"ja\x1bne", "h", "", false})
            .error;
    for (unsigned char c : error.message)
        REQUIRE(c >= 32);
    REQUIRE(error.message.size() < 600);
    std::string umlauts;
    for (int i = 0; i < 400; ++i)
        umlauts += "\xc3\xa4";
    error = explain({"NO", "", umlauts}, {}).error;
    REQUIRE(error.message.ends_with("\xa4..."));
}

#include "auth/sasl.hpp"

#include "auth/scram.hpp"
#include "catch.hpp"

using namespace himalaya;
using namespace himalaya::auth;

namespace {

Login jane(Kind kind = Kind::password) {
    return {kind, "jane", Secret("s3cret"), "imap.example.org", 993};
}

Offer offering(std::vector<std::string> mechanisms) {
    Offer offer;
    offer.mechanisms = std::move(mechanisms);
    offer.sasl_ir = true;
    offer.encrypted = true;
    return offer;
}

std::string decoded(std::string_view base64) {
    Secret bytes;
    REQUIRE(base64_decode(base64, bytes));
    return std::string(bytes.view());
}

std::string encoded(std::string_view text) {
    return std::string(base64_encode(text).view());
}

// The answer, once it has been computed.
std::string answer(Exchange& exchange, std::string_view challenge) {
    Mechanism::Answer line = exchange.answer(challenge);
    while (line && !*line)
        line = exchange.proceed();
    REQUIRE(line);
    return std::string((*line)->view());
}

Error failure(Exchange& exchange, std::string_view challenge) {
    Mechanism::Answer line = exchange.answer(challenge);
    while (line && !*line)
        line = exchange.proceed();
    REQUIRE_FALSE(line);
    return line.error();
}

Exchange chosen(const Offer& offer, Login login) {
    Result<Exchange> exchange = choose(offer, std::move(login));
    REQUIRE(exchange);
    return *std::move(exchange);
}

} // namespace

TEST_CASE("base64 goes there and back, and what is none is refused") {
    for (std::string text : {"", "f", "fo", "foo", "foob", "fooba", "foobar"})
        REQUIRE(decoded(encoded(text)) == text);
    REQUIRE(encoded("foobar") == "Zm9vYmFy");
    REQUIRE(encoded("f") == "Zg==");
    Secret bytes;
    for (std::string_view bad : {"Zg", "Zg=", "Z===", "Zm9v\n", "Zg==Zg==", "=Zg=", "Zm9*"})
        REQUIRE_FALSE(base64_decode(bad, bytes));
}

TEST_CASE("PLAIN goes with the command where SASL-IR is there, else answers the empty challenge") {
    Exchange with = chosen(offering({"PLAIN"}), jane());
    std::string expected("\0jane\0s3cret", 12);
    REQUIRE(with.command().view() == "AUTHENTICATE PLAIN " + encoded(expected));
    REQUIRE(failure(with, "").code == Code::protocol);

    Offer without = offering({"plain"});
    without.sasl_ir = false;
    Exchange asked = chosen(without, jane());
    REQUIRE(asked.command().view() == "AUTHENTICATE PLAIN");
    REQUIRE(decoded(answer(asked, "")) == expected);
    REQUIRE(asked.accepted());
}

TEST_CASE("LOGIN answers two prompts whatever they say, and no third") {
    Exchange exchange = chosen(offering({"LOGIN"}), jane());
    REQUIRE(exchange.command().view() == "AUTHENTICATE LOGIN");
    REQUIRE(decoded(answer(exchange, encoded("User Name"))) == "jane");
    REQUIRE(decoded(answer(exchange, "")) == "s3cret");
    REQUIRE(failure(exchange, encoded("Password:")).code == Code::protocol);
}

TEST_CASE("the LOGIN command quotes what could end its arguments") {
    Login login{Kind::password, "ja\"ne", Secret("a\\b\"c d"), "imap.example.org", 993};
    Exchange exchange = chosen(offering({}), std::move(login));
    REQUIRE(exchange.command().view() == R"(LOGIN "ja\"ne" "a\\b\"c d")");
}

TEST_CASE("a line break in a user or password never reaches a command") {
    for (std::string_view bad :
         {std::string_view("a\r\nx LOGOUT"), std::string_view("a\nb"), std::string_view("a\0b", 3)}) {
        Result<Exchange> by_secret =
            choose(offering({"PLAIN"}), {Kind::password, "jane", Secret(bad), "imap.example.org", 993});
        REQUIRE_FALSE(by_secret);
        REQUIRE(by_secret.error().code == Code::config);
        REQUIRE(by_secret.error().message.find("LOGOUT") == std::string::npos);
        Result<Exchange> by_user = choose(
            offering({"PLAIN"}), {Kind::password, std::string(bad), Secret("x"), "imap.example.org", 993});
        REQUIRE_FALSE(by_user);
        Result<Exchange> by_token = choose(offering({"XOAUTH2"}), {Kind::oauth2, "jane",
                                                                   Secret("tok\x01"
                                                                          "en"),
                                                                   "imap.example.org", 993});
        REQUIRE_FALSE(by_token);
    }
}

TEST_CASE("XOAUTH2 carries the token and answers a complaint with nothing") {
    Exchange exchange = chosen(offering({"XOAUTH2", "PLAIN"}), jane(Kind::oauth2));
    REQUIRE(exchange.command().view() == "AUTHENTICATE XOAUTH2 " + encoded("user=jane\x01"
                                                                           "auth=Bearer s3cret\x01\x01"));
    REQUIRE(answer(exchange, encoded(R"({"status":"400","schemes":"Bearer"})")).empty());
    Refusal refusal = exchange.refused({"NO", "", "AUTHENTICATE failed."});
    REQUIRE(refusal.error.code == Code::auth);
    REQUIRE(refusal.error.message.find("AUTHENTICATE failed") != std::string::npos);
    REQUIRE(refusal.error.hint.find(":HimalayaOAuthRefresh") != std::string::npos);
    REQUIRE_FALSE(exchange.accepted());
}

TEST_CASE("OAUTHBEARER is taken before XOAUTH2 and ends a complaint with its own byte") {
    Login login{Kind::oauth2, "jane,doe=x", Secret("token"), "imap.example.org", 143};
    Exchange exchange = chosen(offering({"XOAUTH2", "OAUTHBEARER"}), std::move(login));
    REQUIRE(exchange.command().view() ==
            "AUTHENTICATE OAUTHBEARER " +
                encoded("n,a=jane=2Cdoe=3Dx,\x01host=imap.example.org\x01port=143\x01"
                        "auth=Bearer token\x01\x01"));
    REQUIRE(decoded(answer(exchange, encoded("{}"))) == "\x01");
}

TEST_CASE("SCRAM-SHA-256 gives the proof of RFC 7677 and knows the server's") {
    Login login{Kind::password, "user", Secret("pencil"), "imap.example.org", 993};
    Exchange exchange(scram_sha256(std::move(login),
                                   {Scram::Binding::none, {}, true, Scram::SLICE, "rOprNGfwEbeRWgbNEkqO"}),
                      {}, true, Secret());
    REQUIRE(exchange.command().view() ==
            "AUTHENTICATE SCRAM-SHA-256 " + encoded("n,,n=user,r=rOprNGfwEbeRWgbNEkqO"));
    std::string proof = answer(exchange, encoded("r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
                                                 "s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"));
    REQUIRE(decoded(proof) == "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
                              "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=");
    SECTION("the server proves itself") {
        REQUIRE_FALSE(exchange.accepted()); // an OK too early proves nothing
        REQUIRE(answer(exchange, encoded("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")).empty());
        REQUIRE(exchange.accepted());
    }
    SECTION("a server that does not know the password is found out") {
        Error error = failure(exchange, encoded("v=7rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="));
        REQUIRE(error.code == Code::auth);
        REQUIRE_FALSE(exchange.accepted());
    }
    SECTION("a refusal waits for the server's NO") {
        REQUIRE(answer(exchange, encoded("e=invalid-proof")).empty());
        REQUIRE_FALSE(exchange.refused({"NO", "AUTHENTICATIONFAILED", "Authentication failed."}).try_next);
        REQUIRE_FALSE(exchange.accepted());
    }
}

TEST_CASE("SCRAM spreads its hashing over turns") {
    Exchange exchange(scram_sha256(jane(), {Scram::Binding::none, {}, true, Scram::SLICE, "abc"}), {}, true,
                      Secret());
    exchange.command();
    int slices = 0;
    Mechanism::Answer line = exchange.answer(encoded("r=abcd,s=c2FsdA==,i=20000"));
    for (; line && !*line; ++slices)
        line = exchange.proceed();
    REQUIRE(line);
    REQUIRE(slices >= 20000 / Scram::SLICE - 1);
}

TEST_CASE("SCRAM turns down challenges that make no sense or too much work") {
    for (std::string_view bad :
         {"", "r=abc,s=c2FsdA==,i=4096", "r=xyz1,s=c2FsdA==,i=4096", "r=abcd,s=,i=4096", "r=abcd,s=*,i=4096",
          "r=abcd,s=c2FsdA==,i=0", "r=abcd,s=c2FsdA==,i=-5", "r=abcd,s=c2FsdA==,i=99999999999999",
          "r=abcd,s=c2FsdA==,i=4096x", "r=abcd,s=c2FsdA==,i=2000001", "m=ext,r=abcd,s=c2FsdA==,i=4096",
          "s=c2FsdA==,r=abcd,i=4096", "r=abcd,s=c2FsdA==",
          "r=ab\x01"
          "cd,s=c2FsdA==,i=4096"}) {
        Exchange exchange(scram_sha256(jane(), {Scram::Binding::none, {}, true, Scram::SLICE, "abc"}), {},
                          true, Secret());
        exchange.command();
        Error error = failure(exchange, encoded(bad));
        REQUIRE(error.code == Code::protocol);
    }
    Exchange open(scram_sha256(jane(), {Scram::Binding::none, {}, false, Scram::SLICE, "abc"}), {}, true,
                  Secret());
    open.command();
    REQUIRE(failure(open, encoded("r=abcd,s=c2FsdA==,i=1000")).code == Code::protocol);
}

TEST_CASE("SCRAM-PLUS says which binding it used and sends its data") {
    Offer offer = offering({"SCRAM-SHA-256", "SCRAM-SHA-256-PLUS", "PLAIN"});
    offer.binding = {"EXPORTED", "CERTHASH"};
    Result<Exchange> best = choose(offer, jane());
    REQUIRE(best);
    REQUIRE(best->name() == "SCRAM-SHA-256-PLUS");
    std::string first = decoded(std::string(best->command().view()).substr(32));
    REQUIRE(first.starts_with("p=tls-exporter,,n=jane,r="));
    std::string nonce = first.substr(first.find("r=") + 2);
    std::string final = decoded(answer(*best, encoded("r=" + nonce + "x,s=c2FsdA==,i=4096")));
    REQUIRE(final.starts_with("c=" + encoded("p=tls-exporter,,EXPORTED") + ",r=" + nonce + "x,p="));

    // A server that cannot do that binding gets the other, and at last none at all.
    Result<Exchange> second = choose(offer, jane(), {"tls-exporter"});
    REQUIRE(
        decoded(std::string(second->command().view()).substr(32)).starts_with("p=tls-server-end-point,,"));
    Result<Exchange> third = choose(offer, jane(), {"tls-exporter", "SCRAM-SHA-256-PLUS"});
    REQUIRE(third->name() == "SCRAM-SHA-256");
    REQUIRE(decoded(std::string(third->command().view()).substr(27)).starts_with("n,,"));

    // Not offered, though we could: said so, so that a stripped offer is noticed by the server.
    Offer stripped = offering({"SCRAM-SHA-256"});
    stripped.binding = offer.binding;
    Result<Exchange> unbound = choose(stripped, jane());
    REQUIRE(decoded(std::string(unbound->command().view()).substr(27)).starts_with("y,,"));
}

TEST_CASE("a password is not sent without TLS unless it stays on this machine") {
    REQUIRE(may_be_plaintext("none", "localhost"));
    REQUIRE(may_be_plaintext("none", "127.0.0.1"));
    REQUIRE(may_be_plaintext("none", "::1"));
    REQUIRE_FALSE(may_be_plaintext("none", "imap.example.org"));
    REQUIRE_FALSE(may_be_plaintext("starttls", "localhost"));

    Offer open = offering({"PLAIN", "LOGIN", "XOAUTH2"});
    open.encrypted = false;
    Result<Exchange> refused = choose(open, jane());
    REQUIRE_FALSE(refused);
    REQUIRE(refused.error().code == Code::auth);
    REQUIRE(refused.error().hint.find("tls") != std::string::npos);
    REQUIRE_FALSE(choose(open, jane(Kind::oauth2)));
    open.plaintext_allowed = true;
    REQUIRE(choose(open, jane())->name() == "PLAIN");

    Offer scram = offering({"SCRAM-SHA-256", "PLAIN"});
    scram.encrypted = false;
    REQUIRE(choose(scram, jane())->name() == "SCRAM-SHA-256");
}

TEST_CASE("LOGINDISABLED and a list without anything of ours say what the server offers") {
    Offer offer = offering({"GSSAPI", "XOAUTH2"});
    offer.login_command = false;
    Result<Exchange> none = choose(offer, jane());
    REQUIRE_FALSE(none);
    REQUIRE(none.error().message.find("GSSAPI, XOAUTH2") != std::string::npos);
    REQUIRE(none.error().hint.find("oauth2") != std::string::npos);
    Result<Exchange> empty = choose(offer, {Kind::password, "jane", Secret(), "imap.example.org", 993});
    REQUIRE(empty.error().code == Code::config);
}

TEST_CASE("challenges have an end and a size") {
    Exchange big = chosen(offering({"LOGIN"}), jane());
    REQUIRE(failure(big, std::string(20'000, 'A')).code == Code::protocol);
    Exchange garbage = chosen(offering({"LOGIN"}), jane());
    REQUIRE(failure(garbage, "*** not base64 ***").code == Code::protocol);
}

TEST_CASE("a secret a server repeats is blotted out of the error") {
    Exchange command = chosen(offering({}), jane());
    command.command();
    Error error = command.refused({"BAD", "", "Unknown command: LOGIN \"jane\" \"s3cret\""}).error;
    REQUIRE(error.message.find("s3cret") == std::string::npos);
    Exchange mechanism = chosen(offering({"PLAIN"}), jane());
    std::string line = std::string(mechanism.command().view()).substr(19);
    error = mechanism.refused({"BAD", "", "what is " + line + "?"}).error;
    REQUIRE(error.message.find(line) == std::string::npos);
}

TEST_CASE("a secret wipes what it leaves behind") {
    std::string source = "a long password that lives on the heap, not in the string";
    const char* bytes = source.data();
    Secret secret = Secret::take(source);
    REQUIRE(source.empty());
    REQUIRE(std::string_view(bytes, 6) == std::string_view("\0\0\0\0\0\0", 6));
    Secret moved = std::move(secret);
    REQUIRE(moved.view().starts_with("a long"));
    moved.wipe();
    REQUIRE(moved.empty());
    STATIC_REQUIRE_FALSE(std::is_copy_constructible_v<Secret>);
}

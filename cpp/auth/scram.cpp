// SHA256_CTX can be copied as a value, which makes a round two block computations; the EVP interface of
// OpenSSL 3 costs ten times that per round in allocations and look-ups. It is marked as old, not as going
// away.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "auth/scram.hpp"

#include <array>
#include <charconv>
#include <cstring>
#include <utility>

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

#include "auth/saslprep.hpp"

namespace himalaya::auth {

namespace {

using Digest = std::array<unsigned char, SHA256_DIGEST_LENGTH>;

std::string_view text_of(const Digest& digest) {
    return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

Digest sha256(std::string_view text) {
    Digest digest;
    SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
    return digest;
}

// HMAC with its key worked in once: copies of the two states start each computation.
class Hmac {
  public:
    explicit Hmac(std::string_view key) {
        std::array<unsigned char, SHA256_CBLOCK> block{};
        if (key.size() > block.size()) {
            Digest digest = sha256(key);
            std::memcpy(block.data(), digest.data(), digest.size());
        } else {
            std::memcpy(block.data(), key.data(), key.size());
        }
        for (unsigned char& byte : block)
            byte ^= 0x36;
        SHA256_Init(&m_inner);
        SHA256_Update(&m_inner, block.data(), block.size());
        for (unsigned char& byte : block)
            byte ^= 0x36 ^ 0x5c;
        SHA256_Init(&m_outer);
        SHA256_Update(&m_outer, block.data(), block.size());
        OPENSSL_cleanse(block.data(), block.size());
    }
    Hmac(const Hmac&) = delete;
    Hmac& operator=(const Hmac&) = delete;
    ~Hmac() {
        OPENSSL_cleanse(&m_inner, sizeof m_inner);
        OPENSSL_cleanse(&m_outer, sizeof m_outer);
    }

    Digest of(std::string_view text) const {
        Digest digest;
        SHA256_CTX state = m_inner;
        SHA256_Update(&state, text.data(), text.size());
        SHA256_Final(digest.data(), &state);
        state = m_outer;
        SHA256_Update(&state, digest.data(), digest.size());
        SHA256_Final(digest.data(), &state);
        OPENSSL_cleanse(&state, sizeof state);
        return digest;
    }

  private:
    SHA256_CTX m_inner;
    SHA256_CTX m_outer;
};

// Hi() of RFC 5802: PBKDF2 with one block, in slices.
struct Hashing {
    Hmac hmac;
    Digest last;
    Digest sum;
    int left;

    Hashing(std::string_view password, std::string_view salt, int rounds)
        : hmac(password), last(hmac.of(std::string(salt) + std::string("\0\0\0\1", 4))), sum(last),
          left(rounds - 1) {}
    ~Hashing() {
        OPENSSL_cleanse(last.data(), last.size());
        OPENSSL_cleanse(sum.data(), sum.size());
    }

    bool go_on(int rounds) {
        for (; left > 0 && rounds > 0; --left, --rounds) {
            last = hmac.of(text_of(last));
            for (std::size_t i = 0; i < sum.size(); ++i)
                sum[i] ^= last[i];
        }
        return left == 0;
    }
};

std::string fresh_nonce() {
    std::array<unsigned char, 18> bytes;
    if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1)
        return {};
    return std::string(base64_encode({reinterpret_cast<const char*>(bytes.data()), bytes.size()}).view());
}

std::string saslname(std::string_view user) {
    std::string name;
    for (char byte : user) {
        if (byte == ',')
            name += "=2C";
        else if (byte == '=')
            name += "=3D";
        else
            name += byte;
    }
    return name;
}

// Takes "x=value" off the front of a comma-separated message; false when another attribute stands there.
bool take(std::string_view& message, char attribute, std::string_view& value) {
    if (message.size() < 2 || message[0] != attribute || message[1] != '=')
        return false;
    std::size_t comma = message.find(',');
    value = message.substr(2, comma == std::string_view::npos ? comma : comma - 2);
    message = comma == std::string_view::npos ? std::string_view() : message.substr(comma + 1);
    return true;
}

class ScramSha256 : public Mechanism {
  public:
    ScramSha256(Login login, Scram scram) : m_login(std::move(login)), m_scram(std::move(scram)) {
        switch (m_scram.binding) {
        case Scram::Binding::none:
            m_gs2 = "n,,";
            break;
        case Scram::Binding::not_offered:
            m_gs2 = "y,,";
            break;
        case Scram::Binding::exporter:
            m_gs2 = "p=tls-exporter,,";
            break;
        case Scram::Binding::end_point:
            m_gs2 = "p=tls-server-end-point,,";
            break;
        }
    }

    std::string_view name() const override { return bound() ? "SCRAM-SHA-256-PLUS" : "SCRAM-SHA-256"; }
    std::string_view complaint() const override { return m_complaint; }

    Answer answer(std::string_view challenge) override {
        switch (m_step) {
        case Step::first:
            m_step = Step::challenged;
            return client_first();
        case Step::challenged:
            m_step = Step::hashing;
            return server_first(challenge);
        case Step::proven:
            m_step = Step::over;
            return server_final(challenge);
        default:
            return wrong("asks out of turn");
        }
    }

    Answer proceed() override {
        if (m_step != Step::hashing || !m_hashing)
            return wrong("is not at the hashing");
        if (!m_hashing->go_on(m_scram.slice))
            return std::optional<Secret>();
        m_step = Step::proven;
        return client_final();
    }

    Result<void> accepted() override {
        if (m_verified)
            return {};
        return make_error(Code::auth,
                          fmt::format("{} said OK without proving that it knows the password.", m_login.host),
                          "Do not go on: this may be another server than the one you mean.");
    }

  private:
    enum class Step { first, challenged, hashing, proven, over };

    bool bound() const {
        return m_scram.binding == Scram::Binding::exporter || m_scram.binding == Scram::Binding::end_point;
    }

    Error wrong(std::string_view what) {
        return make_error(Code::protocol, fmt::format("{} {} in {}.", m_login.host, what, name()));
    }

    Answer client_first() {
        m_nonce = m_scram.nonce.empty() ? fresh_nonce() : m_scram.nonce;
        if (m_nonce.empty())
            return make_error(Code::internal, "No random numbers can be had for the login.");
        Result<Secret> user = saslprep(m_login.user, "user");
        if (!user)
            return user.error();
        m_first_bare = fmt::format("n={},r={}", saslname(user->view()), m_nonce);
        return std::optional<Secret>(Secret(m_gs2 + m_first_bare));
    }

    Answer server_first(std::string_view message) {
        m_server_first = std::string(message);
        std::string_view rest = message, value;
        if (take(rest, 'e', value)) {
            m_complaint = std::string(value.substr(0, 200));
            return make_error(Code::auth,
                              fmt::format("{} refused the login: {}.", m_login.host, shown(value)));
        }
        if (take(rest, 'm', value))
            return wrong("asks for an extension nobody knows");
        std::string_view nonce, salt_text, rounds_text;
        if (!take(rest, 'r', nonce) || !take(rest, 's', salt_text) || !take(rest, 'i', rounds_text))
            return wrong("sent a challenge we cannot read");
        if (nonce.size() <= m_nonce.size() || !nonce.starts_with(m_nonce))
            return wrong("did not keep our nonce");
        for (unsigned char c : nonce)
            if (c < 33 || c > 126)
                return wrong("sent a nonce with strange bytes");
        Secret salt;
        if (!base64_decode(salt_text, salt) || salt.empty())
            return wrong("sent no salt");
        int rounds = 0;
        auto [end, bad] =
            std::from_chars(rounds_text.data(), rounds_text.data() + rounds_text.size(), rounds);
        if (bad != std::errc() || end != rounds_text.data() + rounds_text.size() || rounds < 1)
            return wrong("named no number of rounds");
        if (rounds > Scram::MAX_ROUNDS)
            return wrong(
                fmt::format("asks for {} rounds of hashing, more than {},", rounds, Scram::MAX_ROUNDS));
        if (!m_scram.encrypted && rounds < Scram::MIN_ROUNDS_UNENCRYPTED)
            return wrong("asks for so few rounds that a listener could guess the password");
        Result<Secret> password = saslprep(m_login.secret.view(), "password");
        if (!password)
            return password.error();
        m_login.secret.wipe();
        m_server_nonce = std::string(nonce);
        m_hashing.emplace(password->view(), salt.view(), rounds);
        return proceed();
    }

    Answer client_final() {
        Hmac salted(text_of(m_hashing->sum));
        m_hashing.reset();
        Digest client_key = salted.of("Client Key");
        Digest stored_key = sha256(text_of(client_key));
        std::string bare = "c=";
        bare += base64_encode(m_gs2 + (bound() ? m_scram.binding_data : "")).view();
        bare += ",r=" + m_server_nonce;
        std::string auth_message = m_first_bare + "," + m_server_first + "," + bare;
        Digest signature = Hmac(text_of(stored_key)).of(auth_message);
        Digest proof;
        for (std::size_t i = 0; i < proof.size(); ++i)
            proof[i] = client_key[i] ^ signature[i];
        Digest server_key = salted.of("Server Key");
        m_server_signature = Hmac(text_of(server_key)).of(auth_message);
        OPENSSL_cleanse(client_key.data(), client_key.size());
        OPENSSL_cleanse(server_key.data(), server_key.size());
        Secret message(bare);
        message.append(",p=").append(base64_encode(text_of(proof)).view());
        return std::optional<Secret>(std::move(message));
    }

    Answer server_final(std::string_view message) {
        std::string_view rest = message, value;
        if (take(rest, 'e', value)) {
            m_complaint = std::string(value.substr(0, 200));
            return std::optional<Secret>(Secret()); // the server's NO comes next
        }
        Secret signature;
        if (!take(rest, 'v', value) || !base64_decode(value, signature))
            return wrong("ended with something we cannot read");
        if (signature.size() != m_server_signature.size() ||
            CRYPTO_memcmp(signature.view().data(), m_server_signature.data(), signature.size()) != 0)
            return make_error(Code::auth,
                              fmt::format("{} could not prove that it knows the password.", m_login.host),
                              "Do not go on: this may be another server than the one you mean.");
        m_verified = true;
        return std::optional<Secret>(Secret());
    }

    static std::string shown(std::string_view text) {
        std::string safe;
        for (unsigned char c : text.substr(0, 100))
            safe += c >= 32 && c < 127 ? static_cast<char>(c) : '?';
        return safe;
    }

    Login m_login;
    Scram m_scram;
    Step m_step = Step::first;
    std::string m_gs2;
    std::string m_nonce;
    std::string m_server_nonce;
    std::string m_first_bare;
    std::string m_server_first;
    std::string m_complaint;
    std::optional<Hashing> m_hashing;
    Digest m_server_signature{};
    bool m_verified = false;
};

} // namespace

std::unique_ptr<Mechanism> scram_sha256(Login login, Scram scram) {
    return std::make_unique<ScramSha256>(std::move(login), std::move(scram));
}

} // namespace himalaya::auth

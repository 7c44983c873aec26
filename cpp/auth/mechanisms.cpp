// PLAIN, LOGIN, XOAUTH2 and OAUTHBEARER: each says its piece once. The two of OAuth answer a refusal, which
// comes as a challenge with JSON in it, with a dummy, and the server then sends its NO.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "auth/sasl.hpp"

namespace himalaya::auth {

namespace {

class Plain : public Mechanism {
  public:
    explicit Plain(Login login) : m_login(std::move(login)) {}
    std::string_view name() const override { return "PLAIN"; }

    Answer answer(std::string_view) override {
        if (std::exchange(m_said, true))
            return make_error(Code::protocol, fmt::format("{} asks for more after PLAIN.", m_login.host));
        Secret message;
        message.append('\0').append(m_login.user).append('\0').append(m_login.secret.view());
        m_login.secret.wipe();
        return std::optional<Secret>(std::move(message));
    }

  private:
    Login m_login;
    bool m_said = false;
};

class LoginMechanism : public Mechanism {
  public:
    explicit LoginMechanism(Login login) : m_login(std::move(login)) {}
    std::string_view name() const override { return "LOGIN"; }
    bool speaks_first() const override { return false; }

    // The prompts ("Username:", "User Name", nothing at all) differ; their order never does.
    Answer answer(std::string_view) override {
        switch (m_said++) {
        case 0:
            return std::optional<Secret>(Secret(m_login.user));
        case 1:
            return std::optional<Secret>(std::move(m_login.secret));
        default:
            return make_error(Code::protocol, fmt::format("{} asks for more after LOGIN.", m_login.host));
        }
    }

  private:
    Login m_login;
    int m_said = 0;
};

class OAuth : public Mechanism {
  public:
    explicit OAuth(Login login) : m_login(std::move(login)) {}

    Answer answer(std::string_view challenge) override {
        if (!std::exchange(m_said, true)) {
            Secret message = first();
            m_login.secret.wipe();
            return std::optional<Secret>(std::move(message));
        }
        if (std::exchange(m_complained, true))
            return make_error(Code::protocol,
                              fmt::format("{} asks for more after {}.", m_login.host, name()));
        m_complaint = std::string(challenge.substr(0, 1024));
        return std::optional<Secret>(dummy());
    }

    std::string_view complaint() const override { return m_complaint; }

    Result<void> accepted() override {
        if (!m_complained)
            return {};
        return make_error(Code::protocol,
                          fmt::format("{} refused the token and then accepted it.", m_login.host));
    }

  protected:
    virtual Secret first() const = 0;
    virtual Secret dummy() const = 0;
    Login m_login;

  private:
    bool m_said = false;
    bool m_complained = false;
    std::string m_complaint;
};

class XOAuth2 : public OAuth {
  public:
    using OAuth::OAuth;
    std::string_view name() const override { return "XOAUTH2"; }

  protected:
    Secret first() const override {
        Secret message("user=");
        message.append(m_login.user)
            .append("\x01"
                    "auth=Bearer ")
            .append(m_login.secret.view());
        message.append("\x01\x01");
        return message;
    }
    Secret dummy() const override { return Secret(); }
};

class OAuthBearer : public OAuth {
  public:
    using OAuth::OAuth;
    std::string_view name() const override { return "OAUTHBEARER"; }

  protected:
    Secret first() const override {
        Secret message("n,a=");
        for (char byte : m_login.user) { // saslname: the two bytes that mean something in a GS2 header
            if (byte == ',')
                message.append("=2C");
            else if (byte == '=')
                message.append("=3D");
            else
                message.append(byte);
        }
        message.append(",\x01host=").append(m_login.host);
        message.append("\x01port=").append(fmt::to_string(m_login.port));
        message
            .append("\x01"
                    "auth=Bearer ")
            .append(m_login.secret.view())
            .append("\x01\x01");
        return message;
    }
    Secret dummy() const override { return Secret("\x01"); }
};

} // namespace

std::unique_ptr<Mechanism> plain(Login login) {
    return std::make_unique<Plain>(std::move(login));
}
std::unique_ptr<Mechanism> login(Login login) {
    return std::make_unique<LoginMechanism>(std::move(login));
}
std::unique_ptr<Mechanism> xoauth2(Login login) {
    return std::make_unique<XOAuth2>(std::move(login));
}
std::unique_ptr<Mechanism> oauthbearer(Login login) {
    return std::make_unique<OAuthBearer>(std::move(login));
}

} // namespace himalaya::auth

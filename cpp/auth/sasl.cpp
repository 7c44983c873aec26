#include "auth/sasl.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace himalaya::auth {

namespace {

// Servers send a few hundred bytes at most; more is an attempt to make us work.
constexpr std::size_t LONGEST_CHALLENGE = 16 * 1024;
constexpr int MOST_CHALLENGES = 8;

std::string blotted(std::string text, std::string_view secret) {
    if (secret.empty())
        return text;
    for (std::size_t at = text.find(secret); at != std::string::npos; at = text.find(secret, at + 3))
        text.replace(at, secret.size(), "***");
    return text;
}

} // namespace

Exchange::Exchange(std::unique_ptr<Mechanism> mechanism, Context context, bool sasl_ir, Secret hidden)
    : m_mechanism(std::move(mechanism)), m_context(std::move(context)), m_hidden(std::move(hidden)),
      m_sasl_ir(sasl_ir) {
    m_context.mechanism = std::string(m_mechanism->name());
}

Exchange::Exchange(Secret command, Context context, Secret hidden)
    : m_context(std::move(context)), m_command(std::move(command)), m_hidden(std::move(hidden)) {
    m_context.mechanism = "LOGIN command";
}

std::string_view Exchange::name() const {
    return m_context.mechanism;
}

Secret Exchange::command() {
    if (!m_mechanism)
        return m_command.copy();
    Secret command;
    command.append("AUTHENTICATE ").append(m_mechanism->name());
    if (!m_sasl_ir || !m_mechanism->speaks_first())
        return command;
    Mechanism::Answer first = m_mechanism->answer({});
    // A first answer is never computed in slices and never fails: what could fail was checked by choose().
    if (!first || !*first)
        return command;
    m_first_sent = true;
    command.append(' ');
    m_last_line = base64_encode((*first)->view());
    command.append(m_last_line.empty() ? std::string_view("=") : m_last_line.view());
    return command;
}

Mechanism::Answer Exchange::answer(std::string_view challenge) {
    if (!m_mechanism)
        return make_error(Code::protocol,
                          fmt::format("{} asks for more after a LOGIN command.", m_context.host));
    if (++m_challenges > MOST_CHALLENGES || challenge.size() > LONGEST_CHALLENGE)
        return make_error(Code::protocol, fmt::format("{} does not come to an end with its {} challenges.",
                                                      m_context.host, m_context.mechanism));
    Secret bytes;
    bool first = m_mechanism->speaks_first() && !m_first_sent;
    // Before our first answer the server has nothing to say: some send a greeting there, which is no base64.
    if (first)
        m_first_sent = true;
    else if (!base64_decode(challenge, bytes))
        return make_error(Code::protocol, fmt::format("{} sent a {} challenge that is not base64.",
                                                      m_context.host, m_context.mechanism));
    return encoded(m_mechanism->answer(bytes.view()));
}

Mechanism::Answer Exchange::proceed() {
    if (!m_mechanism)
        return make_error(Code::internal, "A LOGIN command has nothing to compute.");
    return encoded(m_mechanism->proceed());
}

Mechanism::Answer Exchange::encoded(Mechanism::Answer answer) {
    if (answer && *answer) {
        *answer = base64_encode((*answer)->view());
        m_last_line = (*answer)->copy();
    }
    return answer;
}

Result<void> Exchange::accepted() {
    return m_mechanism ? m_mechanism->accepted() : Result<void>();
}

Refusal Exchange::refused(const Reply& reply) const {
    Reply safe{reply.status, reply.code, blotted(blotted(reply.text, m_hidden.view()), m_last_line.view())};
    return explain(safe, m_context, m_mechanism ? m_mechanism->complaint() : std::string_view());
}

Exchange Exchange::login_command(const Login& login, Context context) {
    Secret command("LOGIN");
    for (std::string_view text : {std::string_view(login.user), login.secret.view()}) {
        command.append(" \"");
        for (char byte : text) {
            if (byte == '"' || byte == '\\')
                command.append('\\');
            command.append(byte);
        }
        command.append('"');
    }
    return Exchange(std::move(command), std::move(context), login.secret.copy());
}

} // namespace himalaya::auth

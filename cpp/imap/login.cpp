// From nothing to logged in, in as few round trips as the server's capabilities allow: TCP, TLS, greeting,
// AUTHENTICATE with its first answer. ID, ENABLE and NAMESPACE travel with the first command after that.
#include "imap/session.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

namespace himalaya::imap {

namespace {

std::string_view name_of(Verdict verdict) {
    constexpr std::string_view names[] = {"OK", "NO", "BAD", "BYE"};
    return names[static_cast<size_t>(verdict)];
}

} // namespace

loop::Task<std::shared_ptr<Session>> Session::open(net::Net& net, std::shared_ptr<const Account> account,
                                                   std::shared_ptr<Learnt> learnt, loop::CancelToken token) {
    auto session = std::make_shared<Session>(net, std::move(account), std::move(learnt));
    try {
        co_await session->connect(token);
    } catch (Error& error) {
        session->close(error);
        throw;
    }
    co_return session;
}

loop::Task<void> Session::connect(loop::CancelToken token) {
    net::WireOptions options;
    options.host = m_account->host;
    options.port = m_account->port;
    options.security = m_account->security;
    options.ca_file = m_account->ca_file;
    options.timeout_ms = m_account->timeout_ms;
    options.bandwidth = m_account->bandwidth;
    m_wire = co_await net::Wire::open(m_net, std::move(options), token);
    auto weak = weak_from_this();
    m_wire->read_start(
        [weak](std::span<const char> bytes) {
            if (auto session = weak.lock())
                session->on_bytes(bytes);
        },
        [weak](std::optional<Error> error) {
            auto session = weak.lock();
            if (!session)
                return;
            if (error)
                session->m_engine.end(std::move(*error));
            else
                session->m_engine.finish();
        });
    keep_time();
    co_await m_greeted.wait(token);
    if (m_account->security == net::Security::starttls)
        co_await start_tls(token);
    if (m_engine.state() != State::authenticated)
        co_await log_in(token);
    if (!m_engine.capabilities().known() && m_learnt->capabilities.known())
        m_engine.capabilities() = m_learnt->capabilities;
    if (!m_engine.capabilities().known())
        co_await ask_capabilities(token);
    m_learnt->capabilities = m_engine.capabilities();
    take_quirks();
    greet_after_login();
}

// Once after the login, and again when the server has said its name.
void Session::take_quirks() {
    auto before = std::exchange(
        m_quirks, quirks_of({m_account->host, m_greeting, m_learnt->id_name}, m_engine.capabilities()));
    m_engine.set_burst(m_learnt->burst ? m_quirks.burst : 0);
    if (!m_knows_window || before.window != m_quirks.window)
        m_engine.set_window(m_quirks.window);
    m_knows_window = true;
}

loop::Task<void> Session::ask_capabilities(loop::CancelToken token) {
    Request request{Command(m_dialect, "CAPABILITY"), "CAPABILITY", takes::capability};
    auto ticket = post(std::move(request), [](const Response&) { return true; });
    std::string doing = "say what it can do";
    co_await expect(ticket, doing, token);
}

loop::Task<void> Session::start_tls(loop::CancelToken token) {
    if (m_engine.state() == State::authenticated)
        throw make_error(Fault::tls, fmt::format("{} skips the login and so offers no TLS.", m_account->host),
                         "Use tls = 'implicit', or 'none' if you trust the network.");
    if (!has(Cap::starttls) && m_engine.capabilities().known())
        throw make_error(Fault::tls, fmt::format("{} offers no STARTTLS.", m_account->host),
                         "Use tls = 'implicit' with port 993; nothing was sent in the clear.");
    Request request{Command(m_dialect, "STARTTLS"), "STARTTLS"};
    request.holds = true;
    auto ticket = post(std::move(request));
    Answer got = co_await answer(ticket, token);
    if (!got.ok())
        throw make_error(Fault::tls,
                         fmt::format("{} refused STARTTLS: \"{}\".", m_account->host, shown(got.text)),
                         "Use tls = 'implicit' with port 993; nothing was sent in the clear.");
    // Whatever came behind the OK came in the clear: it is not the server's word.
    m_engine.forget_plaintext();
    // What the server owes now is no answer to a command, and is waited for no longer than one.
    std::string late = fmt::format("{} agreed to STARTTLS and then said nothing within {} s.",
                                   m_account->host, (m_account->timeout_ms + 999) / 1000);
    loop::Deadline deadline(m_loop, m_account->timeout_ms, token, late);
    loop::CancelToken until = deadline.token();
    co_await m_wire->start_tls(until);
}

loop::Task<void> Session::log_in(loop::CancelToken token) {
    if (!m_engine.capabilities().known())
        co_await ask_capabilities(token);
    auth::Secret secret = co_await m_account->secret(token);
    while (true) {
        auth::Secret once = secret.copy();
        bool done = co_await try_mechanism(std::move(once), token);
        if (done)
            co_return;
    }
}

loop::Task<bool> Session::try_mechanism(auth::Secret secret, loop::CancelToken token) {
    auth::Offer offer;
    offer.mechanisms = m_engine.capabilities().mechanisms();
    offer.sasl_ir = has(Cap::sasl_ir);
    offer.login_command = !has(Cap::login_disabled);
    offer.encrypted = m_wire->encrypted();
    offer.plaintext_allowed =
        auth::may_be_plaintext(m_account->security == net::Security::none ? "none" : "", m_account->host);
    if (offer.encrypted) {
        offer.binding.exporter = m_wire->exporter_binding();
        offer.binding.end_point = m_wire->end_point_binding();
    }
    auth::Login login;
    login.kind = m_account->kind;
    login.user = m_account->user;
    login.secret = std::move(secret);
    login.host = m_account->host;
    login.port = m_account->port;
    auto chosen = auth::choose(offer, std::move(login), m_learnt->spent_mechanisms);
    auth::Exchange exchange = std::move(chosen).or_throw();
    std::string mechanism(exchange.name());

    // Challenges come while the answer is awaited. What goes wrong is said to the server as "*" and thrown at the end.
    std::optional<Error> failed;
    RequestId id = 0;
    auto here = std::make_shared<int>();
    std::weak_ptr<int> still_here = here;
    auto reply = [this, &exchange, &failed, &id, still_here](auth::Mechanism::Answer answer,
                                                             auto&& self) -> void {
        m_secret_out = true;
        if (!answer) {
            failed = std::move(answer.error());
            m_engine.answer(id, "*");
        } else if (*answer) {
            m_engine.answer(id, (**answer).view());
        } else {
            // SCRAM's hashing goes on in the next turn, if the exchange is still there then.
            m_loop.defer([this, &exchange, still_here, self] {
                if (still_here.expired() || m_error)
                    return;
                self(exchange.proceed(), self);
                flush();
            });
        }
    };
    m_challenge = [&exchange, reply](std::string_view challenge) {
        reply(exchange.answer(challenge), reply);
    };
    m_secret_in = true;
    Answer got;
    std::optional<Error> thrown;
    try {
        auth::Secret line = exchange.command();
        auto call = std::make_shared<Call>();
        call->on_data = [](const Response&) { return true; };
        Ticket ticket(call);
        m_secret_out = true;
        std::string name(line.view().substr(0, line.view().find(' ')));
        if (name == "AUTHENTICATE")
            name += " " + mechanism;
        // A capability list from before the login is not one from after it.
        Capabilities before = m_engine.capabilities();
        m_engine.capabilities().clear();
        auto submitted = m_engine.submit_secret(line.view(), name);
        id = call->id = std::move(submitted).or_throw();
        m_calls.emplace(id, call);
        flush();
        got = co_await answer(ticket, token);
        if (!got.ok())
            m_engine.capabilities() = std::move(before);
    } catch (Error& error) {
        thrown = error;
    }
    m_challenge = {};
    m_secret_in = false;
    if (thrown) {
        if (thrown->code == Fault::offline && m_engine.state() != State::authenticated && failed)
            throw Error(*failed);
        throw Error(*thrown);
    }
    if (failed)
        throw Error(*failed);
    if (got.ok()) {
        auto proven = exchange.accepted();
        std::move(proven).or_throw();
        co_return true;
    }
    auth::Reply refused{std::string(name_of(got.verdict)), got.code, got.text};
    auto why = exchange.refused(refused);
    if (why.try_next && !m_error) {
        m_learnt->spent_mechanisms.push_back(mechanism);
        co_return false;
    }
    if (too_many_connections(got.refusal()))
        throw error_of(got.refusal(), "log in");
    throw Error(why.error);
}

void Session::greet_after_login() {
    auto& caps = m_engine.capabilities();
    Together together(*this);
    auto weak = weak_from_this();
    if (m_learnt->id && m_quirks.id && caps.has(Cap::id) && m_learnt->id_name.empty()) {
        Command id(m_dialect, "ID");
        id.raw("(\"name\" \"himalaya.nvim\")");
        Request request{std::move(id), "ID", takes::identity};
        request.lazy = true;
        Ticket ticket = post(std::move(request), [weak](const Response& response) {
            auto session = weak.lock();
            auto* identity = std::get_if<Identity>(&response);
            if (!session || !identity)
                return false;
            for (auto& field : identity->fields)
                if (field.name == "name")
                    session->m_learnt->id_name = shown(field.value);
            session->take_quirks();
            return true;
        });
        ticket.let_go();
    }
    if (m_learnt->enable && caps.has(Cap::enable)) {
        Command enable(m_dialect, "ENABLE");
        bool any = false;
        auto want = [&](bool when, std::string_view word) {
            if (when)
                enable.raw(word);
            any |= when;
        };
        want(caps.has(Cap::imap4rev2) && !caps.has(Cap::imap4rev1), "IMAP4rev2");
        want(caps.has(Cap::qresync) && m_learnt->qresync, "QRESYNC");
        want(caps.has(Cap::condstore) && !(caps.has(Cap::qresync) && m_learnt->qresync), "CONDSTORE");
        want(caps.has(Cap::utf8_accept) && m_learnt->utf8, "UTF8=ACCEPT");
        if (any) {
            Request request{std::move(enable), "ENABLE", takes::enabled};
            request.lazy = true;
            m_settled.close();
            Ticket ticket = post(std::move(request), [weak](const Response& response) {
                auto session = weak.lock();
                auto* enabled = std::get_if<Enabled>(&response);
                if (!session || !enabled)
                    return false;
                for (auto name : enabled->names) {
                    session->m_qresync_on |= name == "QRESYNC";
                    session->m_dialect.utf8 |= name == "UTF8=ACCEPT";
                }
                return true;
            });
            ticket->on_answer = [weak](const Answer&) {
                if (auto session = weak.lock())
                    session->m_settled.open();
            };
            ticket.let_go();
        }
    }
    if (caps.has(Cap::namespaces) && !m_learnt->namespace_known) {
        Request request{Command(m_dialect, "NAMESPACE"), "NAMESPACE", takes::namespaces};
        request.lazy = true;
        Ticket ticket = post(std::move(request), [weak](const Response& response) {
            auto session = weak.lock();
            auto* spaces = std::get_if<Namespaces>(&response);
            if (!session || !spaces)
                return false;
            session->m_learnt->namespace_known = true;
            if (!spaces->personal.empty())
                session->m_learnt->personal_prefix = std::string(spaces->personal.front().prefix);
            return true;
        });
        ticket.let_go();
    }
    if (caps.has(Cap::literal_plus))
        m_dialect.literals = Dialect::Literals::plus;
    else if (caps.has(Cap::literal_minus))
        m_dialect.literals = Dialect::Literals::minus;
    m_dialect.binary = caps.has(Cap::binary);
}

loop::Task<void> Session::settled(loop::CancelToken token) {
    if (m_settled.is_open())
        co_return;
    m_engine.flush();
    flush();
    co_await m_settled.wait(token);
    if (m_error)
        throw Error(*m_error);
}

loop::Task<void> Session::compress_for_bulk(loop::CancelToken token) {
    auto wish = m_account->compress;
    if (!has(Cap::compress_deflate) || !m_learnt->compress || m_wire->compressed() || wish == Compress::never)
        co_return;
    // This machine's own server is reached faster than zlib runs.
    if (wish == Compress::automatic && net::is_loopback(m_wire->peer_address()))
        co_return;
    // It must be alone on the wire: what follows the OK is compressed already.
    if (m_engine.busy())
        co_return;
    Request request{Command(m_dialect, "COMPRESS"), "COMPRESS"};
    request.command.raw("DEFLATE");
    request.holds = true;
    auto ticket = post(std::move(request));
    Answer got = co_await answer(ticket, token);
    if (got.ok())
        m_wire->start_deflate();
    else
        m_learnt->compress = false;
}

} // namespace himalaya::imap

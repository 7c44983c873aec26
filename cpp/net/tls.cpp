#include "net/tls.hpp"

#include <cstring>
#include <utility>

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "net/certificate.hpp"
#include "net/resolver.hpp"
#include "net/trust.hpp"

namespace himalaya::net {

// A memory BIO that reads from the caller's view: OpenSSL's own would copy every byte into itself first.
struct TlsCallbacks {
    static TlsEngine& engine_of(BIO* bio) { return *static_cast<TlsEngine*>(BIO_get_data(bio)); }

    static int read(BIO* bio, char* out, std::size_t size, std::size_t* got) {
        TlsEngine& engine = engine_of(bio);
        BIO_clear_retry_flags(bio);
        std::span<const char> bytes = engine.m_input.take(size);
        if (bytes.empty()) {
            BIO_set_retry_read(bio);
            return 0;
        }
        std::memcpy(out, bytes.data(), bytes.size());
        *got = bytes.size();
        return 1;
    }

    static int write(BIO* bio, const char* data, std::size_t size, std::size_t* written) {
        engine_of(bio).m_output.append(data, size);
        *written = size;
        return 1;
    }

    static long control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

    static const BIO_METHOD* method() {
        static const BIO_METHOD* const made = [] {
            BIO_METHOD* own = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "himalaya");
            BIO_meth_set_read_ex(own, read);
            BIO_meth_set_write_ex(own, write);
            BIO_meth_set_ctrl(own, control);
            return own;
        }();
        return made;
    }

    static int verify(int good, X509_STORE_CTX* store) {
        if (good)
            return 1;
        auto* ssl =
            static_cast<SSL*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
        auto& engine = *static_cast<TlsEngine*>(SSL_get_app_data(ssl));
        engine.m_rejected = explain_certificate(
            X509_STORE_CTX_get_error(store), X509_STORE_CTX_get_error_depth(store),
            X509_STORE_CTX_get_current_cert(store), engine.m_host, engine.m_context->own_ca());
        return 0;
    }
};

TlsEngine::TlsEngine(std::shared_ptr<TlsContext> context, std::string host, std::uint16_t port)
    : m_context(std::move(context)), m_host(std::move(host)), m_server(fmt::format("{}:{}", m_host, port)) {
    ERR_clear_error();
    m_ssl = SSL_new(m_context->get());
    if (!m_ssl)
        throw make_error(Code::internal, "OpenSSL cannot make a connection.");
    BIO* bio = BIO_new(TlsCallbacks::method());
    BIO_set_data(bio, this);
    BIO_set_init(bio, 1);
    BIO_up_ref(bio);
    SSL_set0_rbio(m_ssl, bio);
    SSL_set0_wbio(m_ssl, bio);
    SSL_set_app_data(m_ssl, this);
    SSL_set_connect_state(m_ssl);
    SSL_set_verify(m_ssl, SSL_VERIFY_PEER, TlsCallbacks::verify);
    if (parse_address(m_host, 0)) {
        X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(m_ssl), m_host.c_str());
    } else {
        SSL_set_hostflags(m_ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
        SSL_set1_host(m_ssl, m_host.c_str());
        SSL_set_tlsext_host_name(m_ssl, m_host.c_str());
    }
    if (SSL_SESSION* session = m_context->take_session(m_server)) {
        SSL_set_session(m_ssl, session);
        SSL_SESSION_free(session);
    }
}

TlsEngine::~TlsEngine() {
    // A connection that just breaks off would make OpenSSL call its session unfit for resumption: so it was when
    // truncation was an attack on old versions, and it would cost every reconnect after a lost network.
    if (m_done && !m_failed)
        SSL_set_shutdown(m_ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_set_app_data(m_ssl, nullptr);
    SSL_free(m_ssl);
}

Result<bool> TlsEngine::handshake() {
    if (m_failed)
        return *m_failed;
    if (m_done)
        return true;
    ERR_clear_error();
    int result = SSL_do_handshake(m_ssl);
    if (result == 1) {
        m_done = true;
        return true;
    }
    if (SSL_get_error(m_ssl, result) == SSL_ERROR_WANT_READ)
        return false;
    m_failed = failure();
    return *m_failed;
}

Result<std::size_t> TlsEngine::read(std::span<char> buffer) {
    if (m_failed)
        return *m_failed;
    if (m_ended)
        return std::size_t(0);
    std::size_t got = 0;
    ERR_clear_error();
    if (SSL_read_ex(m_ssl, buffer.data(), buffer.size(), &got) == 1)
        return got;
    switch (SSL_get_error(m_ssl, 0)) {
    case SSL_ERROR_WANT_READ:
        return std::size_t(0);
    case SSL_ERROR_ZERO_RETURN:
        m_ended = true;
        return std::size_t(0);
    default:
        m_failed = failure();
        return *m_failed;
    }
}

Result<void> TlsEngine::write(std::string_view plain) {
    if (m_failed)
        return *m_failed;
    while (!plain.empty()) {
        std::size_t written = 0;
        ERR_clear_error();
        if (SSL_write_ex(m_ssl, plain.data(), plain.size(), &written) != 1) {
            m_failed = failure();
            return *m_failed;
        }
        plain.remove_prefix(written);
    }
    return {};
}

void TlsEngine::close_notify() {
    if (!m_done || m_failed)
        return;
    ERR_clear_error();
    SSL_shutdown(m_ssl);
}

std::string TlsEngine::take_output() {
    return std::exchange(m_output, {});
}

Error TlsEngine::failure() {
    if (m_rejected)
        return *m_rejected;
    unsigned long code = ERR_peek_error();
    std::string reason = "no reason given";
    if (const char* said = ERR_reason_error_string(code))
        reason = said;
    std::string hint = "See whether imap.port and imap.tls are right, and ask whoever runs the server.";
    std::string what =
        fmt::format("The TLS {} with {} failed: {}.", m_done ? "connection" : "handshake", m_server, reason);
    switch (ERR_GET_REASON(code)) {
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_HTTP_REQUEST:
    case SSL_R_PACKET_LENGTH_TOO_LONG:
        if (m_done)
            break;
        what = fmt::format("{} does not speak TLS there: it answered with something else.", m_server);
        hint = "Use port 993 with imap.tls='implicit', or port 143 with imap.tls='starttls'.";
        break;
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
        what = fmt::format("{} speaks only versions of TLS below 1.2, which are broken.", m_server);
        hint = "Ask whoever runs the server to switch TLS 1.2 or newer on.";
        break;
    case SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE:
    case SSL_R_NO_SHARED_CIPHER:
        what = fmt::format("{} and this machine have no TLS cipher in common.", m_server);
        break;
    default:
        break;
    }
    return make_error(Code::tls, std::move(what), std::move(hint));
}

bool TlsEngine::resumed() const {
    return m_done && SSL_session_reused(m_ssl) == 1;
}

std::string TlsEngine::version() const {
    return m_done ? SSL_get_version(m_ssl) : "";
}

std::string TlsEngine::cipher() const {
    return m_done ? SSL_get_cipher_name(m_ssl) : "";
}

std::string TlsEngine::exporter_binding() const {
    if (!m_done || SSL_version(m_ssl) < TLS1_3_VERSION)
        return {};
    constexpr std::string_view LABEL = "EXPORTER-Channel-Binding";
    std::string key(32, '\0');
    static const unsigned char none = 0;
    if (SSL_export_keying_material(m_ssl, reinterpret_cast<unsigned char*>(key.data()), key.size(),
                                   LABEL.data(), LABEL.size(), &none, 0, 1) != 1)
        return {};
    return key;
}

std::string TlsEngine::end_point_binding() const {
    X509* certificate = m_done ? SSL_get0_peer_certificate(m_ssl) : nullptr;
    int digest = NID_undef;
    if (!certificate || X509_get_signature_info(certificate, &digest, nullptr, nullptr, nullptr) != 1)
        return {};
    // RFC 5929: the hash the certificate is signed with, SHA-256 in place of the broken ones.
    if (digest == NID_md5 || digest == NID_sha1)
        digest = NID_sha256;
    const EVP_MD* md = digest == NID_undef ? nullptr : EVP_get_digestbynid(digest);
    unsigned char hash[EVP_MAX_MD_SIZE];
    unsigned int size = 0;
    if (!md || X509_digest(certificate, md, hash, &size) != 1)
        return {};
    return std::string(reinterpret_cast<char*>(hash), size);
}

} // namespace himalaya::net

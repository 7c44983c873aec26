#include "net/trust.hpp"

#include <array>
#include <cstdlib>
#include <utility>

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/stat.h>

#include "net/tls.hpp"

namespace himalaya::net {

namespace {

// Where systems keep their bundle, for an OpenSSL that was built for another place.
constexpr std::array BUNDLES = {"/etc/ssl/certs/ca-certificates.crt",
                                "/etc/pki/tls/certs/ca-bundle.crt",
                                "/etc/ssl/ca-bundle.pem",
                                "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
                                "/etc/ssl/cert.pem",
                                "/opt/homebrew/etc/openssl@3/cert.pem",
                                "/usr/local/etc/openssl@3/cert.pem"};

constexpr std::size_t SESSIONS_PER_SERVER = 4;

// Reads a bundle into the store: how many certificates it had.
int read_bundle(X509_STORE* store, const char* path) {
    BIO* file = BIO_new_file(path, "r");
    if (!file)
        return 0;
    STACK_OF(X509_INFO)* all = PEM_X509_INFO_read_bio(file, nullptr, nullptr, nullptr);
    BIO_free(file);
    int count = 0;
    for (int i = 0; all && i < sk_X509_INFO_num(all); ++i) {
        X509_INFO* info = sk_X509_INFO_value(all, i);
        if (info->x509 && X509_STORE_add_cert(store, info->x509) == 1)
            ++count;
    }
    sk_X509_INFO_pop_free(all, X509_INFO_free);
    ERR_clear_error();
    return count;
}

Result<void> fill(X509_STORE* store, const std::string& ca_file) {
    if (!ca_file.empty()) {
        if (read_bundle(store, ca_file.c_str()) > 0)
            return {};
        return make_error(Code::config,
                          fmt::format("No certificate could be read from imap.ca_file {}.", ca_file),
                          "Give the path of a file with one or more certificates in PEM form.");
    }
    // What OpenSSL itself would look at comes first. Only files: a folder is read at each handshake, on
    // whatever thread that is.
    if (const char* named = std::getenv(X509_get_default_cert_file_env()))
        if (read_bundle(store, named) > 0)
            return {};
    if (read_bundle(store, X509_get_default_cert_file()) > 0)
        return {};
    for (const char* path : BUNDLES)
        if (read_bundle(store, path) > 0)
            return {};
    return make_error(Code::tls, "This machine has no list of certificates to trust.",
                      "Install ca-certificates, or set imap.ca_file.");
}

int keep_new_session(SSL* ssl, SSL_SESSION* session) {
    auto* context = static_cast<TlsContext*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
    auto* engine = static_cast<const TlsEngine*>(SSL_get_app_data(ssl));
    if (!context || !engine)
        return 0;
    context->keep_session(engine->server(), session);
    return 1;
}

} // namespace

void load_crypto() {
    // Its own atexit handler would take OpenSSL away from under a detached thread.
    OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, nullptr);
}

Result<std::shared_ptr<TlsContext>> TlsContext::load(const std::string& ca_file) {
    load_crypto();
    OPENSSL_init_ssl(0, nullptr);
    SSL_CTX* made = SSL_CTX_new(TLS_client_method());
    if (!made)
        return make_error(Code::internal, "OpenSSL cannot be started.", "See :checkhealth himalaya.");
    auto context = std::make_shared<TlsContext>(made, !ca_file.empty());
    if (Result<void> filled = fill(SSL_CTX_get_cert_store(made), ca_file); !filled)
        return filled.error();
    SSL_CTX_set_min_proto_version(made, TLS1_2_VERSION);
    SSL_CTX_set_verify(made, SSL_VERIFY_PEER, nullptr);
    // A server's own certificate in ca_file is enough, also when no CA signed it.
    X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(made),
                                X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_TRUSTED_FIRST);
    SSL_CTX_set_mode(made, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    // Renegotiation asked for by a server is work for nothing; compression leaks.
    SSL_CTX_set_options(made, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_session_cache_mode(made, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(made, keep_new_session);
    SSL_CTX_set_app_data(made, context.get());
    return context;
}

TlsContext::TlsContext(ssl_ctx_st* context, bool own_ca) : m_context(context), m_own_ca(own_ca) {}

TlsContext::~TlsContext() {
    for (auto& [server, sessions] : m_sessions)
        for (SSL_SESSION* session : sessions)
            SSL_SESSION_free(session);
    SSL_CTX_set_app_data(m_context, nullptr);
    SSL_CTX_free(m_context);
}

void TlsContext::keep_session(const std::string& server, ssl_session_st* session) {
    std::vector<SSL_SESSION*>& sessions = m_sessions[server];
    if (sessions.size() >= SESSIONS_PER_SERVER) {
        SSL_SESSION_free(sessions.front());
        sessions.erase(sessions.begin());
    }
    sessions.push_back(session);
}

ssl_session_st* TlsContext::take_session(const std::string& server) {
    auto at = m_sessions.find(server);
    if (at == m_sessions.end() || at->second.empty())
        return nullptr;
    SSL_SESSION* session = at->second.back();
    // The last is kept: better one used twice than none. A copy goes, for OpenSSL spoils what it has used.
    if (at->second.size() == 1)
        return SSL_SESSION_dup(session);
    at->second.pop_back();
    return session;
}

std::int64_t file_stamp(const std::string& path) {
    struct stat now {};
    if (path.empty() || stat(path.c_str(), &now) != 0)
        return 0;
#ifdef __APPLE__
    const timespec& changed = now.st_mtimespec;
#else
    const timespec& changed = now.st_mtim;
#endif
    return (static_cast<std::int64_t>(changed.tv_sec) * 1'000'000'000 + changed.tv_nsec) ^
           (static_cast<std::int64_t>(now.st_ino) << 20) ^ now.st_size;
}

} // namespace himalaya::net

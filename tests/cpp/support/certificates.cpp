#include "support/certificates.hpp"

#include <atomic>
#include <cstdlib>
#include <fstream>
#include <stdexcept>

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <unistd.h>

namespace himalaya::test {

namespace {

template<class F>
std::string written(F&& write) {
    BIO* bio = BIO_new(BIO_s_mem());
    write(bio);
    char* data = nullptr;
    long size = BIO_get_mem_data(bio, &data);
    std::string text(data, static_cast<std::size_t>(size));
    BIO_free(bio);
    return text;
}

void extend(X509* certificate, X509* issuer, int nid, const std::string& value) {
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
    if (!extension)
        throw std::runtime_error("no such extension: " + value);
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
}

} // namespace

std::string Certificate::pem() const {
    return written([this](BIO* bio) { PEM_write_bio_X509(bio, x509.get()); });
}

std::string Certificate::key_pem() const {
    return written([this](BIO* bio) {
        PEM_write_bio_PrivateKey(bio, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    });
}

Certificate make_certificate(const CertificateSpec& spec) {
    static std::atomic<long> serial = 1000;
    Certificate made;
    made.key.reset(EVP_EC_gen("P-256"), EVP_PKEY_free);
    made.x509.reset(X509_new(), X509_free);
    X509* certificate = made.x509.get();
    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), ++serial);
    X509_gmtime_adj(X509_getm_notBefore(certificate), spec.from_days * 86400L);
    X509_gmtime_adj(X509_getm_notAfter(certificate), spec.to_days * 86400L);
    X509_set_pubkey(certificate, made.key.get());
    X509_NAME* name = X509_get_subject_name(certificate);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(spec.name.c_str()), -1, -1, 0);
    X509* issuer = spec.issuer ? spec.issuer->x509.get() : certificate;
    X509_set_issuer_name(certificate, X509_get_subject_name(issuer));
    extend(certificate, issuer, NID_basic_constraints, spec.ca ? "critical,CA:TRUE" : "critical,CA:FALSE");
    if (spec.ca)
        extend(certificate, issuer, NID_key_usage, "critical,keyCertSign,cRLSign");
    if (!spec.hosts.empty()) {
        std::string all;
        for (const std::string& host : spec.hosts)
            all += (all.empty() ? "" : ",") + host;
        extend(certificate, issuer, NID_subject_alt_name, all);
    }
    X509_sign(certificate, spec.issuer ? spec.issuer->key.get() : made.key.get(), EVP_sha256());
    return made;
}

TemporaryFile::TemporaryFile(const std::string& text) {
    const char* folder = std::getenv("TMPDIR");
    m_path = std::string(folder ? folder : "/tmp") + "/himalaya-test-XXXXXX";
    int fd = mkstemp(m_path.data());
    if (fd < 0)
        throw std::runtime_error("no temporary file");
    close(fd);
    rewrite(text);
}

TemporaryFile::~TemporaryFile() {
    unlink(m_path.c_str());
}

void TemporaryFile::rewrite(const std::string& text) {
    std::ofstream(m_path, std::ios::trunc) << text;
}

} // namespace himalaya::test

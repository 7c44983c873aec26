// Certificates made when a test needs them: good ones, and each kind of bad one. P-256 keys, so one takes 0.1 ms.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <openssl/evp.h>
#include <openssl/x509.h>

namespace himalaya::test {

struct Certificate {
    std::shared_ptr<X509> x509;
    std::shared_ptr<EVP_PKEY> key;

    std::string pem() const;
    std::string key_pem() const;
};

struct CertificateSpec {
    std::string name = "localhost";      // CN
    std::vector<std::string> hosts = {}; // "DNS:localhost", "IP:127.0.0.1"
    int from_days = -1;
    int to_days = 30;
    bool ca = false;
    const Certificate* issuer = nullptr; // null: signs itself
};

Certificate make_certificate(const CertificateSpec& spec);

// A file with the text in it, gone at the end.
class TemporaryFile {
  public:
    explicit TemporaryFile(const std::string& text);
    ~TemporaryFile();
    TemporaryFile(const TemporaryFile&) = delete;
    TemporaryFile& operator=(const TemporaryFile&) = delete;
    const std::string& path() const { return m_path; }
    void rewrite(const std::string& text);

  private:
    std::string m_path;
};

} // namespace himalaya::test

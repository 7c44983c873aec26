#include "net/certificate.hpp"

#include <ctime>
#include <vector>

#include <fmt/format.h>
#include <openssl/asn1.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include "net/resolver.hpp"

namespace himalaya::net {

std::string shown_name(std::string_view name) {
    std::string shown;
    for (unsigned char c : name.substr(0, 200))
        shown += c < 32 || c == 127 ? '?' : static_cast<char>(c);
    return shown;
}

namespace {

std::string common_name(const X509_NAME* name) {
    if (!name)
        return "an unnamed one";
    for (int nid : {NID_commonName, NID_organizationName}) {
        int at = X509_NAME_get_index_by_NID(const_cast<X509_NAME*>(name), nid, -1);
        if (at < 0)
            continue;
        unsigned char* text = nullptr;
        int length = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
        if (length <= 0)
            continue;
        std::string result = shown_name({reinterpret_cast<char*>(text), static_cast<std::size_t>(length)});
        OPENSSL_free(text);
        return result;
    }
    return "an unnamed one";
}

std::string date_of(const ASN1_TIME* time) {
    std::tm parts{};
    if (!time || ASN1_TIME_to_tm(time, &parts) != 1)
        return "an unknown day";
    return fmt::format("{:04}-{:02}-{:02}", parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday);
}

// The hosts a certificate is for, the first few of them.
std::string hosts_of(X509* certificate) {
    std::vector<std::string> names;
    auto* all =
        static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
    for (int i = 0; all && i < sk_GENERAL_NAME_num(all); ++i) {
        const GENERAL_NAME* name = sk_GENERAL_NAME_value(all, i);
        if (name->type == GEN_DNS) {
            names.push_back(shown_name({reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.dNSName)),
                                        static_cast<std::size_t>(ASN1_STRING_length(name->d.dNSName))}));
        } else if (name->type == GEN_IPADD) {
            Address address;
            const unsigned char* bytes = ASN1_STRING_get0_data(name->d.iPAddress);
            int length = ASN1_STRING_length(name->d.iPAddress);
            if (length == 4 || length == 16) {
                address.set_bytes({reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(length)});
                names.push_back(address.text());
            }
        }
    }
    GENERAL_NAMES_free(all);
    if (names.empty())
        return common_name(X509_get_subject_name(certificate));
    std::string text = names[0];
    for (std::size_t i = 1; i < names.size() && i < 4; ++i)
        text += (i + 1 == names.size() ? " and " : ", ") + names[i];
    if (names.size() > 4)
        text += fmt::format(" and {} more", names.size() - 4);
    return text;
}

} // namespace

Error explain_certificate(int problem, int depth, X509* certificate, const std::string& host, bool own_ca) {
    std::string subject = certificate ? common_name(X509_get_subject_name(certificate)) : "an unnamed one";
    std::string issuer = certificate ? common_name(X509_get_issuer_name(certificate)) : "an unnamed one";
    std::string whose = depth == 0
                            ? fmt::format("The certificate of {}", host)
                            : fmt::format("The certificate of {}, which vouches for {},", subject, host);
    constexpr std::string_view CLOCK =
        "See whether this machine's clock is right; else whoever runs the server has "
        "to renew the certificate.";
    switch (problem) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
        return make_error(Code::tls,
                          fmt::format("{} expired on {}.", whose,
                                      date_of(certificate ? X509_get0_notAfter(certificate) : nullptr)),
                          std::string(CLOCK));
    case X509_V_ERR_CERT_NOT_YET_VALID:
        return make_error(Code::tls,
                          fmt::format("{} is not valid before {}.", whose,
                                      date_of(certificate ? X509_get0_notBefore(certificate) : nullptr)),
                          std::string(CLOCK));
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
        return make_error(
            Code::tls,
            fmt::format("The certificate of {} is self-signed (by {}), so nobody vouches for it.", host,
                        subject),
            "If you know this server, save its certificate in a file and set imap.ca_file to it.");
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
        return make_error(
            Code::tls,
            fmt::format("The certificate of {} comes from an unknown issuer, {}, which {} does not have.",
                        host, problem == X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN ? subject : issuer,
                        own_ca ? "imap.ca_file" : "this machine's list"),
            own_ca ? "Put that issuer's certificate into imap.ca_file."
                   : "If that is a CA of your own, set imap.ca_file to its certificate.");
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
        return make_error(Code::tls,
                          fmt::format("The certificate is for another host: it names {}, not {}.",
                                      certificate ? hosts_of(certificate) : "nobody", host),
                          "Set imap.host to a name that the certificate has.");
    case X509_V_ERR_CERT_REVOKED:
        return make_error(Code::tls, fmt::format("{} was revoked.", whose),
                          "Do not go on; ask who runs the server.");
    case X509_V_ERR_EE_KEY_TOO_SMALL:
    case X509_V_ERR_CA_KEY_TOO_SMALL:
    case X509_V_ERR_CA_MD_TOO_WEAK:
        return make_error(Code::tls,
                          fmt::format("{} is too weak: {}.", whose, X509_verify_cert_error_string(problem)),
                          "Whoever runs the server has to make a new one.");
    default:
        return make_error(Code::tls,
                          fmt::format("{} was refused: {}.", whose, X509_verify_cert_error_string(problem)),
                          "Ask whoever runs the server.");
    }
}

} // namespace himalaya::net

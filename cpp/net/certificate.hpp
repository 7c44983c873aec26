// What is wrong with a server's certificate, said so that a person can do something about it.
#pragma once

#include <string>
#include <string_view>

#include "base/error.hpp"

struct x509_st;

namespace himalaya::net {

// `problem` is one of X509_V_ERR_*, found `depth` steps above the server's own certificate (0).
Error explain_certificate(int problem, int depth, x509_st* certificate, const std::string& host, bool own_ca);

// A name out of a certificate, fit for a terminal.
std::string shown_name(std::string_view name);

} // namespace himalaya::net

// SASLprep (RFC 4013): the one way to write a name or password down, so that both sides of SCRAM hash the
// same bytes however it was typed. Mapped, normalised (NFKC of Unicode 3.2, as stringprep fixes it), then
// checked.
#pragma once

#include <string>
#include <string_view>

#include "auth/secret.hpp"
#include "base/error.hpp"

namespace himalaya::auth {

// Error{config} naming `what` ("password") for text that no SASL exchange may carry: controls, private use,
// text of both directions mixed. The error never quotes the text.
Result<Secret> saslprep(std::string_view text, std::string_view what);

// NFKC as of Unicode 3.2, code points in place; composed in nfkc.cpp from a generated table.
void nfkc(std::u32string& text);

} // namespace himalaya::auth

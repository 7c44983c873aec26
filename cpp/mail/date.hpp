// The Date header (RFC 5322 and what is sent instead of it) as seconds since 1970.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace himalaya::mail {

std::optional<std::int64_t> parse_date(std::string_view text);

} // namespace himalaya::mail

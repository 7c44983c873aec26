#include "base/error.hpp"

#include <array>

namespace himalaya {

namespace {

constexpr std::array<std::string_view, 17> NAMES = {
    "timeout", "cancelled", "auth",     "offline",     "tls",     "throttled",
    "locked",  "busy",      "protocol", "uidvalidity", "exit",    "not_found",
    "invalid", "config",    "store",    "unsupported", "internal"};

} // namespace

std::string_view name_of(Code code) {
    return NAMES[static_cast<std::size_t>(code)];
}

std::optional<Code> code_of(std::string_view name) {
    for (std::size_t i = 0; i < NAMES.size(); ++i)
        if (NAMES[i] == name)
            return static_cast<Code>(i);
    return std::nullopt;
}

bool passes_by_itself(Code code) {
    switch (code) {
    case Code::timeout:
    case Code::offline:
    case Code::throttled:
    case Code::locked:
    case Code::busy:
        return true;
    default:
        return false;
    }
}

Error make_error(Code code, std::string message, std::string hint) {
    return Error{code, std::move(message), std::move(hint), passes_by_itself(code), {}};
}

} // namespace himalaya

// Headers: whatever came, the result is one line of UTF-8, and plain ASCII without encoded words stays as it is.
// needs mail/encoded_word.cpp mail/charset.cpp
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/text.hpp"
#include "mail/encoded_word.hpp"

using namespace himalaya;

namespace {

void promise(bool kept) {
    if (!kept)
        std::abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    const std::string decoded = mail::decode_header(bytes);
    promise(text::is_utf8(decoded));
    promise(decoded.find_first_of("\r\n") == std::string::npos);
    promise(decoded.size() <= 16 * size + 16);
    if (bytes.find("=?") == std::string_view::npos && text::is_utf8(bytes) &&
        bytes.find_first_of("\r\n") == std::string_view::npos)
        promise(decoded == bytes);
    return 0;
}

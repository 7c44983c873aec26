// Folder names: whatever the server calls one can be shown, what decodes encodes back to the same bytes, and what we
// send is printable ASCII.
// needs mail/modified_utf7.cpp mail/utf8.cpp
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/text.hpp"
#include "mail/modified_utf7.hpp"

using namespace himalaya;

namespace {

void promise(bool kept) {
    if (!kept)
        std::abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);

    promise(text::is_utf8(mail::show_folder_name(bytes)));
    if (const auto name = mail::decode_modified_utf7(bytes)) {
        promise(text::is_utf8(*name));
        promise(mail::encode_modified_utf7(*name) == bytes);
    }

    const std::string wire = mail::encode_modified_utf7(bytes);
    for (const char c : wire)
        promise(c >= 0x20 && c <= 0x7e);
    const auto back = mail::decode_modified_utf7(wire);
    promise(back.has_value());
    if (text::is_utf8(bytes))
        promise(*back == bytes);
    return 0;
}

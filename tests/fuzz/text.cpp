// What every room does with text from outside: whatever comes in, what goes out keeps its promise.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/text.hpp"

using namespace himalaya;

namespace {

void promise(bool kept) {
    if (!kept)
        std::abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);

    const std::string valid = text::to_utf8(bytes);
    promise(text::is_utf8(valid));
    promise(!text::is_utf8(bytes) || valid == bytes);

    const std::string line = text::clean_line(bytes);
    promise(text::is_utf8(line));
    for (const char c : line)
        promise(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f);
    promise(text::is_utf8(text::clean_text(bytes)));

    const std::string_view cut = text::cut(valid, size / 2);
    promise(cut.size() <= size / 2 && text::is_utf8(cut));

    promise(text::percent_decode(text::percent_encode(bytes)) == bytes);
    promise(text::base64_decode(text::base64_encode(bytes)) == bytes);
    text::percent_decode(bytes);
    text::base64_decode(bytes);
    text::to_unsigned(bytes);
    return 0;
}

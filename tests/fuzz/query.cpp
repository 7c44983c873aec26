// What people type to find mail: always a query or a sentence about what is wrong, and as keys of a SEARCH always one
// command that holds no line end of its own.
// needs mail/query.cpp imap/query_keys.cpp imap/command.cpp imap/uid_set.cpp mail/modified_utf7.cpp mail/utf8.cpp
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/text.hpp"
#include "imap/query_keys.hpp"

using namespace himalaya;

namespace {

void promise(bool kept) {
    if (!kept)
        std::abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view typed(reinterpret_cast<const char*>(data), size);
    const auto query = mail::parse_query(typed);
    if (!query) {
        promise(query.error().code == Code::invalid && !query.error().message.empty());
        promise(text::is_utf8(query.error().message));
        return 0;
    }
    for (const bool gmail : {false, true}) {
        imap::Command command({.literals = imap::Dialect::Literals::sync, .utf8 = gmail}, "UID SEARCH");
        imap::put_query(command, *query, gmail);
        const auto wire = command.finish("A1");
        if (!wire) {
            promise(typed.find('\0') != std::string_view::npos);
            continue;
        }
        // Each piece begins with the bytes its announcement named; after them there is one line.
        std::size_t literal = 0;
        for (const imap::Wire::Piece& piece : wire->pieces) {
            const std::string_view line = std::string_view(piece.bytes).substr(literal);
            promise(line.find_first_of("\r\n") == line.size() - 2);
            literal = 0;
            if (piece.wait) {
                const std::size_t open = line.rfind('{');
                promise(open != std::string_view::npos);
                literal = std::strtoul(line.data() + open + 1, nullptr, 10);
            }
        }
        promise(literal == 0);
    }
    return 0;
}

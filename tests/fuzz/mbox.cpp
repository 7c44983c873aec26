// mbox files: whatever stands in one is read the same in any pieces, and a message with CRLF line ends that goes into a
// file comes out of it again.
// needs mail/mbox.cpp mail/flags.cpp
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "mail/mbox.hpp"

using namespace himalaya;

namespace {

void promise(bool kept) {
    if (!kept)
        std::abort();
}

struct Collect : mail::MboxReader::Sink {
    void on_message(const mail::FromLine&) override { all.emplace_back(); }
    void on_bytes(std::string_view bytes) override { all.back() += bytes; }
    void on_end(const mail::Flags& flags) override { last = flags; }
    std::vector<std::string> all;
    mail::Flags last;
};

bool read(std::string_view file, std::size_t piece, Collect& into) {
    mail::MboxReader reader(into);
    for (; !file.empty(); file.remove_prefix(std::min(piece, file.size())))
        if (!reader.feed(file.substr(0, piece)))
            return false;
    return reader.finish();
}

// Ends every line in CRLF; a CR elsewhere is none.
std::string canonical(std::string_view bytes) {
    std::string lines;
    for (char c : bytes) {
        if (c == '\r')
            continue;
        if (c == '\n')
            lines += '\r';
        lines += c;
    }
    return lines + "\r\n";
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    Collect whole, pieces;
    const bool is_mbox = read(bytes, bytes.size() + 1, whole);
    promise(read(bytes, 3, pieces) == is_mbox);
    promise(!is_mbox || (whole.all == pieces.all && whole.last == pieces.last));

    const std::string message = canonical(bytes);
    std::string file;
    mail::Flags flags{size % 2 ? mail::SEEN : mail::FLAGGED, {}};
    mail::MboxWriter writer(file, "", 0, flags);
    writer.add(message);
    writer.finish();
    Collect back;
    promise(read(file, 7, back));
    promise(back.all.size() == 1 && back.all[0] == message && back.last == flags);
    return 0;
}

// What a server may send: nothing crashes, nothing grows beyond the limits, and chunks make no difference. The first
// byte says how the rest is chunked and with which limits and sink.
// needs imap/parser.cpp imap/lexer.cpp imap/fetch_prefix.cpp imap/scanner.cpp imap/grammar_status.cpp
// needs imap/grammar_folder.cpp imap/grammar_search.cpp imap/grammar_structure.cpp imap/grammar_fetch.cpp
// needs imap/as_json.cpp
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "imap/as_json.hpp"
#include "imap/parser.hpp"

using namespace himalaya::imap;

namespace {

void promise(bool kept) {
    if (!kept)
        std::abort();
}

class Collector : public LiteralSink {
  public:
    explicit Collector(bool all) : m_all(all) {}
    bool wants_all_bodies() const override { return m_all; }
    void start(const LiteralStart& start) override {
        promise(!m_open);
        m_open = true;
        m_left = start.size;
        m_log += "start " + std::to_string(start.literal) + " " + std::to_string(start.seq) + " " +
                 std::to_string(start.uid.value_or(0)) + " " + std::string(start.section.name) + "\n";
    }
    void bytes(std::span<const char> bytes) override {
        promise(m_open && bytes.size() <= m_left);
        m_left -= bytes.size();
        m_log.append(bytes.data(), bytes.size());
    }
    void end(bool complete) override {
        promise(m_open && complete == (m_left == 0));
        m_open = false;
        m_log += "end\n";
    }
    std::string take() { return std::move(m_log); }

  private:
    bool m_all;
    bool m_open = false;
    uint64_t m_left = 0;
    std::string m_log;
};

std::string read_all(std::string_view bytes, size_t chunk, bool sink, bool all, const Limits& limits) {
    Parser parser(limits);
    Collector collector(all);
    if (sink)
        parser.set_sink(&collector);
    std::string log;
    const size_t total = bytes.size();
    const auto drain = [&] {
        while (const Response* response = parser.next()) {
            if (const auto* malformed = std::get_if<Malformed>(response))
                promise(malformed->offset <= total);
            log += as_json(*response);
            log += '\n';
        }
    };
    while (!bytes.empty()) {
        // A chunk of its own on the heap, so that reading past it is seen.
        const std::vector<char> piece(bytes.begin(),
                                      bytes.begin() + std::ptrdiff_t(std::min(chunk, bytes.size())));
        bytes.remove_prefix(piece.size());
        parser.feed(piece);
        drain();
        promise(parser.memory() <= limits.memory + 2 * limits.response + (1u << 20));
    }
    parser.finish();
    drain();
    return log + collector.take();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 1)
        return 0;
    const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
    Limits limits;
    limits.memory = 4u << 20;
    if (data[0] & 0x80)
        limits = {.line = 64,
                  .response = 200,
                  .inline_literal = 16,
                  .literal = 1000,
                  .nesting = 5,
                  .list = 20,
                  .memory = 1u << 20};
    const bool sink = data[0] & 0x40;
    const bool all = data[0] & 0x20;
    const std::string whole = read_all(bytes, SIZE_MAX, sink, all, limits);
    const std::string chunked = read_all(bytes, 1 + (data[0] & 0x1f), sink, all, limits);
    promise(whole == chunked);
    return 0;
}

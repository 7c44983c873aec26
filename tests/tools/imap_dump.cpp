// imap_dump [--chunk N] < bytes: what a server sent, as one JSON object per response (imap/as_json.hpp), and
// {"error": "...", "offset": N} for what cannot be read, after which it goes on at the next line. Bodies are
// collected from the sink, so this is the whole way of the bytes; of one response no more than 16 MiB, what is beyond
// has only its size there ("streamed": true). The output is the same for every N.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "imap/as_json.hpp"
#include "imap/parser.hpp"

using namespace himalaya::imap;

namespace {

class Collector : public LiteralSink {
  public:
    // Decided by what is announced, so that chunks make no difference.
    void start(const LiteralStart& start) override {
        m_now = nullptr;
        if (start.size > MOST - m_held)
            return;
        m_held += start.size;
        m_now = &m_literals[start.literal];
    }
    void bytes(std::span<const char> bytes) override {
        if (m_now)
            m_now->append(bytes.data(), bytes.size());
    }
    void end(bool) override {}

    const Literals& literals() const { return m_literals; }
    void clear() {
        m_literals.clear();
        m_held = 0;
    }

  private:
    static constexpr uint64_t MOST = 16U << 20;

    uint64_t m_held = 0;
    Literals m_literals;
    std::string* m_now = nullptr;
};

void print_all(Parser& parser, Collector& collector) {
    while (const Response* response = parser.next()) {
        std::puts(as_json(*response, collector.literals()).c_str());
        collector.clear();
    }
}

} // namespace

int main(int argc, char** argv) {
    size_t chunk = 65536;
    for (int i = 1; i < argc; i++) {
        if (std::strcmp(argv[i], "--chunk") == 0 && i + 1 < argc)
            chunk = std::strtoul(argv[++i], nullptr, 10);
    }
    if (chunk == 0) {
        std::fputs("usage: imap_dump [--chunk N] < bytes\n", stderr);
        return 2;
    }
    Parser parser;
    Collector collector;
    parser.set_sink(&collector);
    std::vector<char> buffer(chunk);
    for (;;) {
        const size_t count = std::fread(buffer.data(), 1, buffer.size(), stdin);
        if (count == 0)
            break;
        parser.feed({buffer.data(), count});
        print_all(parser, collector);
    }
    parser.finish();
    print_all(parser, collector);
    return 0;
}

// Reading a server's bytes in tests: whole, in chunks, with and without a sink.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "imap/as_json.hpp"
#include "imap/parser.hpp"

namespace reading {

using namespace himalaya::imap;

class Collector : public LiteralSink {
  public:
    explicit Collector(bool all = true) : m_all(all) {}
    bool wants_all_bodies() const override { return m_all; }
    void start(const LiteralStart& start) override {
        starts.push_back({start.literal, start.fetch, start.seq, start.uid, std::string(start.section.name),
                          start.section.origin, start.section.kind, start.size});
        now = &literals[start.literal];
    }
    void bytes(std::span<const char> bytes) override {
        largest_piece = std::max(largest_piece, bytes.size());
        now->append(bytes.data(), bytes.size());
    }
    void end(bool complete) override { ends.push_back(complete); }

    struct Start {
        uint32_t literal;
        bool fetch;
        uint32_t seq;
        std::optional<uint32_t> uid;
        std::string section;
        std::optional<uint64_t> origin;
        Section::Kind kind;
        uint64_t size;
    };
    std::vector<Start> starts;
    std::vector<bool> ends;
    Literals literals;
    std::string* now = nullptr;
    size_t largest_piece = 0;

  private:
    bool m_all;
};

// "\n" in a test is what a server writes as CRLF.
inline std::string crlf(std::string_view text) {
    std::string result;
    for (const char c : text) {
        if (c == '\n')
            result += '\r';
        result += c;
    }
    return result;
}

// Every response as JSON; each chunk is on the heap of its own, so that a view kept too long is found.
inline std::vector<std::string> read_all(std::string_view bytes, size_t chunk = SIZE_MAX,
                                         Collector* sink = nullptr, const Limits& limits = {}) {
    Parser parser(limits);
    parser.set_sink(sink);
    std::vector<std::string> result;
    const auto drain = [&] {
        while (const Response* response = parser.next())
            result.push_back(as_json(*response, sink ? sink->literals : Literals{}));
    };
    while (!bytes.empty()) {
        const size_t count = std::min(chunk, bytes.size());
        const std::vector<char> piece(bytes.begin(), bytes.begin() + std::ptrdiff_t(count));
        bytes.remove_prefix(count);
        parser.feed(piece);
        drain();
    }
    parser.finish();
    drain();
    return result;
}

// One response, typed, with what it points to kept alive.
class One {
  public:
    explicit One(std::string_view text) : m_bytes(crlf(text)) {
        m_parser.feed(m_bytes);
        m_response = m_parser.next();
    }
    const Response* response() const { return m_response; }
    template<class T>
    const T* as() const {
        return m_response ? std::get_if<T>(m_response) : nullptr;
    }
    std::string json() const { return m_response ? as_json(*m_response) : "nothing"; }

  private:
    std::string m_bytes;
    Parser m_parser;
    const Response* m_response = nullptr;
};

inline bool is_error(const std::string& json) {
    return json.starts_with("{\"error\"");
}

} // namespace reading

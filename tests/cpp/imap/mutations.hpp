// Replies that went wrong on their way: a recording with bytes flipped, cut out, put in, doubled, and literals that
// announce what does not come. The same seed gives the same damage.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "imap/reading.hpp"

namespace reading {

class Damage {
  public:
    explicit Damage(std::uint64_t seed) : m_state(seed * 2 + 1) {}

    // A few lines of a recording, damaged in one to six places.
    std::string of(std::string_view recording) {
        std::string bytes = lines_of(recording);
        for (std::size_t times = 1 + below(6); times > 0; --times)
            harm(bytes, recording);
        return bytes;
    }

    std::size_t below(std::size_t limit) {
        m_state = m_state * 6364136223846793005U + 1442695040888963407U;
        return limit == 0 ? 0 : static_cast<std::size_t>((m_state >> 33) % limit);
    }

  private:
    std::string lines_of(std::string_view recording) {
        std::size_t begin = recording.find('\n', below(recording.size()));
        begin = begin == std::string_view::npos ? 0 : begin + 1;
        std::size_t end = recording.find('\n', std::min(begin + 100 + below(1500), recording.size()));
        return std::string(recording.substr(begin, end == std::string_view::npos ? end : end + 1 - begin));
    }

    void harm(std::string& bytes, std::string_view recording) {
        static constexpr std::string_view TELLING = "{}()\"\\*+% \r\n0193[]<>~NIL\x7f\xff";
        static constexpr std::array<std::string_view, 14> WORDS = {
            "{3}\r\n", "{0}\r\n",    "~{7+}\r\n",       "{300000}\r\n",     "{99999999999999999999}\r\n",
            "NIL",     "\r\n",       "((((((((((",      "))))))",           "* 1 FETCH (BODY[] {5}\r\n",
            "\"",      "BODY[1]<0>", "\r\nA1 OK x\r\n", "[COPYUID 1 1:* 2]"};
        std::size_t at = below(bytes.size() + 1);
        std::size_t some = std::min(1 + below(40), bytes.size() - at);
        switch (below(8)) {
        case 0:
            if (at < bytes.size())
                bytes[at] = static_cast<char>(bytes[at] ^ (1 << below(8)));
            break;
        case 1:
            if (at < bytes.size())
                bytes[at] = TELLING[below(TELLING.size())];
            break;
        case 2:
            bytes.erase(at, some);
            break;
        case 3:
            bytes.insert(at, bytes.substr(at, some));
            break;
        case 4:
            bytes.insert(at, WORDS[below(WORDS.size())]);
            break;
        case 5:
            bytes.insert(at, recording.substr(below(recording.size()), 1 + below(120)));
            break;
        case 6:
            bytes.resize(at);
            break;
        default:
            bytes.insert(at, 1, static_cast<char>(below(256)));
            break;
        }
    }

    std::uint64_t m_state;
};

// What was read of it: responses, literals at the sink, and the most memory that was held. `pick` says how large the
// next chunk is.
struct Reading {
    std::vector<std::string> responses;
    std::vector<std::string> literals;
    std::size_t most_memory = 0;

    bool operator==(const Reading& other) const {
        return responses == other.responses && literals == other.literals;
    }
};

template<class Pick>
Reading read_in(std::string_view bytes, bool all_bodies, const Limits& limits, Pick pick) {
    Reading result;
    Collector sink(all_bodies);
    Parser parser(limits);
    parser.set_sink(&sink);
    const auto drain = [&] {
        while (const Response* response = parser.next())
            result.responses.push_back(as_json(*response));
        result.most_memory = std::max(result.most_memory, parser.memory());
    };
    while (!bytes.empty()) {
        const std::size_t count = std::min<std::size_t>(std::max<std::size_t>(pick(), 1), bytes.size());
        const std::vector<char> piece(bytes.begin(), bytes.begin() + std::ptrdiff_t(count));
        bytes.remove_prefix(count);
        parser.feed(piece);
        drain();
    }
    parser.finish();
    drain();
    for (const auto& start : sink.starts)
        result.literals.push_back(std::to_string(start.literal) + " " + start.section + " " +
                                  std::to_string(start.size));
    for (const auto& [number, text] : sink.literals)
        result.literals.push_back(std::to_string(number) + " " + text);
    return result;
}

} // namespace reading

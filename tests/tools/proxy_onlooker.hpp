// What the proxy reads of the IMAP that passes through one connection: how many commands, how many round trips until the
// first FETCH, and the lines it was told to watch for or to forbid.
#pragma once

#include <uv.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "proxy_shared.hpp"

namespace proxy {

class Onlooker {
  public:
    Onlooker(Shared& shared, Figures& figures) : m_shared(shared), m_figures(figures) {}

    void look(Direction way, std::string_view bytes) {
        if (bytes.size() > 1 && bytes[0] == 0x16 && bytes[1] == 0x03)
            m_opaque = true; // a TLS record: nothing to read from here on
        if (m_opaque)
            return;
        Lines& lines = m_lines[static_cast<int>(way)];
        while (!bytes.empty()) {
            std::size_t skip = std::min(lines.literal, bytes.size());
            lines.literal -= skip;
            bytes.remove_prefix(skip);
            std::size_t end = bytes.find('\n');
            if (lines.head.size() < LONGEST)
                lines.head += bytes.substr(0, std::min<std::size_t>(end, LONGEST));
            if (end == std::string_view::npos)
                return;
            bytes.remove_prefix(end + 1);
            read_line(way, lines);
        }
    }

  private:
    static constexpr std::size_t LONGEST = 4096;
    static constexpr std::size_t MOST_WATCHED = 10000;
    static constexpr std::size_t MOST_FORBIDDEN = 1000;

    struct Lines { // one direction as lines, literals left out
        std::string head;
        std::size_t literal = 0;
    };

    static bool contains_one(const std::string& line, const std::vector<std::string>& words) {
        return std::any_of(words.begin(), words.end(),
                           [&line](auto& word) { return line.find(word) != std::string::npos; });
    }

    void read_line(Direction way, Lines& lines) {
        std::string& line = lines.head;
        if (!line.empty() && line.back() == '\r')
            line.pop_back();
        std::size_t brace = line.rfind('{');
        if (!line.empty() && line.back() == '}' && brace != std::string::npos)
            lines.literal = std::strtoull(line.c_str() + brace + 1, nullptr, 10);
        else if (way == Direction::up)
            m_figures.commands++;
        if (way == Direction::down)
            read_answer(line);
        else if (m_shared.broken_rules.size() < MOST_FORBIDDEN && contains_one(line, m_shared.forbidden))
            m_shared.broken_rules.push_back({m_figures.id, uv_hrtime(), line});
        if (lines.literal == 0 || line.size() > LONGEST)
            line.clear();
        else
            line += ' ';
    }

    void read_answer(const std::string& line) {
        if (line.compare(0, 2, "* ") != 0)
            return;
        if (m_figures.round_trips_to_fetch == 0 && line.find(" FETCH (") < 14)
            m_figures.round_trips_to_fetch = m_figures.round_trips;
        if (m_shared.lines.size() < MOST_WATCHED && contains_one(line, m_shared.watched))
            m_shared.lines.push_back({m_figures.id, uv_hrtime(), line});
    }

    Shared& m_shared;
    Figures& m_figures;
    Lines m_lines[2];
    bool m_opaque = false;
};

} // namespace proxy

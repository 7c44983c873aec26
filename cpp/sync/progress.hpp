// How far a sync is, said honestly: a percent only when the total is known, never running backwards, and a time only
// once enough has been seen to guess it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace himalaya::sync {

struct Standing {
    std::string operation; // "Reading INBOX"
    std::string folder;
    std::optional<int> percent;
    std::int64_t done = 0;
    std::int64_t total = 0;
    std::optional<std::int64_t> eta_seconds;
};

// The way it travels to an instance that does not lead.
std::string to_json(const Standing& standing);
Standing standing_of(std::string_view json);

class Progress {
  public:
    void begin(std::int64_t now_ms);
    void say(std::string operation, std::string folder);
    // More was found to do; the percent may stand still for it, but does not go back.
    void expect(std::int64_t messages) { m_total += messages; }
    void count(std::int64_t messages) { m_done += messages; }
    Standing standing(std::int64_t now_ms);

  private:
    // A guess before this much was seen is noise.
    static constexpr std::int64_t ENOUGH_MS = 2'000;
    static constexpr std::int64_t ENOUGH_MESSAGES = 20;

    std::string m_operation;
    std::string m_folder;
    std::int64_t m_started = 0;
    std::int64_t m_done = 0;
    std::int64_t m_total = 0;
    int m_percent = 0;
};

} // namespace himalaya::sync

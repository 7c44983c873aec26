// How far a sync is, said honestly: a percent only when the total is known, never running backwards, and a time only
// once enough has been seen to guess it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
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
    // How many messages of a folder are to come, in place of what was said of it before; `texts`: theirs, too. When
    // more is found the percent may stand still for it, but does not go back.
    void expect(const std::string& folder, std::int64_t messages, bool texts);
    // Some of the messages' texts are to come too, and which is known once they are listed: no time left until then.
    void expect_some_texts() { m_vague = true; }
    // So many texts are to be fetched; those of expected messages are counted already.
    void expect_texts(std::int64_t texts);
    void count(std::int64_t messages) { m_messages.done += messages; }
    void count_texts(std::int64_t texts) { m_texts.done += texts; }
    Standing standing(std::int64_t now_ms);

  private:
    // A guess before this much was seen is noise.
    static constexpr std::int64_t ENOUGH_MS = 2'000;
    static constexpr std::int64_t ENOUGH_MESSAGES = 20;
    // A text takes the time of so many envelopes: 3.8 KB against 0.8 KB on the wire, and more to write.
    static constexpr std::int64_t TEXT_WEIGHT = 4;

    // The pace is that of the last so many milliseconds, at most twice as many.
    static constexpr std::int64_t WINDOW_MS = 15'000;

    // Envelopes and texts have a pace each, and over a slow line they differ by a hundred times: a sync is as far from
    // its end as the slower of the two.
    struct Part {
        std::int64_t done = 0;
        std::int64_t total = 0;
        struct Mark {
            std::int64_t ms = -1;
            std::int64_t done = 0;
        };
        Mark before, last; // the pace is measured from `before` on
        void look(std::int64_t now_ms);
        // Until the rest is done; nothing while that would be a guess.
        std::optional<std::int64_t> milliseconds(std::int64_t now_ms) const;
        std::int64_t all() const { return std::max(done, total); }
        std::int64_t left() const { return all() - done; }
    };
    struct Expected {
        std::int64_t messages = 0;
        std::int64_t texts = 0;
    };

    std::string m_operation;
    std::string m_folder;
    Part m_messages;
    Part m_texts;
    std::int64_t m_promised = 0; // of the texts' total: expected with their messages, and not asked for yet
    std::map<std::string, Expected> m_expected;
    bool m_vague = false;
    int m_percent = 0;
};

} // namespace himalaya::sync

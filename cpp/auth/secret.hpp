// A password or token in memory. It is wiped when it goes, moves but never copies by accident, grows without
// leaving its old self behind, and nothing formats it: a log, an error or an inspect can only ever show its
// size.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace himalaya::auth {

class Secret {
  public:
    Secret() = default;
    explicit Secret(std::string_view text);
    // Takes the text over: the string it came in is wiped too.
    static Secret take(std::string& text);

    Secret(Secret&& other) noexcept;
    Secret& operator=(Secret&& other) noexcept;
    Secret(const Secret&) = delete;
    Secret& operator=(const Secret&) = delete;
    ~Secret();

    Secret copy() const { return Secret(view()); }
    Secret& append(std::string_view text);
    Secret& append(char byte) { return append(std::string_view(&byte, 1)); }
    void shorten(std::size_t by);
    void reserve(std::size_t capacity);
    void wipe();

    std::string_view view() const { return {m_bytes.get(), m_size}; }
    std::size_t size() const { return m_size; }
    bool empty() const { return m_size == 0; }

  private:
    std::unique_ptr<char[]> m_bytes;
    std::size_t m_size = 0;
    std::size_t m_capacity = 0;
};

// Base64 as SASL wants it: no line breaks, padding required. The result is as secret as what went in.
Secret base64_encode(std::string_view bytes);
// False when the text is not base64.
bool base64_decode(std::string_view text, Secret& bytes);

} // namespace himalaya::auth

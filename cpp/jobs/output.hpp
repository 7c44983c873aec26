// What a program writes, kept up to a limit. Bytes stay bytes: nothing here minds NUL or invalid UTF-8.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

namespace himalaya::jobs {

// Grows by realloc, which for large blocks moves pages instead of copying them: at 64 MiB a std::string would hold
// the loop for 20 ms at its last doubling.
class Output {
  public:
    explicit Output(std::size_t limit) : m_limit(limit) {}

    // Keeps what fits; false when something did not.
    bool add(std::string_view bytes);
    std::string_view view() const { return {m_data.get(), m_size}; }
    std::size_t limit() const { return m_limit; }
    void clear();

  private:
    struct Free {
        void operator()(char* data) const { std::free(data); }
    };
    std::unique_ptr<char, Free> m_data;
    std::size_t m_size = 0;
    std::size_t m_room = 0;
    std::size_t m_limit;
};

} // namespace himalaya::jobs

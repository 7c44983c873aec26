// A byte budget as a pure value: what an account's connections may move together (option bandwidth_limit,
// KiB/s). Bytes are counted after they moved, so the bucket may go into debt; whoever shares it then waits
// until the debt is paid. A quarter of a second's worth may be saved up, so a quiet account answers at once.
#pragma once

#include <cstddef>
#include <cstdint>

namespace himalaya::net {

class Bandwidth {
  public:
    explicit Bandwidth(std::uint64_t kib_per_second);

    void spend(std::uint64_t now_ms, std::size_t bytes);
    // How long to wait before moving more; 0: go on.
    std::uint64_t wait_ms(std::uint64_t now_ms);
    // The most that should move in one go: a tenth of a second's worth, between 1 and 64 KiB.
    std::size_t portion() const;
    std::uint64_t bytes_per_second() const { return m_rate; }

  private:
    void refill(std::uint64_t now_ms);

    std::uint64_t m_rate;
    double m_tokens;
    std::uint64_t m_last_ms = 0;
};

} // namespace himalaya::net

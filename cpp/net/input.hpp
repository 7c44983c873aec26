// Bytes on their way through a layer: a view of somebody's buffer as long as that lasts, a copy of the rest after.
// Nearly always all is taken before the view goes, and nothing is copied.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <utility>

namespace himalaya::net {

class Input {
  public:
    // The view must live until all of it is taken, or keep() is called.
    void feed(std::span<const char> bytes) {
        if (empty()) {
            m_view = bytes;
            return;
        }
        keep();
        m_kept.append(bytes.data(), bytes.size());
        m_view = m_kept;
    }

    void keep() {
        if (empty()) {
            clear();
            return;
        }
        std::string left(m_view.data(), m_view.size());
        m_kept = std::move(left);
        m_view = m_kept;
    }

    std::span<const char> take(std::size_t most) {
        std::span<const char> bytes = m_view.first(std::min(most, m_view.size()));
        m_view = m_view.subspan(bytes.size());
        return bytes;
    }

    void clear() {
        m_view = {};
        m_kept = {};
    }

    bool empty() const { return m_view.empty(); }
    std::size_t size() const { return m_view.size(); }
    const char* data() const { return m_view.data(); }

  private:
    std::span<const char> m_view;
    std::string m_kept;
};

} // namespace himalaya::net

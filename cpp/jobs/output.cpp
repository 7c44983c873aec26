#include "jobs/output.hpp"

#include <algorithm>
#include <cstring>
#include <new>

namespace himalaya::jobs {

bool Output::add(std::string_view bytes) {
    std::size_t fits = std::min(bytes.size(), m_limit - m_size);
    if (m_size + fits > m_room) {
        std::size_t room = std::min(m_limit, std::max(m_size + fits, m_room + m_room / 2));
        char* grown = static_cast<char*>(std::realloc(m_data.get(), room));
        if (!grown)
            throw std::bad_alloc();
        (void)m_data.release();
        m_data.reset(grown);
        m_room = room;
    }
    if (fits > 0)
        std::memcpy(m_data.get() + m_size, bytes.data(), fits);
    m_size += fits;
    return fits == bytes.size();
}

void Output::clear() {
    m_data.reset();
    m_size = m_room = 0;
}

} // namespace himalaya::jobs

// Memory for the lists and trees of one response. It only grows while a response is read and is emptied at
// once before the next, so that reading 50,000 envelopes asks the heap for nothing. What was needed for one
// huge response is given back: at most `kept` bytes stay.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <type_traits>
#include <vector>

namespace himalaya::imap {

class Arena {
  public:
    explicit Arena(size_t limit) : m_limit(limit) {}

    // nullptr when the limit is reached.
    void* allocate(size_t bytes) {
        bytes = (bytes + 7) & ~size_t(7);
        if (size_t(m_end - m_top) < bytes && !grow(bytes))
            return nullptr;
        void* result = m_top;
        m_top += bytes;
        return result;
    }

    // The block that ends at the top grows where it is, if there is room.
    bool extend(const void* block, size_t old_bytes, size_t new_bytes) {
        old_bytes = (old_bytes + 7) & ~size_t(7);
        new_bytes = (new_bytes + 7) & ~size_t(7);
        if (static_cast<const std::byte*>(block) + old_bytes != m_top ||
            size_t(m_end - m_top) < new_bytes - old_bytes)
            return false;
        m_top += new_bytes - old_bytes;
        return true;
    }

    template<class T>
    T* make() {
        static_assert(std::is_trivially_destructible_v<T> && alignof(T) <= 8);
        void* place = allocate(sizeof(T));
        return place ? new (place) T{} : nullptr;
    }

    void reset() {
        while (m_blocks.size() > 1) {
            m_size -= m_blocks.back().size;
            m_blocks.pop_back();
        }
        if (!m_blocks.empty() && m_blocks[0].size > kept) {
            m_blocks.clear();
            m_size = 0;
        }
        m_top = m_blocks.empty() ? nullptr : m_blocks[0].bytes.get();
        m_end = m_blocks.empty() ? nullptr : m_top + m_blocks[0].size;
    }

    size_t memory() const { return m_size; }

  private:
    static constexpr size_t first_block = 64u << 10;
    static constexpr size_t kept = 256u << 10;

    bool grow(size_t bytes) {
        size_t size = std::max({first_block, bytes, m_size}); // doubles
        size = std::min(size, std::max(bytes, m_limit > m_size ? m_limit - m_size : 0));
        if (m_size + size > m_limit)
            return false;
        m_blocks.push_back({std::make_unique_for_overwrite<std::byte[]>(size), size});
        m_size += size;
        m_top = m_blocks.back().bytes.get();
        m_end = m_top + size;
        return true;
    }

    struct Block {
        std::unique_ptr<std::byte[]> bytes;
        size_t size;
    };
    std::vector<Block> m_blocks;
    std::byte* m_top = nullptr;
    std::byte* m_end = nullptr;
    size_t m_size = 0;
    size_t m_limit;
};

// A list whose length is not known before its end, built in the arena.
template<class T>
class ListBuilder {
    static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T> && alignof(T) <= 8);

  public:
    explicit ListBuilder(Arena& arena) : m_arena(arena) {}

    // false when the arena is full.
    bool add(const T& item) {
        if (m_size == m_capacity && !grow())
            return false;
        new (m_items + m_size++) T(item);
        return true;
    }

    size_t size() const { return m_size; }
    T& back() { return m_items[m_size - 1]; }
    std::span<const T> list() const { return {m_items, m_size}; }

  private:
    bool grow() {
        const size_t wanted = m_capacity ? m_capacity * 2 : 4;
        if (m_items && m_arena.extend(m_items, m_capacity * sizeof(T), wanted * sizeof(T))) {
            m_capacity = wanted;
            return true;
        }
        auto* moved = static_cast<T*>(m_arena.allocate(wanted * sizeof(T)));
        if (!moved)
            return false;
        if (m_size)
            std::memcpy(static_cast<void*>(moved), m_items, m_size * sizeof(T));
        m_items = moved;
        m_capacity = wanted;
        return true;
    }

    Arena& m_arena;
    T* m_items = nullptr;
    size_t m_size = 0;
    size_t m_capacity = 0;
};

} // namespace himalaya::imap

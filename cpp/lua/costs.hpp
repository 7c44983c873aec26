// What functions take that the dispatcher calls, as far as the last times tell: one for which a turn of the loop has no
// room any more begins in the next. A function that nobody has seen is compiled, and loads what it needs, while it runs
// for the first time, so it is taken for a long one.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <unordered_map>

#include "lua/whose.hpp"

namespace himalaya::lua {

class Costs {
  public:
    static constexpr std::uint64_t UNSEEN_NS = 1'500'000;

    std::uint64_t of(const Whose& function) const {
        auto found = m_costs.find(Key{function.source, function.line});
        return found == m_costs.end() ? UNSEEN_NS : found->second;
    }

    // What it took most counts, and is forgotten over some calls that took less.
    void learn(const Whose& function, std::uint64_t ns) {
        if (m_costs.size() >= MOST)
            m_costs.clear();
        auto [known, fresh] = m_costs.try_emplace(Key{function.source, function.line}, ns);
        if (!fresh)
            known->second = std::max(ns, known->second - known->second / 16);
    }

  private:
    static constexpr std::size_t MOST = 1000;

    // The name of the file by its address, which is never looked at: it may be gone.
    struct Key {
        const void* source;
        int line;
        bool operator==(const Key&) const = default;
    };
    struct Hash {
        std::size_t operator()(const Key& key) const {
            return std::hash<const void*>()(key.source) * 31 + static_cast<std::size_t>(key.line);
        }
    };

    std::unordered_map<Key, std::uint64_t, Hash> m_costs;
};

} // namespace himalaya::lua

// Changes under way when the connection was lost. Once may be chance; but where a server, or a box before it, cannot
// bear one of them, every sync that begins with it would end there, and nothing else would be done any more. So they go
// after the others, fewer together each time until the one is found, and that one is tried ever less often.
#pragma once

#include "store/ops.hpp"

#include <cstdint>
#include <map>
#include <set>
#include <vector>

namespace himalaya::sync {

class LineBreakers {
  public:
    void lost_at(const std::vector<store::Op>& ops) {
        for (const auto& op : ops)
            ++m_times[op.id];
    }
    void answered(const std::vector<store::Op>& ops) {
        for (const auto& op : ops)
            m_times.erase(op.id);
    }
    // How often the connection was lost at it.
    int times(store::Id op) const {
        auto found = m_times.find(op);
        return found == m_times.end() ? 0 : found->second;
    }
    // Those at which it was lost more often than that.
    std::set<store::Id> more_often(int times) const;
    // What of them shares a command with how many at most.
    std::map<store::Id, std::size_t> limits() const;

    // How many seconds one waits that has cost so many connections.
    static std::int64_t wait(int times);
    // Whether it cannot be chance any more with one of them.
    bool is_told() const;

  private:
    std::map<store::Id, int> m_times;
};

} // namespace himalaya::sync

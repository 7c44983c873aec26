#include "sync/flag_wishes.hpp"

#include "base/text.hpp"
#include "store/packing.hpp"

#include <map>
#include <set>
#include <tuple>

namespace himalaya::sync {

namespace {

// A keyword is one in whatever case.
struct Caseless {
    bool operator()(const std::string& a, const std::string& b) const {
        return text::compare_ignoring_case(a, b) < 0;
    }
};
using Keywords = std::set<std::string, Caseless>;

struct Net {
    std::uint32_t add = 0;
    std::uint32_t remove = 0;
    Keywords add_keywords;
    Keywords remove_keywords;
    std::vector<std::pair<std::size_t, std::size_t>> parts;

    void then(const store::Op& op) {
        add = (add | op.add_flags) & ~op.remove_flags;
        remove = (remove & ~op.add_flags) | op.remove_flags;
        for (auto& keyword : store::unpack_keywords(op.add_keywords)) {
            remove_keywords.erase(keyword);
            add_keywords.insert(std::move(keyword));
        }
        for (auto& keyword : store::unpack_keywords(op.remove_keywords)) {
            add_keywords.erase(keyword);
            remove_keywords.insert(std::move(keyword));
        }
    }
};

} // namespace

std::vector<NetWish> net_wishes(const std::vector<store::Op>& ops) {
    std::map<std::int64_t, Net> by_uid;
    for (std::size_t i = 0; i < ops.size(); ++i)
        for (std::size_t j = 0; j < ops[i].targets.size(); ++j)
            if (auto uid = ops[i].targets[j].uid) {
                auto& net = by_uid[*uid];
                net.then(ops[i]);
                net.parts.emplace_back(i, j);
            }
    using Key = std::tuple<std::uint32_t, std::uint32_t, Keywords, Keywords>;
    std::map<Key, NetWish> alike;
    for (auto& [uid, net] : by_uid) {
        auto& together = alike[{net.add, net.remove, net.add_keywords, net.remove_keywords}];
        together.wish.uids.add(static_cast<std::uint32_t>(uid));
        together.parts.insert(together.parts.end(), net.parts.begin(), net.parts.end());
    }
    std::vector<NetWish> wishes;
    for (auto& [key, together] : alike) {
        auto& [add, remove, add_keywords, remove_keywords] = key;
        together.wish.change = {add,
                                remove,
                                {add_keywords.begin(), add_keywords.end()},
                                {remove_keywords.begin(), remove_keywords.end()}};
        wishes.push_back(std::move(together));
    }
    return wishes;
}

} // namespace himalaya::sync

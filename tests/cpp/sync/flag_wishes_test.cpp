#include "catch.hpp"
#include "sync/flag_wishes.hpp"

using namespace himalaya;
using namespace himalaya::sync;

namespace {

store::Op op(std::uint32_t add, std::uint32_t remove, std::vector<std::int64_t> uids) {
    store::Op made;
    made.add_flags = add;
    made.remove_flags = remove;
    for (auto uid : uids)
        made.targets.push_back({uid + 100, uid, {}});
    return made;
}

} // namespace

TEST_CASE("changes that come to the same travel together, whoever stood between them") {
    std::vector<store::Op> ops = {op(store::SEEN, 0, {1}), op(store::FLAGGED, 0, {2}),
                                  op(store::SEEN, 0, {3}), op(store::FLAGGED, 0, {4})};
    auto wishes = net_wishes(ops);
    REQUIRE(wishes.size() == 2);
    REQUIRE(wishes[0].wish.uids.text() == "1,3");
    REQUIRE(wishes[0].wish.change.add == store::SEEN);
    REQUIRE(wishes[1].wish.uids.text() == "2,4");
    REQUIRE(wishes[0].parts == std::vector<std::pair<std::size_t, std::size_t>>{{0, 0}, {2, 0}});
}

TEST_CASE("the last word on a flag counts") {
    auto keyword = op(0, 0, {1});
    keyword.add_keywords = "plan todo";
    auto taken = op(0, 0, {1});
    taken.remove_keywords = "TODO";
    std::vector<store::Op> ops = {op(store::SEEN, 0, {1}), keyword, op(0, store::SEEN, {1}), taken};
    auto wishes = net_wishes(ops);
    REQUIRE(wishes.size() == 1);
    REQUIRE(wishes[0].wish.change.add == 0);
    REQUIRE(wishes[0].wish.change.remove == store::SEEN);
    REQUIRE(wishes[0].wish.change.add_keywords == std::vector<std::string>{"plan"});
    REQUIRE(wishes[0].wish.change.remove_keywords == std::vector<std::string>{"TODO"});
    REQUIRE(wishes[0].parts.size() == 4);
}

TEST_CASE("a message without a name waits") {
    std::vector<store::Op> ops = {op(store::SEEN, 0, {1})};
    ops[0].targets.push_back({200, {}, {}});
    auto wishes = net_wishes(ops);
    REQUIRE(wishes.size() == 1);
    REQUIRE(wishes[0].wish.uids.count() == 1);
}

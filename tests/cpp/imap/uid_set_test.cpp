#include "imap/uid_set.hpp"

#include "catch.hpp"

using namespace himalaya::imap;

namespace {

UidSet set(std::string_view text) {
    const auto parsed = UidSet::parse(text);
    REQUIRE(parsed.has_value());
    return *parsed;
}

} // namespace

TEST_CASE("a set is read in any order and written ascending") {
    CHECK(set("1:5,9,12:14").text() == "1:5,9,12:14");
    CHECK(set("14:12,9,5:1").text() == "1:5,9,12:14");
    CHECK(set("1,2,3,5,4").text() == "1:5");
    CHECK(set("3:6,1:4").text() == "1:6");
    CHECK(set("12:*").text() == "12:*");
    CHECK(set("*").text() == "*");
    CHECK(set("*:7").text() == "7:*");
    CHECK(set("4294967294").text() == "4294967294");
}

TEST_CASE("what is no set is refused") {
    for (const std::string_view text : {"", ",", "1,", ",1", "1:", ":1", "0", "1:0", "a", "1 2", "1:2:3",
                                        "-1", "4294967295", "99999999999", "1,,2"})
        CHECK_FALSE(UidSet::parse(text).has_value());
}

TEST_CASE("a set counts and contains") {
    const UidSet some = set("1:5,9,12:14");
    CHECK(some.count() == 9);
    CHECK(some.min() == 1);
    CHECK(some.max() == 14);
    CHECK(some.contains(1));
    CHECK(some.contains(5));
    CHECK_FALSE(some.contains(6));
    CHECK(some.contains(9));
    CHECK_FALSE(some.contains(15));
    CHECK_FALSE(UidSet().contains(1));
    CHECK(some.contains(set("2:4,13")));
    CHECK_FALSE(some.contains(set("2:6")));
    CHECK(some.contains(UidSet()));
    CHECK(UidSet().count() == 0);
    CHECK(set("1:*").count() == 4294967295u);
}

TEST_CASE("adding and removing keeps ranges apart and joined") {
    UidSet some;
    for (const uint32_t uid : {5u, 3u, 4u, 9u, 1u})
        some.add(uid);
    CHECK(some.text() == "1,3:5,9");
    some.add(2);
    CHECK(some.text() == "1:5,9");
    some.add(Range{20, 7});
    CHECK(some.text() == "1:5,7:20");
    some.remove(10);
    CHECK(some.text() == "1:5,7:9,11:20");
    some.remove(Range{4, 12});
    CHECK(some.text() == "1:3,13:20");
    some.remove(Range{1, 100});
    CHECK(some.empty());
    some.add(0);
    CHECK(some.empty());
    some.add(last_of_all);
    some.add(Range{1, 2});
    CHECK(some.text() == "1:2,*");
}

TEST_CASE("union, difference and intersection") {
    CHECK(set("1:3,7").united(set("4:6,20")).text() == "1:7,20");
    CHECK(set("1:10").without(set("3,5:7,10:12")).text() == "1:2,4,8:9");
    CHECK(set("1:10").without(set("1:10")).empty());
    CHECK(set("5").without(UidSet()).text() == "5");
    CHECK(set("1:10,20:30").shared(set("5:25")).text() == "5:10,20:25");
    CHECK(set("1:2").shared(set("3:4")).empty());
    CHECK(set("1:*").without(set("5:*")).text() == "1:4");
}

TEST_CASE("windows take the newest or the oldest") {
    const UidSet some = set("1:5,9,12:14");
    CHECK(some.newest(4).text() == "9,12:14");
    CHECK(some.newest(2).text() == "13:14");
    CHECK(some.newest(100) == some);
    CHECK(some.oldest(6).text() == "1:5,9");
    CHECK(some.newest(0).empty());
}

TEST_CASE("many numbers make few ranges") {
    std::vector<uint32_t> numbers;
    for (uint32_t uid = 1; uid <= 100000; uid++)
        numbers.push_back(uid);
    const UidSet all = UidSet::of(numbers);
    CHECK(all.text() == "1:100000");
    CHECK(all.numbers() == numbers);
    const std::vector<uint32_t> descending{7, 6, 5, 1};
    CHECK(UidSet::of(descending).text() == "1,5:7");
}

TEST_CASE("a set is cut to a byte budget, and the pieces are the set") {
    UidSet odd;
    for (uint32_t uid = 1; uid < 20000; uid += 2)
        odd.add(uid);
    UidSet joined;
    for (const std::string& piece : odd.texts(1000)) {
        CHECK(piece.size() <= 1000);
        joined = joined.united(set(piece));
    }
    CHECK(joined == odd);
    CHECK(UidSet().texts(100).empty());
    CHECK(set("4294967290:4294967294").texts(1).size() == 1);
}

TEST_CASE("COPYUID pairs follow the order sent") {
    const std::vector<Range> source{{3, 1}, {7, 7}};
    const std::vector<Range> target{{10, 12}, {20, 20}};
    const auto found = pairs(source, target);
    REQUIRE(found.has_value());
    REQUIRE(found->size() == 4);
    CHECK((*found)[0].source == 3);
    CHECK((*found)[0].target == 10);
    CHECK((*found)[2].source == 1);
    CHECK((*found)[2].target == 12);
    CHECK((*found)[3].target == 20);
    const std::vector<Range> fewer{{10, 12}};
    CHECK_FALSE(pairs(source, fewer).has_value());
    const std::vector<Range> endless{{1, last_of_all}};
    CHECK_FALSE(pairs(endless, endless).has_value());
}

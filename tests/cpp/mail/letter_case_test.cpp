#include "catch.hpp"
#include "mail/letter_case.hpp"

using namespace himalaya::mail;

TEST_CASE("each capital has its small letter and the other way round") {
    using Text = std::u32string;
    Text capitals = U"AZÀÞÖŐŽĹŃĲΆΈΌΏΑΩЀАЯЖҐԱՖ";
    Text small = U"azàþöőžĺńĳάέόώαωѐаяжґաֆ";
    REQUIRE(capitals.size() == small.size());
    for (std::size_t i = 0; i < small.size(); ++i) {
        REQUIRE(lower_case(capitals[i]) == small[i]);
        REQUIRE(upper_case(small[i]) == capitals[i]);
        REQUIRE(lower_case(small[i]) == small[i]);
        REQUIRE(upper_case(capitals[i]) == capitals[i]);
    }
    for (char32_t letter : U"1-×÷ß中あא")
        REQUIRE((lower_case(letter) == letter && upper_case(letter) == letter));
}

TEST_CASE("what is written in other cases is found by its variants") {
    using Texts = std::vector<std::string>;
    REQUIRE(case_variants("Lunch") == Texts{"Lunch"});
    REQUIRE(case_variants("привет мир") == Texts{"привет мир", "ПРИВЕТ МИР", "Привет Мир", "Привет мир"});
    REQUIRE(case_variants("Ärger") == Texts{"Ärger", "ärger", "ÄRGER"});
    REQUIRE(case_variants("中文") == Texts{"中文"});
    REQUIRE(case_variants("").size() == 1);
}

#include "base/json_in.hpp"
#include "base/json_out.hpp"
#include "catch.hpp"

using namespace himalaya;

TEST_CASE("what is missing or of another type is nothing") {
    auto document =
        json::Document::parse(R"({"a":{"n":3,"f":2.5,"t":true,"s":"x","z":null,"l":[1,"two"]},"big":3.0})")
            .or_throw();
    json::Value a = document["a"];
    REQUIRE(a.is_object());
    REQUIRE(a["n"].integer() == 3);
    REQUIRE(a["n"].number() == 3.0);
    REQUIRE_FALSE(a["f"].integer());
    REQUIRE(a["f"].number() == 2.5);
    REQUIRE(document["big"].integer() == 3);
    REQUIRE(a["t"].boolean() == true);
    REQUIRE(a["s"].string() == "x");
    REQUIRE(a["z"].is_null());
    REQUIRE_FALSE(a["s"].integer());
    REQUIRE_FALSE(a["nothing"].exists());
    REQUIRE_FALSE(a["nothing"]["deeper"]["still"].string());
    REQUIRE(a["l"].elements().size() == 2);
    REQUIRE(a["l"].elements()[1].string() == "two");
    REQUIRE(a.members().size() == 6);
    REQUIRE(a["s"].members().empty());
}

TEST_CASE("broken JSON is an error and no more") {
    std::string deep(100'000, '[');
    for (std::string bad : {std::string(), std::string("{"), std::string("{\"a\":}"), std::string("nul"),
                            std::string("\"\xff\""), std::string("{} {}"), deep}) {
        auto document = json::Document::parse(bad);
        REQUIRE_FALSE(document);
        REQUIRE(document.error().code == Code::invalid);
    }
    REQUIRE_FALSE(json::Document::parse("[1,2,3]", 3));
}

TEST_CASE("a document that moved still has its values") {
    auto first = json::Document::parse(R"(["kept"])").or_throw();
    json::Document second = std::move(first);
    REQUIRE(second.root().elements()[0].string() == "kept");
}

TEST_CASE("what is written can be read, whatever the bytes") {
    json::Writer out;
    out.begin_object();
    out.member("quote", "a\"b\\c\n\x01\x7f\xff");
    out.member("int", -5)
        .member("big", ~0ull)
        .member("real", 0.1)
        .member("yes", true)
        .member("none", nullptr);
    out.key("list").begin_array().value(1).value("two").begin_object().end_object().end_array();
    out.key("raw").raw("[null]");
    out.end_object();
    auto document = json::Document::parse(out.str()).or_throw();
    REQUIRE(document["quote"].string() == "a\"b\\c\n\x01\x7f\xef\xbf\xbd");
    REQUIRE(document["int"].integer() == -5);
    REQUIRE(document["real"].number() == 0.1);
    REQUIRE(document["list"].elements().size() == 3);
    REQUIRE(document["raw"].is_array());
    REQUIRE(out.str().find('\n') == std::string::npos);
}

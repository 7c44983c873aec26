#include "base/json_in.hpp"

#include <cmath>
#include <cstring>
#include <type_traits>

#include <fmt/format.h>
// Nothing here throws; and without its exceptions all we need of the library is one function, which is found when the
// first JSON comes (cpp/lua/lazy/).
#define SIMDJSON_EXCEPTIONS 0
#include <simdjson.h>

namespace himalaya::json {

using simdjson::dom::element;
using simdjson::dom::element_type;

struct Document::Parser {
    simdjson::dom::parser parser;
    element root;
};

namespace {

// An element is two words, a document and an index; Value carries them without simdjson's header.
static_assert(sizeof(element) == sizeof(Value) && std::is_trivially_copyable_v<element>);

element of(const Value& value) {
    element at;
    std::memcpy(static_cast<void*>(&at), static_cast<const void*>(&value), sizeof at);
    return at;
}

Value value_of(const element& at) {
    Value value;
    std::memcpy(static_cast<void*>(&value), static_cast<const void*>(&at), sizeof at);
    return value;
}

// What a person can do something with; the other codes are about the text's grammar.
const char* why(simdjson::error_code failure) {
    switch (failure) {
    case simdjson::EMPTY:
        return "it is empty";
    case simdjson::UTF8_ERROR:
        return "it is not UTF-8";
    case simdjson::DEPTH_ERROR:
        return "it is nested too deeply";
    case simdjson::UNCLOSED_STRING:
        return "a string does not end";
    case simdjson::NUMBER_ERROR:
        return "a number is none";
    case simdjson::STRING_ERROR:
    case simdjson::UNESCAPED_CHARS:
        return "a string holds what it may not";
    case simdjson::MEMALLOC:
        return "there is not enough memory";
    default:
        return "its grammar is wrong";
    }
}

bool has_type(const Value& value, element_type type) {
    return value.exists() && of(value).type() == type;
}

} // namespace

bool Value::is_null() const {
    return has_type(*this, element_type::NULL_VALUE);
}
bool Value::is_object() const {
    return has_type(*this, element_type::OBJECT);
}
bool Value::is_array() const {
    return has_type(*this, element_type::ARRAY);
}

std::optional<std::string_view> Value::string() const {
    std::string_view text;
    if (exists() && of(*this).get_string().get(text) == simdjson::SUCCESS)
        return text;
    return std::nullopt;
}

std::optional<std::int64_t> Value::integer() const {
    if (!exists())
        return std::nullopt;
    element at = of(*this);
    std::int64_t whole = 0;
    if (at.get_int64().get(whole) == simdjson::SUCCESS)
        return whole;
    double real = 0;
    if (at.type() == element_type::DOUBLE && at.get_double().get(real) == simdjson::SUCCESS &&
        std::floor(real) == real && std::fabs(real) < 9e15)
        return static_cast<std::int64_t>(real);
    return std::nullopt;
}

std::optional<double> Value::number() const {
    double real = 0;
    if (exists() && of(*this).get_double().get(real) == simdjson::SUCCESS)
        return real;
    return std::nullopt;
}

std::optional<bool> Value::boolean() const {
    bool truth = false;
    if (exists() && of(*this).get_bool().get(truth) == simdjson::SUCCESS)
        return truth;
    return std::nullopt;
}

Value Value::operator[](std::string_view key) const {
    element member;
    simdjson::dom::object object;
    if (!exists() || of(*this).get_object().get(object) != simdjson::SUCCESS ||
        object.at_key(key).get(member) != simdjson::SUCCESS)
        return {};
    return value_of(member);
}

std::vector<Value> Value::elements() const {
    std::vector<Value> all;
    simdjson::dom::array array;
    if (exists() && of(*this).get_array().get(array) == simdjson::SUCCESS)
        for (element at : array)
            all.push_back(value_of(at));
    return all;
}

std::vector<std::pair<std::string_view, Value>> Value::members() const {
    std::vector<std::pair<std::string_view, Value>> all;
    simdjson::dom::object object;
    if (exists() && of(*this).get_object().get(object) == simdjson::SUCCESS)
        for (auto field : object)
            all.emplace_back(field.key, value_of(field.value));
    return all;
}

Document::Document(std::unique_ptr<Parser> parser) : m_parser(std::move(parser)) {}
Document::Document(Document&&) noexcept = default;
Document& Document::operator=(Document&&) noexcept = default;
Document::~Document() = default;

Result<Document> Document::parse(std::string_view text, std::size_t most) {
    if (text.size() > most)
        return make_error(Code::invalid, fmt::format("The JSON is larger than {} bytes.", most));
    auto parser = std::make_unique<Parser>();
    auto failure = parser->parser.parse(text.data(), text.size()).get(parser->root);
    if (failure != simdjson::SUCCESS)
        return make_error(Code::invalid, fmt::format("This is no JSON: {}.", why(failure)));
    return Document(std::move(parser));
}

Value Document::root() const {
    return value_of(m_parser->root);
}

void get_ready() {
    (void)Document::parse("{}");
}

} // namespace himalaya::json

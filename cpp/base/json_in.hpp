// JSON that others wrote: files shared between processes, answers of token servers, output of programs.
// Reading never throws and never trusts: what is missing or of another type is nothing, and the caller's
// default stands. simdjson's header costs seconds of every compilation, so it stays in the .cpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace himalaya::json {

// A place in a Document; valid as long as that lives. An absent value has no type and no members.
class Value {
  public:
    Value() = default;

    bool exists() const { return m_document != nullptr; }
    bool is_null() const;
    bool is_object() const;
    bool is_array() const;

    std::optional<std::string_view> string() const;
    std::optional<std::int64_t> integer() const; // 3.0 counts, 3.5 does not
    std::optional<double> number() const;
    std::optional<bool> boolean() const;

    // A member of an object.
    Value operator[](std::string_view key) const;
    // The elements of an array, the members of an object; empty for all else.
    std::vector<Value> elements() const;
    std::vector<std::pair<std::string_view, Value>> members() const;

  private:
    friend class Document;
    const void* m_document = nullptr; // simdjson's tape reference, see json_in.cpp
    std::size_t m_index = 0;
};

class Document {
  public:
    // Code::invalid with where and why when it is no JSON, or larger than `most`.
    static Result<Document> parse(std::string_view text, std::size_t most = 64 << 20);
    Document(Document&&) noexcept;
    Document& operator=(Document&&) noexcept;
    ~Document();

    Value root() const;
    Value operator[](std::string_view key) const { return root()[key]; }

  private:
    struct Parser;
    explicit Document(std::unique_ptr<Parser> parser);
    std::unique_ptr<Parser> m_parser;
};

// Loads what reading takes, a millisecond's work and a file or two; for a thread that has time.
void get_ready();

} // namespace himalaya::json

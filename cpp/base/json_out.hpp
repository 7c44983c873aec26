// JSON written by us, member by member; commas, escapes and broken UTF-8 are taken care of.
//     json::Writer out;
//     out.begin_object().member("pid", pid).key("progress").begin_object().end_object().end_object();
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

namespace himalaya::json {

class Writer {
  public:
    Writer& begin_object() { return open('{'); }
    Writer& end_object() { return close('}'); }
    Writer& begin_array() { return open('['); }
    Writer& end_array() { return close(']'); }

    Writer& key(std::string_view name);
    Writer& value(std::string_view text);
    Writer& value(const char* text) { return value(std::string_view(text)); }
    Writer& value(const std::string& text) { return value(std::string_view(text)); }
    Writer& value(double number); // infinities and NaN become null
    Writer& value(bool truth);
    Writer& value(std::nullptr_t);
    template<std::integral T>
    requires(!std::same_as<T, bool>) Writer& value(T number) {
        if constexpr (std::signed_integral<T>)
            return integer(static_cast<std::int64_t>(number));
        else
            return natural(static_cast<std::uint64_t>(number));
    }
    // JSON that is ready already.
    Writer& raw(std::string_view json);

    template<class T>
    Writer& member(std::string_view name, const T& what) {
        return key(name).value(what);
    }

    const std::string& str() const& { return m_out; }
    std::string str() && { return std::move(m_out); }

  private:
    Writer& open(char c);
    Writer& close(char c);
    Writer& integer(std::int64_t number);
    Writer& natural(std::uint64_t number);
    void comma();

    std::string m_out;
    bool m_first = true;
};

// A string with its quotes.
std::string quoted(std::string_view text);

} // namespace himalaya::json

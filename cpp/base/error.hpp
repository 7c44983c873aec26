// The one kind of failure in the house. Inside tasks it is thrown; at every edge (Lua, events, the op log) it
// is a value. Its code is for programs, its message one sentence for a person, its hint what that person does
// next.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace himalaya {

enum class Code {
    timeout,     // no answer in the time given
    cancelled,   // somebody asked for it to stop
    auth,        // the server did not take our name or secret
    offline,     // no connection, no route, no name
    tls,         // the certificate or the handshake
    throttled,   // the server asks us to come back later
    locked,      // another process has it
    busy,        // too much is under way already
    protocol,    // the server said what we cannot understand
    uidvalidity, // the folder was made anew on the server
    exit,        // a program ended with something else than 0
    not_found,   // no such message, folder, account, program
    invalid,     // data from outside that makes no sense
    config,      // the user's options
    store,       // the database or the disk under it
    unsupported, // the server or source cannot do this
    internal     // our own bug
};

std::string_view name_of(Code code);
std::optional<Code> code_of(std::string_view name);

struct Error {
    Code code = Code::internal;
    std::string message;
    std::string hint;
    bool retryable = false;
    std::string detail; // JSON, for programs; empty when there is none
};

// True for what passes by itself: offline, timeout, throttled, busy, locked.
bool passes_by_itself(Code code);

// An Error whose `retryable` follows from its code.
Error make_error(Code code, std::string message, std::string hint = {});

// A value or why there is none. Never empty.
template<class T>
class [[nodiscard]] Result {
  public:
    Result(T value) : m_state(std::in_place_index<0>, std::move(value)) {}
    Result(Error error) : m_state(std::in_place_index<1>, std::move(error)) {}

    explicit operator bool() const { return m_state.index() == 0; }
    T& operator*() & { return std::get<0>(m_state); }
    const T& operator*() const& { return std::get<0>(m_state); }
    T&& operator*() && { return std::get<0>(std::move(m_state)); }
    T* operator->() { return &std::get<0>(m_state); }
    const T* operator->() const { return &std::get<0>(m_state); }
    Error& error() { return std::get<1>(m_state); }
    const Error& error() const { return std::get<1>(m_state); }

    // For code inside tasks: the value, or the error thrown.
    T or_throw() && {
        if (m_state.index() == 1)
            throw std::get<1>(std::move(m_state));
        return std::get<0>(std::move(m_state));
    }

  private:
    std::variant<T, Error> m_state;
};

template<>
class [[nodiscard]] Result<void> {
  public:
    Result() = default;
    Result(Error error) : m_error(std::move(error)) {}

    explicit operator bool() const { return !m_error; }
    Error& error() { return *m_error; }
    const Error& error() const { return *m_error; }
    void or_throw() && {
        if (m_error)
            throw *std::move(m_error);
    }

  private:
    std::optional<Error> m_error;
};

} // namespace himalaya

// Task<T>: a coroutine that does nothing until it is awaited, and is awaited once. What it throws arrives at
// the await. It is never destroyed while it waits: it is cancelled, and unwinds from its next await.
//
// A child that ends without waiting hands back by a return value and not by symmetric transfer: GCC only
// makes those jumps tail calls when it optimises without sanitizers, and a loop of 100,000 such awaits would
// use up the stack in the tests' builds.
//
// GCC 12 mishandles temporaries with destructors inside a co_await expression: name them first.
//     std::string line = fmt::format(...);
//     co_await send(line);
#pragma once

#include <coroutine>
#include <exception>
#include <optional>
#include <utility>

#include "base/error.hpp"
#include "base/function.hpp"

namespace himalaya::loop {

template<class T = void>
class Task;

namespace detail {

struct TaskPromiseBase {
    struct Final {
        bool await_ready() const noexcept { return false; }
        template<class Promise>
        void await_suspend(std::coroutine_handle<Promise> handle) const noexcept {
            TaskPromiseBase& promise = handle.promise();
            promise.done = true;
            // The parent may destroy this frame: nothing after this line touches it.
            if (!promise.starting)
                promise.parent.resume();
        }
        void await_resume() const noexcept {}
    };

    std::suspend_always initial_suspend() const noexcept { return {}; }
    Final final_suspend() const noexcept { return {}; }
    void unhandled_exception() noexcept { failure = std::current_exception(); }

    std::coroutine_handle<> parent;
    std::exception_ptr failure;
    bool starting = false;
    bool done = false;
};

template<class T>
struct TaskPromise : TaskPromiseBase {
    Task<T> get_return_object() noexcept;
    template<class U>
    void return_value(U&& given) {
        value.emplace(std::forward<U>(given));
    }
    T take() {
        if (failure)
            std::rethrow_exception(std::exchange(failure, nullptr));
        return std::move(*value);
    }
    std::optional<T> value;
};

template<>
struct TaskPromise<void> : TaskPromiseBase {
    Task<void> get_return_object() noexcept;
    void return_void() const noexcept {}
    void take() {
        if (failure)
            std::rethrow_exception(std::exchange(failure, nullptr));
    }
};

} // namespace detail

template<class T>
class [[nodiscard]] Task {
  public:
    using promise_type = detail::TaskPromise<T>;
    using Handle = std::coroutine_handle<promise_type>;

    Task() = default;
    explicit Task(Handle handle) : m_handle(handle) {}
    Task(Task&& other) noexcept : m_handle(std::exchange(other.m_handle, nullptr)) {}
    Task& operator=(Task&& other) noexcept {
        if (this != &other) {
            if (m_handle)
                m_handle.destroy();
            m_handle = std::exchange(other.m_handle, nullptr);
        }
        return *this;
    }
    ~Task() {
        if (m_handle)
            m_handle.destroy();
    }

    explicit operator bool() const { return static_cast<bool>(m_handle); }

    // As an awaitable: the task stays with who awaits it.
    bool await_ready() const noexcept { return false; }
    bool await_suspend(std::coroutine_handle<> parent) {
        promise_type& promise = m_handle.promise();
        promise.parent = parent;
        promise.starting = true;
        m_handle.resume();
        promise.starting = false;
        return !promise.done;
    }
    T await_resume() { return m_handle.promise().take(); }

  private:
    Handle m_handle = nullptr;
};

template<class T>
Task<T> detail::TaskPromise<T>::get_return_object() noexcept {
    return Task<T>(std::coroutine_handle<TaskPromise<T>>::from_promise(*this));
}

inline Task<void> detail::TaskPromise<void>::get_return_object() noexcept {
    return Task<void>(std::coroutine_handle<TaskPromise<void>>::from_promise(*this));
}

// Runs a task from the top: at once, until its first wait. done is called exactly once, with what it threw or
// nothing; what is no Error arrives as Code::internal.
void start(Task<void> task, Function<void(std::optional<Error>)> done);

// What the current exception says, as an Error. Only inside a catch block.
Error current_error();

} // namespace himalaya::loop

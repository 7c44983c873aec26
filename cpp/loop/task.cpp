#include "loop/task.hpp"

namespace himalaya::loop {

namespace {

// The top of a chain: owns its frame and frees it at the end.
struct Root {
    struct promise_type {
        Root get_return_object() const noexcept { return {}; }
        std::suspend_never initial_suspend() const noexcept { return {}; }
        std::suspend_never final_suspend() const noexcept { return {}; }
        void return_void() const noexcept {}
        void unhandled_exception() const noexcept { std::terminate(); }
    };
};

Root run(Task<void> task, Function<void(std::optional<Error>)> done) {
    std::optional<Error> error;
    try {
        co_await task;
    } catch (...) {
        error = current_error();
    }
    // What the task held is gone before anybody hears that it ended.
    task = Task<void>();
    done(std::move(error));
}

} // namespace

void start(Task<void> task, Function<void(std::optional<Error>)> done) {
    run(std::move(task), std::move(done));
}

Error current_error() {
    try {
        throw;
    } catch (const Error& error) {
        return error;
    } catch (const std::exception& error) {
        return make_error(Code::internal, error.what(), "This is a bug: please report it with :HimalayaLog.");
    } catch (...) {
        return make_error(Code::internal, "Something unknown was thrown.",
                          "This is a bug: please report it with :HimalayaLog.");
    }
}

} // namespace himalaya::loop

// Asking work to stop. A source is held by who may ask, its tokens by who listens. Cancelling is synchronous:
// every waiter is resumed with the reason before cancel() returns, so nothing has to be remembered for later.
// Main thread only, except CancelToken::cancelled(), which workers poll.
#pragma once

#include <memory>

#include "base/error.hpp"
#include "base/function.hpp"

namespace himalaya::loop {

namespace detail {
struct CancelState;
}

// Listens as long as it lives. Movable; an empty one listens to nothing.
class [[nodiscard]] Registration {
  public:
    Registration() = default;
    Registration(Registration&& other) noexcept;
    Registration& operator=(Registration&& other) noexcept;
    ~Registration() { reset(); }

    void reset();

  private:
    friend class CancelToken;
    friend class CancelSource;

    std::shared_ptr<detail::CancelState> m_state; // null: not in a list
    Registration* m_next = nullptr;
    Registration* m_previous = nullptr;
    Function<void()> m_fn;
};

class CancelToken {
  public:
    // A token that is never cancelled.
    CancelToken() = default;

    // Callable from any thread.
    bool cancelled() const;
    // Why: what cancel() was given. Only after cancelled().
    const Error& error() const;
    void throw_if_cancelled() const {
        if (cancelled())
            throw Error(error());
    }
    // fn runs once when it is cancelled; at once, before this returns, when it is already.
    Registration on_cancel(Function<void()> fn) const;

  private:
    friend class CancelSource;
    explicit CancelToken(std::shared_ptr<detail::CancelState> state) : m_state(std::move(state)) {}
    std::shared_ptr<detail::CancelState> m_state;
};

class CancelSource {
  public:
    CancelSource();
    // A child: cancelled with the parent, and alone.
    explicit CancelSource(const CancelToken& parent);
    CancelSource(CancelSource&&) = default;
    CancelSource& operator=(CancelSource&&) = default;

    CancelToken token() const { return CancelToken(m_state); }
    bool cancelled() const { return token().cancelled(); }
    // The first reason stays; later calls do nothing. A timeout is a cancel with Code::timeout.
    void cancel();
    void cancel(Error reason);

  private:
    static void run(std::shared_ptr<detail::CancelState> state, Error reason);

    std::shared_ptr<detail::CancelState> m_state;
    Registration m_parent;
};

} // namespace himalaya::loop

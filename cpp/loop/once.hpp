// What a task waits for. Once<T>: one answer for one waiter (a reply, an exit). Gate: a door that any number
// of tasks wait at (logged in, room in the queue). Both resume inline: whoever fulfils or opens must not rely
// on anything those tasks may change, and must be done with its own state first.
#pragma once

#include <cassert>
#include <coroutine>
#include <memory>
#include <optional>
#include <utility>

#include "base/error.hpp"
#include "loop/cancel.hpp"

namespace himalaya::loop {

template<class T>
class Once {
  public:
    class [[nodiscard]] Wait {
      public:
        Wait(Once& once, const CancelToken& token) : m_once(&once), m_token(token) {}
        Wait(const Wait&) = delete;
        Wait& operator=(const Wait&) = delete;
        ~Wait() {
            if (m_once && m_once->m_waiter == this)
                m_once->m_waiter = nullptr;
        }

        bool await_ready() {
            if (m_once->m_result)
                m_result = std::exchange(m_once->m_result, std::nullopt);
            else if (m_token.cancelled())
                m_result.emplace(m_token.error());
            if (!m_result)
                return false;
            m_once = nullptr;
            return true;
        }
        void await_suspend(std::coroutine_handle<> handle) {
            assert(!m_once->m_waiter && "a Once has one waiter");
            m_handle = handle;
            m_once->m_waiter = this;
            m_cancel = m_token.on_cancel([this] { resume(m_token.error()); });
        }
        T await_resume() { return std::move(*m_result).or_throw(); }

      private:
        friend class Once;

        void resume(Result<T> result) {
            m_result.emplace(std::move(result));
            m_once->m_waiter = nullptr;
            m_once = nullptr;
            m_cancel.reset();
            m_handle.resume();
        }

        Once* m_once;
        CancelToken m_token;
        Registration m_cancel;
        std::coroutine_handle<> m_handle;
        std::optional<Result<T>> m_result;
    };

    Once() = default;
    Once(const Once&) = delete;
    Once& operator=(const Once&) = delete;
    // Whoever still waits is told so.
    ~Once() {
        if (m_waiter)
            m_waiter->resume(make_error(Code::cancelled, "Nobody is left to answer."));
    }

    // `co_await once.wait(token)`: the value, or the error thrown; the token's reason when that comes first.
    Wait wait(const CancelToken& token) { return Wait(*this, token); }
    Wait wait() { return Wait(*this, CancelToken()); }

    // The first answer counts; false for later ones.
    bool fulfil(Result<T> result) {
        if (m_done)
            return false;
        m_done = true;
        if (m_waiter)
            m_waiter->resume(std::move(result));
        else
            m_result.emplace(std::move(result));
        return true;
    }
    bool fulfilled() const { return m_done; }

  private:
    Wait* m_waiter = nullptr;
    std::optional<Result<T>> m_result;
    bool m_done = false;
};

// The other end of a shared Once, for callbacks: dropped without an answer it says so, so nobody waits for
// ever.
template<class T>
class Reply {
  public:
    explicit Reply(std::shared_ptr<Once<T>> once) : m_once(std::move(once)) {}
    Reply(Reply&&) noexcept = default;
    Reply& operator=(Reply&&) = delete;
    ~Reply() {
        if (m_once)
            m_once->fulfil(make_error(Code::cancelled, "Cancelled."));
    }
    void answer(Result<T> result) {
        if (auto once = std::exchange(m_once, nullptr))
            once->fulfil(std::move(result));
    }

  private:
    std::shared_ptr<Once<T>> m_once;
};

class Gate {
  public:
    class [[nodiscard]] Wait {
      public:
        Wait(Gate& gate, const CancelToken& token) : m_gate(&gate), m_token(token) {}
        Wait(const Wait&) = delete;
        Wait& operator=(const Wait&) = delete;
        ~Wait() { leave(); }

        bool await_ready() const { return m_gate->m_open || m_token.cancelled(); }
        void await_suspend(std::coroutine_handle<> handle) {
            m_handle = handle;
            m_previous = m_gate->m_last;
            (m_gate->m_last ? m_gate->m_last->m_next : m_gate->m_first) = this;
            m_gate->m_last = this;
            m_waiting = true;
            m_cancel = m_token.on_cancel([this] { resume(); });
        }
        void await_resume() const {
            if (m_gone)
                throw make_error(Code::cancelled, "Nobody is left to answer.");
            m_token.throw_if_cancelled();
        }

      private:
        friend class Gate;

        void leave() {
            if (!std::exchange(m_waiting, false))
                return;
            (m_previous ? m_previous->m_next : m_gate->m_first) = m_next;
            (m_next ? m_next->m_previous : m_gate->m_last) = m_previous;
            m_next = m_previous = nullptr;
        }
        void resume() {
            leave();
            m_cancel.reset();
            m_handle.resume();
        }

        Gate* m_gate;
        CancelToken m_token;
        Registration m_cancel;
        std::coroutine_handle<> m_handle;
        Wait* m_next = nullptr;
        Wait* m_previous = nullptr;
        bool m_waiting = false;
        bool m_gone = false;
    };

    explicit Gate(bool open = false) : m_open(open) {}
    Gate(const Gate&) = delete;
    Gate& operator=(const Gate&) = delete;
    ~Gate() {
        if (m_destroyed)
            *m_destroyed = true;
        while (Wait* waiter = m_first) {
            waiter->m_gone = true;
            waiter->resume();
        }
    }

    Wait wait(const CancelToken& token) { return Wait(*this, token); }
    Wait wait() { return Wait(*this, CancelToken()); }

    bool is_open() const { return m_open; }
    void close() { m_open = false; }
    // Everybody goes through, in the order they came; those who come meanwhile and find it closed wait.
    void open() {
        m_open = true;
        let(~std::size_t(0));
    }
    // One goes through, the gate stays as it is; false when nobody waits.
    bool let_one() { return let(1) == 1; }
    bool has_waiters() const { return m_first != nullptr; }

  private:
    std::size_t let(std::size_t most) {
        bool destroyed = false;
        bool* outer = std::exchange(m_destroyed, &destroyed);
        std::size_t gone = 0;
        while (gone < most && m_first && (most == 1 || m_open)) {
            ++gone;
            m_first->resume();
            if (destroyed) {
                if (outer)
                    *outer = true;
                return gone;
            }
        }
        m_destroyed = outer;
        return gone;
    }

    Wait* m_first = nullptr;
    Wait* m_last = nullptr;
    bool* m_destroyed = nullptr;
    bool m_open;
};

} // namespace himalaya::loop

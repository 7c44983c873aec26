#include "loop/cancel.hpp"

#include <atomic>

namespace himalaya::loop {

namespace detail {

struct CancelState {
    std::atomic<bool> cancelled = false;
    Error reason;
    Registration* first = nullptr;
    Registration* last = nullptr;
};

} // namespace detail

Registration::Registration(Registration&& other) noexcept {
    *this = std::move(other);
}

Registration& Registration::operator=(Registration&& other) noexcept {
    if (this == &other)
        return *this;
    reset();
    m_fn = std::move(other.m_fn);
    m_state = std::move(other.m_state);
    m_next = std::exchange(other.m_next, nullptr);
    m_previous = std::exchange(other.m_previous, nullptr);
    if (m_state) {
        (m_previous ? m_previous->m_next : m_state->first) = this;
        (m_next ? m_next->m_previous : m_state->last) = this;
    }
    return *this;
}

void Registration::reset() {
    if (!m_state)
        return;
    (m_previous ? m_previous->m_next : m_state->first) = m_next;
    (m_next ? m_next->m_previous : m_state->last) = m_previous;
    m_next = m_previous = nullptr;
    m_state = nullptr;
    m_fn = nullptr;
}

bool CancelToken::cancelled() const {
    return m_state && m_state->cancelled.load(std::memory_order_acquire);
}

const Error& CancelToken::error() const {
    return m_state->reason;
}

Registration CancelToken::on_cancel(Function<void()> fn) const {
    Registration registration;
    if (!m_state)
        return registration;
    if (cancelled()) {
        fn();
        return registration;
    }
    registration.m_state = m_state;
    registration.m_fn = std::move(fn);
    registration.m_previous = m_state->last;
    (m_state->last ? m_state->last->m_next : m_state->first) = &registration;
    m_state->last = &registration;
    return registration;
}

CancelSource::CancelSource() : m_state(std::make_shared<detail::CancelState>()) {}

CancelSource::CancelSource(const CancelToken& parent) : CancelSource() {
    m_parent = parent.on_cancel([state = m_state, from = parent]() mutable {
        Error reason = from.error();
        run(std::move(state), std::move(reason));
    });
}

void CancelSource::cancel() {
    cancel(make_error(Code::cancelled, "Cancelled."));
}

void CancelSource::cancel(Error reason) {
    run(m_state, std::move(reason));
}

// Waiters may end each other, register anew or drop the source while this runs: only `state`, held here, is
// touched.
void CancelSource::run(std::shared_ptr<detail::CancelState> state, Error reason) {
    if (state->cancelled.load(std::memory_order_relaxed))
        return;
    state->reason = std::move(reason);
    state->cancelled.store(true, std::memory_order_release);
    while (Registration* first = state->first) {
        Function<void()> fn = std::move(first->m_fn);
        first->reset();
        fn();
    }
}

} // namespace himalaya::loop

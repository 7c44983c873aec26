// Who holds a session's folder, who waits for another one, and what the connection does when nobody wants anything:
// it idles.
#include "imap/session.hpp"

#include <algorithm>
#include <utility>

namespace himalaya::imap {

void Session::Use::release() {
    auto session = std::exchange(m_session, nullptr);
    if (!session)
        return;
    --session->m_users;
    if (std::exchange(m_holds, false))
        --session->m_holders;
    session->admit();
}

loop::Task<Session::Use> Session::use(std::string folder, Priority priority, loop::CancelToken token) {
    auto self = shared_from_this();
    if (m_error)
        throw Error(*m_error);
    bool held = m_holders > 0 && m_use_folder == folder;
    bool wanted = !held && std::any_of(m_waiters.begin(), m_waiters.end(),
                                       [&](auto* waiter) { return waiter->priority <= priority; });
    if (!wanted && (m_users == 0 || m_use_folder == folder)) {
        ++m_users;
        m_use_folder = std::move(folder);
        co_return Use(self);
    }
    Waiter waiter;
    waiter.folder = std::move(folder);
    waiter.priority = priority;
    auto place = std::find_if(m_waiters.begin(), m_waiters.end(),
                              [&](auto* other) { return other->priority > priority; });
    m_waiters.insert(place, &waiter);
    for (auto* listener : std::vector(m_listeners))
        listener->on_wanted(*this);
    try {
        co_await waiter.once.wait(token);
    } catch (...) {
        m_waiters.remove(&waiter);
        throw;
    }
    co_return Use(self);
}

loop::Task<Session::Use> Session::hold(std::string folder, Priority priority, loop::CancelToken token) {
    auto self = shared_from_this();
    auto using_it = use(std::move(folder), priority, std::move(token));
    auto one = co_await using_it;
    ++m_holders;
    one.m_holds = true;
    co_return one;
}

void Session::admit() {
    while (!m_waiters.empty() && !m_error) {
        auto* waiter = m_waiters.front();
        if (m_users > 0 && waiter->folder != m_use_folder)
            return;
        m_waiters.pop_front();
        ++m_users;
        m_use_folder = waiter->folder;
        waiter->once.fulfil(true);
    }
}

bool Session::is_wanted(Priority than) const {
    return std::any_of(m_waiters.begin(), m_waiters.end(),
                       [&](auto* waiter) { return waiter->priority < than; });
}

// ---- IDLE

void Session::set_idling(bool on) {
    if (m_error || m_idle_wanted == on)
        return;
    m_idle_wanted = on;
    if (!on && m_idling) {
        if (m_idle_granted) {
            m_idling = m_idle_granted = false;
            m_engine.end_idle(m_idle);
        } else {
            m_idle_done_due = true;
        }
    }
    flush();
}

void Session::go_on_idling() {
    if (!m_idle_wanted || m_idling || m_error || m_engine.state() != State::selected)
        return;
    Request request{Command(m_dialect, "IDLE"), "IDLE"};
    request.holds = true;
    request.waits = true;
    auto id = m_engine.submit(std::move(request));
    if (!id)
        return;
    m_idle = *id;
    m_idle_since_ms = m_loop.now_ms();
    m_idling = true;
    m_idle_granted = m_idle_done_due = false;
}

} // namespace himalaya::imap

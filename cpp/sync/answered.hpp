// Tells what an IMAP server answered from what became of the line to it. A greeting of garbage, a login that fails, a BYE
// with a code and a line that breaks can all carry the codes of a refusal; but they say nothing of the change that was
// under way, and a change that is taken for refused is given up.
#pragma once

#include "imap/session.hpp"
#include "sync/source.hpp"

#include <memory>

namespace himalaya::sync {

template<class T>
loop::Task<T> answered(std::shared_ptr<imap::Session> session, loop::Task<T> asking) {
    try {
        co_return co_await asking;
    } catch (const Error& error) {
        if (session->alive())
            throw;
        throw LineLost(error);
    }
}

} // namespace himalaya::sync

// What the files of native.imap share: the clients that are open and the operations under way.
#pragma once

#include "imap/pool.hpp"
#include "loop/timer.hpp"
#include "loop/worker.hpp"
#include "lua/imap_values.hpp"
#include "lua/operations.hpp"
#include "net/net.hpp"

#include <map>
#include <memory>
#include <optional>
#include <string>

namespace himalaya::lua {

struct ImapClient {
    uint64_t id = 0;
    std::shared_ptr<imap::Pool> pool;
};

class ImapArea {
  public:
    explicit ImapArea(Runtime& of);
    static ImapArea& of(Runtime& runtime);

    std::shared_ptr<ImapClient> check_client(lua_State* L, int index);
    loop::Worker& worker();

    Runtime& runtime;
    net::Net net;
    std::map<uint64_t, std::shared_ptr<ImapClient>> clients;
    Operations operations;
    uint64_t last = 0; // number given to a client or a file

  private:
    std::unique_ptr<loop::Worker> m_worker;
};

imap::Priority check_priority(const std::optional<std::string>& name, imap::Priority fallback);

// A read that was cut off by a lost connection is done again on another one, a few times.
bool may_try_again(const Error& error, const imap::Session& session, int attempt);
uint64_t retry_wait_ms(int attempt);

// fn(session, token) -> Task<Arguments> on a connection that fits; again on another one when `repeatable` and it was
// lost.
template<class F>
loop::Task<Arguments> on_session(loop::Loop& loop, std::shared_ptr<imap::Pool> pool, std::string folder,
                                 bool repeatable, F fn, loop::CancelToken token) {
    for (int attempt = 0;; ++attempt) {
        auto session = co_await pool->take(folder, imap::Priority::user, token);
        std::optional<Error> failed;
        Arguments result;
        try {
            auto asking = fn(session, token);
            result = co_await asking;
        } catch (Error& error) {
            failed = error;
        }
        if (!failed)
            co_return result;
        if (!repeatable || !may_try_again(*failed, *session, attempt))
            throw Error(*failed);
        co_await loop::sleep(loop, retry_wait_ms(attempt), token);
    }
}

// The frame of most functions here: begins fn for the client at 1, tells the callback at `callback`.
template<class F>
int ask(lua_State* L, Runtime& runtime, int callback, std::string folder, bool repeatable, F fn) {
    auto& area = ImapArea::of(runtime);
    auto pool = area.check_client(L, 1)->pool;
    return area.operations.run(L, check_function(L, callback, "cb"), pool->token(),
                               [&loop = runtime.loop(), pool, folder = std::move(folder), repeatable,
                                fn = std::move(fn)](loop::CancelToken token) {
                                   return on_session(loop, pool, folder, repeatable, fn, std::move(token));
                               });
}

int imap_fetch(lua_State* L, Runtime& runtime);
// What changes mail, added to the table on top of the stack.
void add_imap_changing(lua_State* L);

} // namespace himalaya::lua

// What the files of native.imap share: the clients that are open and the operations under way.
#pragma once

#include "imap/pool.hpp"
#include "loop/worker.hpp"
#include "lua/imap_values.hpp"
#include "lua/runtime.hpp"
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

// One call from Lua: its callback is called once, with an error or what succeed() was given.
struct ImapOperation {
    ImapOperation(Events& to, const loop::CancelToken& parent) : events(to), cancel(parent) {}

    uint64_t id = 0;
    std::shared_ptr<ImapClient> client;
    Ref callback;
    Events& events;
    loop::CancelSource cancel;
    bool done = false;

    bool cancelled() const { return cancel.cancelled(); }
    void succeed(Arguments result);
    void fail(Error error);
};

class ImapArea {
  public:
    explicit ImapArea(Runtime& of);
    static ImapArea& of(Runtime& runtime);

    std::shared_ptr<ImapClient> check_client(lua_State* L, int index);
    std::shared_ptr<ImapOperation> begin(std::shared_ptr<ImapClient> client, Ref callback);
    void run(std::shared_ptr<ImapOperation> operation, loop::Task<void> task);
    loop::Worker& worker();

    Runtime& runtime;
    net::Net net;
    std::map<uint64_t, std::shared_ptr<ImapClient>> clients;
    std::map<uint64_t, std::shared_ptr<ImapOperation>> operations;
    uint64_t last = 0;

  private:
    std::unique_ptr<loop::Worker> m_worker;
};

imap::Priority check_priority(const std::optional<std::string>& name, imap::Priority fallback);

// A read that was cut off by a lost connection is done again on another one, a few times.
bool may_try_again(const Error& error, const imap::Session& session, int attempt);
uint64_t retry_wait_ms(int attempt);

int imap_fetch(lua_State* L, Runtime& runtime);

} // namespace himalaya::lua

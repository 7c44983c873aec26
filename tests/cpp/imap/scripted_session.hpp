// A session on a scripted server, for the tests of what is asked of one.
#pragma once

#include "imap/account.hpp"
#include "imap/fetch.hpp"
#include "imap/session.hpp"
#include "net/net.hpp"

#include "support/scripted_imap.hpp"
#include "support/test_loop.hpp"

#include <memory>
#include <string>
#include <vector>

namespace himalaya::imap {

using test::ScriptedImap;
using test::TestLoop;

inline Account account_of(const ScriptedImap& server) {
    Account account;
    account.host = "127.0.0.1";
    account.port = static_cast<uint16_t>(server.port());
    account.security = net::Security::none;
    account.user = "home";
    account.timeout_ms = 30'000; // only where a test waits for it is it shorter
    account.secret = [](loop::CancelToken) -> loop::Task<auth::Secret> { co_return auth::Secret("hunter2"); };
    return account;
}

struct Place {
    explicit Place(std::string capabilities = "IMAP4rev1 IDLE UIDPLUS MOVE ESEARCH CONDSTORE")
        : server(loop, std::move(capabilities)), net(loop.loop()), learnt(std::make_shared<Learnt>()) {}

    TestLoop loop;
    ScriptedImap server;
    net::Net net;
    std::shared_ptr<Learnt> learnt;

    std::shared_ptr<Session> open() { return open(account_of(server)); }
    std::shared_ptr<Session> open(Account account) {
        auto shared = std::make_shared<const Account>(std::move(account));
        return loop.value_of(Session::open(net, shared, learnt, {}));
    }
    himalaya::Code failure() {
        try {
            open();
        } catch (Error& error) {
            return error.code;
        }
        return himalaya::Code::internal;
    }
};

struct Counter : FetchSink {
    void on_message(Session& session, const Fetch& message) override {
        uids.push_back(message.uid.value_or(0));
        if (stop_after == uids.size())
            session.pause();
    }
    std::vector<uint32_t> uids;
    size_t stop_after = 0;
};

inline FetchRequest request_for(UidSet uids) {
    FetchRequest request;
    request.folder = "INBOX";
    request.uids = std::move(uids);
    request.wants.flags = true;
    return request;
}

} // namespace himalaya::imap

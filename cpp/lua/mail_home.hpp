// The accounts that are open in this Neovim: each a store, a source and a sync, made when first asked for.
#pragma once

#include "imap/pool.hpp"
#include "imap/watch.hpp"
#include "lua/operations.hpp"
#include "mail/message.hpp"
#include "net/net.hpp"
#include "sync/account.hpp"

#include <deque>
#include <map>
#include <memory>
#include <string>

namespace himalaya::lua {

struct MailAccount {
    std::string name;
    std::shared_ptr<store::Store> store;
    std::shared_ptr<imap::Pool> pool; // none for sources without a server
    std::shared_ptr<sync::Account> account;
    loop::CancelSource cancel;
    Events::Listener news;
    // Push: while this instance leads, for the folders wanted.
    Events::Listener push;
    std::vector<std::string> push_folders;
    std::vector<imap::Watch::Id> watching;
    Events::Listener role; // told when this instance begins or ceases to lead

    explicit MailAccount(const loop::CancelToken& parent) : cancel(parent) {}
};

// What was read last stays parsed: the slices of a long message come from here.
struct ReadMessage {
    const store::Store* store = nullptr;
    store::Id body = 0;
    std::shared_ptr<const mail::Message> message;
    std::size_t bytes = 0;
};

// Where the messages that were read came from: parsed already, the store on this disk, the server.
struct ReadCounts {
    struct Level {
        std::int64_t hits = 0;
        std::int64_t misses = 0;
        void count(bool found) { ++(found ? hits : misses); }
    };
    Level memory;
    Level disk;
    Level remote;
    std::int64_t evictions = 0;  // of parsed ones
    std::int64_t prefetched = 0; // that came before they were asked for
};

class MailHome {
  public:
    explicit MailHome(Runtime& of);
    static MailHome& of(Runtime& runtime);

    // Throws BadArgument for an account that is not open.
    std::shared_ptr<MailAccount> check_account(lua_State* L, int index);

    // Runs what Lua asked for: operations.hpp.
    int run(lua_State* L, Ref callback, const loop::CancelToken& parent, Operations::Work work) {
        return operations.run(L, std::move(callback), parent, std::move(work));
    }

    // Watches the folders that push is wanted for, if it is, while this instance leads.
    void watch(const std::shared_ptr<MailAccount>& account);
    void on_lead(const std::shared_ptr<MailAccount>& account, bool leads);

    // The parser of whole messages, opened with the first one. On the file thread only.
    std::shared_ptr<const mail::Mime> mime();

    Runtime& runtime;
    net::Net net;
    Operations operations;
    std::map<std::string, std::shared_ptr<MailAccount>> accounts;
    std::map<std::string, std::weak_ptr<store::Store>> closing;
    std::deque<ReadMessage> read;             // newest first
    std::size_t most_read = 50 * 1024 * 1024; // bytes that they may take together; the newest is always kept
    void keep_read(store::Store& store, ReadMessage message);
    std::vector<ReadMessage> forget_read(); // beyond that: these
    ReadCounts read_counts;
    std::map<std::string, std::shared_ptr<sync::Counts>> counts; // of every account that was ever open
    std::string instance;                                        // this Neovim's name in the op log

  private:
    std::string m_mime_path;
    std::string m_mend; // the command that builds it
    std::shared_ptr<const mail::Mime> m_mime;
};

// The folder with this path, or Error{not_found}. On the store's threads.
store::Folder need_folder(store::Database& database, const std::string& path);

// The files of this area, each adding its functions to the table on top of the stack.
void add_mail_reading(lua_State* L);
void add_mail_acting(lua_State* L);
void add_mail_syncing(lua_State* L);
void add_mail_archive(lua_State* L);
void add_mail_stores(lua_State* L);

} // namespace himalaya::lua

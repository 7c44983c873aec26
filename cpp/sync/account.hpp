// One account's sync from end to end: it leads or asks who leads, carries the user's changes out, looks at every
// folder and brings in what is new. So many at a time as the user allows, one unless told otherwise; who asks meanwhile
// waits his turn.
#pragma once

#include "sync/folder_sync.hpp"
#include "sync/op_replay.hpp"
#include "sync/summary.hpp"
#include "sync/wishes.hpp"

#include <memory>
#include <set>
#include <utility>
#include <vector>

namespace himalaya::sync {

class Claims;

enum class Kind { inbox, full, folder };
std::string_view name_of(Kind kind);
std::optional<Kind> kind_of(std::string_view name);

// What may be otherwise a second later. A server that asks to be left alone will not, nor a wrong password; and who has
// waited for `network_timeout` in vain is told so, not asked to wait three times more.
bool ended_by_network(Code code);

struct Options {
    std::string name;
    std::string instance; // this Neovim, for ops and wishes
    BodyPolicy bodies;
    Selection selection;
    std::shared_ptr<Counts> counts; // outlives the account where the user closes it
    int at_once = 1;                // syncs that have a turn
};

class Account : public std::enable_shared_from_this<Account> {
  public:
    Account(loop::Loop& loop, Options options, std::shared_ptr<store::Store> store,
            std::shared_ptr<Source> source, loop::CancelToken token);

    // Listens to the store; once, after it was made.
    void start();
    // `folder` is a path, for Kind::folder. Where another instance leads, it is the one that does it. `again`: whoever asks
    // does so once more when the network ends it (ended_by_network), so that end is not counted.
    loop::Task<Summary> sync(Kind kind, std::string folder, loop::CancelToken token, bool again = false);
    // The body of a message, from the server if it is not here; over the leader's connection where another leads.
    loop::Task<> need_body(store::Id message, loop::CancelToken token);
    // Whether this instance looks after the account (push, the timer). One that does wants the lead and keeps it; one
    // that does not hands it to whoever does.
    void look_after(bool wanted);

    // Whether the folder is synced without being asked for by its name.
    bool wants(std::string_view path) const { return m_options.selection.wants(path); }

    const std::string& name() const { return m_options.name; }
    const std::shared_ptr<store::Store>& store() const { return m_store; }
    const std::shared_ptr<Source>& source() const { return m_source; }
    bool syncing() const { return m_running > 0; }
    Standing standing();
    std::int64_t bytes() const; // of what runs now
    // What another instance does for this one; nothing while nothing was asked of it.
    std::optional<Standing> elsewhere() const;
    // Called at every step of a sync; cheap things only.
    std::function<void()> on_progress;
    // Called when this instance began or ceased to lead.
    std::function<void(bool)> on_lead;

  private:
    struct Turn;
    struct Carrying;
    struct Reading;

    loop::Task<std::optional<Summary>> asked_sync(Kind kind, std::string folder, loop::CancelToken token);
    loop::Task<Summary> lead_sync(Turn& turn, Kind kind, std::string folder, loop::CancelToken token,
                                  bool again);
    loop::Task<> steps(Work& work, Turn& turn, Kind kind, std::string folder, Summary& summary);
    loop::Task<std::string> serve(store::Request request, loop::CancelToken token);
    loop::Task<> fetch(store::Id message, loop::CancelToken token);
    loop::Task<Replayed> carry_out(Work& work, bool listed);
    loop::Task<> may_read(const std::string& path, loop::CancelToken token);
    loop::Task<> take_the_lead();
    void hand_over();
    loop::Task<std::vector<RemoteFolder>> look(Work& work, Kind kind, std::string folder);
    loop::Task<> note_states(Work& work, const std::vector<RemoteFolder>& listed);
    loop::Task<> keep_record(Kind kind, const Summary& summary, std::string error);

    loop::Loop& m_loop;
    Options m_options;
    std::shared_ptr<store::Store> m_store;
    std::shared_ptr<Source> m_source;
    loop::CancelSource m_cancel;
    std::shared_ptr<Wishes> m_wishes;
    std::shared_ptr<Progress> m_progress = std::make_shared<Progress>(); // of the sync that began first
    loop::Gate m_turn{true};
    int m_turns = 0; // that are taken
    // Of syncs that run at once no two read one folder, and one carries changes out, in folders that none reads.
    std::set<std::string> m_read;
    bool m_carrying = false;
    loop::Gate m_left; // a folder, or the carrying
    std::int64_t m_bytes_before = 0;
    std::shared_ptr<Claims> m_claims;
    LineBreakers m_line_breakers;
    std::vector<loop::CancelSource*> m_led; // those of syncs that run because we lead
    int m_running = 0;                      // syncs, those included that only wait for bodies
    bool m_looks_after = false;
    bool m_hands_over = false; // as soon as nothing runs
};

// A sync's turn: until its envelopes are here. Bodies stream on while the next one has its turn, so that a change of the
// user's or new mail does not wait for a gigabyte of old mail.
struct Account::Turn {
    explicit Turn(Account& of) : account(of) {
        if (++account.m_turns >= account.m_options.at_once)
            account.m_turn.close();
    }
    ~Turn() { end(); }
    void end() {
        if (std::exchange(held, false)) {
            --account.m_turns;
            account.m_turn.open();
        }
    }
    Account& account;
    bool held = true;
};

} // namespace himalaya::sync

// One account's sync from end to end: it leads or asks who leads, carries the user's changes out, looks at every
// folder and brings in what is new. One at a time; who asks meanwhile waits his turn.
#pragma once

#include "sync/folder_sync.hpp"
#include "sync/op_replay.hpp"
#include "sync/summary.hpp"

#include <memory>

namespace himalaya::sync {

enum class Kind { inbox, full, folder };
std::string_view name_of(Kind kind);

struct Options {
    std::string name;
    std::string instance; // this Neovim, for ops and wishes
    BodyPolicy bodies;
    Selection selection;
    std::shared_ptr<Counts> counts; // outlives the account where the user closes it
};

class Account : public std::enable_shared_from_this<Account> {
  public:
    Account(loop::Loop& loop, Options options, std::shared_ptr<store::Store> store,
            std::shared_ptr<Source> source, loop::CancelToken token);

    // `folder` is a path, for Kind::folder.
    loop::Task<Summary> sync(Kind kind, std::string folder, loop::CancelToken token);
    // The body of a message, from the server if it is not here. Needs no lead: attaching a body is safe for anybody.
    loop::Task<> need_body(store::Id message, loop::CancelToken token);

    const std::string& name() const { return m_options.name; }
    const std::shared_ptr<store::Store>& store() const { return m_store; }
    const std::shared_ptr<Source>& source() const { return m_source; }
    bool syncing() const { return m_syncing; }
    Standing standing();
    // Called at every step of a sync; cheap things only.
    std::function<void()> on_progress;

  private:
    loop::Task<Summary> lead_sync(Kind kind, std::string folder, loop::CancelToken token);
    loop::Task<Summary> steps(Work& work, Kind kind, std::string folder);
    loop::Task<std::vector<RemoteFolder>> look(Work& work, Kind kind, std::string folder);
    loop::Task<> note_states(Work& work, const std::vector<RemoteFolder>& listed);
    loop::Task<> keep_record(Kind kind, const Summary& summary, std::string error);

    loop::Loop& m_loop;
    Options m_options;
    std::shared_ptr<store::Store> m_store;
    std::shared_ptr<Source> m_source;
    loop::CancelSource m_cancel;
    Progress m_progress;
    loop::Gate m_turn{true};
    bool m_syncing = false;
};

} // namespace himalaya::sync

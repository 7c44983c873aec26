// Bodies come behind their envelopes, on a connection of their own where the server allows one: while one window's
// envelopes are read, the bodies of the window before it stream in.
#pragma once

#include "sync/folder_sync.hpp"

#include <deque>
#include <map>
#include <memory>
#include <utility>

namespace himalaya::sync {

// Bodies that some sync of the account brings or is about to: another one that runs beside it asks the server for none of
// them, and does not wait for them either.
class Claims {
  public:
    // What nobody has claimed yet is now claimed; returned.
    UidSet claim(const store::Folder& folder, const UidSet& uids);
    void release(const store::Folder& folder, const UidSet& uids);

  private:
    // By folder and UIDVALIDITY.
    std::map<std::pair<store::Id, std::int64_t>, UidSet> m_claimed;
};

class BodyLine {
  public:
    BodyLine(Work& work, std::shared_ptr<Claims> claims) : m_work(work), m_claims(std::move(claims)) {}
    ~BodyLine();
    BodyLine(const BodyLine&) = delete;
    BodyLine& operator=(const BodyLine&) = delete;

    // The messages with these UIDs are here: their bodies are due, as far as the policy wants them.
    void add(store::Folder folder, UidSet uids);
    // Nothing more will be added.
    void close();
    // Until it is closed and empty.
    loop::Task<> run();
    std::int64_t fetched() const { return m_fetched; }
    bool whole() const { return m_whole; } // else some are still due

  private:
    struct Due {
        store::Folder folder;
        UidSet uids;
    };

    loop::Task<> fetch(Due due);

    Work& m_work;
    std::shared_ptr<Claims> m_claims;
    std::deque<Due> m_due;
    loop::Gate m_wake;
    bool m_closed = false;
    std::int64_t m_fetched = 0;
    bool m_whole = true;
    store::Id m_folder = 0;
    std::unique_ptr<Visit> m_visit; // kept while the next ones are of the same folder
};

// One body now, for a reader who waits.
loop::Task<> fetch_body(Work& work, store::Id message);

// Whether an earlier sync ended before all bodies of a folder were here, or the user wants more of them now. Asking
// every row would take longer than a whole check without changes may.
bool bodies_are_due(store::Database& database, store::Id folder, const BodyPolicy& policy);
void note_bodies_due(store::Change& change, store::Id folder);
void note_bodies_here(store::Change& change, const std::vector<store::Id>& folders, const BodyPolicy& policy);

} // namespace himalaya::sync

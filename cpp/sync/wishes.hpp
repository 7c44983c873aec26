// Both ends of the store's requests. An instance that does not lead asks here and is answered by the one that does; a
// leader finds here what others ask, does it and answers. Nobody polls: both hear of it with the store's news.
//
//   asked -> taken (with how far it is, every second) -> answered, and the asker takes the row home
//
// The leader dies: the kernel frees its lock, an asker gets it and does the work itself. The leader is stopped or stuck:
// it gives no sign of life, and an asker takes the lead from it (the epoch keeps the old one from doing harm). The asker
// loses interest: it withdraws the row, and the leader stops.
#pragma once

#include "loop/timer.hpp"
#include "store/store.hpp"
#include "sync/summary.hpp"

#include <map>
#include <memory>

namespace himalaya::sync {

class Wishes : public std::enable_shared_from_this<Wishes> {
  public:
    // Does what a request says and gives the answer as JSON. What it throws is the answer, too.
    using Serve = std::function<loop::Task<std::string>(store::Request, loop::CancelToken)>;
    using Progress = std::function<std::string()>; // how far that is, as JSON

    // A leader takes a wish as soon as it hears of it, and then gives a sign at least every BEAT_MS.
    static constexpr std::uint64_t TAKEN_WITHIN_MS = 3'000;
    static constexpr std::uint64_t BEAT_MS = 3'000;
    static constexpr std::uint64_t HEARD_WITHIN_MS = 12'000;

    Wishes(loop::Loop& loop, std::shared_ptr<store::Store> store, std::shared_ptr<Counts> counts, Serve serve,
           Progress progress, loop::CancelToken token);
    void start();

    // The leader's answer; nothing when this instance leads by now and has to do it itself.
    loop::Task<std::optional<std::string>> ask(std::string kind, std::string detail, loop::CancelToken token);
    // How far the leader is with what was asked last, as JSON; nothing while nothing is asked.
    const std::string* progress() const;
    bool idle() const { return m_served.empty(); } // nothing is being done for others
    std::function<void()> on_idle;
    // The lead was won or lost.
    void on_lead(bool leads);

  private:
    struct Asking;
    struct Serving;

    void on_requests(const std::vector<store::Request>& requests);
    void look();
    void expect(const std::shared_ptr<Asking>& asking, std::uint64_t within_ms);
    loop::Task<> take_over(std::shared_ptr<Asking> asking);
    loop::Task<> serve(std::shared_ptr<Serving> serving);
    void beat(const std::shared_ptr<Serving>& serving);
    void withdraw(store::Id request);

    loop::Loop& m_loop;
    std::shared_ptr<store::Store> m_store;
    std::shared_ptr<Counts> m_counts;
    Serve m_serve;
    Progress m_progress;
    loop::CancelToken m_token;
    std::map<store::Id, std::shared_ptr<Asking>> m_asked;
    std::map<store::Id, std::shared_ptr<Serving>> m_served;
};

} // namespace himalaya::sync

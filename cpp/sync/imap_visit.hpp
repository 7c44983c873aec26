// One IMAP folder held open for a sync: a session in which nobody else selects meanwhile.
#pragma once

#include "imap/session.hpp"
#include "sync/source.hpp"

namespace himalaya::sync {

class ImapVisit : public Visit {
  public:
    ImapVisit(std::shared_ptr<imap::Session> session, std::string folder, imap::Priority priority)
        : m_session(std::move(session)), m_folder(std::move(folder)), m_priority(priority) {}

    loop::Task<> open(std::optional<Known> known, loop::CancelToken token);

    const RemoteState& state() const override { return m_state; }
    bool told_changes() const override { return m_told; }
    bool counts_changes() const override { return m_state.modseq && *m_state.modseq > 0; }
    std::vector<store::FlagNews> take_flag_news() override { return std::exchange(m_news, {}); }
    UidSet take_vanished() override { return std::exchange(m_vanished, {}); }

    loop::Task<> flags(UidSet uids, std::optional<std::int64_t> since, OnFlags on_flags,
                       loop::CancelToken token) override;
    loop::Task<UidSet> present(UidSet among, loop::CancelToken token) override;
    loop::Task<> envelopes(UidSet uids, EnvelopeSink& sink, loop::CancelToken token) override;
    loop::Task<> bodies(UidSet uids, BodySink& sink, loop::CancelToken token) override;
    loop::Task<> letters(UidSet uids, LetterSink& sink, loop::CancelToken token) override;
    loop::Task<std::vector<std::optional<Error>>> change_flags(std::vector<FlagWish> wishes,
                                                               loop::CancelToken token) override;
    loop::Task<Named> move(UidSet uids, std::string target, loop::CancelToken token) override;
    loop::Task<Named> copy(UidSet uids, std::string target, loop::CancelToken token) override;
    loop::Task<bool> expunge(UidSet uids, loop::CancelToken token) override;
    loop::Task<UidSet> find(Sought sought, std::int64_t first, loop::CancelToken token) override;
    bool moves_at_once() const override { return m_session->has(imap::Cap::move); }

  private:
    // Envelopes of new mail, asked for in the breath of the SELECT, because that is how the next UIDs are known.
    struct Ahead {
        imap::Ticket ticket;
        imap::Range range;
        std::vector<store::Arrival> arrivals;
        bool whole = true; // nothing came that cannot be read
    };
    void ask_ahead(const UidSet& known);
    // Gives those of `uids` that came ahead to the sink; the rest is returned.
    loop::Task<UidSet> take_ahead(UidSet uids, EnvelopeSink& sink, loop::CancelToken token);

    // A session that has had the folder open for a while has not seen what came since, and answers OK to a change of
    // it without doing anything.
    loop::Task<> see(UidSet uids, loop::CancelToken token);
    // Marks that led to nothing are taken back: two changes of ours would wait for each other's.
    loop::Task<> unmark(UidSet uids, loop::CancelToken token);
    std::optional<std::uint32_t> uid_validity() const {
        return static_cast<std::uint32_t>(m_state.uidvalidity);
    }

    std::shared_ptr<imap::Session> m_session;
    imap::Session::Use m_use;
    std::string m_folder;
    imap::Priority m_priority;
    RemoteState m_state;
    bool m_told = false;
    bool m_fresh = false;
    std::vector<store::FlagNews> m_news;
    UidSet m_vanished;
    std::unique_ptr<Ahead> m_ahead;
};

} // namespace himalaya::sync

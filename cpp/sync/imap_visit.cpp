#include "sync/imap_visit.hpp"

#include "base/text.hpp"
#include "imap/change.hpp"
#include "imap/fetch.hpp"
#include "imap/search.hpp"
#include "mail/flags.hpp"
#include "sync/answered.hpp"
#include "sync/imap_sinks.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace himalaya::sync {

namespace {

Named named_of(const imap::CopyResult& result) {
    Named named{result.uid_validity, {}, result.expunged};
    for (auto pair : result.pairs)
        named.uids.emplace_back(pair.source, pair.target);
    return named;
}

} // namespace

loop::Task<> ImapVisit::open(std::optional<Known> known, loop::CancelToken token) {
    auto holding = m_session->hold(m_folder, m_priority, token);
    m_use = co_await holding;
    imap::SelectOptions options;
    // Who wants to know what changed must not be told what this session remembers.
    options.again = known && known->uidvalidity != 0;
    m_fresh = options.again;
    if (known && known->modseq > 0 && !known->uids.empty() && m_session->qresync_on()) {
        options.known = imap::Known{static_cast<std::uint32_t>(known->uidvalidity),
                                    static_cast<std::uint64_t>(known->modseq), known->uids};
        options.on_changed = [this](const imap::Fetch& message) {
            if (message.uid && message.has_flags)
                m_news.push_back(news_of(message));
        };
        options.on_vanished = [this](imap::Ranges ranges) {
            for (auto range : ranges)
                m_vanished.add(range);
        };
        m_told = true;
    }
    if (known && known->uidvalidity > 0 && !known->uids.empty())
        options.beside = [this, &known] { ask_ahead(known->uids); };
    auto selecting = imap::select(m_session, m_folder, std::move(options), token);
    auto selected = co_await selecting;
    m_state.uidvalidity = selected.uid_validity;
    if (selected.uid_next)
        m_state.uidnext = *selected.uid_next;
    if (selected.highest_modseq)
        m_state.modseq = static_cast<std::int64_t>(*selected.highest_modseq);
    m_state.total = selected.exists;
    // With another UIDVALIDITY the server told nothing, and nothing of what we know counts.
    if (m_told && (m_state.uidvalidity != known->uidvalidity || !counts_changes()))
        m_told = false;
    if (known && m_state.uidvalidity != known->uidvalidity)
        m_ahead.reset();
}

namespace {

imap::FetchWants envelope_wants() {
    imap::FetchWants wants;
    wants.flags = true;
    wants.envelope = true;
    wants.size = true;
    wants.internal_date = true;
    wants.headers = {"References"};
    return wants;
}

} // namespace

void ImapVisit::ask_ahead(const UidSet& known) {
    // As many as arrive between two looks; more than these are a window of their own.
    constexpr std::uint32_t MOST = 200;
    auto first = known.max();
    if (first > imap::last_of_all - MOST - 1)
        return;
    m_ahead = std::make_unique<Ahead>();
    m_ahead->range = {first + 1, first + MOST};
    imap::Command command(m_session->dialect(), "UID FETCH");
    command.raw(fmt::format("{}:{}", m_ahead->range.first, m_ahead->range.last))
        .raw(imap::fetch_items(envelope_wants(), *m_session));
    imap::Request request{std::move(command), "UID FETCH", imap::takes::fetch};
    m_ahead->ticket =
        m_session->post(std::move(request), [ahead = m_ahead.get()](const imap::Response& response) {
            if (std::holds_alternative<imap::Malformed>(response)) {
                ahead->whole = false;
                return true;
            }
            const auto* message = std::get_if<imap::Fetch>(&response);
            if (!message || !message->uid || !(message->envelope || message->size))
                return false;
            ahead->arrivals.push_back(arrival_of(*message));
            return true;
        });
}

loop::Task<UidSet> ImapVisit::take_ahead(UidSet uids, EnvelopeSink& sink, loop::CancelToken token) {
    auto ahead = std::exchange(m_ahead, nullptr);
    if (!ahead)
        co_return uids;
    auto answering = m_session->answer(ahead->ticket, token);
    auto answer = co_await answering;
    auto next = m_state.uidnext.value_or(0);
    if (!answer.ok() || !ahead->whole || next <= ahead->range.first)
        co_return uids;
    auto last = std::min<std::int64_t>(ahead->range.last, next - 1);
    UidSet covered{imap::Range{ahead->range.first, static_cast<std::uint32_t>(last)}};
    SessionFlow flow(m_session);
    for (auto& arrival : ahead->arrivals) {
        auto uid = static_cast<std::uint32_t>(arrival.uid);
        if (covered.contains(uid) && uids.contains(uid))
            sink.on_envelope(flow, std::move(arrival));
    }
    sink.on_done(covered.shared(uids));
    co_return uids.without(covered);
}

loop::Task<> ImapVisit::see(UidSet uids, loop::CancelToken token) {
    bool seen = m_state.uidnext ? uids.max() < *m_state.uidnext : m_fresh;
    if (seen || uids.empty() || uids.max() == imap::last_of_all)
        co_return;
    imap::SelectOptions options;
    options.again = true;
    auto selecting = answered(m_session, imap::select(m_session, m_folder, std::move(options), token));
    auto selected = co_await selecting;
    m_fresh = true;
    if (selected.uid_next)
        m_state.uidnext = *selected.uid_next;
}

loop::Task<> ImapVisit::flags(UidSet uids, std::optional<std::int64_t> since, OnFlags on_flags,
                              loop::CancelToken token) {
    imap::FetchRequest request{m_folder, std::move(uids), {}, m_priority, uid_validity()};
    request.wants.flags = true;
    if (since)
        request.wants.changed_since = static_cast<std::uint64_t>(*since);
    FlagFetch sink(std::move(on_flags));
    auto fetching = imap::fetch(m_session, std::move(request), sink, token);
    co_await fetching;
}

loop::Task<UidSet> ImapVisit::present(UidSet among, loop::CancelToken token) {
    imap::SearchRequest request;
    request.folder = m_folder;
    request.criteria = {{"UID", {among.text()}}};
    request.priority = m_priority;
    auto searching = answered(m_session, imap::search(m_session, std::move(request), token));
    co_return co_await searching;
}

loop::Task<> ImapVisit::envelopes(UidSet uids, EnvelopeSink& sink, loop::CancelToken token) {
    auto taking = take_ahead(std::move(uids), sink, token);
    auto left = co_await taking;
    if (left.empty())
        co_return;
    imap::FetchRequest request{m_folder, std::move(left), envelope_wants(), m_priority, uid_validity()};
    EnvelopeFetch fetch(sink, m_session);
    auto fetching = imap::fetch(m_session, std::move(request), fetch, token);
    co_await fetching;
}

loop::Task<> ImapVisit::bodies(UidSet uids, BodySink& sink, loop::CancelToken token) {
    if (!m_use) {
        auto holding = answered(m_session, m_session->hold(m_folder, m_priority, token));
        m_use = co_await holding;
    }
    auto seeing = see(uids, token);
    co_await seeing;
    // There may be many of them. Reading them opens the folder itself and lets others in between.
    m_use.release();
    imap::FetchRequest request{m_folder, std::move(uids), {}, m_priority, uid_validity()};
    request.wants.body = true;
    BodyFetch fetch(sink, m_session);
    auto fetching = imap::fetch(m_session, std::move(request), fetch, token);
    co_await fetching;
}

loop::Task<> ImapVisit::letters(UidSet uids, LetterSink& sink, loop::CancelToken token) {
    m_ahead.reset();
    imap::FetchRequest request{m_folder, std::move(uids), envelope_wants(), m_priority, uid_validity()};
    request.wants.body = true;
    LetterFetch fetch(sink, m_session);
    auto fetching = imap::fetch(m_session, std::move(request), fetch, token);
    co_await fetching;
}

loop::Task<std::vector<std::optional<Error>>> ImapVisit::change_flags(std::vector<FlagWish> wishes,
                                                                      loop::CancelToken token) {
    UidSet all;
    for (const auto& wish : wishes)
        all = all.united(wish.uids);
    auto seeing = see(std::move(all), token);
    co_await seeing;
    std::vector<imap::StorePart> parts;
    for (auto& wish : wishes) {
        mail::Flags add{wish.change.add, std::move(wish.change.add_keywords)};
        mail::Flags remove{wish.change.remove, std::move(wish.change.remove_keywords)};
        imap::StoreChange wanted{mail::imap_flags(add), mail::imap_flags(remove), {}};
        parts.push_back({std::move(wish.uids), std::move(wanted)});
    }
    imap::Target target{m_folder, {}, uid_validity(), m_priority};
    auto storing =
        answered(m_session, imap::store_all(m_session, std::move(target), std::move(parts), token));
    co_return co_await storing;
}

loop::Task<> ImapVisit::unmark(UidSet uids, loop::CancelToken token) {
    std::vector<FlagWish> wishes(1);
    wishes[0].uids = std::move(uids);
    wishes[0].change.remove = store::DELETED;
    auto storing = change_flags(std::move(wishes), token);
    co_await storing;
}

loop::Task<Named> ImapVisit::move(UidSet uids, std::string to, loop::CancelToken token) {
    auto seeing = see(uids, token);
    co_await seeing;
    imap::Target target{m_folder, uids, uid_validity(), m_priority};
    auto moving = answered(m_session, imap::move(m_session, std::move(target), std::move(to), token));
    auto result = co_await moving;
    if (!result.expunged) {
        auto unmarking = unmark(std::move(uids), token);
        co_await unmarking;
    }
    co_return named_of(result);
}

loop::Task<Named> ImapVisit::copy(UidSet uids, std::string to, loop::CancelToken token) {
    auto seeing = see(uids, token);
    co_await seeing;
    imap::Target target{m_folder, std::move(uids), uid_validity(), m_priority};
    auto copying = answered(m_session, imap::copy(m_session, std::move(target), std::move(to), token));
    auto result = co_await copying;
    co_return named_of(result);
}

loop::Task<bool> ImapVisit::expunge(UidSet uids, loop::CancelToken token) {
    auto seeing = see(uids, token);
    co_await seeing;
    imap::Target target{m_folder, uids, uid_validity(), m_priority};
    auto expunging = answered(m_session, imap::expunge(m_session, std::move(target), token));
    bool gone = co_await expunging;
    if (!gone) {
        auto unmarking = unmark(std::move(uids), token);
        co_await unmarking;
    }
    co_return gone;
}

loop::Task<UidSet> ImapVisit::find(Sought sought, std::int64_t first, loop::CancelToken token) {
    UidSet from{imap::Range{static_cast<std::uint32_t>(first), imap::last_of_all}};
    imap::SearchRequest request;
    request.folder = m_folder;
    request.criteria = {{"UID", {from.text()}}};
    if (!sought.message_id.empty()) {
        request.criteria.push_back({"HEADER", {"Message-ID", std::move(sought.message_id)}});
    } else {
        auto below = std::max<std::int64_t>(sought.size - 1, 0);
        request.criteria.push_back({"LARGER", {fmt::format("{}", below)}});
        request.criteria.push_back({"SMALLER", {fmt::format("{}", sought.size + 1)}});
        // Other scripts are searched for differently by every server.
        if (!sought.subject.empty() && text::is_ascii(sought.subject))
            request.criteria.push_back({"SUBJECT", {std::move(sought.subject)}});
    }
    request.priority = m_priority;
    auto searching = answered(m_session, imap::search(m_session, std::move(request), token));
    auto found = co_await searching;
    // "9:*" is never empty: it names the last message even when that one is 5.
    if (first <= 1)
        co_return found;
    co_return found.without(UidSet{imap::Range{1, static_cast<std::uint32_t>(first - 1)}});
}

} // namespace himalaya::sync

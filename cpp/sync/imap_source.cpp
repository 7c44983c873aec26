#include "sync/imap_source.hpp"

#include "imap/change.hpp"
#include "imap/fetch.hpp"
#include "imap/search.hpp"
#include "mail/flags.hpp"
#include "store/packing.hpp"
#include "sync/answered.hpp"
#include "sync/imap_visit.hpp"

#include <fmt/format.h>

#include <array>
#include <ctime>

namespace himalaya::sync {

namespace {

RemoteState state_of(const imap::FolderInfo& info) {
    RemoteState state;
    state.uidvalidity = info.uid_validity.value_or(0);
    state.uidnext = info.uid_next;
    if (info.highest_modseq)
        state.modseq = static_cast<std::int64_t>(*info.highest_modseq);
    state.total = info.messages;
    state.unread = info.unseen;
    return state;
}

// "01-Feb-2024 10:00:00 +0000", as APPEND wants it.
std::string internal_date(std::int64_t seconds) {
    static constexpr std::array MONTHS = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                          "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    std::time_t when = seconds;
    std::tm parts{};
    ::gmtime_r(&when, &parts);
    return fmt::format("{:02}-{}-{:04} {:02}:{:02}:{:02} +0000", parts.tm_mday,
                       MONTHS[static_cast<std::size_t>(parts.tm_mon)], parts.tm_year + 1900, parts.tm_hour,
                       parts.tm_min, parts.tm_sec);
}

} // namespace

std::string path_of(std::string_view name, std::string_view delimiter) {
    if (delimiter.empty() || delimiter == "/")
        return std::string(name);
    std::string path;
    for (char c : name) {
        if (c == delimiter[0])
            path += '/';
        else if (c == '/')
            path += "∕"; // a slash inside one level's name is no level
        else
            path += c;
    }
    return path;
}

loop::Task<std::shared_ptr<imap::Session>> ImapSource::take(std::string folder, imap::Priority priority,
                                                            loop::CancelToken token) {
    auto taking = m_pool->take(std::move(folder), priority, std::move(token));
    try {
        co_return co_await taking;
    } catch (const Error& error) {
        throw Unreached(error);
    }
}

// What LIST and STATUS say of the folder that the connection itself has open may be what it was when it was opened:
// Dovecot goes on to tell of one that was deleted and made anew, or whose UIDs were. Opening it again, in the breath of
// the question, costs no round trip. Not under somebody who is at work in it; the watch only listens.
imap::Ticket ImapSource::look_anew(const std::shared_ptr<imap::Session>& session) const {
    const auto& folder = session->folder();
    if (folder.empty() || (session->users() > 0 && m_pool->watching(folder) != session))
        return nullptr;
    imap::SelectOptions options;
    options.again = true;
    return imap::post_select(*session, folder, std::move(options));
}

loop::Task<std::vector<RemoteFolder>> ImapSource::folders(std::string soon, loop::CancelToken token) {
    auto taking = take("", imap::Priority::ui, token);
    auto session = co_await taking;
    imap::Ticket opening;
    if (!soon.empty() && session->folder().empty())
        opening = imap::post_select(*session, soon);
    else
        opening = look_anew(session);
    auto listing = imap::list(session, "*", true, token);
    auto listed = co_await listing;
    std::vector<RemoteFolder> folders;
    for (const auto& info : listed) {
        RemoteFolder remote;
        remote.folder.path = path_of(info.name, info.delimiter);
        remote.folder.remote = info.name;
        remote.folder.delimiter = info.delimiter;
        remote.folder.role = info.role;
        remote.folder.selectable = info.selectable;
        for (const auto& [role, path] : m_roles) {
            if (path == remote.folder.path)
                remote.folder.role = role;
            else if (remote.folder.role == role)
                remote.folder.role.clear();
        }
        if (info.has_status && info.uid_validity)
            remote.state = state_of(info);
        folders.push_back(std::move(remote));
    }
    co_return folders;
}

loop::Task<std::vector<std::optional<RemoteState>>> ImapSource::states(std::vector<std::string> remotes,
                                                                       loop::CancelToken token) {
    auto taking = take("", imap::Priority::ui, token);
    auto session = co_await taking;
    auto asking = answered(session, imap::status(session, std::move(remotes), token));
    auto answers = co_await asking;
    std::vector<std::optional<RemoteState>> states;
    for (const auto& answer : answers) {
        states.emplace_back();
        if (!answer || !answer->uid_validity)
            continue;
        RemoteState state;
        state.uidvalidity = *answer->uid_validity;
        state.uidnext = answer->uid_next;
        if (answer->highest_modseq)
            state.modseq = static_cast<std::int64_t>(*answer->highest_modseq);
        state.total = answer->messages;
        state.unread = answer->unseen;
        states.back() = state;
    }
    co_return states;
}

loop::Task<std::unique_ptr<Visit>> ImapSource::visit(std::string remote, std::optional<Known> known,
                                                     bool urgent, loop::CancelToken token) {
    auto priority = !urgent ? imap::Priority::background : known ? imap::Priority::ui : imap::Priority::user;
    // What is asked of a folder that we know is little: where no connection waits for work, the one that watches
    // the folder gives the answer without a new one being opened.
    std::shared_ptr<imap::Session> session;
    if (urgent && known && !known->uids.empty())
        session = m_pool->watching(remote);
    if (!session) {
        auto taking = take(remote, priority, token);
        session = co_await taking;
    }
    auto visit = std::make_unique<ImapVisit>(session, remote, priority);
    auto opening = answered(session, visit->open(std::move(known), token));
    co_await opening;
    co_return visit;
}

loop::Task<Stored> ImapSource::append(std::string remote, std::vector<NewLetter> letters,
                                      loop::CancelToken token) {
    auto taking = take("", imap::Priority::ui, token);
    auto session = co_await taking;
    std::vector<imap::NewMessage> messages;
    messages.reserve(letters.size());
    for (auto& letter : letters) {
        mail::Flags flags{letter.flags, store::unpack_keywords(letter.keywords)};
        messages.push_back({std::move(letter.bytes), mail::imap_flags(flags), internal_date(letter.arrived)});
    }
    auto appending = answered(session, imap::append_all(session, remote, std::move(messages), token));
    auto appended = co_await appending;
    Stored stored;
    stored.together = appended.together;
    for (auto& one : appended.messages)
        stored.letters.push_back({one.uid, std::move(one.refused)});
    co_return stored;
}

SourceStats ImapSource::stats() const {
    auto stats = m_pool->stats();
    return {static_cast<std::int64_t>(stats.bytes_in + stats.bytes_out),
            static_cast<std::int64_t>(stats.round_trips),
            static_cast<std::int64_t>(stats.connections_opened)};
}

} // namespace himalaya::sync

// Which folders there are and what is in them: LIST, LIST-STATUS and STATUS, however the server likes to be asked.
#include "imap/folder.hpp"

#include "base/text.hpp"
#include "imap/too_much.hpp"
#include "mail/modified_utf7.hpp"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <unordered_map>
#include <unordered_set>
#include <utility>

namespace himalaya::imap {

namespace {

struct Role {
    std::string_view word; // lower case, without the backslash
    std::string_view role;
};

constexpr std::array by_attribute = {
    Role{"sent", "sent"},
    Role{"drafts", "drafts"},
    Role{"trash", "trash"},
    Role{"junk", "junk"},
    Role{"archive", "archive"},
    Role{"all", "all"},
    Role{"flagged", "flagged"},
    Role{"important", "important"},
    // XLIST's words
    Role{"inbox", "inbox"},
    Role{"allmail", "all"},
    Role{"spam", "junk"},
    Role{"starred", "flagged"},
};

// Names that servers without SPECIAL-USE (Exchange, Courier, iCloud) give to these folders.
constexpr std::array by_usual_name = {
    Role{"sent", "sent"},          Role{"sent items", "sent"},     Role{"sent mail", "sent"},
    Role{"sent messages", "sent"}, Role{"drafts", "drafts"},       Role{"draft", "drafts"},
    Role{"trash", "trash"},        Role{"deleted items", "trash"}, Role{"deleted messages", "trash"},
    Role{"bin", "trash"},          Role{"junk", "junk"},           Role{"junk email", "junk"},
    Role{"junk e-mail", "junk"},   Role{"spam", "junk"},           Role{"bulk mail", "junk"},
    Role{"archive", "archive"},    Role{"archives", "archive"},    Role{"all mail", "all"},
};

// No account has as many. Beyond that the server does not stop, or means harm.
constexpr size_t most_folders = 50'000;

bool same_name(const std::string& a, const std::string& b) {
    return a == b || (text::lower(a) == "inbox" && text::lower(b) == "inbox");
}

StatusInfo kept(const FolderStatus& status) {
    StatusInfo info;
    info.messages = status.messages;
    info.recent = status.recent;
    info.unseen = status.unseen;
    info.deleted = status.deleted;
    info.uid_next = status.uid_next;
    info.uid_validity = status.uid_validity;
    info.highest_modseq = status.highest_modseq;
    info.size = status.size;
    info.append_limit = status.append_limit;
    info.mailbox_id = std::string(status.mailbox_id);
    return info;
}

void put_status(FolderInfo& folder, const StatusInfo& status) {
    folder.has_status = true;
    folder.messages = status.messages.value_or(0);
    folder.unseen = status.unseen.value_or(0);
    folder.uid_next = status.uid_next;
    folder.uid_validity = status.uid_validity;
    folder.highest_modseq = status.highest_modseq;
    folder.size = status.size;
    folder.mailbox_id = status.mailbox_id;
}

std::string status_items(const Session& session) {
    std::string items = "MESSAGES UNSEEN UIDNEXT UIDVALIDITY";
    if (session.has(Cap::condstore))
        items += " HIGHESTMODSEQ";
    if (session.has(Cap::status_size))
        items += " SIZE";
    if (session.has(Cap::objectid))
        items += " MAILBOXID";
    return items;
}

} // namespace

std::string role_of(const std::vector<std::string>& attributes, std::string_view name, bool by_name) {
    for (auto& attribute : attributes) {
        std::string word = text::lower(attribute);
        for (auto& [known, role] : by_attribute)
            if (word.size() == known.size() + 1 && word.ends_with(known))
                return std::string(role);
    }
    std::string plain = text::lower(name);
    if (plain == "inbox")
        return "inbox";
    if (by_name)
        for (auto& [known, role] : by_usual_name)
            if (plain == known ||
                (plain.starts_with("inbox") && plain.size() == known.size() + 6 && plain.ends_with(known)))
                return std::string(role);
    return {};
}

// STATUS of the folder that is selected tells what this session has seen of it, which may be less than what is there
// (Dovecot, right after a delivery). A NOOP in the same breath has it look first.
static void look_first(Session& session) {
    if (!session.folder().empty())
        session.post({Command(session.dialect(), "NOOP"), "NOOP"});
}

// ---- LIST

// INBOX is one folder in whatever case.
static std::string key_of(const std::string& name) {
    return text::lower(name) == "inbox" ? "INBOX" : name;
}

static std::unordered_map<std::string, size_t> places_of(const std::vector<FolderInfo>& folders) {
    std::unordered_map<std::string, size_t> places;
    for (size_t i = 0; i < folders.size(); ++i)
        places.try_emplace(key_of(folders[i].name), i);
    return places;
}

// The same folder twice is one folder (a LIST and its XLIST, or a server that repeats itself).
static loop::Task<std::vector<FolderInfo>> each_once(Session& session, std::vector<FolderInfo> found) {
    auto& loop = session.loop();
    std::vector<FolderInfo> unique;
    std::unordered_set<std::string> known;
    for (auto& folder : found) {
        if (known.insert(folder.name).second)
            unique.push_back(std::move(folder));
        if (loop.budget().exhausted())
            co_await loop.next_turn();
    }
    co_return unique;
}

loop::Task<std::vector<FolderInfo>> list(std::shared_ptr<Session> session, std::string pattern,
                                         bool with_status, loop::CancelToken token) {
    // Whether names come as UTF-8 is decided by ENABLE's answer; where that cannot be, LIST travels with it.
    if (session->has(Cap::utf8_accept))
        co_await session->settled(token);
    auto& learnt = session->learnt();
    auto& quirks = session->quirks();
    std::vector<FolderInfo> found;
    bool special = session->has(Cap::special_use);
    bool xlist = !special && session->has(Cap::xlist);
    bool extended = session->has(Cap::list_extended) && learnt.list_return;
    bool want_special = special && extended && quirks.special_use_return && learnt.special_use_return;
    bool want_status =
        with_status && session->has(Cap::list_status) && quirks.list_status && learnt.list_status;
    for (int attempt = 0;; ++attempt) {
        found.clear();
        Command command(session->dialect(), xlist ? "XLIST" : "LIST");
        command.string("").string(session->dialect().utf8 ? pattern : mail::encode_modified_utf7(pattern));
        std::string returns;
        if (want_special)
            returns = "SPECIAL-USE";
        if (want_status)
            returns += fmt::format("{}STATUS ({})", returns.empty() ? "" : " ", status_items(*session));
        if (!returns.empty())
            command.raw(fmt::format("RETURN ({})", returns));
        Request request{std::move(command), xlist ? "XLIST" : "LIST",
                        takes::list | (want_status ? takes::status : 0)};
        std::vector<std::pair<std::string, StatusInfo>> statuses;
        std::optional<Session::Together> together(std::in_place, *session);
        if (want_status)
            look_first(*session);
        auto ticket = session->post(std::move(request), [&found, &statuses, s = session.get(), special,
                                                         xlist](const Response& response) {
            if (found.size() + statuses.size() >= 2 * most_folders)
                return true;
            if (found.size() + statuses.size() + 1 == 2 * most_folders)
                too_much(*s, "folders");
            if (auto* status = std::get_if<FolderStatus>(&response)) {
                statuses.emplace_back(folder_name(*s, status->name), kept(*status));
                return true;
            }
            auto& folder = std::get<Folder>(response);
            if (folder.from == Folder::From::lsub)
                return false;
            FolderInfo info;
            info.name = folder_name(*s, folder.name);
            if (folder.delimiter)
                info.delimiter = std::string(1, folder.delimiter);
            for (auto attribute : folder.attributes) {
                info.attributes.emplace_back(attribute);
                std::string word = text::lower(attribute);
                if (word == "\\noselect" || word == "\\nonexistent")
                    info.selectable = false;
            }
            // XLIST may call the inbox by a word of the user's language; SELECT wants INBOX.
            info.role = role_of(info.attributes, info.name, !special && !xlist);
            if (xlist && info.role == "inbox")
                info.name = "INBOX";
            found.push_back(std::move(info));
            return true;
        });
        together.reset();
        Answer got = co_await session->answer(ticket, token);
        if (got.ok()) {
            found = co_await each_once(*session, std::move(found));
            auto places = places_of(found);
            for (auto& [name, status] : statuses)
                if (auto place = places.find(key_of(name)); place != places.end())
                    put_status(found[place->second], status);
            bool none = std::none_of(found.begin(), found.end(), [](auto& f) { return f.has_status; });
            // Strato says LIST-STATUS and then nothing.
            if (want_status && none && !found.empty())
                learnt.list_status = false;
            break;
        }
        if (attempt == 0 && (!returns.empty() || xlist)) {
            learnt.list_return = learnt.special_use_return = learnt.list_status = false;
            xlist = want_special = want_status = false;
            continue;
        }
        throw error_of(got.refusal(), "list the folders");
    }
    if (with_status) {
        std::vector<std::string> names;
        std::vector<size_t> asked;
        for (size_t i = 0; i < found.size(); ++i)
            if (found[i].selectable && !found[i].has_status) {
                names.push_back(found[i].name);
                asked.push_back(i);
            }
        auto results = co_await status(session, names, token);
        for (size_t i = 0; i < asked.size(); ++i)
            if (results[i])
                put_status(found[asked[i]], *results[i]);
    }
    co_return found;
}

// ---- STATUS

namespace {

struct Asked {
    std::shared_ptr<std::optional<StatusInfo>> told = std::make_shared<std::optional<StatusInfo>>();
    Ticket ticket;
};

Asked ask_status(Session& session, const std::string& folder, const std::string& items) {
    Asked asked;
    Command command(session.dialect(), "STATUS");
    put_folder(command, session, folder).raw(fmt::format("({})", items));
    Request request{std::move(command), "STATUS", takes::status};
    request.brief = true;
    asked.ticket =
        session.post(std::move(request), [told = asked.told, folder, s = &session](const Response& response) {
            auto& got = std::get<FolderStatus>(response);
            if (*told || !same_name(folder_name(*s, got.name), folder))
                return false;
            *told = kept(got);
            return true;
        });
    return asked;
}

} // namespace

loop::Task<std::vector<Result<StatusInfo>>>
status(std::shared_ptr<Session> session, std::vector<std::string> folders, loop::CancelToken token) {
    std::vector<Asked> questions;
    std::vector<Result<StatusInfo>> results;
    if (folders.empty())
        co_return results;
    std::string items = status_items(*session);
    {
        Session::Together together(*session);
        look_first(*session);
        for (auto& folder : folders)
            questions.push_back(ask_status(*session, folder, items));
    }
    for (size_t i = 0; i < questions.size(); ++i) {
        Answer got = co_await session->answer(questions[i].ticket, token);
        // One of many at once may have been too many for the server; by now fewer are on their way.
        if (got.verdict == Verdict::bad && questions.size() > 1 && !backoff_of(got.text)) {
            session->learnt().burst = false;
            questions[i] = ask_status(*session, folders[i], items);
            got = co_await session->answer(questions[i].ticket, token);
        }
        if (!got.ok())
            results.push_back(
                error_of(got.refusal(), fmt::format("tell about the folder {}", shown(folders[i]))));
        else if (!*questions[i].told)
            results.push_back(
                make_error(Fault::protocol,
                           fmt::format("The server said nothing about the folder {}.", shown(folders[i]))));
        else
            results.push_back(**questions[i].told);
    }
    co_return results;
}

} // namespace himalaya::imap

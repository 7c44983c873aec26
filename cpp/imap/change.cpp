#include "imap/change.hpp"

#include "imap/search.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <system_error>
#include <thread>
#include <utility>

namespace himalaya::imap {

namespace {

loop::Task<void> open_target(std::shared_ptr<Session> session, const Target& target,
                             loop::CancelToken token) {
    SelectOptions options;
    // Selected read-only it cannot be changed.
    options.again = session->selected() && session->selected()->read_only;
    Selected selected = co_await select(session, target.folder, std::move(options), token);
    if (target.uid_validity && *target.uid_validity != selected.uid_validity)
        throw make_error(Fault::uidvalidity,
                         fmt::format("The folder {} was made anew on the server.", shown(target.folder)),
                         "Nothing was changed; its messages are matched again first.");
    if (selected.read_only)
        throw make_error(Fault::unsupported, fmt::format("The folder {} is read-only.", shown(target.folder)),
                         "The server lets this account read it and nothing more.");
}

std::vector<std::string> pieces(const Session& session, const UidSet& uids, size_t rest) {
    return split_for_line(uids, session.quirks().line_budget, rest + 40);
}

void need_uids(const Target& target) {
    if (target.uids.empty() || target.uids.max() == last_of_all)
        throw make_error(Fault::invalid, "A change needs the UIDs it is for, one by one.",
                         "An open range such as 1:* would also take messages that are not there yet.");
}

// Posts the UID STOREs of one change in the folder that is selected.
void post_store(Session& session, const UidSet& uids, const StoreChange& change,
                std::vector<Ticket>& tickets) {
    for (int side = 0; side < 2; ++side) {
        auto& flags = side == 0 ? change.add : change.remove;
        if (flags.empty())
            continue;
        for (auto& text : pieces(session, uids, 100 + flags.size() * 20)) {
            Command command(session.dialect(), "UID STORE");
            command.raw(text);
            if (change.unchanged_since && session.has(Cap::condstore))
                command.raw(fmt::format("(UNCHANGEDSINCE {})", *change.unchanged_since));
            command.raw(side == 0 ? "+FLAGS.SILENT" : "-FLAGS.SILENT").flags(flags);
            Request request{std::move(command), "UID STORE"};
            tickets.push_back(session.post(std::move(request)));
        }
    }
}

// UID STORE in the folder that is selected; pieces pipelined.
loop::Task<UidSet> store_selected(std::shared_ptr<Session> session, const UidSet& uids,
                                  const StoreChange& change, loop::CancelToken token) {
    UidSet modified;
    std::vector<Ticket> tickets;
    {
        Session::Together together(*session);
        post_store(*session, uids, change, tickets);
    }
    std::optional<Error> refused;
    for (auto& ticket : tickets) {
        Answer got = co_await session->answer(ticket, token);
        if (got.kind == CodeKind::modified)
            modified = modified.united(UidSet(Ranges(got.uids)));
        else if (!got.ok() && !refused)
            refused = error_of(got.refusal(), "change flags");
    }
    if (refused)
        throw Error(*refused);
    co_return modified;
}

loop::Task<bool> expunge_selected(std::shared_ptr<Session> session, const UidSet& uids,
                                  loop::CancelToken token) {
    if (session->has(Cap::uidplus)) {
        for (auto& text : pieces(*session, uids, 20)) {
            Command command(session->dialect(), "UID EXPUNGE");
            command.raw(text);
            Request request{std::move(command), "UID EXPUNGE"};
            Ticket ticket = session->post(std::move(request));
            std::string doing = "expunge messages";
            co_await session->expect(ticket, doing, token);
        }
        co_return true;
    }
    // Somebody else's marked messages must not go with ours.
    UidSet marked;
    Command asking(session->dialect(), "UID SEARCH");
    asking.raw("DELETED");
    Request request{std::move(asking), "UID SEARCH", takes::search};
    Ticket ticket = session->post(std::move(request), [&marked](const Response& response) {
        if (auto* found = std::get_if<SearchResult>(&response))
            marked = marked.united(UidSet::of(found->numbers));
        else if (auto* extended = std::get_if<Esearch>(&response))
            marked = marked.united(UidSet(extended->all));
        return true;
    });
    std::string doing = "look for marked messages";
    co_await session->expect(ticket, doing, token);
    if (!uids.contains(marked))
        co_return false;
    Request plain{Command(session->dialect(), "EXPUNGE"), "EXPUNGE"};
    Ticket expunging = session->post(std::move(plain));
    std::string expunge_doing = "expunge messages";
    co_await session->expect(expunging, expunge_doing, token);
    co_return true;
}

// UID COPY or UID MOVE in the folder that is selected.
loop::Task<CopyResult> transfer(std::shared_ptr<Session> session, std::string_view verb, const UidSet& uids,
                                std::string to, loop::CancelToken token) {
    CopyResult result;
    bool told = true;
    std::string name = fmt::format("UID {}", verb);
    for (auto& text : pieces(*session, uids, to.size() * 4)) {
        Answer untagged; // MOVE gives its COPYUID before the OK
        Command command(session->dialect(), name);
        put_folder(command.raw(text), *session, to);
        Request request{std::move(command), name, takes::copy_uid};
        Ticket ticket = session->post(std::move(request), [&untagged](const Response& response) {
            auto& status = std::get<Status>(response);
            untagged.number = status.code.number;
            untagged.uids.insert(untagged.uids.end(), status.code.uids.begin(), status.code.uids.end());
            untagged.targets.insert(untagged.targets.end(), status.code.targets.begin(),
                                    status.code.targets.end());
            return true;
        });
        Answer got = co_await session->answer(ticket, token);
        if (!got.ok())
            throw error_of(got.refusal(),
                           fmt::format("{} messages to {}", verb == "MOVE" ? "move" : "copy", shown(to)));
        if (got.kind != CodeKind::copy_uid)
            got = untagged;
        auto both = pairs(Ranges(got.uids), Ranges(got.targets));
        // Exchange's COPYUID may be nonsense: then nothing is known, which is safer than something wrong.
        told = told && got.number > 0 && both && !both->empty();
        if (told) {
            result.uid_validity = static_cast<uint32_t>(got.number);
            result.pairs.insert(result.pairs.end(), both->begin(), both->end());
        }
    }
    if (!told)
        result = CopyResult();
    co_return result;
}

} // namespace

loop::Task<StoreResult> store(std::shared_ptr<Session> session, Target target, StoreChange change,
                              loop::CancelToken token) {
    need_uids(target);
    Session::Use use = co_await session->use(target.folder, target.priority, token);
    co_await open_target(session, target, token);
    StoreResult result;
    result.modified = co_await store_selected(session, target.uids, change, token);
    co_return result;
}

loop::Task<std::vector<std::optional<Error>>> store_all(std::shared_ptr<Session> session, Target target,
                                                        std::vector<StorePart> parts,
                                                        loop::CancelToken token) {
    for (auto& part : parts) {
        target.uids = part.uids;
        need_uids(target);
    }
    Session::Use use = co_await session->use(target.folder, target.priority, token);
    co_await open_target(session, target, token);
    std::vector<std::optional<Error>> refused(parts.size());
    std::vector<std::vector<Ticket>> tickets(parts.size());
    {
        Session::Together together(*session);
        for (size_t i = 0; i < parts.size(); ++i)
            post_store(*session, parts[i].uids, parts[i].change, tickets[i]);
    }
    for (size_t i = 0; i < parts.size(); ++i)
        for (auto& ticket : tickets[i]) {
            Answer got = co_await session->answer(ticket, token);
            if (!got.ok() && !refused[i])
                refused[i] = error_of(got.refusal(), "change flags");
        }
    co_return refused;
}

loop::Task<CopyResult> copy(std::shared_ptr<Session> session, Target target, std::string to,
                            loop::CancelToken token) {
    need_uids(target);
    co_await session->settled(token);
    Session::Use use = co_await session->use(target.folder, target.priority, token);
    co_await open_target(session, target, token);
    CopyResult result = co_await transfer(session, "COPY", target.uids, to, token);
    co_return result;
}

loop::Task<CopyResult> move(std::shared_ptr<Session> session, Target target, std::string to,
                            loop::CancelToken token) {
    need_uids(target);
    co_await session->settled(token);
    Session::Use use = co_await session->use(target.folder, target.priority, token);
    co_await open_target(session, target, token);
    if (session->has(Cap::move)) {
        CopyResult result = co_await transfer(session, "MOVE", target.uids, to, token);
        co_return result;
    }
    // The copy is there before the original is marked; when the copy fails nothing is marked at all.
    CopyResult result = co_await transfer(session, "COPY", target.uids, to, token);
    StoreChange mark;
    mark.add = {"\\Deleted"};
    co_await store_selected(session, target.uids, mark, token);
    result.expunged = co_await expunge_selected(session, target.uids, token);
    co_return result;
}

loop::Task<bool> expunge(std::shared_ptr<Session> session, Target target, loop::CancelToken token) {
    need_uids(target);
    Session::Use use = co_await session->use(target.folder, target.priority, token);
    co_await open_target(session, target, token);
    StoreChange mark;
    mark.add = {"\\Deleted"};
    co_await store_selected(session, target.uids, mark, token);
    bool gone = co_await expunge_selected(session, target.uids, token);
    co_return gone;
}

namespace {

// 25 MB take longer to look through than a turn may.
loop::Task<bool> has_nul(loop::Loop& loop, const std::string& text) {
    constexpr size_t piece = 256 * 1024;
    for (size_t at = 0; at < text.size(); at += piece) {
        if (std::string_view(text).substr(at, piece).find('\0') != std::string_view::npos)
            co_return true;
        if (loop.budget().exhausted())
            co_await loop.next_turn();
    }
    co_return false;
}

// The last to let go of it is the connection, on the editor's thread: to give 60 MB back takes 5 ms.
std::shared_ptr<const std::string> freed_aside(std::string text) {
    constexpr size_t long_text = 1u << 20;
    return {new std::string(std::move(text)), [](const std::string* gone) {
                std::unique_ptr<const std::string> owned(gone);
                if (gone->size() < long_text)
                    return;
                try {
                    std::thread([owned = std::move(owned)] {}).detach();
                } catch (const std::system_error&) {
                    // No thread for it: here, then.
                }
            }};
}

// One message of an APPEND, which is taken out of `message`.
loop::Task<void> put_message(loop::Loop& loop, Command& command, NewMessage& message) {
    if (!message.flags.empty())
        command.flags(message.flags);
    if (!message.internal_date.empty())
        command.string(message.internal_date);
    auto text = freed_aside(std::move(message.bytes));
    // A NUL cannot be in a literal, only in BINARY's kind of it.
    bool binary = co_await has_nul(loop, *text);
    command.literal_of(std::move(text), binary);
}

std::optional<Error> too_large(const Session& session, const NewMessage& message) {
    auto limit = session.capabilities().append_limit();
    if (!limit || message.bytes.size() <= *limit)
        return std::nullopt;
    return make_error(
        Fault::invalid,
        fmt::format("The message has {} bytes, the server takes {} at most.", message.bytes.size(), *limit),
        "Send its attachments another way.");
}

// The UIDs of an APPENDUID one by one; none unless there are as many as messages.
std::vector<uint32_t> told_uids(const Answer& answer, size_t messages) {
    std::vector<uint32_t> uids;
    if (answer.kind != CodeKind::append_uid)
        return uids;
    for (auto& range : answer.uids)
        for (uint64_t uid = range.first; uid <= range.last && uids.size() <= messages; ++uid)
            uids.push_back(static_cast<uint32_t>(uid));
    if (uids.size() != messages)
        uids.clear();
    return uids;
}

} // namespace

loop::Task<AppendResult> append(std::shared_ptr<Session> session, std::string folder,
                                std::vector<NewMessage> messages, loop::CancelToken token) {
    co_await session->settled(token);
    for (auto& message : messages)
        if (auto refused = too_large(*session, message))
            throw Error(*refused);
    AppendResult result;
    bool told = true;
    size_t at_once = session->has(Cap::multiappend) ? messages.size() : 1;
    for (size_t from = 0; from < messages.size(); from += at_once) {
        Command command(session->dialect(), "APPEND");
        put_folder(command, *session, folder);
        size_t until = std::min(messages.size(), from + at_once);
        for (size_t i = from; i < until; ++i)
            co_await put_message(session->loop(), command, messages[i]);
        Request request{std::move(command), "APPEND"};
        Ticket ticket = session->post(std::move(request));
        Answer got = co_await session->answer(ticket, token);
        if (!got.ok()) {
            Error error = error_of(got.refusal(), fmt::format("store a message in {}", shown(folder)));
            if (from > 0)
                error.detail = fmt::format("{{\"stored\":{}}}", from);
            throw error;
        }
        auto uids = told_uids(got, until - from);
        told = told && !uids.empty();
        if (told) {
            result.uid_validity = static_cast<uint32_t>(got.number);
            result.uids.insert(result.uids.end(), uids.begin(), uids.end());
        }
    }
    if (!told)
        result = AppendResult();
    co_return result;
}

loop::Task<Appended> append_all(std::shared_ptr<Session> session, std::string folder,
                                std::vector<NewMessage> messages, loop::CancelToken token) {
    co_await session->settled(token);
    Appended result;
    result.messages.resize(messages.size());
    std::vector<size_t> going;
    for (size_t i = 0; i < messages.size(); ++i) {
        result.messages[i].refused = too_large(*session, messages[i]);
        if (!result.messages[i].refused)
            going.push_back(i);
    }
    result.together = session->has(Cap::multiappend) && going.size() > 1;
    size_t at_once = result.together ? going.size() : 1;
    std::vector<Request> requests;
    for (size_t from = 0; from < going.size(); from += at_once) {
        Command command(session->dialect(), "APPEND");
        put_folder(command, *session, folder);
        for (size_t i = from; i < from + at_once; ++i)
            co_await put_message(session->loop(), command, messages[going[i]]);
        requests.push_back(Request{std::move(command), "APPEND"});
    }
    std::vector<Ticket> tickets;
    {
        Session::Together together(*session);
        for (auto& request : requests)
            tickets.push_back(session->post(std::move(request)));
    }
    for (size_t at = 0; at < tickets.size(); ++at) {
        Answer got = co_await session->answer(tickets[at], token);
        auto uids = told_uids(got, at_once);
        for (size_t i = 0; i < at_once; ++i) {
            auto& one = result.messages[going[at * at_once + i]];
            if (!got.ok())
                one.refused = error_of(got.refusal(), fmt::format("store a message in {}", shown(folder)));
            else if (!uids.empty())
                one.uid = uids[i];
        }
    }
    co_return result;
}

loop::Task<void> create(std::shared_ptr<Session> session, std::string folder, loop::CancelToken token) {
    co_await session->settled(token);
    Command command(session->dialect(), "CREATE");
    put_folder(command, *session, folder);
    Request request{std::move(command), "CREATE"};
    Ticket ticket = session->post(std::move(request));
    Answer got = co_await session->answer(ticket, token);
    if (!got.ok() && got.kind != CodeKind::already_exists)
        throw error_of(got.refusal(), fmt::format("make the folder {}", shown(folder)));
}

} // namespace himalaya::imap

#include "imap/folder.hpp"

#include "mail/modified_utf7.hpp"

#include <fmt/format.h>
#include <utility>

namespace himalaya::imap {

namespace {

void take_code(Selected& selected, const StatusCode& code) {
    switch (code.kind) {
    case CodeKind::uid_validity:
        selected.uid_validity = static_cast<uint32_t>(code.number);
        break;
    case CodeKind::uid_next:
        if (code.number > 0)
            selected.uid_next = static_cast<uint32_t>(code.number);
        break;
    case CodeKind::highest_modseq:
        selected.highest_modseq = code.number;
        break;
    case CodeKind::no_modseq:
        selected.highest_modseq.reset();
        break;
    case CodeKind::permanent_flags:
        selected.permanent_flags.assign(code.words.begin(), code.words.end());
        break;
    case CodeKind::mailbox_id:
        if (!code.words.empty())
            selected.mailbox_id = std::string(code.words.front());
        break;
    case CodeKind::read_only:
        selected.read_only = true;
        break;
    case CodeKind::closed: {
        // All before this was said of the folder that was open until now.
        std::string folder = std::move(selected.folder);
        selected = Selected();
        selected.folder = std::move(folder);
        break;
    }
    default:
        break;
    }
}

} // namespace

std::string folder_name(Session& session, Text wire) {
    if (session.dialect().utf8)
        return std::string(wire);
    if (auto name = mail::decode_modified_utf7(wire))
        return *name;
    session.learnt().odd_names.emplace(wire);
    return std::string(wire);
}

Command& put_folder(Command& command, Session& session, const std::string& name) {
    return session.learnt().odd_names.contains(name) ? command.folder_on_wire(name) : command.folder(name);
}

Ticket post_select(Session& session, const std::string& folder, SelectOptions options) {
    if (!options.again && !options.known && session.folder() == folder)
        return nullptr;
    Command command(session.dialect(), options.read_only ? "EXAMINE" : "SELECT");
    put_folder(command, session, folder);
    uint32_t kinds = takes::select;
    if (options.known && session.has(Cap::qresync) && session.learnt().qresync) {
        kinds |= takes::fetch | takes::vanished;
        std::string parameter =
            fmt::format("(QRESYNC ({} {}", options.known->uid_validity, options.known->modseq);
        // Without the known UIDs the server tells of every UID that ever vanished; too long a list is left out.
        std::string uids = options.known->uids.text();
        if (!uids.empty() &&
            command.line_size() + parameter.size() + uids.size() + 16 < session.quirks().line_budget)
            parameter += " " + uids;
        command.raw(parameter + "))");
    } else if (session.has(Cap::condstore)) {
        command.raw("(CONDSTORE)");
    }
    Request request{std::move(command), options.read_only ? "EXAMINE" : "SELECT", kinds};
    request.on_ok = State::selected;
    request.on_fail = State::authenticated;
    auto fresh = std::make_shared<Selected>();
    fresh->folder = folder;
    fresh->read_only = options.read_only;
    session.set_folder(folder);
    session.selected().reset(); // nobody is to believe what it was
    auto changed = std::make_shared<SelectOptions>(std::move(options));
    auto ticket = session.post(std::move(request), [fresh, changed](const Response& response) {
        if (auto* flags = std::get_if<Flags>(&response))
            fresh->flags.assign(flags->names.begin(), flags->names.end());
        else if (auto* exists = std::get_if<Exists>(&response))
            fresh->exists = exists->count;
        else if (auto* status = std::get_if<Status>(&response))
            take_code(*fresh, status->code);
        else if (auto* fetch = std::get_if<Fetch>(&response)) {
            if (changed->on_changed)
                changed->on_changed(*fetch);
        } else if (auto* vanished = std::get_if<Vanished>(&response)) {
            if (changed->on_vanished)
                changed->on_vanished(vanished->uids);
        }
        return true;
    });
    ticket->on_answer = [fresh, &session, weak = session.weak_from_this()](const Answer& answer) {
        auto alive = weak.lock();
        if (!alive || session.folder() != fresh->folder)
            return;
        if (!answer.ok()) {
            session.set_folder({});
            session.selected().reset();
            return;
        }
        if (answer.kind == CodeKind::read_only)
            fresh->read_only = true;
        session.selected() = *fresh;
    };
    return ticket;
}

loop::Task<Selected> select(std::shared_ptr<Session> session, std::string folder, SelectOptions options,
                            loop::CancelToken token) {
    bool resync = options.known && session->has(Cap::qresync) && session->learnt().qresync;
    if (resync) {
        co_await session->settled(token);
        resync = session->learnt().qresync;
    }
    auto plain = [read_only = options.read_only] {
        SelectOptions only;
        only.read_only = read_only;
        only.again = true;
        return only;
    };
    Ticket ticket;
    {
        Session::Together together(*session);
        auto beside = std::move(options.beside);
        ticket = post_select(*session, folder, std::move(options));
        if (ticket && beside)
            beside();
    }
    if (!ticket) {
        // It is selected, or on its way with somebody else's SELECT.
        if (session->selected() && session->selected()->folder == folder)
            co_return *session->selected();
        ticket = post_select(*session, folder, plain());
    }
    Answer got = co_await session->answer(ticket, token);
    if (got.verdict == Verdict::bad && resync) {
        session->learnt().qresync = false;
        ticket = post_select(*session, folder, plain());
        got = co_await session->answer(ticket, token);
    }
    if (!got.ok())
        throw error_of(got.refusal(), fmt::format("open the folder {}", shown(folder)));
    if (!session->selected())
        throw make_error(Fault::protocol, "The server said that a folder is open and closed it at once.");
    co_return *session->selected();
}

} // namespace himalaya::imap

#include "imap/fetch_wants.hpp"

#include "imap/text.hpp"

#include <fmt/format.h>
#include <utility>

namespace himalaya::imap {

std::string fetch_items(const FetchWants& wants, const Session& session) {
    std::string items = "UID";
    auto want = [&items](bool when, std::string_view name) {
        if (when)
            items.append(" ").append(name);
    };
    want(wants.flags, "FLAGS");
    want(wants.envelope, "ENVELOPE");
    want(wants.size, "RFC822.SIZE");
    want(wants.internal_date, "INTERNALDATE");
    want(wants.structure, "BODYSTRUCTURE");
    want(wants.modseq && session.has(Cap::condstore), "MODSEQ");
    want(wants.preview && session.has(Cap::preview), "PREVIEW");
    want(wants.save_date && session.has(Cap::savedate), "SAVEDATE");
    want(wants.object_ids && session.has(Cap::objectid), "EMAILID THREADID");
    want(wants.gmail && session.has(Cap::gmail), "X-GM-MSGID X-GM-THRID X-GM-LABELS");
    if (!wants.headers.empty()) {
        std::string names;
        for (auto& name : wants.headers)
            names.append(names.empty() ? "" : " ").append(name);
        want(true, fmt::format("BODY.PEEK[HEADER.FIELDS ({})]", names));
    }
    for (auto& part : wants.parts)
        want(true, fmt::format("BODY.PEEK[{}]", part));
    // Last, so that the UID is known when a large one begins to stream.
    want(wants.body, "BODY.PEEK[]");
    return fmt::format("({})", items);
}

bool answers(const FetchWants& wants, const Fetch& got) {
    bool only_flags = !wants.envelope && !wants.size && !wants.internal_date && !wants.structure &&
                      !wants.preview && !wants.body && !wants.save_date && !wants.object_ids &&
                      !wants.gmail && wants.headers.empty() && wants.parts.empty();
    if (only_flags)
        return !wants.flags || got.has_flags;
    return got.tells || !got.sections.empty();
}

bool leave_out(FetchWants& wants, Text item) {
    const std::pair<std::string_view, bool FetchWants::*> known[] = {
        {"ENVELOPE", &FetchWants::envelope},
        {"BODYSTRUCTURE", &FetchWants::structure},
        {"INTERNALDATE", &FetchWants::internal_date},
        {"RFC822.SIZE", &FetchWants::size},
        {"FLAGS", &FetchWants::flags},
        {"MODSEQ", &FetchWants::modseq},
        {"PREVIEW", &FetchWants::preview},
        {"SAVEDATE", &FetchWants::save_date},
        {"EMAILID", &FetchWants::object_ids},
        {"THREADID", &FetchWants::object_ids},
        {"X-GM-MSGID", &FetchWants::gmail},
        {"X-GM-THRID", &FetchWants::gmail},
        {"X-GM-LABELS", &FetchWants::gmail}};
    for (auto& [name, member] : known)
        if (same_word(item, name))
            return std::exchange(wants.*member, false);
    return false;
}

} // namespace himalaya::imap

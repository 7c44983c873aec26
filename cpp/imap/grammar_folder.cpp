// LIST, LSUB, XLIST, STATUS, NAMESPACE and ID: what folders and servers say of themselves.
#include "imap/grammar.hpp"
#include "imap/text.hpp"

namespace himalaya::imap {

namespace {

// `"/"`, `"\\"` or NIL.
bool read_delimiter(Scanner& in, char& delimiter) {
    Text text;
    if (!in.nstring(text))
        return false;
    if (text.size() > 1)
        return in.fail("the delimiter is more than one character");
    delimiter = text.empty() ? '\0' : text[0];
    return true;
}

// ("CHILDINFO" ("SUBSCRIBED") "OLDNAME" ("Before") ...): after the name.
bool read_extended(Scanner& in, Folder& folder) {
    if (!in.expect('(', "expected a list"))
        return false;
    for (;;) {
        in.spaces();
        if (in.eat(')'))
            return true;
        Text item;
        if (!in.astring(item) || !in.space())
            return false;
        if (same_word(item, "CHILDINFO")) {
            if (!in.strings(folder.child_info))
                return false;
        } else if (same_word(item, "OLDNAME")) {
            if (!in.expect('(', "expected a list") || !in.name(folder.old_name) ||
                !in.expect(')', "expected `)`"))
                return false;
        } else {
            Text skipped;
            if (!in.raw(skipped))
                return false;
        }
    }
}

bool read_optional(Scanner& in, std::optional<uint64_t>& value) {
    if (in.eat_nil()) // APPENDLIMIT NIL: no limit of its own
        return true;
    return in.number_or_minus_one(value);
}

bool read_optional(Scanner& in, std::optional<uint32_t>& value) {
    std::optional<uint64_t> wide;
    if (!read_optional(in, wide))
        return false;
    if (wide && *wide > UINT32_MAX)
        return in.fail("the number is too large");
    if (wide)
        value = uint32_t(*wide);
    return true;
}

bool read_status_value(Scanner& in, Text item, FolderStatus& status) {
    if (same_word(item, "MESSAGES"))
        return read_optional(in, status.messages);
    if (same_word(item, "RECENT"))
        return read_optional(in, status.recent);
    if (same_word(item, "UNSEEN"))
        return read_optional(in, status.unseen);
    if (same_word(item, "DELETED"))
        return read_optional(in, status.deleted);
    if (same_word(item, "UIDNEXT"))
        return read_optional(in, status.uid_next);
    if (same_word(item, "UIDVALIDITY"))
        return read_optional(in, status.uid_validity);
    if (same_word(item, "HIGHESTMODSEQ"))
        return read_optional(in, status.highest_modseq);
    if (same_word(item, "SIZE"))
        return read_optional(in, status.size);
    if (same_word(item, "APPENDLIMIT"))
        return read_optional(in, status.append_limit);
    if (same_word(item, "DELETED-STORAGE"))
        return read_optional(in, status.deleted_storage);
    if (same_word(item, "MAILBOXID")) {
        Seq<Text> ids;
        if (!in.strings(ids))
            return false;
        status.mailbox_id = ids.empty() ? Text{} : ids[0];
        return true;
    }
    Text skipped;
    return in.raw(skipped);
}

bool read_spaces_of(Scanner& in, Seq<Namespaces::Space>& spaces) {
    if (in.eat_nil())
        return true;
    if (!in.expect('(', "expected a list of namespaces"))
        return false;
    ListBuilder<Namespaces::Space> found(in.arena());
    for (;;) {
        in.spaces();
        if (in.eat(')'))
            break;
        Namespaces::Space space;
        if (!in.expect('(', "expected a namespace") || !in.string(space.prefix) || !in.space() ||
            !read_delimiter(in, space.delimiter))
            return false;
        while (in.eat(' ')) { // extensions: name, list
            Text skipped;
            if (!in.raw(skipped))
                return false;
        }
        if (!in.expect(')', "expected `)`") || !in.add(found, space))
            return false;
    }
    spaces = found.list();
    return true;
}

} // namespace

bool read_folder(Scanner& in, Folder& folder) {
    if (!in.words(folder.attributes) || !in.space() || !read_delimiter(in, folder.delimiter) || !in.space() ||
        !in.name(folder.name))
        return false;
    in.spaces();
    if (in.peek() == '(' && !in.at_end() && !read_extended(in, folder))
        return false;
    return in.finish();
}

bool read_folder_status(Scanner& in, FolderStatus& status) {
    if (!in.name(status.name) || !in.space() || !in.expect('(', "expected a list"))
        return false;
    for (;;) {
        in.spaces(); // quirk::trailing_space_in_status
        if (in.eat(')'))
            break;
        const Text item = in.word();
        if (item.empty())
            return in.fail("expected the name of a status item");
        if (!in.space() || !read_status_value(in, item, status))
            return false;
    }
    if (status.uid_next && quirk::zero_is_unknown(*status.uid_next))
        status.uid_next.reset();
    if (status.uid_validity && quirk::zero_is_unknown(*status.uid_validity))
        status.uid_validity.reset();
    return in.finish();
}

bool read_namespaces(Scanner& in, Namespaces& spaces) {
    return read_spaces_of(in, spaces.personal) && in.space() && read_spaces_of(in, spaces.others) &&
           in.space() && read_spaces_of(in, spaces.shared) && in.finish();
}

bool read_identity(Scanner& in, Identity& identity) {
    if (in.eat_nil())
        return in.finish();
    if (!in.expect('(', "expected a list"))
        return false;
    ListBuilder<Identity::Field> found(in.arena());
    for (;;) {
        in.spaces();
        if (in.eat(')'))
            break;
        Identity::Field field;
        if (!in.string(field.name) || !in.space() || !in.nstring(field.value) || !in.add(found, field))
            return false;
    }
    identity.fields = found.list();
    return in.finish();
}

} // namespace himalaya::imap

#include "lua/imap_values.hpp"

#include "mail/encoded_word.hpp"

#include <algorithm>
#include <array>
#include <fmt/format.h>

namespace himalaya::lua {

using namespace himalaya::imap;

namespace {

void set_text(lua_State* L, const char* name, Text text) {
    if (is_nil(text))
        return;
    lua_pushlstring(L, text.data(), text.size());
    lua_setfield(L, -2, name);
}

void set_number(lua_State* L, const char* name, uint64_t number) {
    lua_pushnumber(L, static_cast<double>(number));
    lua_setfield(L, -2, name);
}

template<class T>
void set_some(lua_State* L, const char* name, const std::optional<T>& number) {
    if (number)
        set_number(L, name, *number);
}

void set_list(lua_State* L, const char* name, Seq<Text> texts) {
    lua_createtable(L, static_cast<int>(texts.size()), 0);
    int i = 0;
    for (auto text : texts) {
        lua_pushlstring(L, text.data(), text.size());
        lua_rawseti(L, -2, ++i);
    }
    lua_setfield(L, -2, name);
}

// A header that people read: encoded words are decoded, and it is UTF-8 whatever came.
void set_words(lua_State* L, const char* name, Text text, std::vector<Undecoded>& undecoded) {
    if (is_nil(text))
        return;
    switch (mail::decoding_of(text)) {
    case mail::Decoding::none:
        return set_text(L, name, text);
    case mail::Decoding::at_once:
        return set(L, name, mail::decode_header(text));
    case mail::Decoding::on_a_worker:
        undecoded.push_back({Ref::of(L, -1), name, std::string(text)});
    }
}

// { {name=, addr=}, ... }: a group's marks have no address and are left out.
void set_addresses(lua_State* L, const char* name, Seq<Address> addresses,
                   std::vector<Undecoded>& undecoded) {
    if (addresses.empty())
        return;
    lua_createtable(L, static_cast<int>(addresses.size()), 0);
    int i = 0;
    for (auto& address : addresses) {
        if (is_nil(address.host) || is_nil(address.mailbox))
            continue;
        lua_createtable(L, 0, 2);
        set_words(L, "name", address.name, undecoded);
        char buffer[320];
        std::size_t size = address.mailbox.size() + 1 + address.host.size();
        if (size <= sizeof buffer) {
            char* at = std::copy(address.mailbox.begin(), address.mailbox.end(), buffer);
            *at++ = '@';
            std::copy(address.host.begin(), address.host.end(), at);
            lua_pushlstring(L, buffer, size);
        } else {
            push(L, fmt::format("{}@{}", address.mailbox, address.host));
        }
        lua_setfield(L, -2, "addr");
        lua_rawseti(L, -2, ++i);
    }
    lua_setfield(L, -2, name);
}

void push_envelope(lua_State* L, const Envelope& envelope, std::vector<Undecoded>& undecoded) {
    lua_createtable(L, 0, 9);
    set_text(L, "date", envelope.date);
    set_words(L, "subject", envelope.subject, undecoded);
    set_addresses(L, "from", envelope.from, undecoded);
    set_addresses(L, "sender", envelope.sender, undecoded);
    set_addresses(L, "reply_to", envelope.reply_to, undecoded);
    set_addresses(L, "to", envelope.to, undecoded);
    set_addresses(L, "cc", envelope.cc, undecoded);
    set_addresses(L, "bcc", envelope.bcc, undecoded);
    set_text(L, "in_reply_to", envelope.in_reply_to);
    set_text(L, "message_id", envelope.message_id);
}

void set_parameters(lua_State* L, const char* name, Seq<Parameter> parameters) {
    if (parameters.empty())
        return;
    lua_createtable(L, 0, static_cast<int>(parameters.size()));
    for (auto& parameter : parameters) {
        std::string key(parameter.name);
        for (char& c : key)
            c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
        push(L, key);
        if (is_nil(parameter.value))
            lua_pushboolean(L, 1);
        else
            lua_pushlstring(L, parameter.value.data(), parameter.value.size());
        lua_rawset(L, -3);
    }
    lua_setfield(L, -2, name);
}

// `path` is the part's number for BODY[...]: "1.2".
void push_part(lua_State* L, const BodyPart& part, const std::string& path, int depth,
               std::vector<Undecoded>& undecoded) {
    lua_createtable(L, 0, 10);
    luaL_checkstack(L, 10, nullptr);
    set_text(L, "type", part.type);
    set_text(L, "subtype", part.subtype);
    set_parameters(L, "parameters", part.parameters);
    set_text(L, "id", part.id);
    set_text(L, "description", part.description);
    set_text(L, "disposition", part.disposition);
    set_parameters(L, "disposition_parameters", part.disposition_parameters);
    if (!part.multipart) {
        push(L, path.empty() ? std::string("1") : path);
        lua_setfield(L, -2, "part");
        set_text(L, "encoding", part.encoding);
        set_number(L, "size", part.octets);
        if (part.lines > 0)
            set_number(L, "lines", part.lines);
    }
    if (part.envelope) {
        push_envelope(L, *part.envelope, undecoded);
        lua_setfield(L, -2, "envelope");
    }
    if (!part.children.empty() && depth < 100) {
        lua_createtable(L, static_cast<int>(part.children.size()), 0);
        int i = 0;
        for (auto& child : part.children) {
            ++i;
            // The one child of a message/rfc822 counts its own parts under the message's number.
            std::string own = child.multipart && !part.multipart ? path
                              : path.empty()                     ? std::to_string(i)
                                                                 : fmt::format("{}.{}", path, i);
            push_part(L, child, own, depth + 1, undecoded);
            lua_rawseti(L, -2, i);
        }
        lua_setfield(L, -2, "children");
    }
}

bool same_word(std::string_view a, std::string_view b) {
    return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) {
               auto low = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
               return low(x) == low(y);
           });
}

// The names as the server sent them, and seen=true and its like beside them.
template<class List>
void set_flags(lua_State* L, const List& flags) {
    lua_createtable(L, static_cast<int>(flags.size()), 2);
    int i = 0;
    for (auto& flag : flags) {
        lua_pushlstring(L, flag.data(), flag.size());
        lua_rawseti(L, -2, ++i);
        for (auto& known : flag_names)
            if (same_word(flag, known.flag)) {
                lua_pushboolean(L, 1);
                lua_setfield(L, -2, known.name);
            }
    }
    lua_setfield(L, -2, "flags");
}

} // namespace

void push_message(lua_State* L, const Fetch& message, std::vector<Undecoded>& undecoded) {
    // A body mostly comes with its UID alone.
    lua_createtable(L, 0, message.envelope || message.sections.empty() ? 8 : 2);
    set_some(L, "uid", message.uid);
    set_some(L, "modseq", message.modseq);
    set_some(L, "size", message.size);
    if (message.has_flags)
        set_flags(L, message.flags);
    if (message.internal_date.epoch) {
        lua_pushnumber(L, static_cast<double>(*message.internal_date.epoch));
        lua_setfield(L, -2, "internaldate");
    }
    if (message.save_date.epoch) {
        lua_pushnumber(L, static_cast<double>(*message.save_date.epoch));
        lua_setfield(L, -2, "savedate");
    }
    if (message.envelope) {
        push_envelope(L, *message.envelope, undecoded);
        lua_setfield(L, -2, "envelope");
    }
    if (message.body) {
        push_part(L, *message.body, {}, 0, undecoded);
        lua_setfield(L, -2, "bodystructure");
    }
    for (auto& section : message.sections) {
        bool whole = section.name.empty();
        if (section.streamed) {
            set_number(L, "body_size", section.size);
            continue;
        }
        if (whole) {
            set_text(L, "body", section.data);
        } else if (section.name.starts_with("HEADER")) {
            set_text(L, "headers", section.data);
        } else {
            lua_getfield(L, -1, "parts");
            if (lua_isnil(L, -1)) {
                lua_pop(L, 1);
                lua_newtable(L);
                lua_pushvalue(L, -1);
                lua_setfield(L, -3, "parts");
            }
            lua_pushlstring(L, section.name.data(), section.name.size());
            lua_pushlstring(L, section.data.data(), is_nil(section.data) ? 0 : section.data.size());
            lua_rawset(L, -3);
            lua_pop(L, 1);
        }
    }
    if (message.has_preview)
        set_text(L, "preview", message.preview);
    set_text(L, "email_id", message.email_id);
    set_text(L, "thread_id", message.thread_id);
    // 64 bits do not fit a Lua number.
    if (message.gm_message_id)
        set(L, "gm_message_id", std::to_string(*message.gm_message_id));
    if (message.gm_thread_id)
        set(L, "gm_thread_id", std::to_string(*message.gm_thread_id));
    if (message.has_gm_labels)
        set_list(L, "gm_labels", message.gm_labels);
}

void push_folder(lua_State* L, const FolderInfo& folder) {
    lua_createtable(L, 0, 8);
    set(L, "name", folder.name);
    if (!folder.delimiter.empty())
        set(L, "delimiter", folder.delimiter);
    set(L, "attributes", folder.attributes);
    if (!folder.role.empty())
        set(L, "role", folder.role);
    set(L, "selectable", folder.selectable);
    if (folder.has_status) {
        set_number(L, "messages", folder.messages);
        set_number(L, "unseen", folder.unseen);
        set_some(L, "uidnext", folder.uid_next);
        set_some(L, "uidvalidity", folder.uid_validity);
        set_some(L, "highestmodseq", folder.highest_modseq);
    }
}

void push_status(lua_State* L, const StatusInfo& status) {
    lua_createtable(L, 0, 8);
    set_some(L, "messages", status.messages);
    set_some(L, "recent", status.recent);
    set_some(L, "unseen", status.unseen);
    set_some(L, "uidnext", status.uid_next);
    set_some(L, "uidvalidity", status.uid_validity);
    set_some(L, "highestmodseq", status.highest_modseq);
    set_some(L, "size", status.size);
    set_some(L, "appendlimit", status.append_limit);
    if (!status.mailbox_id.empty())
        set(L, "mailbox_id", status.mailbox_id);
}

void push_uids(lua_State* L, const UidSet& uids) {
    auto numbers = uids.numbers();
    lua_createtable(L, static_cast<int>(numbers.size()), 0);
    int i = 0;
    for (auto uid : numbers) {
        lua_pushnumber(L, uid);
        lua_rawseti(L, -2, ++i);
    }
}

void push_change(lua_State* L, const Change& change) {
    lua_createtable(L, 0, 6);
    set(L, "folder", change.folder);
    set(L, "kind", std::string(name_of(change.kind)));
    set_some(L, "exists", change.exists);
    set_some(L, "uid", change.uid);
    set_some(L, "uidnext", change.uid_next);
    set_some(L, "highestmodseq", change.modseq);
    set_some(L, "unseen", change.unseen);
    if (change.kind == Change::Kind::flags)
        set_flags(L, change.flags);
    if (!change.vanished.empty()) {
        // "1:4294967295" from a hostile server must not become a table of that size.
        push(L, change.vanished.text());
        lua_setfield(L, -2, "vanished");
    }
}

void push_stats(lua_State* L, const PoolStats& stats) {
    lua_createtable(L, 0, 10);
    set_number(L, "connections", stats.connections);
    set_number(L, "connections_opened", stats.connections_opened);
    set_number(L, "logins", stats.logins);
    set_number(L, "round_trips", stats.round_trips);
    set_number(L, "bytes_in", stats.bytes_in);
    set_number(L, "bytes_out", stats.bytes_out);
    set_number(L, "malformed", stats.malformed);
    set_number(L, "limit", stats.limit);
    set(L, "mode", stats.mode);
    if (!stats.note.empty())
        set(L, "note", stats.note);
}

void push_capabilities(lua_State* L, const Capabilities& capabilities) {
    auto& words = capabilities.words();
    lua_createtable(L, static_cast<int>(words.size()), static_cast<int>(words.size()));
    int i = 0;
    for (auto& word : words) {
        push(L, word);
        lua_rawseti(L, -2, ++i);
        push(L, word);
        lua_pushboolean(L, 1);
        lua_rawset(L, -3);
    }
}

} // namespace himalaya::lua

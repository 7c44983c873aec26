#include "imap/as_json.hpp"

#include "base/json_out.hpp"
#include "base/text.hpp"

namespace himalaya::imap {

namespace {

std::string utf8_length_checked(Text bytes) {
    std::string result;
    for (size_t i = 0; i < bytes.size();) {
        size_t length = 1;
        const auto lead = static_cast<unsigned char>(bytes[i]);
        if (lead >= 0xc2)
            length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 1;
        const Text piece = bytes.substr(i, length);
        if (text::is_utf8(piece)) {
            result += piece;
            i += piece.size();
        } else {
            constexpr std::string_view digits = "0123456789abcdef";
            result += {'\\', 'x', digits[lead >> 4], digits[lead & 15]};
            i++;
        }
    }
    return result;
}

class Describer {
  public:
    explicit Describer(const Literals& literals) : m_literals(literals) { m_out.begin_object(); }

    std::string finish() && {
        m_out.end_object();
        return std::move(m_out).str();
    }

    void operator()(const Status& status) {
        type(name_of(status.condition));
        if (!status.tag.empty())
            text("tag", status.tag);
        code(status.code);
        text("text", status.text);
    }
    void operator()(const Continuation& go_on) {
        type("continuation");
        code(go_on.code);
        text("text", go_on.text);
    }
    void operator()(const Capability& capability) {
        type("capability");
        texts("names", capability.names);
    }
    void operator()(const Enabled& enabled) {
        type("enabled");
        texts("names", enabled.names);
    }
    void operator()(const Identity& identity) {
        type("id");
        m_out.key("fields").begin_object();
        for (const Identity::Field& field : identity.fields)
            text(printable(field.name), field.value);
        m_out.end_object();
    }
    void operator()(const Namespaces& spaces) {
        type("namespace");
        namespaces("personal", spaces.personal);
        namespaces("others", spaces.others);
        namespaces("shared", spaces.shared);
    }
    void operator()(const Folder& folder) {
        type(folder.from == Folder::From::list   ? "list"
             : folder.from == Folder::From::lsub ? "lsub"
                                                 : "xlist");
        texts("attributes", folder.attributes);
        delimiter(folder.delimiter);
        text("name", folder.name);
        if (!folder.child_info.empty())
            texts("childinfo", folder.child_info);
        if (!is_nil(folder.old_name))
            text("oldname", folder.old_name);
    }
    void operator()(const FolderStatus& status) {
        type("status");
        text("name", status.name);
        optional("messages", status.messages);
        optional("recent", status.recent);
        optional("unseen", status.unseen);
        optional("deleted", status.deleted);
        optional("uidnext", status.uid_next);
        optional("uidvalidity", status.uid_validity);
        optional("highestmodseq", status.highest_modseq);
        optional("size", status.size);
        optional("appendlimit", status.append_limit);
        optional("deleted_storage", status.deleted_storage);
        if (!is_nil(status.mailbox_id))
            text("mailboxid", status.mailbox_id);
    }
    void operator()(const Flags& flags) {
        type("flags");
        texts("flags", flags.names);
    }
    void operator()(const Exists& exists) { counted("exists", "count", exists.count); }
    void operator()(const Recent& recent) { counted("recent", "count", recent.count); }
    void operator()(const Expunge& expunge) { counted("expunge", "seq", expunge.seq); }
    void operator()(const Vanished& vanished) {
        type("vanished");
        m_out.member("earlier", vanished.earlier);
        ranges("uids", vanished.uids);
    }
    void operator()(const SearchResult& result) {
        type(result.sorted ? "sort" : "search");
        m_out.key("numbers").begin_array();
        for (const uint32_t number : result.numbers)
            m_out.value(number);
        m_out.end_array();
        optional("modseq", result.modseq);
    }
    void operator()(const Esearch& result) {
        type("esearch");
        if (!is_nil(result.tag))
            text("tag", result.tag);
        m_out.member("uid", result.uid);
        optional("min", result.min);
        optional("max", result.max);
        optional("count", result.count);
        optional("modseq", result.modseq);
        if (result.has_all)
            ranges("all", result.all);
        if (result.has_partial) {
            m_out.key("partial").begin_object();
            text("window", result.partial_window);
            ranges("numbers", result.partial);
            m_out.end_object();
        }
    }
    void operator()(const ThreadResult& result) {
        type("thread");
        m_out.key("nodes").begin_array();
        for (const ThreadResult::Node& node : result.nodes)
            m_out.begin_object().member("number", node.number).member("depth", node.depth).end_object();
        m_out.end_array();
    }
    void operator()(const Fetch& fetch) {
        type("fetch");
        m_out.member("seq", fetch.seq);
        optional("uid", fetch.uid);
        optional("modseq", fetch.modseq);
        if (fetch.has_flags)
            texts("flags", fetch.flags);
        date("internaldate", fetch.internal_date);
        optional("size", fetch.size);
        if (fetch.envelope)
            envelope("envelope", *fetch.envelope);
        if (fetch.body) {
            m_out.key(fetch.body_extended ? "bodystructure" : "bodystructure_short");
            part(*fetch.body);
        }
        if (fetch.has_preview)
            text("preview", fetch.preview);
        date("savedate", fetch.save_date);
        if (!is_nil(fetch.email_id))
            text("emailid", fetch.email_id);
        if (!is_nil(fetch.thread_id))
            text("threadid", fetch.thread_id);
        optional("x_gm_msgid", fetch.gm_message_id);
        optional("x_gm_thrid", fetch.gm_thread_id);
        if (fetch.has_gm_labels)
            texts("x_gm_labels", fetch.gm_labels);
        sections(fetch.sections);
        if (!fetch.binary_sizes.empty()) {
            m_out.key("binary_sizes").begin_array();
            for (const BinarySize& size : fetch.binary_sizes) {
                m_out.begin_object();
                text("part", size.part);
                m_out.member("size", size.size).end_object();
            }
            m_out.end_array();
        }
        if (!fetch.others.empty()) {
            m_out.key("other").begin_array();
            for (const OtherItem& item : fetch.others) {
                m_out.begin_object();
                text("name", item.name);
                text("value", item.value);
                m_out.end_object();
            }
            m_out.end_array();
        }
    }
    void operator()(const Other& other) {
        type("other");
        optional("number", other.number);
        text("name", other.name);
        text("text", other.text);
    }
    void operator()(const Malformed& malformed) {
        text("error", malformed.message);
        m_out.member("offset", malformed.offset);
        if (malformed.lost)
            m_out.member("lost", true);
    }

  private:
    static std::string printable(Text bytes) {
        return text::is_utf8(bytes) ? std::string(bytes) : utf8_length_checked(bytes);
    }
    void type(std::string_view name) { m_out.member("type", name); }
    void value(Text bytes) {
        if (is_nil(bytes))
            m_out.value(nullptr);
        else
            m_out.value(printable(bytes));
    }
    void text(std::string_view key, Text bytes) {
        m_out.key(key);
        value(bytes);
    }
    void texts(std::string_view key, Seq<Text> list) {
        m_out.key(key).begin_array();
        for (const Text one : list)
            value(one);
        m_out.end_array();
    }
    template<class T>
    void optional(std::string_view key, const std::optional<T>& number) {
        if (number)
            m_out.member(key, *number);
    }
    void counted(std::string_view name, std::string_view key, uint32_t number) {
        type(name);
        m_out.member(key, number);
    }
    void delimiter(char c) { text("delimiter", c ? Text(&c, 1) : Text{}); }
    void namespaces(std::string_view key, Seq<Namespaces::Space> list) {
        m_out.key(key).begin_array();
        for (const Namespaces::Space& space : list) {
            m_out.begin_object();
            text("prefix", space.prefix);
            delimiter(space.delimiter);
            m_out.end_object();
        }
        m_out.end_array();
    }
    void ranges(std::string_view key, Ranges list) {
        std::string out;
        const auto bound = [](uint32_t number) {
            return number == last_of_all ? "*" : std::to_string(number);
        };
        for (const Range& range : list) {
            out += out.empty() ? "" : ",";
            out += bound(range.first);
            if (range.last != range.first)
                out += ":" + bound(range.last);
        }
        m_out.member(key, out);
    }
    void code(const StatusCode& code) {
        if (code.kind == CodeKind::none)
            return;
        m_out.key("code").begin_object();
        text("name", code.name);
        m_out.member("known", code.kind != CodeKind::unknown);
        if (!code.text.empty())
            text("text", code.text);
        if (code.number)
            m_out.member("number", code.number);
        if (!code.uids.empty())
            ranges("uids", code.uids);
        if (!code.targets.empty())
            ranges("targets", code.targets);
        if (!code.words.empty())
            texts("words", code.words);
        m_out.end_object();
    }
    void date(std::string_view key, const DateTime& date) {
        if (is_nil(date.text))
            return;
        text(key, date.text);
        if (date.epoch)
            m_out.member(std::string(key) + "_epoch", *date.epoch);
    }
    void addresses(std::string_view key, Seq<Address> list) {
        m_out.key(key).begin_array();
        for (const Address& address : list) {
            m_out.begin_object();
            text("name", address.name);
            text("route", address.route);
            text("mailbox", address.mailbox);
            text("host", address.host);
            m_out.end_object();
        }
        m_out.end_array();
    }
    void envelope(std::string_view key, const Envelope& envelope) {
        m_out.key(key).begin_object();
        text("date", envelope.date);
        text("subject", envelope.subject);
        addresses("from", envelope.from);
        addresses("sender", envelope.sender);
        addresses("reply_to", envelope.reply_to);
        addresses("to", envelope.to);
        addresses("cc", envelope.cc);
        addresses("bcc", envelope.bcc);
        text("in_reply_to", envelope.in_reply_to);
        text("message_id", envelope.message_id);
        m_out.end_object();
    }
    void parameters(std::string_view key, Seq<Parameter> list) {
        m_out.key(key).begin_array();
        for (const Parameter& parameter : list) {
            m_out.begin_object();
            text("name", parameter.name);
            text("value", parameter.value);
            m_out.end_object();
        }
        m_out.end_array();
    }
    void part(const BodyPart& part) {
        m_out.begin_object();
        text("type", part.type);
        text("subtype", part.subtype);
        parameters("parameters", part.parameters);
        if (!part.multipart) {
            text("id", part.id);
            text("description", part.description);
            text("encoding", part.encoding);
            m_out.member("octets", part.octets).member("lines", part.lines);
            text("md5", part.md5);
        }
        text("disposition", part.disposition);
        parameters("disposition_parameters", part.disposition_parameters);
        texts("language", part.language);
        text("location", part.location);
        if (part.envelope)
            envelope("envelope", *part.envelope);
        if (part.multipart || !part.children.empty()) {
            m_out.key("children").begin_array();
            for (const BodyPart& child : part.children)
                this->part(child);
            m_out.end_array();
        }
        m_out.end_object();
    }
    void sections(Seq<Section> list) {
        if (list.empty())
            return;
        m_out.key("sections").begin_array();
        for (const Section& section : list) {
            m_out.begin_object().member("item", item_name(section.kind));
            text("section", section.name);
            optional("origin", section.origin);
            m_out.member("size", section.size);
            const auto streamed = m_literals.find(section.literal);
            if (section.streamed && streamed == m_literals.end())
                m_out.member("streamed", true);
            else
                text("data", section.streamed ? Text(streamed->second) : section.data);
            m_out.end_object();
        }
        m_out.end_array();
    }
    static std::string_view item_name(Section::Kind kind) {
        switch (kind) {
        case Section::Kind::body:
            return "body";
        case Section::Kind::binary:
            return "binary";
        case Section::Kind::rfc822:
            return "rfc822";
        case Section::Kind::rfc822_header:
            return "rfc822.header";
        case Section::Kind::rfc822_text:
            return "rfc822.text";
        }
        return "";
    }

    json::Writer m_out;
    const Literals& m_literals;
};

} // namespace

std::string_view name_of(Condition condition) {
    switch (condition) {
    case Condition::ok:
        return "ok";
    case Condition::no:
        return "no";
    case Condition::bad:
        return "bad";
    case Condition::bye:
        return "bye";
    case Condition::preauth:
        return "preauth";
    }
    return "";
}

std::string as_json(const Response& response, const Literals& literals) {
    Describer describer(literals);
    std::visit(describer, response);
    return std::move(describer).finish();
}

} // namespace himalaya::imap

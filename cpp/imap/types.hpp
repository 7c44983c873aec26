// What a server can say, as values. Everything in a Response is a view: texts point into the bytes that were
// fed (or into the parser's own buffer), lists and trees live in the parser's arena, and all of it is valid
// until the parser's next next(), feed() or keep(). So 50,000 envelopes cost no allocation; who wants to keep
// one copies it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <variant>

namespace himalaya::imap {

// A string as the server sent it, unescaped but not decoded (folder names are modified UTF-7 or UTF-8,
// headers have encoded words). NIL is a view without an address; "" has one.
using Text = std::string_view;
inline bool is_nil(Text text) {
    return text.data() == nullptr;
}

template<class T>
using Seq = std::span<const T>;

// UIDs or message numbers as written, in the order and direction sent (COPYUID and SORT mean their order):
// first may be the larger one. `*` is last_of_all. For algebra make a UidSet of it.
struct Range {
    uint32_t first = 0;
    uint32_t last = 0;
    bool operator==(const Range&) const = default;
};
inline constexpr uint32_t last_of_all = UINT32_MAX;
using Ranges = Seq<Range>;

// ---- status responses
// ------------------------------------------------------------------------------------------

enum class CodeKind : uint8_t {
    none,    // there was no [code]
    unknown, // kept as name and text
    // RFC 3501, 9051
    alert,
    bad_charset,
    capability,
    parse,
    permanent_flags,
    read_only,
    read_write,
    try_create,
    uid_next,
    uid_validity,
    unseen,
    uid_not_sticky,
    unknown_cte,
    closed,
    has_children,
    // UIDPLUS, CONDSTORE, QRESYNC, OBJECTID, APPENDLIMIT (too_big), COMPRESS, NOTIFY, SEARCHRES, METADATA
    append_uid,
    copy_uid,
    highest_modseq,
    no_modseq,
    modified,
    mailbox_id,
    too_big,
    compression_active,
    notification_overflow,
    bad_event,
    not_saved,
    undefined_filter,
    // RFC 5530
    unavailable,
    authentication_failed,
    authorization_failed,
    expired,
    privacy_required,
    contact_admin,
    no_perm,
    in_use,
    expunge_issued,
    corruption,
    server_bug,
    client_bug,
    cannot,
    limit,
    over_quota,
    already_exists,
    nonexistent,
    // referrals, and Google's and Microsoft's own
    referral,
    web_alert,
    throttled
};

struct StatusCode {
    CodeKind kind = CodeKind::none;
    Text name; // as sent: "UIDNEXT"
    Text text; // all that followed the name, as sent
    uint64_t number =
        0;           // UIDNEXT, UIDVALIDITY, UNSEEN, HIGHESTMODSEQ; APPENDUID and COPYUID: the UIDVALIDITY
    Ranges uids;     // APPENDUID: the new ones; COPYUID: the sources; MODIFIED: those that failed
    Ranges targets;  // COPYUID: the new ones, pair by pair; empty with `uids` when the server sent nonsense
    Seq<Text> words; // CAPABILITY, PERMANENTFLAGS, BADCHARSET; MAILBOXID: one
};

enum class Condition : uint8_t { ok, no, bad, bye, preauth };

// `* OK ...`, `A1 NO ...`, greetings and BYE alike.
struct Status {
    Condition condition = Condition::ok;
    Text tag; // empty when untagged
    StatusCode code;
    Text text;
};

// `+ ...`: go on. For SASL the text is the challenge.
struct Continuation {
    StatusCode code;
    Text text;
};

// ---- what a connection and its folders are
// ----------------------------------------------------------------------

struct Capability {
    Seq<Text> names;
};

struct Enabled {
    Seq<Text> names;
};

// ID: pairs of name and value; empty for NIL.
struct Identity {
    struct Field {
        Text name;
        Text value;
    };
    Seq<Field> fields;
};

struct Namespaces {
    struct Space {
        Text prefix;
        char delimiter = 0; // 0 is NIL
    };
    Seq<Space> personal;
    Seq<Space> others;
    Seq<Space> shared;
};

// LIST, LSUB and XLIST.
struct Folder {
    enum class From : uint8_t { list, lsub, xlist } from = From::list;
    Seq<Text> attributes; // with their backslash: \HasNoChildren, \Sent
    char delimiter = 0;   // 0 is NIL
    Text name;            // as on the wire
    Seq<Text> child_info; // LIST-EXTENDED: SUBSCRIBED ...
    Text old_name;        // OLDNAME: this folder's name before
};

// STATUS: only what was sent is there.
struct FolderStatus {
    Text name;
    std::optional<uint32_t> messages, recent, unseen, deleted;
    std::optional<uint32_t> uid_next, uid_validity; // a server's 0 (there is none) is not there
    std::optional<uint64_t> highest_modseq, size, append_limit, deleted_storage;
    Text mailbox_id;
};

struct Flags {
    Seq<Text> names; // \Seen, $Forwarded, ...
};

struct Exists {
    uint32_t count = 0;
};
struct Recent {
    uint32_t count = 0;
};
struct Expunge {
    uint32_t seq = 0;
};

struct Vanished {
    bool earlier = false;
    Ranges uids;
};

// ---- search
// -------------------------------------------------------------------------------------------------------

// SEARCH and SORT, in the server's order.
struct SearchResult {
    bool sorted = false; // SORT
    Seq<uint32_t> numbers;
    std::optional<uint64_t> modseq;
};

struct Esearch {
    Text tag;
    bool uid = false;
    std::optional<uint32_t> min, max, count;
    std::optional<uint64_t> modseq;
    bool has_all = false; // some servers leave ALL out when asked for it: then nothing is known
    Ranges all;           // in the order sent
    bool has_partial = false;
    Text partial_window; // "1:10", "-1:-10"
    Ranges partial;      // empty for NIL
};

// THREAD, flattened in the order sent: a node's parent is the last one before it whose depth is one less.
struct ThreadResult {
    struct Node {
        uint32_t number = 0; // 0: a parent that is missing
        uint32_t depth = 0;  // 0 starts a thread
    };
    Seq<Node> nodes;
};

// ---- FETCH
// --------------------------------------------------------------------------------------------------------

// One address of an ENVELOPE. A group starts with host NIL and mailbox = its name, ends with both NIL.
struct Address {
    Text name;
    Text route;
    Text mailbox;
    Text host;
};

struct Envelope {
    Text date;
    Text subject;
    Seq<Address> from, sender, reply_to, to, cc, bcc;
    Text in_reply_to;
    Text message_id;
};

struct Parameter {
    Text name;
    Text value;
};

// One node of BODY or BODYSTRUCTURE. `children` is filled for multipart, `envelope` and one child for
// message/rfc822.
struct BodyPart {
    Text type;    // "text"; "multipart" for multiparts (theirs is not on the wire)
    Text subtype; // "plain", "mixed"
    Seq<Parameter> parameters;
    Text id;
    Text description;
    Text encoding;
    uint64_t octets = 0;
    uint64_t lines = 0; // text and message/rfc822
    const Envelope* envelope = nullptr;
    Seq<BodyPart> children;
    // extension data
    Text md5;
    Text disposition; // "attachment"
    Seq<Parameter> disposition_parameters;
    Seq<Text> language;
    Text location;
    bool multipart = false; // even without children (Gmail)
};

// BODY[1.2.HEADER]<0>, RFC822.TEXT, BINARY[2]: one piece of a message. `data` is NIL when the server has
// none, and when `streamed`: then the sink got `size` bytes under this `literal` number.
struct Section {
    enum class Kind : uint8_t { body, binary, rfc822, rfc822_header, rfc822_text } kind = Kind::body;
    Text name;                      // inside the brackets: "", "1.2.HEADER", "HEADER.FIELDS (TO)"
    std::optional<uint64_t> origin; // <origin>
    Text data;
    uint64_t size = 0;
    bool streamed = false;
    uint32_t literal = 0;
};

struct BinarySize {
    Text part; // "1.2"
    uint64_t size = 0;
};

// An item nobody here knows, with its value as sent.
struct OtherItem {
    Text name;
    Text value;
};

// RFC 3501 date-time: what it says, and seconds since 1970 unless it is nonsense.
struct DateTime {
    Text text;
    std::optional<int64_t> epoch;
};

struct Fetch {
    uint32_t seq = 0; // Courier's `* 0 FETCH` gives 0
    std::optional<uint32_t> uid;
    std::optional<uint64_t> modseq;
    std::optional<uint64_t> size; // RFC822.SIZE
    bool tells = false;           // of more than UID, FLAGS and MODSEQ, be it that there is none
    bool has_flags = false;
    Seq<Text> flags;
    DateTime internal_date; // text is NIL when not sent
    DateTime save_date;
    const Envelope* envelope = nullptr;
    const BodyPart* body = nullptr;
    bool body_extended = false; // BODYSTRUCTURE, not BODY
    Seq<Section> sections;
    Seq<BinarySize> binary_sizes;
    bool has_preview = false;
    Text preview;
    Text email_id;
    Text thread_id;
    std::optional<uint64_t> gm_message_id;
    std::optional<uint64_t> gm_thread_id;
    bool has_gm_labels = false;
    Seq<Text> gm_labels;
    Seq<OtherItem> others;
};

// ---- the rest
// -----------------------------------------------------------------------------------------------------

// An untagged response this client does not know (METADATA, QUOTA, ...): its name and all after it, as sent.
struct Other {
    std::optional<uint32_t> number;
    Text name;
    Text text;
};

// What could not be understood. The parser already stands behind it and goes on; when `lost` it does not know
// where the next response starts (a literal over the limit), and the connection is best closed.
struct Malformed {
    Text message;
    uint64_t offset = 0; // in all bytes ever fed
    bool lost = false;
    bool too_large = false; // beyond Limits, and so whatever it was is not told
    // A FETCH: what is known of whose it is, and the item that could not be read (empty when it was none of them).
    bool fetch = false;
    std::optional<uint32_t> uid;
    Text item;
};

using Response = std::variant<Status, Continuation, Capability, Enabled, Identity, Namespaces, Folder,
                              FolderStatus, Flags, Exists, Recent, Expunge, Vanished, SearchResult, Esearch,
                              ThreadResult, Fetch, Other, Malformed>;

} // namespace himalaya::imap

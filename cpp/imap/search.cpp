#include "imap/search.hpp"

#include "base/text.hpp"
#include "imap/query_keys.hpp"
#include "imap/too_much.hpp"

#include <algorithm>
#include <array>
#include <fmt/format.h>

namespace himalaya::imap {

namespace {

constexpr uint64_t most_found = Limits().list; // as many as a plain SEARCH may name

// How a key's values are written.
enum class Value { none, text, date, number, set, flag, header };

struct Key {
    std::string_view name;
    Value value;
};

constexpr std::array keys = {
    Key{"ALL", Value::none},        Key{"ANSWERED", Value::none},   Key{"DELETED", Value::none},
    Key{"DRAFT", Value::none},      Key{"FLAGGED", Value::none},    Key{"NEW", Value::none},
    Key{"OLD", Value::none},        Key{"RECENT", Value::none},     Key{"SEEN", Value::none},
    Key{"UNANSWERED", Value::none}, Key{"UNDELETED", Value::none},  Key{"UNDRAFT", Value::none},
    Key{"UNFLAGGED", Value::none},  Key{"UNSEEN", Value::none},     Key{"BCC", Value::text},
    Key{"BODY", Value::text},       Key{"CC", Value::text},         Key{"FROM", Value::text},
    Key{"SUBJECT", Value::text},    Key{"TEXT", Value::text},       Key{"TO", Value::text},
    Key{"X-GM-RAW", Value::text},   Key{"BEFORE", Value::date},     Key{"ON", Value::date},
    Key{"SINCE", Value::date},      Key{"SENTBEFORE", Value::date}, Key{"SENTON", Value::date},
    Key{"SENTSINCE", Value::date},  Key{"LARGER", Value::number},   Key{"SMALLER", Value::number},
    Key{"MODSEQ", Value::number},   Key{"OLDER", Value::number},    Key{"YOUNGER", Value::number},
    Key{"UID", Value::set},         Key{"KEYWORD", Value::flag},    Key{"UNKEYWORD", Value::flag},
    Key{"HEADER", Value::header},
};

bool is_date(std::string_view text) { // 1-Feb-2024
    size_t first = text.find('-');
    return first != std::string_view::npos && first <= 2 && text.size() == first + 9 &&
           text[first + 4] == '-' &&
           text.find_first_not_of("0123456789-ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") ==
               std::string_view::npos;
}

bool is_number(std::string_view text) {
    return !text.empty() && text.size() < 20 &&
           text.find_first_not_of("0123456789") == std::string_view::npos;
}

Error invalid(const Criterion& criterion) {
    return make_error(Fault::invalid,
                      fmt::format("The search key {} cannot be used like that.", shown(criterion.key)),
                      "See :help himalaya-imap-search for the keys and their values.");
}

void put(Command& command, const Criterion& criterion) {
    auto key = std::find_if(keys.begin(), keys.end(), [&](auto& k) { return k.name == criterion.key; });
    size_t want = key == keys.end() ? 0 : key->value == Value::none ? 0 : key->value == Value::header ? 2 : 1;
    if (key == keys.end() || criterion.values.size() != want)
        throw invalid(criterion);
    if (criterion.negated)
        command.raw("NOT");
    command.raw(key->name);
    auto& values = criterion.values;
    switch (key->value) {
    case Value::none:
        break;
    case Value::text:
        command.string(values[0]);
        break;
    case Value::date:
        if (!is_date(values[0]))
            throw invalid(criterion);
        command.raw(values[0]);
        break;
    case Value::number:
        if (!is_number(values[0]))
            throw invalid(criterion);
        command.raw(values[0]);
        break;
    case Value::set: {
        auto set = UidSet::parse(values[0]);
        if (!set || set->empty())
            throw invalid(criterion);
        command.uids(*set);
        break;
    }
    case Value::flag:
        command.atom(values[0]);
        break;
    case Value::header:
        command.string(values[0]).string(values[1]);
        break;
    }
}

Command written(const Session& session, const SearchRequest& request, bool with_return) {
    Command command(session.dialect(), "UID SEARCH");
    if (with_return)
        command.raw("RETURN (ALL)");
    bool ascii = text::is_ascii(request.raw) && (!request.query || imap::is_ascii(*request.query));
    for (auto& criterion : request.criteria)
        for (auto& value : criterion.values)
            ascii = ascii && text::is_ascii(value);
    // With UTF8=ACCEPT a CHARSET is an error (RFC 6855).
    if (!ascii && !session.dialect().utf8)
        command.raw("CHARSET UTF-8");
    if (!request.raw.empty())
        command.raw(request.raw);
    else if (request.query)
        put_query(command, *request.query, session.has(Cap::gmail));
    else if (request.criteria.empty())
        command.raw("ALL");
    for (auto& criterion : request.criteria)
        put(command, criterion);
    return command;
}

} // namespace

loop::Task<UidSet> search(std::shared_ptr<Session> session, SearchRequest request, loop::CancelToken token) {
    Session::Use use = co_await session->use(request.folder, request.priority, token);
    bool with_return =
        session->has(Cap::esearch) && session->quirks().search_return && session->learnt().search_return;
    for (int attempt = 0;; ++attempt) {
        std::vector<uint32_t> numbers;
        UidSet found;
        bool incomplete = false; // ESEARCH without ALL though something was found, or nothing at all
        bool heard = false;
        bool endless = false;
        Ticket selecting, searching;
        {
            Session::Together together(*session);
            selecting = post_select(*session, request.folder);
            Command command = written(*session, request, with_return);
            Request wire{std::move(command), "UID SEARCH", takes::search};
            searching = session->post(std::move(wire), [&](const Response& response) {
                if (endless)
                    return true;
                if (numbers.size() > most_found || found.ranges().size() > most_found) {
                    endless = true;
                    too_much(*session, "messages");
                } else if (auto* plain = std::get_if<SearchResult>(&response)) {
                    numbers.insert(numbers.end(), plain->numbers.begin(), plain->numbers.end());
                    heard = true;
                } else if (auto* extended = std::get_if<Esearch>(&response)) {
                    heard = true;
                    if (extended->has_all)
                        found = found.united(UidSet(extended->all));
                    else if (extended->count.value_or(0) > 0 || extended->min)
                        incomplete = true;
                } else {
                    return false;
                }
                return true;
            });
        }
        std::optional<Answer> opened;
        if (selecting)
            opened = co_await session->answer(selecting, token);
        Answer got = co_await session->answer(searching, token);
        if (opened && !opened->ok())
            throw error_of(opened->refusal(), fmt::format("open the folder {}", shown(request.folder)));
        // ESEARCH with no ALL at all is how Strato loses results, and how an honest server says there are none: the
        // plain form tells which, once.
        bool suspicious = with_return && got.ok() && (incomplete || !heard);
        if (attempt == 0 && with_return && (got.verdict == Verdict::bad || suspicious)) {
            session->learnt().search_return = false;
            with_return = false;
            continue;
        }
        if (!got.ok())
            throw error_of(got.refusal(), "search");
        found = found.united(UidSet::of(numbers));
        // "ALL 1:4294967295" is one short line, and would be 16 GB of numbers.
        if (found.count() > most_found)
            throw make_error(Fault::protocol,
                             fmt::format("The server says that it found {} messages in {}.", found.count(),
                                         shown(request.folder)),
                             "No folder has so many; ask whoever runs the server.");
        co_return found;
    }
}

} // namespace himalaya::imap

#include "sync/op_append.hpp"

namespace himalaya::sync {

namespace {

std::optional<NewLetter> text_of(store::Store& store, store::Database& database, store::Id message) {
    auto row = database.prepare("SELECT body, flags, keywords, arrived FROM message WHERE id = ?");
    if (!row.bind(message).step() || row.is_null(0))
        return std::nullopt;
    auto bytes = store.bodies().read(database, row.integer(0));
    if (!bytes)
        return std::nullopt;
    return NewLetter{std::move(*bytes), static_cast<std::uint32_t>(row.integer(1)) & store::SERVER_FLAGS,
                     row.string(2), row.integer(3)};
}

// Those that are there are done, those that never will be are refused; for the others the reason is thrown.
loop::Task<> settle_new(Ledger& ledger, Group& group, Stored stored, std::set<store::Id>& alone) {
    std::map<std::int64_t, std::int64_t> named;
    std::vector<Letter> there, left;
    std::optional<Error> reason;
    std::vector<std::pair<Letter, Error>> refused;
    for (std::size_t i = 0; i < group.letters.size(); ++i) {
        const auto& letter = group.letters[i];
        const auto& [uid, refusal] = stored.letters.at(i);
        if (!refusal) {
            there.push_back(letter);
            if (uid)
                named[letter.uid] = *uid;
        } else if (!is_final(*refusal) || refusal->code == Code::not_found) {
            left.push_back(letter);
            reason = refusal;
        } else if (stored.together) {
            // One of them was meant; each is tried for itself, once it was searched for.
            alone.insert(group.ops[letter.op].id);
        } else {
            refused.emplace_back(letter, *refusal);
        }
    }
    if (!there.empty()) {
        auto part = part_of(group, there);
        auto finishing = ledger.finish(part, std::move(part.letters), {named.begin(), named.end()});
        co_await finishing;
    }
    for (const auto& [letter, why] : refused) {
        auto answering = ledger.take_refusal(part_of(group, {letter}), why);
        co_await answering;
    }
    group = part_of(group, left);
    if (reason)
        throw Error(*reason);
}

} // namespace

loop::Task<> carry_new(Work& work, Ledger& ledger, Group& group, std::set<store::Id>& alone) {
    if (group.sent_before) {
        auto looking = ledger.find_made(group);
        auto found = co_await looking;
        std::vector<Letter> made, left;
        for (auto& letter : group.letters)
            (found.contains(letter.uid) ? made : left).push_back(letter);
        if (!made.empty()) {
            auto part = part_of(group, made);
            auto finishing = ledger.finish(part, std::move(part.letters), {found.begin(), found.end()});
            co_await finishing;
        }
        group = part_of(group, left);
    }
    auto reading = work.store->read<std::vector<std::optional<NewLetter>>>(
        [store = work.store, ops = group.ops](store::Database& database) {
            std::vector<std::optional<NewLetter>> texts;
            texts.reserve(ops.size());
            for (const auto& op : ops)
                texts.push_back(text_of(*store, database, op.targets.at(0).message));
            return texts;
        },
        work.token);
    auto texts = co_await reading;
    std::vector<NewLetter> letters;
    std::vector<Letter> going, textless;
    for (std::size_t i = 0; i < texts.size(); ++i) {
        (texts[i] ? going : textless).push_back(group.letters[i]);
        if (texts[i])
            letters.push_back(std::move(*texts[i]));
    }
    if (!textless.empty()) {
        auto refusing =
            ledger.refuse(part_of(group, textless),
                          make_error(Code::not_found, "the message's own text is not here any more"));
        co_await refusing;
    }
    group = part_of(group, going);
    if (letters.empty())
        co_return;
    auto asking = ledger.uidnext_of(group.folder);
    auto uidnext = co_await asking;
    if (!uidnext && letters.size() > 1) {
        // Where UIDs are not told ahead, nothing could be searched for later: no more than one is left in doubt.
        for (const auto& op : group.ops)
            alone.insert(op.id);
        co_return;
    }
    auto marking = ledger.mark_sent(group, uidnext);
    co_await marking;
    auto checking = work.store->check_lead(work.token);
    co_await checking;
    auto appending = work.source->append(group.folder.remote, std::move(letters), work.token);
    auto stored = co_await appending;
    auto settling = settle_new(ledger, group, std::move(stored), alone);
    co_await settling;
}

} // namespace himalaya::sync

#include "sync/fetch_bodies.hpp"

#include "store/folders.hpp"
#include "sync/pens.hpp"

namespace himalaya::sync {

namespace {

struct Place {
    store::Folder folder;
    UidSet uids;
};

std::optional<Place> place_of(store::Database& database, const std::vector<store::Id>& messages) {
    std::optional<Place> place;
    for (auto id : messages) {
        auto row = database.prepare(
            "SELECT folder, remote FROM message WHERE id = ? AND remote IS NOT NULL AND body IS NULL");
        if (!row.bind(id).step())
            continue;
        if (!place) {
            auto folder = store::folder_of(database, row.integer(0));
            if (!folder)
                return std::nullopt;
            place.emplace(Place{*folder, {}});
        }
        if (place->folder.id == row.integer(0))
            place->uids.add(static_cast<std::uint32_t>(row.integer(1)));
    }
    return place;
}

} // namespace

loop::Task<> fetch_into(BodyPen& pen, Visit& visit, UidSet uids, loop::CancelToken token) {
    std::optional<Error> failure;
    auto reading = visit.bodies(std::move(uids), pen, std::move(token));
    try {
        co_await reading;
    } catch (const Error& error) {
        failure = error;
    }
    auto ending = pen.finish({});
    co_await ending;
    if (failure)
        throw Error(*failure);
}

loop::Task<> fetch_bodies(std::shared_ptr<store::Store> store, std::shared_ptr<Source> source,
                          std::vector<store::Id> messages, loop::CancelToken token) {
    auto asking = store->read_behind<std::optional<Place>>(
        [messages = std::move(messages)](store::Database& database) { return place_of(database, messages); },
        token);
    auto place = co_await asking;
    if (!place)
        co_return;
    auto visiting = source->visit(place->folder.remote, std::nullopt, false, token);
    auto visit = co_await visiting;
    if (visit->state().uidvalidity != place->folder.uidvalidity)
        co_return; // the folder's next sync gives the messages their new names
    BodyPen pen(
        store, place->folder.id, BodyPen::As::anybody, [](std::int64_t) {}, token);
    auto reading = fetch_into(pen, *visit, std::move(place->uids), token);
    co_await reading;
}

} // namespace himalaya::sync

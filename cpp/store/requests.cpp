#include "store/requests.hpp"

namespace himalaya::store {

namespace {

Request read(const Statement& row) {
    return {row.integer(0), row.string(1),  row.string(2), row.string(3),
            row.string(4),  row.integer(5), row.string(6), row.integer(7)};
}

} // namespace

Id ask(Change& change, std::string_view kind, std::string_view detail, std::string_view instance,
       std::int64_t now) {
    change.seq(); // wakes the leader
    auto insert =
        change.database().prepare("INSERT INTO request(kind, detail, instance, asked_at) VALUES(?, ?, ?, ?)");
    insert.bind(kind, detail, instance, now).run();
    return change.database().last_id();
}

std::vector<Request> open_requests(Database& database, std::int64_t now) {
    auto requests = all_requests(database);
    std::erase_if(requests, [now](const Request& request) {
        return request.state != "asked" || request.asked_at <= now - REQUEST_LIFE;
    });
    return requests;
}

std::vector<Request> all_requests(Database& database) {
    std::vector<Request> requests;
    auto row = database.prepare("SELECT id, kind, detail, state, instance, asked_at, answer, heard_at "
                                "FROM request ORDER BY id");
    while (row.step())
        requests.push_back(read(row));
    return requests;
}

bool take_request(Change& change, Id request, std::int64_t now) {
    change.seq();
    change.database()
        .prepare("UPDATE request SET state = 'taken', heard_at = ? WHERE id = ? AND state = 'asked'")
        .bind(now, request)
        .run();
    return change.database().changes() > 0;
}

void reopen_requests(Change& change) {
    change.database().prepare("UPDATE request SET state = 'asked', answer = '' WHERE state = 'taken'").run();
    if (change.database().changes() > 0)
        change.seq();
}

void note_request(Change& change, Id request, std::string_view progress, std::int64_t now) {
    change.seq();
    change.database()
        .prepare("UPDATE request SET answer = ?, heard_at = ? WHERE id = ? AND state = 'taken'")
        .bind(progress, now, request)
        .run();
}

void answer(Change& change, Id request, std::string_view answer) {
    change.seq();
    auto set = change.database().prepare("UPDATE request SET state = 'answered', answer = ? WHERE id = ?");
    set.bind(answer, request).run();
}

std::optional<std::string> take_answer(Change& change, Id request) {
    auto row = change.database().prepare("SELECT answer FROM request WHERE id = ? AND state = 'answered'");
    if (!row.bind(request).step())
        return std::nullopt;
    auto text = row.string(0);
    withdraw_request(change, request);
    return text;
}

void withdraw_request(Change& change, Id request) {
    change.seq();
    change.database().prepare("DELETE FROM request WHERE id = ?").bind(request).run();
}

void forget_old_requests(Change& change, std::int64_t now) {
    change.database()
        .prepare("DELETE FROM request WHERE max(asked_at, heard_at) <= ?")
        .bind(now - REQUEST_LIFE)
        .run();
}

} // namespace himalaya::store

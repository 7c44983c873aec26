#include "store/requests.hpp"

namespace himalaya::store {

Id ask(Change& change, std::string_view kind, std::string_view detail, std::string_view instance,
       std::int64_t now) {
    change.seq(); // wakes the leader
    auto insert =
        change.database().prepare("INSERT INTO request(kind, detail, instance, asked_at) VALUES(?, ?, ?, ?)");
    insert.bind(kind, detail, instance, now).run();
    return change.database().last_id();
}

std::vector<Request> open_requests(Database& database, std::int64_t now) {
    std::vector<Request> requests;
    auto row = database.prepare("SELECT id, kind, detail, state, instance, asked_at, answer FROM request "
                                "WHERE state = 'asked' AND asked_at > ? ORDER BY id");
    row.bind(now - REQUEST_LIFE);
    while (row.step())
        requests.push_back({row.integer(0), row.string(1), row.string(2), row.string(3), row.string(4),
                            row.integer(5), row.string(6)});
    return requests;
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
    change.database().prepare("DELETE FROM request WHERE id = ?").bind(request).run();
    return text;
}

void forget_old_requests(Change& change, std::int64_t now) {
    change.database().prepare("DELETE FROM request WHERE asked_at <= ?").bind(now - REQUEST_LIFE).run();
}

} // namespace himalaya::store

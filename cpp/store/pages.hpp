// Lists for the screen: newest first by arrival, then by id. Pages by cursor cost the same wherever they are;
// pages by number find their start through the folder's slots instead of walking there.
#pragma once

#include "store/rows.hpp"
#include "store/sql.hpp"

#include <optional>
#include <string>
#include <vector>

namespace himalaya::store {

// Where a row stands in its folder's list. As text: "arrived.id".
struct Cursor {
    std::int64_t arrived = 0;
    Id id = 0;
};
std::string to_text(Cursor cursor);
std::optional<Cursor> cursor_of(std::string_view text);

// What a query asks for. All of it must hold; text is looked for without regard to ASCII case.
struct Filter {
    std::vector<std::string> words; // in subject, sender or recipients
    std::vector<std::string> from;
    std::vector<std::string> to;
    std::vector<std::string> subject;
    std::optional<std::int64_t> before; // dated earlier than
    std::optional<std::int64_t> after;  // dated at or later than
    std::uint32_t with = 0;             // flags that must be set
    std::uint32_t without = 0;          // flags that must not be

    bool empty() const;
};

struct Wanted {
    std::int64_t page = 1;
    std::int64_t page_size = 50;
    std::optional<Cursor> after;  // the rows below this one
    std::optional<Cursor> before; // the rows above it
    Filter filter;
    bool thread = false; // whole conversations, the one with the newest message first
};

struct Page {
    std::vector<Message> items;
    std::optional<Cursor> next;     // pass as `after` for the page below; none at the end
    std::optional<Cursor> previous; // pass as `before` for the page above; none at the top
};

Page list_page(Database& database, Id folder, const Wanted& wanted);
std::optional<Message> message_of(Database& database, Id message);

} // namespace himalaya::store

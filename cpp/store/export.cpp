// archive.hpp's way out: a page of rows, their bodies, then the file thread writes them.
#include "store/archive.hpp"

#include "base/text.hpp"
#include "mail/flags.hpp"
#include "store/archive_out.hpp"
#include "store/body_stream.hpp"
#include "store/folders.hpp"
#include "store/packing.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace himalaya::store {

namespace {

// So much is fetched and written in one go.
constexpr std::size_t MESSAGES_AT_ONCE = 200;
constexpr std::size_t PACKED_AT_ONCE = 2u << 20;

struct Letter {
    Id id = 0;
    Leaving leaving;
    std::optional<StoredBody> body;
};

std::vector<Id> ids_of(Database& database, const std::string& path) {
    auto folder = folder_of(database, path);
    if (!folder)
        throw make_error(Code::not_found, fmt::format("There is no folder {}.", text::clean_line(path)),
                         "See :HimalayaFolder for those there are, or sync first.");
    std::vector<Id> ids;
    auto row =
        database.prepare("SELECT id FROM message WHERE folder = ? AND hidden = 0 ORDER BY arrived, id");
    row.bind(folder->id);
    while (row.step())
        ids.push_back(row.integer(0));
    return ids;
}

// Letters from `at` on, until they are enough for one go; one that went meanwhile is left out.
std::vector<Letter> next_letters(Database& database, const std::vector<Id>& ids, std::size_t at,
                                 std::size_t& next) {
    std::vector<Letter> letters;
    std::size_t packed = 0;
    for (next = at; next < ids.size() && letters.size() < MESSAGES_AT_ONCE && packed < PACKED_AT_ONCE;
         ++next) {
        auto row =
            database.prepare("SELECT arrived, flags, keywords, from_addr, body FROM message WHERE id = ?");
        if (!row.bind(ids[next]).step())
            continue;
        Letter letter;
        letter.id = ids[next];
        letter.leaving = {
            row.integer(0),
            row.string(3),
            {static_cast<std::uint32_t>(row.integer(1)) & SERVER_FLAGS, unpack_keywords(row.text(2))}};
        if (!row.is_null(4))
            letter.body = stored_body(database, row.integer(4));
        packed += letter.body ? letter.body->packed.size() : 0;
        letters.push_back(std::move(letter));
    }
    return letters;
}

class Export {
  public:
    Export(std::shared_ptr<Store> store, ExportWanted wanted, FetchBodies fetch, OnPassed on_passed,
           loop::CancelToken token)
        : m_store(std::move(store)), m_wanted(std::move(wanted)), m_fetch(std::move(fetch)),
          m_on_passed(std::move(on_passed)), m_token(std::move(token)) {}

    loop::Task<> run() {
        auto listing = m_store->read_behind<std::vector<Id>>(
            [path = m_wanted.folder](Database& database) { return ids_of(database, path); }, m_token);
        auto listed = co_await listing;
        m_ids = std::make_shared<const std::vector<Id>>(std::move(listed));
        auto opening =
            m_store->on_files<void>([this] { m_out = open_archive(m_wanted.kind, m_wanted.path); }, m_token);
        co_await opening;
        for (bool seen = false; !seen;) {
            auto looking = m_store->on_files<bool>([this] { return m_out->look(); }, m_token);
            seen = co_await looking;
        }
        for (std::size_t at = 0; at < m_ids->size();) {
            auto step = some(at);
            at = co_await step;
            auto count = static_cast<std::int64_t>(at), all = static_cast<std::int64_t>(m_ids->size());
            m_on_passed({count, all, static_cast<double>(count) / static_cast<double>(all)});
        }
        auto finishing = m_store->on_files<void>([this] { m_out->finish(); }, m_token);
        co_await finishing;
    }

    // What was not finished goes, on the thread it belongs to.
    loop::Task<> leave(bool early) {
        return m_store->on_files<void>(
            [this, early] {
                auto out = std::move(m_out);
                if (out && early)
                    out->end_early();
            },
            loop::CancelToken());
    }

    Exported result;

  private:
    struct Some {
        std::vector<Letter> letters;
        std::size_t next = 0;
    };

    loop::Task<Some> read_some(std::size_t at) {
        return m_store->read_behind<Some>(
            [ids = m_ids, at](Database& database) { // nothing of ours: it may outlive us by a moment
                Some some;
                some.letters = next_letters(database, *ids, at, some.next);
                return some;
            },
            m_token);
    }

    loop::Task<std::size_t> some(std::size_t at) {
        auto reading = read_some(at);
        auto some = co_await reading;
        std::vector<Id> without;
        for (const auto& letter : some.letters)
            if (!letter.body)
                without.push_back(letter.id);
        if (!without.empty() && m_fetch) {
            auto fetching = m_fetch(std::move(without));
            co_await fetching;
            auto again = read_some(at);
            some = co_await again;
        }
        auto writing = m_store->on_files<Exported>(
            [this, letters = std::move(some.letters)] { return write(letters); }, m_token);
        auto wrote = co_await writing;
        result.exported += wrote.exported;
        result.missing += wrote.missing;
        result.skipped += wrote.skipped;
        co_return some.next;
    }

    Exported write(const std::vector<Letter>& letters) {
        Exported wrote;
        for (const auto& letter : letters) {
            if (!letter.body) {
                ++wrote.missing;
                continue;
            }
            m_out->begin(letter.leaving);
            bool whole = unpack(*letter.body, m_store->place().large(), [this](std::string_view bytes) {
                if (m_token.cancelled())
                    throw make_error(Code::cancelled, "The export was cancelled.");
                m_out->add(bytes);
            });
            if (!whole)
                m_out->drop();
            else if (m_out->end())
                ++wrote.exported;
            else
                ++wrote.skipped;
            wrote.missing += whole ? 0 : 1;
        }
        return wrote;
    }

    std::shared_ptr<Store> m_store;
    ExportWanted m_wanted;
    FetchBodies m_fetch;
    OnPassed m_on_passed;
    loop::CancelToken m_token;
    std::shared_ptr<const std::vector<Id>> m_ids;
    std::unique_ptr<ArchiveOut> m_out; // the file thread's
};

} // namespace

loop::Task<Exported> export_folder(std::shared_ptr<Store> store, ExportWanted wanted, FetchBodies fetch,
                                   OnPassed on_passed, loop::CancelToken token) {
    Export work(std::move(store), std::move(wanted), std::move(fetch), std::move(on_passed),
                std::move(token));
    std::optional<Error> failure;
    auto running = work.run();
    try {
        co_await running;
    } catch (const Error& error) {
        failure = error;
    }
    auto leaving = work.leave(failure.has_value());
    try {
        co_await leaving;
    } catch (const Error& error) {
        if (!failure)
            failure = error;
    }
    if (failure)
        throw Error(*failure);
    co_return work.result;
}

} // namespace himalaya::store

// archive.hpp's way in: the file thread reads and packs, a reader finds what is here already, the writer commits.
#include "store/archive.hpp"

#include "base/text.hpp"
#include "base/time.hpp"
#include "store/archive_in.hpp"
#include "store/body_stream.hpp"
#include "store/fingerprint.hpp"
#include "store/folders.hpp"
#include "store/messages.hpp"
#include "store/ops.hpp"
#include "store/packing.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <set>
#include <utility>

namespace himalaya::store {

namespace {

// A server counts a line end at the end of a message, or does not.
constexpr std::int64_t SIZES_MAY_DIFFER = 2;

Folder need(Database& database, const std::string& path) {
    auto folder = folder_of(database, path);
    if (!folder)
        throw make_error(Code::not_found, fmt::format("There is no folder {}.", text::clean_line(path)),
                         "See :HimalayaFolder for those there are, or sync first.");
    if (!folder->selectable)
        throw make_error(Code::invalid,
                         fmt::format("{} holds folders, not messages.", text::clean_line(path)),
                         "Choose another folder.");
    return *folder;
}

// Whether the folder has the message: the very bytes; or one of its Message-ID (or its second, where it has none) that
// says the same; or, where the text of that one is not here, has the same size.
bool is_here(Database& database, const std::filesystem::path& large, Id folder, const Entering& message) {
    {
        auto same = database.prepare("SELECT 1 FROM body b JOIN message m ON m.body = b.id "
                                     "WHERE b.hash = ? AND m.folder = ? AND m.hidden = 0");
        const auto& hash = message.body.hash;
        same.bind_at(1, std::span(reinterpret_cast<const unsigned char*>(hash.data()), hash.size()));
        same.bind_at(2, folder);
        if (same.step())
            return true;
    }
    auto hash = hash_of(message.arrival.message_id);
    auto row = hash != 0 ? database.prepare("SELECT size, body FROM message WHERE message_hash = ? AND "
                                            "folder = ? AND hidden = 0")
                         : database.prepare("SELECT size, body FROM message WHERE arrived = ? AND folder = ? "
                                            "AND hidden = 0 AND message_hash IS NULL");
    row.bind(hash != 0 ? hash : message.arrival.arrived, folder);
    while (row.step()) {
        auto stored = row.is_null(1) ? std::nullopt : stored_body(database, row.integer(1));
        Fingerprint fingerprint;
        bool whole =
            stored && unpack(*stored, large, [&](std::string_view bytes) { fingerprint.add(bytes); });
        if (whole ? fingerprint.finish() == message.fingerprint
                  : std::abs(row.integer(0) - message.arrival.size) <= SIZES_MAY_DIFFER)
            return true;
    }
    return false;
}

// One batch, without what is here already or comes twice in it.
std::vector<Entering> only_new(Database& database, const std::filesystem::path& large, Id folder,
                               std::vector<Entering> messages) {
    std::set<std::string> met;
    std::erase_if(messages, [&](const Entering& message) {
        return !met.insert(message.fingerprint).second || is_here(database, large, folder, message);
    });
    return messages;
}

void keep(Change& change, Id folder, const std::vector<Entering>& messages, bool local) {
    std::vector<Arrival> arrivals;
    for (const auto& message : messages) {
        arrivals.push_back(message.arrival);
        arrivals.back().flags |= message.has_attachment ? HAS_ATTACHMENT : 0u;
    }
    // Of nobody: undo takes back what the user did to messages, and not one of thousands.
    Author nobody{"", time::now_s()};
    auto rows = local ? bring_in(change, folder, arrivals).fresh
                      : append_all(change, folder, std::move(arrivals), nobody);
    for (std::size_t i = 0; i < rows.size(); ++i)
        Bodies::attach(change, rows[i], messages[i].body);
}

class Import {
  public:
    Import(std::shared_ptr<Store> store, ImportWanted wanted, OnPassed on_passed, loop::CancelToken token)
        : m_store(std::move(store)), m_wanted(std::move(wanted)), m_on_passed(std::move(on_passed)),
          m_token(std::move(token)) {}

    loop::Task<> run() {
        // What is wrong with the path is said before a folder is made.
        auto opening = m_store->on_files<void>(
            [this] {
                m_in = read_archive(m_wanted.path, m_store->place().large(),
                                    [token = m_token] { return token.cancelled(); });
            },
            m_token);
        co_await opening;
        auto finding = m_store->write<Id>(
            [wanted = m_wanted](Change& change) {
                if (wanted.local && !folder_of(change.database(), wanted.folder))
                    make_local_folder(change, wanted.folder);
                return need(change.database(), wanted.folder).id;
            },
            m_token);
        auto folder = co_await finding;
        for (bool last = false; !last;) {
            auto reading = m_store->on_files<Batch>([this] { return m_in->next(); }, m_token);
            auto batch = co_await reading;
            last = batch.last;
            m_total = batch.total;
            result.missing += batch.unreadable;
            result.skipped += batch.empty;
            auto share = batch.share;
            auto keeping = keep_new(folder, std::move(batch.messages));
            co_await keeping;
            m_on_passed({result.imported + result.skipped + result.missing, m_total, share});
        }
    }

    loop::Task<> leave() {
        return m_store->on_files<void>([this] { m_in.reset(); }, loop::CancelToken());
    }

    Imported result;

  private:
    static void make_local_folder(Change& change, const std::string& path) {
        static constexpr std::array<std::string_view, 6> ROLES = {"inbox", "archive", "drafts",
                                                                  "sent",  "trash",   "junk"};
        auto role = std::find(ROLES.begin(), ROLES.end(), text::lower(path));
        auto folders = all_folders(change.database());
        folders.push_back({.path = path,
                           .remote = path,
                           .delimiter = "/",
                           .role = role == ROLES.end() ? "" : std::string(*role)});
        keep_folders(change, folders);
        Progress progress;
        progress.uidvalidity = 1; // its counts are known
        progress.synced_at = time::now_s();
        note_progress(change, folder_of(change.database(), path)->id, progress);
    }

    loop::Task<> keep_new(Id folder, std::vector<Entering> messages) {
        auto given = static_cast<std::int64_t>(messages.size());
        if (given == 0)
            co_return;
        // Nothing of ours goes along: it may outlive us by a moment.
        auto sifting = m_store->read_behind<std::vector<Entering>>(
            [large = m_store->place().large(), folder,
             messages = std::move(messages)](Database& database) mutable {
                return only_new(database, large, folder, std::move(messages));
            },
            m_token);
        auto fresh = co_await sifting;
        auto count = static_cast<std::int64_t>(fresh.size());
        result.skipped += given - count;
        if (count == 0)
            co_return;
        auto writing = m_store->write<void>([folder, fresh = std::move(fresh), local = m_wanted.local](
                                                Change& change) { keep(change, folder, fresh, local); },
                                            m_token);
        co_await writing;
        result.imported += count;
    }

    std::shared_ptr<Store> m_store;
    ImportWanted m_wanted;
    OnPassed m_on_passed;
    loop::CancelToken m_token;
    std::unique_ptr<ArchiveIn> m_in; // the file thread's
    std::optional<std::int64_t> m_total;
};

} // namespace

loop::Task<Imported> import_into(std::shared_ptr<Store> store, ImportWanted wanted, OnPassed on_passed,
                                 loop::CancelToken token) {
    Import work(std::move(store), std::move(wanted), std::move(on_passed), std::move(token));
    std::optional<Error> failure;
    auto running = work.run();
    try {
        co_await running;
    } catch (const Error& error) {
        failure = error;
    }
    auto leaving = work.leave();
    co_await leaving;
    if (failure)
        throw Error(*failure);
    co_return work.result;
}

int settle_here(Change& change, std::int64_t now) {
    auto ops = ready_ops(change.database(), now, 1000);
    for (const auto& op : ops)
        for (const auto& target : op.targets)
            finish_target(change, op, target, std::nullopt);
    return static_cast<int>(ops.size());
}

} // namespace himalaya::store

// Fills an account's store with folders of so many messages, by the store's own code, so that a bench need not wait for
// a server to make and send them; and tells the settings that every store is opened with.
//
//     store_maker --pragmas
//     store_maker FOLDER PATH=COUNT...     e.g. store_maker ~/data/home Archive=500000 Sent=50000
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <unistd.h>

#include "store/folders.hpp"
#include "store/messages.hpp"
#include "store/schema.hpp"

namespace {

using namespace himalaya;

constexpr std::int64_t NEWEST = 1'767'225'600; // 2026-01-01
constexpr std::int64_t A_BATCH = 5'000;

int tell_pragmas() {
    auto folder = std::filesystem::temp_directory_path() / fmt::format("himalaya-pragmas-{}", ::getpid());
    std::filesystem::create_directories(folder);
    {
        store::Database database((folder / "mail.db").string(), store::Database::Mode::write);
        store::set_pragmas(database, store::Database::Mode::write);
        store::open_schema(database);
        std::string line;
        for (const char* name :
             {"journal_mode", "synchronous", "fullfsync", "wal_autocheckpoint", "journal_size_limit",
              "page_size", "cache_size", "mmap_size", "auto_vacuum", "temp_store"}) {
            auto row = database.prepare_once(fmt::format("PRAGMA {}", name));
            if (row.step())
                line += fmt::format("{}{}={}", line.empty() ? "" : " ", name, row.text(0));
        }
        std::puts(line.c_str());
    }
    std::filesystem::remove_all(folder);
    return 0;
}

store::Arrival arrival(std::int64_t i, std::int64_t count) {
    store::Arrival one;
    one.uid = i + 1;
    one.arrived = NEWEST - (count - 1 - i) * (3LL * 365 * 86'400 / count);
    one.sent = one.arrived;
    one.flags = i % 12 == 0 ? 0U : std::uint32_t{store::SEEN};
    one.size = 2'000 + i % 7'000;
    bool answers = i % 4 == 3;
    one.subject = fmt::format("{}Minutes of the meeting and the new shelves ({})", answers ? "Re: " : "",
                              answers ? i - 1 : i);
    one.from = {"Reading room", fmt::format("desk-{}@example.org", i % 40)};
    one.to = {{"", "home@example.org"}};
    one.message_id = fmt::format("<{}.{:x}@example.org>", i, one.arrived);
    if (answers)
        one.in_reply_to = arrival(i - 1, count).message_id;
    return one;
}

void fill(store::Database& database, const std::string& path, std::int64_t count) {
    store::Id folder = 0;
    for (std::int64_t at = 0; at < count; at += A_BATCH) {
        std::vector<store::Arrival> batch;
        for (auto i = at; i < std::min(count, at + A_BATCH); ++i)
            batch.push_back(arrival(i, count));
        store::Change change(database);
        if (folder == 0)
            folder = store::folder_of(database, path)->id;
        store::bring_in(change, folder, batch);
        change.commit();
    }
}

int fill_all(const std::filesystem::path& place, const std::vector<std::string>& wanted) {
    std::filesystem::create_directories(place);
    store::Database database((place / "mail.db").string(), store::Database::Mode::write);
    store::set_pragmas(database, store::Database::Mode::write);
    store::open_schema(database);
    // What lies here is thrown away after the bench.
    database.execute("PRAGMA synchronous=OFF");
    std::vector<store::Folder> folders;
    std::vector<std::int64_t> counts;
    for (const auto& one : wanted) {
        auto middle = one.find('=');
        if (middle == std::string::npos)
            throw make_error(Code::invalid, fmt::format("expected PATH=COUNT, got {}", one));
        store::Folder folder;
        folder.path = folder.remote = one.substr(0, middle);
        folder.delimiter = "/";
        folders.push_back(folder);
        counts.push_back(std::atoll(one.c_str() + middle + 1));
    }
    {
        store::Change change(database);
        store::keep_folders(change, folders);
        change.commit();
    }
    for (std::size_t i = 0; i < folders.size(); ++i)
        fill(database, folders[i].path, counts[i]);
    return 0;
}

} // namespace

int main(int argc, char** argv) {
    std::vector<std::string> arguments(argv + 1, argv + argc);
    try {
        if (arguments.size() == 1 && arguments[0] == "--pragmas")
            return tell_pragmas();
        if (arguments.size() < 2) {
            std::fputs("usage: store_maker --pragmas | FOLDER PATH=COUNT...\n", stderr);
            return 2;
        }
        return fill_all(arguments[0], {arguments.begin() + 1, arguments.end()});
    } catch (const Error& error) {
        std::fprintf(stderr, "store_maker: %s\n", error.message.c_str());
        return 1;
    }
}

// A store in a folder of its own, and words to say what lies in it.
#pragma once

#include "store/folders.hpp"
#include "store/messages.hpp"
#include "store/ops.hpp"
#include "store/pages.hpp"
#include "store/schema.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <string>
#include <unistd.h>
#include <vector>

namespace himalaya::store {

class Folderful {
  public:
    Folderful() {
        std::string pattern = (std::filesystem::temp_directory_path() / "himalaya-store-XXXXXX").string();
        m_folder = mkdtemp(pattern.data());
    }
    ~Folderful() { std::filesystem::remove_all(m_folder); }
    Folderful(const Folderful&) = delete;
    Folderful& operator=(const Folderful&) = delete;

    std::string path(const char* name = "mail.db") const { return (m_folder / name).string(); }
    const std::filesystem::path& folder() const { return m_folder; }

  private:
    std::filesystem::path m_folder;
};

inline Arrival letter(std::int64_t uid, std::int64_t arrived = 0) {
    Arrival arrival;
    arrival.uid = uid;
    arrival.arrived = arrived ? arrived : 1'700'000'000 + uid * 60;
    arrival.size = 1000 + uid;
    arrival.subject = fmt::format("Letter {}", uid);
    arrival.from = {"Ann", "ann@example.org"};
    arrival.to = {{"Bob", "bob@example.org"}, {"", "list@example.org"}};
    arrival.message_id = fmt::format("<{}@example.org>", uid);
    return arrival;
}

// Bytes that zstd cannot shrink.
inline std::string noise(std::size_t size) {
    std::string bytes;
    for (unsigned seed = 7; bytes.size() < size;)
        bytes += static_cast<char>((seed = seed * 1'664'525u + 1'013'904'223u) >> 24);
    return bytes;
}

struct Mailbox : Folderful {
    Mailbox() : database(path(), Database::Mode::write) {
        set_pragmas(database, Database::Mode::write);
        open_schema(database);
        Change change(database);
        keep_folders(change, {{.path = "INBOX", .remote = "INBOX", .role = "inbox"},
                              {.path = "Archive", .remote = "Archive", .role = "archive"},
                              {.path = "Trash", .remote = "Trash", .role = "trash"}});
        change.commit();
        inbox = folder_of(database, "INBOX")->id;
        archive = folder_of(database, "Archive")->id;
        trash = folder_of(database, "Trash")->id;
    }

    std::vector<Id> bring(Id folder, const std::vector<Arrival>& arrivals) {
        Change change(database);
        auto came = bring_in(change, folder, arrivals);
        change.commit();
        return came.fresh;
    }

    std::vector<std::string> subjects(Id folder, Wanted wanted = {}) {
        std::vector<std::string> all;
        for (const auto& message : list_page(database, folder, wanted).items)
            all.push_back(message.subject);
        return all;
    }

    Message row(Id id) { return *message_of(database, id); }
    Folder folder_row(Id id) { return *folder_of(database, id); }

    Database database;
    Id inbox = 0;
    Id archive = 0;
    Id trash = 0;
    Author me{"this", 1'700'000'000};
};

} // namespace himalaya::store

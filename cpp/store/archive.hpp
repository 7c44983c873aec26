// A folder's mail into a file of mbox format or a Maildir, and from one into a folder. Both can be ended at any moment
// and done again: what is there already is known by what it says (fingerprint.hpp) and never doubled, and nothing
// incomplete ever stands under a final name. The work is done in slices of some milliseconds on the file thread, so
// that a message which somebody opens meanwhile need not wait for it.
#pragma once

#include "store/store.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace himalaya::store {

enum class ArchiveKind { mbox, maildir };

struct Passed {
    std::int64_t done = 0;
    std::optional<std::int64_t> total; // messages; nothing as long as nobody counted them
    std::optional<double> share;       // of the work, 0 to 1
};
using OnPassed = std::function<void(const Passed&)>;

struct ExportWanted {
    std::string folder;
    std::string path;
    std::optional<ArchiveKind> kind; // nothing: a Maildir where a folder of that name is, else an mbox
};
struct Exported {
    std::int64_t exported = 0;
    std::int64_t missing = 0; // whose text is not here and could not be fetched
    std::int64_t skipped = 0; // there already
};
// Brings these messages' bodies here, as far as it can.
using FetchBodies = std::function<loop::Task<>(std::vector<Id> messages)>;

loop::Task<Exported> export_folder(std::shared_ptr<Store> store, ExportWanted wanted, FetchBodies fetch,
                                   OnPassed on_passed, loop::CancelToken token);

struct ImportWanted {
    std::string folder;
    std::string path;
    // What comes is mail that arrived and stays here, for an account without a server. Elsewhere each message is an op
    // that brings it to the server.
    bool local = false;
};
struct Imported {
    std::int64_t imported = 0;
    std::int64_t skipped = 0; // there already, or empty
    std::int64_t missing = 0; // files that cannot be read
};
loop::Task<Imported> import_into(std::shared_ptr<Store> store, ImportWanted wanted, OnPassed on_passed,
                                 loop::CancelToken token);

// For an account without a server: what the user did is done once it is seen. Returns how many ops that were.
int settle_here(Change& change, std::int64_t now);

// What lies at `path`; Error{not_found} or Error{invalid} says what is wrong with it. On the file thread.
ArchiveKind kind_of_archive(const std::string& path);

} // namespace himalaya::store

#include "store/bodies.hpp"

#include "base/new_file.hpp"
#include "base/text.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/sha.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <memory>

namespace himalaya::store {

namespace {

// -3: the writer's thread bounds a first sync, and this packs at 1 GB/s; mail still shrinks to about half.
constexpr int PACKING_LEVEL = -3;
constexpr std::size_t LARGEST = 1u << 30;
// A large body's file is written before the row that names it.
constexpr std::int64_t FILE_STAYS = 600; // seconds

std::string hash_bytes(std::string_view bytes) {
    unsigned char digest[SHA256_DIGEST_LENGTH];
    SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), digest);
    return {reinterpret_cast<const char*>(digest), 16};
}

std::string compress(std::string_view bytes) {
    thread_local std::unique_ptr<ZSTD_CCtx, decltype(&ZSTD_freeCCtx)> context(ZSTD_createCCtx(),
                                                                              ZSTD_freeCCtx);
    std::string packed(ZSTD_compressBound(bytes.size()), '\0');
    auto size = ZSTD_compressCCtx(context.get(), packed.data(), packed.size(), bytes.data(), bytes.size(),
                                  PACKING_LEVEL);
    if (ZSTD_isError(size))
        throw make_error(Code::internal,
                         fmt::format("a message could not be packed: {}", ZSTD_getErrorName(size)));
    packed.resize(size);
    return packed;
}

std::optional<std::string> expand(std::string_view packed, std::size_t size) {
    // A damaged row may claim any size; what was packed as a stream does not say how much it is.
    auto claimed = ZSTD_getFrameContentSize(packed.data(), packed.size());
    if (size > LARGEST || (claimed != ZSTD_CONTENTSIZE_UNKNOWN && claimed != size))
        return std::nullopt;
    std::string bytes(size, '\0');
    auto got = ZSTD_decompress(bytes.data(), bytes.size(), packed.data(), packed.size());
    if (ZSTD_isError(got) || got != size)
        return std::nullopt;
    return bytes;
}

[[noreturn]] void fail(const std::filesystem::path& path, int code) {
    throw make_error(
        Code::store, fmt::format("{} could not be written: {}", path.string(), std::strerror(code)),
        code == ENOSPC ? "free some space; the sync goes on from here" : "check the folder's permissions");
}

// The file first, its row after: written beside, synced, renamed, and the folder synced too.
void write_durably(const std::filesystem::path& path, std::string_view bytes) {
    auto beside = path;
    beside += fmt::format(".{}.new", ::getpid());
    int fd = ::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        fail(beside, errno);
    int problem = 0;
    while (!bytes.empty() && !problem) {
        auto wrote = ::write(fd, bytes.data(), bytes.size());
        if (wrote < 0 && errno != EINTR)
            problem = errno;
        else if (wrote > 0)
            bytes.remove_prefix(static_cast<std::size_t>(wrote));
    }
    if (!problem && ::fsync(fd) != 0)
        problem = errno;
    ::close(fd);
    if (!problem && ::rename(beside.c_str(), path.c_str()) != 0)
        problem = errno;
    if (problem) {
        ::unlink(beside.c_str());
        fail(path, problem);
    }
    if (int folder = ::open(path.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); folder >= 0) {
        ::fsync(folder);
        ::close(folder);
    }
}

bool holds(const std::filesystem::path& path, std::string_view bytes) {
    std::error_code problem;
    if (std::filesystem::file_size(path, problem) != bytes.size() || problem)
        return false;
    std::ifstream file(path, std::ios::binary);
    std::string there(bytes.size(), '\0');
    return file.read(there.data(), static_cast<std::streamsize>(there.size())) && there == bytes;
}

} // namespace

PackedBody Bodies::pack(std::string_view bytes) const {
    PackedBody body{hash_bytes(bytes), {}, {}, static_cast<std::int64_t>(bytes.size())};
    auto packed = compress(bytes);
    if (packed.size() <= LARGEST_IN_DATABASE) {
        body.packed = std::move(packed);
        return body;
    }
    std::error_code problem;
    std::filesystem::create_directories(m_folder, problem);
    if (problem)
        fail(m_folder, problem.value());
    body.file = text::hex(body.hash);
    auto path = m_folder / body.file;
    // There already: used just now. One that was damaged is written anew.
    if (::utimensat(AT_FDCWD, path.c_str(), nullptr, 0) != 0 || !holds(path, packed))
        write_durably(path, packed);
    return body;
}

Id Bodies::keep(Change& change, const PackedBody& body) {
    auto& database = change.database();
    auto blob = [](const std::string& bytes) {
        return std::span(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
    };
    auto known = database.prepare("SELECT id, file IS NULL AND packed IS NOT ?2 FROM body WHERE hash = ?1");
    known.bind_at(1, blob(body.hash));
    known.bind_at(2, blob(body.packed));
    Id id = known.step() ? known.integer(0) : 0;
    // Damaged: what came again takes its place.
    if (id != 0 && known.integer(1) != 0 && body.file.empty())
        database.prepare("UPDATE body SET packed = ? WHERE id = ?").bind(blob(body.packed), id).run();
    if (id == 0) {
        auto insert = database.prepare("INSERT INTO body(hash, size, packed, file) VALUES(?, ?, ?, ?)");
        insert.bind_at(1, blob(body.hash));
        insert.bind_at(2, body.size);
        if (body.file.empty())
            insert.bind_at(3, blob(body.packed));
        else
            insert.bind_at(4, body.file);
        insert.run();
        id = database.last_id();
    }
    return id;
}

void Bodies::attach(Change& change, Id message, const PackedBody& body) {
    auto& database = change.database();
    auto id = keep(change, body);
    auto before = database.prepare("SELECT body FROM message WHERE id = ? AND body <> ?");
    if (before.bind(message, id).step())
        loosen_body(change, before.integer(0));
    // No new seq: a row looks the same with its body here or not.
    database.prepare("UPDATE message SET body = ? WHERE id = ?").bind(id, message).run();
}

void attach_body(Change& change, Id folder, std::int64_t uid, const PackedBody& body, bool has_attachment) {
    auto& database = change.database();
    auto row = database.prepare("SELECT id, flags FROM message WHERE folder = ? AND remote = ?");
    if (!row.bind(folder, uid).step())
        return;
    auto id = row.integer(0);
    Bodies::attach(change, id, body);
    if (has_attachment && !(row.integer(1) & HAS_ATTACHMENT)) {
        database.prepare("UPDATE message SET flags = flags | ?, seq = ? WHERE id = ?")
            .bind(static_cast<std::int64_t>(HAS_ATTACHMENT), change.seq(), id)
            .run();
        change.touch(folder);
    }
}

std::optional<std::string> Bodies::read(Database& database, Id body) const {
    auto row = database.prepare("SELECT size, packed, file, hash FROM body WHERE id = ?");
    if (!row.bind(body).step())
        return std::nullopt;
    auto size = static_cast<std::size_t>(row.integer(0));
    std::optional<std::string> bytes;
    if (!row.is_null(2)) {
        // Packed it is never much larger than its bytes: a file that is has nothing to do with them.
        if (auto packed = read_small_file((m_folder / row.string(2)).string(), ZSTD_compressBound(size)))
            bytes = expand(*packed, size);
    } else {
        auto packed = row.blob(1);
        bytes = expand({reinterpret_cast<const char*>(packed.data()), packed.size()}, size);
    }
    // A body that does not say what its hash says is none: it is fetched anew.
    auto hash = row.blob(3);
    if (bytes &&
        hash_bytes(*bytes) != std::string_view(reinterpret_cast<const char*>(hash.data()), hash.size()))
        return std::nullopt;
    return bytes;
}

void loosen_body(Change& change, std::optional<Id> body) {
    if (!body)
        return;
    change.database().prepare("INSERT OR IGNORE INTO loose(body) VALUES(?)").bind(*body).run();
    change.note_loose();
}

bool Bodies::sweep(Change& change, int most, std::int64_t now) const {
    struct Loose {
        Id id;
        std::string file;
        bool wanted;
    };
    auto& database = change.database();
    std::vector<Loose> loose;
    {
        auto row = database.prepare(
            "SELECT l.body, coalesce(b.file, ''), EXISTS(SELECT 1 FROM message m WHERE m.body = l.body) "
            "FROM loose l LEFT JOIN body b ON b.id = l.body LIMIT ?");
        row.bind(most);
        while (row.step())
            loose.push_back({row.integer(0), row.string(1), row.integer(2) != 0});
    }
    int left = 0;
    for (const auto& body : loose) {
        if (!body.wanted && !body.file.empty()) {
            // Somebody may just be about to point to it again: what was written lately stays for another time.
            auto path = m_folder / body.file;
            struct stat state {};
            if (::stat(path.c_str(), &state) == 0 && state.st_mtime > now - FILE_STAYS) {
                ++left;
                continue;
            }
            ::unlink(path.c_str()); // a file that stays costs space, not mail
        }
        if (!body.wanted)
            database.prepare("DELETE FROM body WHERE id = ?").bind(body.id).run();
        database.prepare("DELETE FROM loose WHERE body = ?").bind(body.id).run();
    }
    return static_cast<int>(loose.size()) == most && left < most;
}

} // namespace himalaya::store

#include "store/body_stream.hpp"

#include "base/new_file.hpp"
#include "base/text.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <set>
#include <vector>

namespace himalaya::store {

namespace {

constexpr int PACKING_LEVEL = -3; // as bodies.cpp
constexpr std::int64_t A_DAY = 86'400;
constexpr std::size_t HASH_BYTES = 16;

class Sha256 {
  public:
    Sha256() : m_context(EVP_MD_CTX_new()) { EVP_DigestInit_ex(m_context, EVP_sha256(), nullptr); }
    Sha256(const Sha256&) = delete;
    Sha256& operator=(const Sha256&) = delete;
    ~Sha256() { EVP_MD_CTX_free(m_context); }

    void add(std::string_view bytes) { EVP_DigestUpdate(m_context, bytes.data(), bytes.size()); }
    std::string finish() {
        std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
        EVP_DigestFinal_ex(m_context, digest.data(), nullptr);
        return {reinterpret_cast<const char*>(digest.data()), HASH_BYTES};
    }

  private:
    EVP_MD_CTX* m_context;
};

[[noreturn]] void fail(int number, const std::filesystem::path& path) {
    auto error = file_failure(number, fmt::format("Cannot write {}", path.string()));
    error.hint = number == ENOSPC ? "Free some space and try again; nothing is done twice."
                                  : "Check the folder's permissions.";
    throw error;
}

void write_all(int file, std::string_view bytes, const std::filesystem::path& path) {
    while (!bytes.empty()) {
        auto wrote = ::write(file, bytes.data(), bytes.size());
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote <= 0)
            fail(errno, path);
        bytes.remove_prefix(static_cast<std::size_t>(wrote));
    }
}

} // namespace

struct BodyPacker::State {
    explicit State(std::filesystem::path folder)
        : large(std::move(folder)), context(ZSTD_createCCtx(), ZSTD_freeCCtx),
          out(ZSTD_CStreamOutSize(), '\0') {
        ZSTD_CCtx_setParameter(context.get(), ZSTD_c_compressionLevel, PACKING_LEVEL);
    }
    State(const State&) = delete;
    State& operator=(const State&) = delete;
    ~State() {
        if (file >= 0)
            ::close(file);
        if (!beside.empty())
            ::unlink(beside.c_str());
    }

    void compress(std::string_view bytes, ZSTD_EndDirective how) {
        ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
        for (bool more = how == ZSTD_e_end || in.size > 0; more;) {
            ZSTD_outBuffer to{out.data(), out.size(), 0};
            auto left = ZSTD_compressStream2(context.get(), &to, &in, how);
            if (ZSTD_isError(left))
                throw make_error(Code::internal,
                                 fmt::format("A message could not be packed: {}.", ZSTD_getErrorName(left)));
            keep({out.data(), to.pos});
            more = how == ZSTD_e_end ? left != 0 : in.pos < in.size;
        }
    }

    void keep(std::string_view bytes) {
        packed += bytes;
        if (packed.size() <= Bodies::LARGEST_IN_DATABASE && file < 0)
            return;
        if (file < 0)
            open_file();
        write_all(file, packed, beside);
        packed.clear();
    }

    void open_file() {
        static std::atomic<std::uint64_t> last = 0;
        make_folders(large.string()).or_throw();
        beside = large / fmt::format("packing.{}.{}.new", ::getpid(), ++last);
        file = ::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        if (file < 0)
            fail(errno, std::exchange(beside, {}));
    }

    std::filesystem::path large;
    std::unique_ptr<ZSTD_CCtx, decltype(&ZSTD_freeCCtx)> context;
    std::string out;
    std::string packed; // what is not in the file
    std::filesystem::path beside;
    int file = -1;
    Sha256 hash;
    std::int64_t size = 0;
};

BodyPacker::BodyPacker(std::filesystem::path large) : m_state(std::make_unique<State>(std::move(large))) {}
BodyPacker::~BodyPacker() = default;
BodyPacker::BodyPacker(BodyPacker&&) noexcept = default;
BodyPacker& BodyPacker::operator=(BodyPacker&&) noexcept = default;

void BodyPacker::add(std::string_view bytes) {
    m_state->hash.add(bytes);
    m_state->size += static_cast<std::int64_t>(bytes.size());
    m_state->compress(bytes, ZSTD_e_continue);
}

std::int64_t BodyPacker::size() const {
    return m_state->size;
}

PackedBody BodyPacker::finish() {
    auto& state = *m_state;
    state.compress({}, ZSTD_e_end);
    PackedBody body{state.hash.finish(), {}, {}, state.size};
    if (state.file < 0) {
        body.packed = std::move(state.packed);
        return body;
    }
    body.file = text::hex(body.hash);
    auto path = state.large / body.file;
    int problem = ::fsync(state.file) == 0 ? 0 : errno;
    ::close(std::exchange(state.file, -1));
    if (!problem && ::rename(state.beside.c_str(), path.c_str()) != 0)
        problem = errno;
    if (problem)
        fail(problem, path);
    state.beside.clear();
    if (int folder = ::open(state.large.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); folder >= 0) {
        ::fsync(folder);
        ::close(folder);
    }
    return body;
}

std::optional<StoredBody> stored_body(Database& database, Id body) {
    auto row = database.prepare("SELECT size, packed, coalesce(file, ''), hash FROM body WHERE id = ?");
    if (!row.bind(body).step())
        return std::nullopt;
    auto bytes = [&](int column) {
        auto blob = row.blob(column);
        return std::string(reinterpret_cast<const char*>(blob.data()), blob.size());
    };
    return StoredBody{row.integer(0), row.is_null(1) ? std::string() : bytes(1), row.string(2), bytes(3)};
}

bool unpack(const StoredBody& body, const std::filesystem::path& large,
            const std::function<void(std::string_view)>& give) {
    int file = -1;
    if (!body.file.empty()) {
        file = ::open((large / body.file).c_str(), O_RDONLY | O_CLOEXEC);
        if (file < 0)
            return false;
    }
    struct Close {
        int file;
        ~Close() {
            if (file >= 0)
                ::close(file);
        }
    } close{file};
    std::unique_ptr<ZSTD_DCtx, decltype(&ZSTD_freeDCtx)> context(ZSTD_createDCtx(), ZSTD_freeDCtx);
    std::string out(ZSTD_DStreamOutSize(), '\0'), piece;
    Sha256 hash;
    std::int64_t size = 0;
    bool more = true;
    while (more) {
        if (file < 0) {
            piece = body.packed;
            more = false;
        } else {
            piece.resize(ZSTD_DStreamInSize());
            auto got = ::read(file, piece.data(), piece.size());
            if (got < 0 && errno == EINTR)
                continue;
            if (got < 0)
                return false;
            piece.resize(static_cast<std::size_t>(got));
            more = got > 0;
        }
        ZSTD_inBuffer in{piece.data(), piece.size(), 0};
        ZSTD_outBuffer to{out.data(), out.size(), 0};
        // A full buffer may mean that there is more to come out.
        while (in.pos < in.size || to.pos == to.size) {
            to.pos = 0;
            auto left = ZSTD_decompressStream(context.get(), &to, &in);
            if (ZSTD_isError(left) || size + static_cast<std::int64_t>(to.pos) > body.size)
                return false;
            size += static_cast<std::int64_t>(to.pos);
            hash.add({out.data(), to.pos});
            give({out.data(), to.pos});
            if (left == 0)
                break;
        }
    }
    return size == body.size && hash.finish() == body.hash;
}

int sweep_large_files(Database& database, const std::filesystem::path& large, std::int64_t now) {
    std::error_code problem;
    std::vector<std::filesystem::path> old;
    for (const auto& entry : std::filesystem::directory_iterator(large, problem)) {
        struct stat info {};
        if (::stat(entry.path().c_str(), &info) == 0 && S_ISREG(info.st_mode) && info.st_mtime < now - A_DAY)
            old.push_back(entry.path());
    }
    int swept = 0;
    for (const auto& path : old) {
        auto row = database.prepare("SELECT 1 FROM body WHERE file = ?");
        if (row.bind(path.filename().string()).step())
            continue;
        swept += ::unlink(path.c_str()) == 0 ? 1 : 0;
    }
    return swept;
}

} // namespace himalaya::store

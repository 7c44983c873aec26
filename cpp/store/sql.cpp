#include "store/sql.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>

namespace himalaya::store {

namespace {

// Whoever comes upon damage, reading or writing, leaves word for the next start (Store::open).
void keep_in_mind(const std::string& path) {
    if (path.find(".damaged-") != std::string::npos)
        return; // set aside already
    int file = ::open((path + ".check").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (file >= 0)
        ::close(file);
}

// What our own statements never come to in a sound store: a column that has another name, a number that is a text, a row
// larger than any, a format of the future. The next start looks closely.
bool may_be_damage(int code) {
    switch (code & 0xff) {
    case SQLITE_ERROR:
    case SQLITE_TOOBIG:
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
    case SQLITE_FORMAT:
        return true;
    default:
        return false;
    }
}

} // namespace

Statement::Statement(Statement&& other) noexcept
    : m_database(other.m_database), m_sql(other.m_sql), m_statement(other.m_statement) {
    other.m_statement = nullptr;
}

Statement::~Statement() {
    if (m_statement)
        m_database->give_back(m_sql, m_statement);
}

void Statement::bind_at(int at, std::int64_t value) {
    sqlite3_bind_int64(m_statement, at, value);
}

void Statement::bind_at(int at, std::string_view value) {
    // A null pointer would bind NULL; empty text is a value.
    const char* bytes = value.data() ? value.data() : "";
    sqlite3_bind_text64(m_statement, at, bytes, value.size(), SQLITE_STATIC, SQLITE_UTF8);
}

void Statement::bind_at(int at, std::span<const unsigned char> blob) {
    sqlite3_bind_blob64(m_statement, at, blob.empty() ? static_cast<const void*>("") : blob.data(),
                        blob.size(), SQLITE_STATIC);
}

void Statement::bind_at(int at, std::nullptr_t) {
    sqlite3_bind_null(m_statement, at);
}

bool Statement::step() {
    int code = sqlite3_step(m_statement);
    if (code == SQLITE_ROW)
        return true;
    if (code == SQLITE_DONE)
        return false;
    m_database->fail("read or write mail", code);
}

void Statement::run() {
    while (step()) {
    }
    again();
}

void Statement::again() {
    sqlite3_reset(m_statement);
}

std::int64_t Statement::integer(int column) const {
    return sqlite3_column_int64(m_statement, column);
}

std::string_view Statement::text(int column) const {
    const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(m_statement, column));
    if (!bytes)
        return {};
    return {bytes, static_cast<std::size_t>(sqlite3_column_bytes(m_statement, column))};
}

std::span<const unsigned char> Statement::blob(int column) const {
    const auto* bytes = static_cast<const unsigned char*>(sqlite3_column_blob(m_statement, column));
    return {bytes, static_cast<std::size_t>(sqlite3_column_bytes(m_statement, column))};
}

bool Statement::is_null(int column) const {
    return sqlite3_column_type(m_statement, column) == SQLITE_NULL;
}

int Statement::type(int column) const {
    return sqlite3_column_type(m_statement, column);
}

std::optional<std::int64_t> Statement::maybe_integer(int column) const {
    if (is_null(column))
        return std::nullopt;
    return integer(column);
}

Database::Database(const std::string& path, Mode mode) : m_path(path) {
    int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    flags |= mode == Mode::read ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    int code = sqlite3_open_v2(path.c_str(), &m_handle, flags, nullptr);
    if (code != SQLITE_OK) {
        std::string why = m_handle ? sqlite3_errmsg(m_handle) : "out of memory";
        sqlite3_close_v2(m_handle);
        m_handle = nullptr;
        throw make_error(Code::store, fmt::format("the mail store {} cannot be opened: {}", path, why),
                         "check that the folder exists and that you may write to it (:checkhealth himalaya)");
    }
    // Another Neovim's commit takes milliseconds; a checkpoint on a slow disk a second or two.
    sqlite3_busy_timeout(m_handle, 10'000);
    // sqlite3_interrupt() alone does nothing to a statement that is about to begin.
    constexpr int STEPS = 10'000;
    sqlite3_progress_handler(
        m_handle, STEPS,
        [](void* interrupted) { return static_cast<std::atomic<bool>*>(interrupted)->load() ? 1 : 0; },
        &m_interrupted);
}

Database::~Database() {
    for (auto& [sql, statements] : m_shelf)
        for (auto* statement : statements)
            sqlite3_finalize(statement);
    sqlite3_close_v2(m_handle);
}

sqlite3_stmt* Database::compile(std::string_view sql, unsigned flags) {
    sqlite3_stmt* statement = nullptr;
    int code =
        sqlite3_prepare_v3(m_handle, sql.data(), static_cast<int>(sql.size()), flags, &statement, nullptr);
    if (code != SQLITE_OK)
        fail("prepare a statement", code);
    return statement;
}

Statement Database::prepare(std::string_view sql) {
    auto& kept = m_shelf[sql];
    if (!kept.empty()) {
        auto* statement = kept.back();
        kept.pop_back();
        return {*this, sql, statement};
    }
    return {*this, sql, compile(sql, SQLITE_PREPARE_PERSISTENT)};
}

Statement Database::prepare_once(const std::string& sql) {
    return {*this, {}, compile(sql, 0)};
}

void Database::give_back(std::string_view sql, sqlite3_stmt* statement) {
    if (sql.empty()) {
        sqlite3_finalize(statement);
        return;
    }
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement); // bound text is the caller's and may be gone
    m_shelf[sql].push_back(statement);
}

void Database::execute(const char* sql) {
    int code = sqlite3_exec(m_handle, sql, nullptr, nullptr, nullptr);
    if (code != SQLITE_OK)
        fail("change the store", code);
}

std::int64_t Database::last_id() const {
    return sqlite3_last_insert_rowid(m_handle);
}

int Database::changes() const {
    return sqlite3_changes(m_handle);
}

void Database::interrupt() {
    m_interrupted = true;
    sqlite3_interrupt(m_handle);
}

bool Database::moved() const {
    int moved = 0;
    return sqlite3_file_control(m_handle, "main", SQLITE_FCNTL_HAS_MOVED, &moved) == SQLITE_OK && moved != 0;
}

void Database::fail(std::string_view doing, int code) const {
    if (code == 0)
        code = sqlite3_extended_errcode(m_handle);
    // SQLite calls only one of the ways in which a disk is full by that name.
    if ((code & 0xff) == SQLITE_IOERR || (code & 0xff) == SQLITE_CANTOPEN) {
        int system = sqlite3_system_errno(m_handle);
        if (system == ENOSPC || system == EDQUOT || system == EFBIG)
            code = SQLITE_FULL;
        else if (system == EROFS)
            code = SQLITE_READONLY;
    }
    switch (code & 0xff) {
    case SQLITE_INTERRUPT:
        throw make_error(Code::cancelled, "the query was given up for a newer one");
    case SQLITE_FULL:
        throw make_error(Code::store, fmt::format("the disk that holds {} is full", m_path),
                         "free some space; nothing was lost and the sync goes on from here");
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        throw make_error(Code::locked, fmt::format("another program holds the mail store {}", m_path),
                         "close the program that has it open; only Neovim should");
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
        throw make_error(Code::store, fmt::format("the mail store {} cannot be written", m_path),
                         "make its folder writable for you, or set `data_dir` to one that is");
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: {
        keep_in_mind(m_path);
        auto error = make_error(Code::store, fmt::format("the mail store {} is damaged", m_path),
                                "it is set aside and filled from the server again at the next start");
        error.detail = R"({"damaged":true})";
        throw error;
    }
    default: {
        auto error = make_error(
            Code::store, fmt::format("could not {} in {}: {}", doing, m_path, sqlite3_errmsg(m_handle)),
            "see :HimalayaLog; if it stays, :checkhealth himalaya");
        error.detail = fmt::format(R"({{"sqlite":{}}})", code);
        if (may_be_damage(code)) {
            keep_in_mind(m_path);
            error.detail = fmt::format(R"({{"doubtful":true,"sqlite":{}}})", code);
        }
        throw error;
    }
    }
}

} // namespace himalaya::store

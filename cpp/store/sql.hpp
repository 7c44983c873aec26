// SQLite in the words of the house: a database that throws Error{store}, statements prepared once and
// borrowed for one use. A batch of 500 envelopes runs some thousands of statements, so preparing each anew
// would cost more than running it.
#pragma once

#include "base/error.hpp"

#include <sqlite3.h>

#include <atomic>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace himalaya::store {

class Database;

// One use of a statement. Bound text is not copied: it must live until the last step. Goes back to its
// database's shelf when it leaves scope.
class Statement {
  public:
    Statement(Statement&& other) noexcept;
    Statement(const Statement&) = delete;
    Statement& operator=(const Statement&) = delete;
    Statement& operator=(Statement&&) = delete;
    ~Statement();

    template<class... Values>
    Statement& bind(const Values&... values) {
        int at = 0;
        (bind_at(++at, values), ...);
        return *this;
    }

    void bind_at(int at, std::int64_t value);
    void bind_at(int at, int value) { bind_at(at, static_cast<std::int64_t>(value)); }
    void bind_at(int at, bool value) { bind_at(at, static_cast<std::int64_t>(value)); }
    void bind_at(int at, std::uint32_t value) { bind_at(at, static_cast<std::int64_t>(value)); }
    void bind_at(int at, std::string_view value);
    void bind_at(int at, const std::string& value) { bind_at(at, std::string_view(value)); }
    void bind_at(int at, const char* value) { bind_at(at, std::string_view(value)); }
    void bind_at(int at, std::span<const unsigned char> blob);
    void bind_at(int at, std::nullptr_t);
    template<class T>
    void bind_at(int at, const std::optional<T>& value) {
        if (value)
            bind_at(at, *value);
        else
            bind_at(at, nullptr);
    }

    bool step();  // true while there is a row
    void run();   // to the end, for what returns nothing
    void again(); // ready to be bound and stepped once more

    std::int64_t integer(int column) const;
    std::string_view text(int column) const; // until the next step
    std::string string(int column) const { return std::string(text(column)); }
    std::span<const unsigned char> blob(int column) const;
    bool is_null(int column) const;
    int type(int column) const; // SQLITE_INTEGER, SQLITE_TEXT, ...
    std::optional<std::int64_t> maybe_integer(int column) const;

  private:
    friend class Database;
    Statement(Database& database, std::string_view sql, sqlite3_stmt* statement)
        : m_database(&database), m_sql(sql), m_statement(statement) {}

    Database* m_database;
    std::string_view m_sql;
    sqlite3_stmt* m_statement;
};

class Database {
  public:
    enum class Mode { read, write };

    Database(const std::string& path, Mode mode);
    Database(const Database&) = delete;
    Database& operator=(const Database&) = delete;
    ~Database();

    // `sql` must be a literal, or live as long as the database: it is the key under which the statement is
    // kept.
    Statement prepare(std::string_view sql);
    // For statements built at run time: prepared, used, thrown away.
    Statement prepare_once(const std::string& sql);
    void execute(const char* sql);

    std::int64_t last_id() const;
    int changes() const;
    // From another thread: the statement that runs, and each one after it, ends with Error{cancelled}.
    void interrupt();
    // Another file lies at its path now (or none): what is written here nobody would read again.
    bool moved() const;
    sqlite3* raw() { return m_handle; }

    [[noreturn]] void fail(std::string_view doing, int code = 0) const;

  private:
    friend class Statement;
    sqlite3_stmt* compile(std::string_view sql, unsigned flags);
    void give_back(std::string_view sql, sqlite3_stmt* statement);

    std::string m_path;
    sqlite3* m_handle = nullptr;
    std::atomic<bool> m_interrupted = false;
    std::unordered_map<std::string_view, std::vector<sqlite3_stmt*>> m_shelf;
};

} // namespace himalaya::store

#include "store/schema.hpp"

#include <fmt/format.h>

#include <array>
#include <set>

namespace himalaya::store {

namespace {

// The order of columns is the order of reading a list: what a row on the screen shows stands before what it
// does not, so that SQLite need not walk over long text.
constexpr const char* VERSION_1 = R"sql(
CREATE TABLE fact(name TEXT PRIMARY KEY, value) WITHOUT ROWID;

CREATE TABLE folder(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  path TEXT NOT NULL UNIQUE,
  remote TEXT NOT NULL,
  delimiter TEXT NOT NULL DEFAULT '',
  role TEXT NOT NULL DEFAULT '',
  selectable INTEGER NOT NULL DEFAULT 1,
  gone INTEGER NOT NULL DEFAULT 0,
  uidvalidity INTEGER,
  uidnext INTEGER,
  modseq INTEGER NOT NULL DEFAULT 0,
  known TEXT NOT NULL DEFAULT '',
  server_total INTEGER,
  server_unread INTEGER,
  total INTEGER NOT NULL DEFAULT 0,
  unread INTEGER NOT NULL DEFAULT 0,
  synced_at INTEGER NOT NULL DEFAULT 0,
  seq INTEGER NOT NULL DEFAULT 0
);

CREATE TABLE message(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  folder INTEGER NOT NULL,
  remote,
  arrived INTEGER NOT NULL,
  flags INTEGER NOT NULL DEFAULT 0,
  server_flags INTEGER NOT NULL DEFAULT 0,
  hidden INTEGER NOT NULL DEFAULT 0,
  pending INTEGER NOT NULL DEFAULT 0,
  thread INTEGER NOT NULL,
  size INTEGER NOT NULL DEFAULT 0,
  sent INTEGER,
  subject TEXT NOT NULL DEFAULT '',
  from_name TEXT NOT NULL DEFAULT '',
  from_addr TEXT NOT NULL DEFAULT '',
  keywords TEXT NOT NULL DEFAULT '',
  server_keywords TEXT NOT NULL DEFAULT '',
  recipients TEXT NOT NULL DEFAULT '',
  message_id TEXT NOT NULL DEFAULT '',
  message_hash INTEGER,
  parent_hash INTEGER,
  body INTEGER,
  seq INTEGER NOT NULL
);
CREATE UNIQUE INDEX message_remote ON message(folder, remote) WHERE remote IS NOT NULL;
CREATE INDEX message_list ON message(folder, arrived DESC, id DESC) WHERE hidden = 0;
CREATE INDEX message_nameless ON message(folder) WHERE remote IS NULL;
CREATE INDEX message_seq ON message(seq);
CREATE INDEX message_thread ON message(thread);
CREATE INDEX message_hash ON message(message_hash) WHERE message_hash IS NOT NULL;
CREATE INDEX message_body ON message(body) WHERE body IS NOT NULL;

CREATE TABLE body(
  id INTEGER PRIMARY KEY,
  hash BLOB NOT NULL UNIQUE,
  size INTEGER NOT NULL,
  packed BLOB,
  file TEXT
);

CREATE TABLE slot(
  folder INTEGER NOT NULL, bucket INTEGER NOT NULL, shown INTEGER NOT NULL,
  PRIMARY KEY(folder, bucket)
) WITHOUT ROWID;

CREATE TABLE mention(hash INTEGER PRIMARY KEY, thread INTEGER NOT NULL);

CREATE TABLE gone(seq INTEGER NOT NULL, message INTEGER NOT NULL, folder INTEGER NOT NULL);
CREATE INDEX gone_seq ON gone(seq);

CREATE TABLE op(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  kind TEXT NOT NULL,
  state TEXT NOT NULL DEFAULT 'queued',
  folder INTEGER NOT NULL,
  target INTEGER,
  add_flags INTEGER NOT NULL DEFAULT 0,
  remove_flags INTEGER NOT NULL DEFAULT 0,
  add_keywords TEXT NOT NULL DEFAULT '',
  remove_keywords TEXT NOT NULL DEFAULT '',
  made_at INTEGER NOT NULL,
  not_before INTEGER NOT NULL DEFAULT 0,
  tries INTEGER NOT NULL DEFAULT 0,
  uidnext INTEGER,
  instance TEXT NOT NULL DEFAULT '',
  error TEXT NOT NULL DEFAULT ''
);
CREATE INDEX op_state ON op(state, id);

CREATE TABLE op_target(
  op INTEGER NOT NULL,
  message INTEGER NOT NULL,
  remote,
  made INTEGER,
  flags_before INTEGER NOT NULL DEFAULT 0,
  keywords_before TEXT NOT NULL DEFAULT '',
  done INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY(op, message)
) WITHOUT ROWID;
CREATE INDEX op_target_message ON op_target(message);

CREATE TABLE request(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  kind TEXT NOT NULL,
  detail TEXT NOT NULL DEFAULT '{}',
  state TEXT NOT NULL DEFAULT 'asked',
  instance TEXT NOT NULL,
  asked_at INTEGER NOT NULL,
  answer TEXT NOT NULL DEFAULT ''
);

CREATE TABLE sync_run(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  kind TEXT NOT NULL,
  started_at INTEGER NOT NULL,
  duration_ms INTEGER NOT NULL,
  new INTEGER NOT NULL, updated INTEGER NOT NULL, expunged INTEGER NOT NULL, uploaded INTEGER NOT NULL,
  bytes INTEGER NOT NULL, round_trips INTEGER NOT NULL,
  error TEXT NOT NULL DEFAULT ''
);
)sql";

// The list's index names the thread too (and `hidden`, which SQLite would look up in the row even so), so that
// conversations are found by walking it alone. Bodies without a message are written down instead of being searched for.
// A folder that was read to its end has news from its last message on.
constexpr const char* VERSION_2 = R"sql(
DROP INDEX message_list;
CREATE INDEX message_list ON message(folder, arrived DESC, id DESC, thread, hidden) WHERE hidden = 0;

ALTER TABLE request ADD COLUMN heard_at INTEGER NOT NULL DEFAULT 0;

CREATE TABLE loose(body INTEGER PRIMARY KEY);
INSERT INTO loose SELECT id FROM body WHERE NOT EXISTS (SELECT 1 FROM message WHERE message.body = body.id);

INSERT OR REPLACE INTO fact(name, value) SELECT 'news from ' || id,
  coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'message'), 0) FROM folder WHERE synced_at > 0;
)sql";

// MIGRATIONS[i] leads from version i to i + 1.
constexpr std::array<const char*, SCHEMA_VERSION> MIGRATIONS = {VERSION_1, VERSION_2};

// No plugin ever gets so far: the number itself is damaged.
constexpr std::int64_t NO_VERSION = 10'000;

std::int64_t pragma(Database& database, const char* sql) {
    auto statement = database.prepare_once(sql);
    return statement.step() ? statement.integer(0) : 0;
}

std::set<std::string> shape(Database& database) {
    std::set<std::string> all;
    auto row = database.prepare_once(
        "SELECT m.type || ' ' || m.name || ' ' || m.tbl_name || ' ' || c.name || ' ' || c.type "
        "FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table' AND m.name NOT LIKE "
        "'sqlite_%' "
        "UNION ALL SELECT m.type || ' ' || m.name || ' ' || m.tbl_name || ' ' || coalesce(c.name, '') || ' ' "
        "|| c.seqno FROM sqlite_master m, pragma_index_info(m.name) c WHERE m.type = 'index'");
    while (row.step())
        all.insert(row.string(0));
    return all;
}

} // namespace

bool is_whole(Database& database) {
    auto version = pragma(database, "PRAGMA user_version");
    if (version < 0 || version > NO_VERSION)
        return false;
    if (version > SCHEMA_VERSION)
        return true; // not ours to say
    Database fresh(":memory:", Database::Mode::write);
    for (std::size_t i = 0; i < static_cast<std::size_t>(version); ++i)
        fresh.execute(MIGRATIONS[i]);
    return shape(database) == shape(fresh);
}

void set_pragmas(Database& database, Database::Mode mode) {
    if (mode == Database::Mode::write) {
        // Before the first table: a later change would need the whole file written anew.
        database.execute("PRAGMA auto_vacuum=INCREMENTAL");
        auto wal = database.prepare_once("PRAGMA journal_mode=WAL");
        if (!wal.step() || wal.text(0) != "wal")
            throw make_error(Code::store, "the store's disk cannot share a database between programs (WAL)",
                             "set `data_dir` to a folder on a local disk");
        database.execute("PRAGMA synchronous=FULL; PRAGMA fullfsync=1; PRAGMA wal_autocheckpoint=4000;"
                         "PRAGMA journal_size_limit=67108864");
    }
    // No mapping: the file's pages would count as the editor's memory, once for each connection, and a page of a list
    // is as quick without.
    database.execute("PRAGMA temp_store=MEMORY; PRAGMA cache_size=-8192; PRAGMA trusted_schema=OFF;"
                     "PRAGMA mmap_size=0");
}

void open_schema(Database& database) {
    if (pragma(database, "PRAGMA user_version") == SCHEMA_VERSION)
        return;
    database.execute("BEGIN IMMEDIATE");
    try {
        auto version = pragma(database, "PRAGMA user_version"); // another process may have been first
        if (version < 0 || version > NO_VERSION)
            database.fail("read the store's version", SQLITE_CORRUPT);
        if (version > SCHEMA_VERSION)
            throw make_error(Code::store, "the mail store was written by a newer himalaya.nvim",
                             "update the plugin, or set `data_dir` to another folder");
        for (auto i = static_cast<std::size_t>(version); i < MIGRATIONS.size(); ++i)
            database.execute(MIGRATIONS[i]);
        database.execute(
            fmt::format("PRAGMA user_version={}; PRAGMA application_id={}", SCHEMA_VERSION, APPLICATION_ID)
                .c_str());
        database.execute("COMMIT");
    } catch (...) {
        sqlite3_exec(database.raw(), "ROLLBACK", nullptr, nullptr, nullptr);
        throw;
    }
}

} // namespace himalaya::store

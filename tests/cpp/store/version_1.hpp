// A store as version 1 of the schema made it, with a row of everything: what the migrations start from. Never changed.
// Each version that follows gets a file like this one before the version after it is made:
//     sqlite3 mail.db .dump
#pragma once

namespace himalaya::store {

inline constexpr const char* STORE_OF_VERSION_1 = R"sql(
CREATE TABLE fact(name TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE folder(
  id INTEGER PRIMARY KEY AUTOINCREMENT, path TEXT NOT NULL UNIQUE, remote TEXT NOT NULL,
  delimiter TEXT NOT NULL DEFAULT '', role TEXT NOT NULL DEFAULT '', selectable INTEGER NOT NULL DEFAULT 1,
  gone INTEGER NOT NULL DEFAULT 0, uidvalidity INTEGER, uidnext INTEGER, modseq INTEGER NOT NULL DEFAULT 0,
  known TEXT NOT NULL DEFAULT '', server_total INTEGER, server_unread INTEGER, total INTEGER NOT NULL DEFAULT 0,
  unread INTEGER NOT NULL DEFAULT 0, synced_at INTEGER NOT NULL DEFAULT 0, seq INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE message(
  id INTEGER PRIMARY KEY AUTOINCREMENT, folder INTEGER NOT NULL, remote, arrived INTEGER NOT NULL,
  flags INTEGER NOT NULL DEFAULT 0, server_flags INTEGER NOT NULL DEFAULT 0, hidden INTEGER NOT NULL DEFAULT 0,
  pending INTEGER NOT NULL DEFAULT 0, thread INTEGER NOT NULL, size INTEGER NOT NULL DEFAULT 0, sent INTEGER,
  subject TEXT NOT NULL DEFAULT '', from_name TEXT NOT NULL DEFAULT '', from_addr TEXT NOT NULL DEFAULT '',
  keywords TEXT NOT NULL DEFAULT '', server_keywords TEXT NOT NULL DEFAULT '', recipients TEXT NOT NULL DEFAULT '',
  message_id TEXT NOT NULL DEFAULT '', message_hash INTEGER, parent_hash INTEGER, body INTEGER, seq INTEGER NOT NULL
);
CREATE UNIQUE INDEX message_remote ON message(folder, remote) WHERE remote IS NOT NULL;
CREATE INDEX message_list ON message(folder, arrived DESC, id DESC) WHERE hidden = 0;
CREATE INDEX message_nameless ON message(folder) WHERE remote IS NULL;
CREATE INDEX message_seq ON message(seq);
CREATE INDEX message_thread ON message(thread);
CREATE INDEX message_hash ON message(message_hash) WHERE message_hash IS NOT NULL;
CREATE INDEX message_body ON message(body) WHERE body IS NOT NULL;
CREATE TABLE body(id INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, size INTEGER NOT NULL, packed BLOB, file TEXT);
CREATE TABLE slot(
  folder INTEGER NOT NULL, bucket INTEGER NOT NULL, shown INTEGER NOT NULL, PRIMARY KEY(folder, bucket)
) WITHOUT ROWID;
CREATE TABLE mention(hash INTEGER PRIMARY KEY, thread INTEGER NOT NULL);
CREATE TABLE gone(seq INTEGER NOT NULL, message INTEGER NOT NULL, folder INTEGER NOT NULL);
CREATE INDEX gone_seq ON gone(seq);
CREATE TABLE op(
  id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, state TEXT NOT NULL DEFAULT 'queued',
  folder INTEGER NOT NULL, target INTEGER, add_flags INTEGER NOT NULL DEFAULT 0,
  remove_flags INTEGER NOT NULL DEFAULT 0, add_keywords TEXT NOT NULL DEFAULT '',
  remove_keywords TEXT NOT NULL DEFAULT '', made_at INTEGER NOT NULL, not_before INTEGER NOT NULL DEFAULT 0,
  tries INTEGER NOT NULL DEFAULT 0, uidnext INTEGER, instance TEXT NOT NULL DEFAULT '',
  error TEXT NOT NULL DEFAULT ''
);
CREATE INDEX op_state ON op(state, id);
CREATE TABLE op_target(
  op INTEGER NOT NULL, message INTEGER NOT NULL, remote, made INTEGER, flags_before INTEGER NOT NULL DEFAULT 0,
  keywords_before TEXT NOT NULL DEFAULT '', done INTEGER NOT NULL DEFAULT 0, PRIMARY KEY(op, message)
) WITHOUT ROWID;
CREATE INDEX op_target_message ON op_target(message);
CREATE TABLE request(
  id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, detail TEXT NOT NULL DEFAULT '{}',
  state TEXT NOT NULL DEFAULT 'asked', instance TEXT NOT NULL, asked_at INTEGER NOT NULL,
  answer TEXT NOT NULL DEFAULT ''
);
CREATE TABLE sync_run(
  id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, started_at INTEGER NOT NULL,
  duration_ms INTEGER NOT NULL, new INTEGER NOT NULL, updated INTEGER NOT NULL, expunged INTEGER NOT NULL,
  uploaded INTEGER NOT NULL, bytes INTEGER NOT NULL, round_trips INTEGER NOT NULL, error TEXT NOT NULL DEFAULT ''
);
INSERT INTO fact VALUES('epoch', 4), ('seq', 9);
INSERT INTO folder VALUES(1, 'INBOX', 'INBOX', '/', 'inbox', 1, 0, 77, 4, 12, '1:3', 3, 1, 2, 1, 1700000000, 9);
INSERT INTO folder VALUES(2, 'Trash', 'Trash', '/', 'trash', 1, 0, 78, 1, 3, '', 0, 0, 1, 0, 1700000000, 9);
INSERT INTO message VALUES(1, 1, 1, 1700000060, 1, 1, 0, 0, 1, 1001, 1700000000, 'Letter 1', 'Ann', 'ann@example.org',
  'todo', 'todo', '', '<1@example.org>', NULL, NULL, NULL, 7);
INSERT INTO message VALUES(2, 1, 2, 1700000120, 2, 0, 0, 1, 2, 1002, NULL, 'Letter 2', '', 'bob@example.org', '', '',
  '', '', NULL, NULL, NULL, 9);
INSERT INTO message VALUES(3, 2, NULL, 1700000180, 1, 1, 0, 1, 3, 1003, NULL, 'Letter 3', '', '', '', '', '',
  '<3@example.org>', NULL, NULL, NULL, 9);
INSERT INTO slot VALUES(1, 103759, 2), (2, 103759, 1);
INSERT INTO op VALUES(1, 'flag', 'queued', 1, NULL, 2, 0, '', '', 1700000200, 0, 0, NULL, 'this', '');
INSERT INTO op VALUES(2, 'move', 'sent', 1, 2, 0, 0, '', '', 1700000201, 0, 1, NULL, 'this', '');
INSERT INTO op_target VALUES(1, 2, 2, NULL, 0, '', 0), (2, 3, 3, NULL, 1, '', 0);
INSERT INTO gone VALUES(9, 3, 1);
PRAGMA user_version=1;
PRAGMA application_id=1214868833;
)sql";

} // namespace himalaya::store

// The peer of the IMAP bench: imapflow fetches every message's envelope, or its whole text, and keeps nothing.
//
//     node imapflow.mjs NODE_MODULES < {"host", "port", "ca_file", "user", "password", "what": "envelopes" | "bodies"}
//
// Prints {"seconds", "bytes", "messages", "connect_seconds"}: the time from the FETCH to its last message, after a
// login and SELECT that are not counted.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';

const { ImapFlow } = createRequire(resolve(process.argv[2], 'here.js'))('imapflow');
const asked = JSON.parse(readFileSync(0, 'utf8'));
const client = new ImapFlow({
  host: asked.host,
  port: asked.port,
  secure: true,
  servername: 'localhost',
  tls: { ca: readFileSync(asked.ca_file) },
  auth: { user: asked.user, pass: asked.password },
  disableCompression: true,
  disableAutoIdle: true,
  logger: false,
});

const before = process.hrtime.bigint();
await client.connect();
await client.mailboxOpen('INBOX', { readOnly: true });
const start = process.hrtime.bigint();
let messages = 0;
let bytes = 0;
const items = asked.what === 'bodies' ? { source: true } : { envelope: true, flags: true };
for await (const message of client.fetch('1:*', { uid: true, ...items })) {
  messages += 1;
  bytes += message.source ? message.source.length : 0;
}
const end = process.hrtime.bigint();
await client.logout();
console.log(JSON.stringify({
  seconds: Number(end - start) / 1e9,
  connect_seconds: Number(start - before) / 1e9,
  messages,
  bytes,
}));

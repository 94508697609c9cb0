/** Append only: a released entry is never edited. `user_version` counts how many have run. */
export const MIGRATIONS: readonly string[] = [
  `
  -- One row per message, in the order in which they were said or came. message: its id on the wire. author: who said it. peer: the
  -- other side of a direct one; NULL of what is to everybody. said_ms: by the author's clock; came_ms: by ours. Milliseconds
  -- since 1970.
  CREATE TABLE message (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    network     TEXT    NOT NULL,
    message     TEXT    NOT NULL,
    author      TEXT    NOT NULL,
    author_name TEXT    NOT NULL,
    peer        TEXT,
    peer_name   TEXT,
    text        TEXT    NOT NULL,
    state       TEXT    NOT NULL CHECK (state IN ('received', 'waiting', 'delivered', 'sent', 'failed', 'cancelled')),
    reason      TEXT,
    said_ms     INTEGER NOT NULL,
    came_ms     INTEGER NOT NULL,
    UNIQUE (author, message)
  ) STRICT;
  CREATE INDEX message_with ON message (peer, id);
  CREATE INDEX message_waiting ON message (network, peer) WHERE state = 'waiting';
  `,
  `
  -- The plain JSON peer that said it, or that it is for, as it calls itself: the peer itself, or one to whom the peer passes it on.
  ALTER TABLE message ADD COLUMN plain TEXT;
  ALTER TABLE message ADD COLUMN plain_name TEXT;
  `,
];

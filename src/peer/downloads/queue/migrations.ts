/** Append only: a released entry is never edited. `user_version` counts how many have run. */
export const MIGRATIONS: readonly string[] = [
  `
  -- One row per wish to download, as a person made it and with what was learnt since. wish: a digest of what makes two
  -- wishes the same; of those that have not ended no two are. network: the id of the index server's network in which
  -- it was made. request: the GetRequest as JSON; peer: whom it names, NULL for whoever has it; peer_id and peer_name: who
  -- that turned out to be. received: the folder where it lands if the request names none. detached: 1 if nobody waited
  -- for it when it was made. priority: 1 high, 0 normal, -1 low. claimed_by: the process that runs it,
  -- if its state is 'running'. code and reason: why it waits or failed. due_at_ms: when one that waits is tried again.
  -- tries: how often it was tried since anything arrived. files, bytes: what is there; total: bytes of all, if known.
  -- content: what a single file resolved to. Times are in milliseconds since 1970.
  CREATE TABLE download (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    wish        TEXT    NOT NULL,
    network     TEXT    NOT NULL,
    request     TEXT    NOT NULL,
    peer        TEXT,
    peer_id     TEXT,
    peer_name   TEXT,
    received    TEXT    NOT NULL,
    detached    INTEGER NOT NULL,
    priority    INTEGER NOT NULL DEFAULT 0,
    state       TEXT    NOT NULL CHECK (state IN ('queued', 'running', 'waiting', 'paused', 'done', 'failed', 'cancelled')),
    claimed_by  TEXT    CHECK (claimed_by IS NULL OR state = 'running'),
    code        TEXT,
    reason      TEXT,
    due_at_ms   INTEGER,
    tries       INTEGER NOT NULL DEFAULT 0,
    files       INTEGER NOT NULL DEFAULT 0,
    bytes       INTEGER NOT NULL DEFAULT 0,
    total       INTEGER,
    content     TEXT,
    added_at_ms INTEGER NOT NULL,
    ended_at_ms INTEGER
  ) STRICT;
  CREATE INDEX download_to_run ON download (network, priority DESC, id) WHERE state IN ('queued', 'waiting');
  CREATE UNIQUE INDEX download_wished ON download (wish) WHERE state NOT IN ('done', 'failed', 'cancelled');
  CREATE INDEX download_ended ON download (ended_at_ms) WHERE ended_at_ms IS NOT NULL;

  -- One row per file that was received whole. download: the number of the wish that brought it, which may be off the
  -- list by now. peer_id and peer_name: whom it was asked of.
  CREATE TABLE received (
    id        INTEGER PRIMARY KEY,
    download  INTEGER NOT NULL,
    path      TEXT    NOT NULL,
    saved     TEXT    NOT NULL,
    bytes     INTEGER NOT NULL,
    content   TEXT    NOT NULL,
    peer_id   TEXT,
    peer_name TEXT,
    sources   INTEGER NOT NULL,
    seconds   REAL    NOT NULL,
    at_ms     INTEGER NOT NULL
  ) STRICT;
  `,
];

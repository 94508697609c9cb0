/** Append only: a released entry is never edited. `user_version` counts how many have run. */
export const MIGRATIONS: readonly string[] = [
  `
  -- One row per catalog. peer_id: whose it is; null for one that is replaced or forgotten and only waits to be removed. All
  -- changes of the peer's numbering "epoch" up to "generation" are in it; files and bytes are the sums of its files.
  -- used_at_ms: when the peer came or left last (milliseconds since 1970).
  CREATE TABLE catalog (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    peer_id    TEXT    UNIQUE,
    epoch      TEXT    NOT NULL,
    generation INTEGER NOT NULL,
    files      INTEGER NOT NULL,
    bytes      INTEGER NOT NULL,
    used_at_ms INTEGER NOT NULL
  ) STRICT;

  -- One row per folder of a catalog that has files directly in it. path: its share path, empty for the top.
  CREATE TABLE folder (
    id      INTEGER PRIMARY KEY,
    catalog INTEGER NOT NULL REFERENCES catalog (id),
    path    TEXT    NOT NULL,
    UNIQUE (catalog, path)
  ) STRICT;

  -- One row per content that some file has or had. digest: the 32 bytes of its id.
  CREATE TABLE content (
    id     INTEGER PRIMARY KEY,
    digest BLOB    NOT NULL UNIQUE
  ) STRICT;

  -- One row per file that a peer offers or, if it is offline now, offered last. name: the last part of its share path. content:
  -- null while it is not hashed.
  CREATE TABLE file (
    id          INTEGER PRIMARY KEY,
    folder      INTEGER NOT NULL REFERENCES folder (id),
    name        TEXT    NOT NULL,
    size        INTEGER NOT NULL CHECK (size >= 0),
    modified_ms INTEGER NOT NULL,
    content     INTEGER REFERENCES content (id),
    UNIQUE (folder, name)
  ) STRICT;
  CREATE INDEX file_by_content ON file (content) WHERE content IS NOT NULL;
  `,
];

/** Append only: a released entry is never edited. `user_version` counts how many have run. */
export const MIGRATIONS: readonly string[] = [
  `
  -- One row: what is true of the library as a whole. "generation" is the number of the last change of what is
  -- offered, "forgotten" the last one whose deletions are no longer known, "epoch" tells this database from any that
  -- may have stood at its place before. "unhashed" counts the offered files without content.
  CREATE TABLE state (
    id         INTEGER PRIMARY KEY CHECK (id = 1),
    epoch      TEXT    NOT NULL,
    generation INTEGER NOT NULL,
    forgotten  INTEGER NOT NULL,
    unhashed   INTEGER NOT NULL
  ) STRICT;
  INSERT INTO state VALUES (1, lower(hex(randomblob(16))), 0, 0, 0);

  -- One row per place that files come from: a folder (root: its local path, name: the share folder under which its
  -- files stand, empty for the top), or the single files of the manifest together (kind 'files', root empty). Where
  -- two sources have a file of one share path, the one with the smaller rank is offered.
  CREATE TABLE source (
    id   INTEGER PRIMARY KEY,
    kind TEXT    NOT NULL CHECK (kind IN ('files', 'folder')),
    root TEXT    NOT NULL,
    name TEXT    NOT NULL,
    rank INTEGER NOT NULL,
    UNIQUE (kind, root, name)
  ) STRICT;

  -- One row per folder of the public tree, whatever sources it comes from; the top has an empty path and no parent.
  -- files, bytes and modified_ns (the latest) are those of all offered files below. A folder without any is not shown.
  CREATE TABLE folder (
    id          INTEGER PRIMARY KEY,
    parent      INTEGER REFERENCES folder (id),
    name        TEXT    NOT NULL,
    path        TEXT    NOT NULL UNIQUE,
    files       INTEGER NOT NULL DEFAULT 0,
    bytes       INTEGER NOT NULL DEFAULT 0,
    modified_ns INTEGER NOT NULL DEFAULT 0,
    UNIQUE (parent, name)
  ) STRICT;
  INSERT INTO folder (id, parent, name, path) VALUES (1, NULL, '', '');

  -- One row per folder of a source's own tree on disk: local is its path relative to the source's root, as on disk
  -- (so not necessarily in NFC).
  CREATE TABLE directory (
    source INTEGER NOT NULL REFERENCES source (id),
    folder INTEGER NOT NULL REFERENCES folder (id),
    local  TEXT    NOT NULL,
    PRIMARY KEY (source, folder)
  ) STRICT, WITHOUT ROWID;

  -- One row per content that was ever found in a file and is still referred to. digest: the content id's 32 bytes;
  -- blocks: the encoded block list whose hash that is.
  CREATE TABLE content (
    id     INTEGER PRIMARY KEY,
    digest BLOB    NOT NULL UNIQUE,
    blocks BLOB    NOT NULL
  ) STRICT;

  -- One row per file that a source has. name is the last part of its share path; local its name on disk where that
  -- differs (in source kind 'files': its real path). size, modified_ns and inode are the state in which it was last
  -- seen, and content belongs to just that state. shown: 1 if this is what is offered under the share path, 0 if a
  -- source of smaller rank has one there. generation: number of the last change of what is offered under this share
  -- path. hash_after_ms: not to be hashed before that time (milliseconds since 1970), since it may still be written.
  CREATE TABLE file (
    id            INTEGER PRIMARY KEY,
    folder        INTEGER NOT NULL REFERENCES folder (id),
    name          TEXT    NOT NULL,
    source        INTEGER NOT NULL REFERENCES source (id),
    local         TEXT,
    size          INTEGER NOT NULL CHECK (size >= 0),
    modified_ns   INTEGER NOT NULL,
    inode         INTEGER NOT NULL,
    content       INTEGER REFERENCES content (id),
    shown         INTEGER NOT NULL,
    generation    INTEGER NOT NULL,
    hash_after_ms INTEGER NOT NULL,
    UNIQUE (folder, name, source)
  ) STRICT;
  CREATE INDEX file_by_name ON file (name);
  CREATE INDEX file_by_content ON file (content) WHERE content IS NOT NULL;
  CREATE INDEX file_by_generation ON file (generation) WHERE shown = 1;
  CREATE INDEX file_to_hash ON file (hash_after_ms) WHERE content IS NULL AND shown = 1;

  -- One row per share path that was offered once and is no more, with the number of that change.
  CREATE TABLE deletion (
    path       TEXT    PRIMARY KEY,
    generation INTEGER NOT NULL UNIQUE
  ) STRICT, WITHOUT ROWID;

  -- One row per hash of a file that is not there now: when the file comes back, or turns up elsewhere under the same
  -- root, it need not be hashed again. path: where it was, relative to root.
  CREATE TABLE remembered (
    root        TEXT    NOT NULL,
    inode       INTEGER NOT NULL,
    size        INTEGER NOT NULL,
    modified_ns INTEGER NOT NULL,
    path        TEXT    NOT NULL,
    content     INTEGER NOT NULL REFERENCES content (id),
    gone_at_ms  INTEGER NOT NULL,
    PRIMARY KEY (root, inode, size, modified_ns)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX remembered_by_content ON remembered (content);
  `,
  `
  -- executable: 1 if the file's owner may run it.
  ALTER TABLE file ADD COLUMN executable INTEGER NOT NULL DEFAULT 0;

  -- folders: how many folders of sources (rows of directory) are this one or lie below it. A folder with neither those
  -- nor files is not shown.
  ALTER TABLE folder ADD COLUMN folders INTEGER NOT NULL DEFAULT 0;
  WITH RECURSIVE
    up (folder) AS (
      SELECT folder FROM directory
      UNION ALL SELECT parent FROM up JOIN folder ON folder.id = up.folder WHERE parent IS NOT NULL
    ),
    counted (folder, folders) AS (SELECT folder, count(*) FROM up GROUP BY folder)
  UPDATE folder SET folders = counted.folders FROM counted WHERE counted.folder = folder.id;

  -- As before, but to be found by the state of the file alone: it may have moved to another root. Where inodes mean
  -- nothing (0) only the path tells files of the same size and time apart.
  CREATE TABLE remembered_by_state (
    inode       INTEGER NOT NULL,
    size        INTEGER NOT NULL,
    modified_ns INTEGER NOT NULL,
    root        TEXT    NOT NULL,
    path        TEXT    NOT NULL,
    content     INTEGER NOT NULL REFERENCES content (id),
    gone_at_ms  INTEGER NOT NULL,
    PRIMARY KEY (inode, size, modified_ns, root, path)
  ) STRICT, WITHOUT ROWID;
  INSERT INTO remembered_by_state SELECT inode, size, modified_ns, root, path, content, gone_at_ms FROM remembered;
  DROP TABLE remembered;
  ALTER TABLE remembered_by_state RENAME TO remembered;
  CREATE INDEX remembered_by_content ON remembered (content);

  -- Other names of one file (hard links) are found by this.
  CREATE INDEX file_by_inode ON file (inode);
  `,
];

/** Append only: a released entry is never edited. `user_version` counts how many have run. */
export const MIGRATIONS: readonly string[] = [
  `
  -- Everybody who was met. name: what they last called themselves. known: 1 once the owner of this peer took something
  -- from them. Times are in milliseconds since 1970.
  CREATE TABLE acquaintance (
    id      TEXT    PRIMARY KEY,
    name    TEXT    NOT NULL,
    known   INTEGER NOT NULL DEFAULT 0,
    seen_ms INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX acquaintance_named ON acquaintance (name);
  CREATE INDEX acquaintance_seen ON acquaintance (known, seen_ms);

  -- One row per offer that came. sender and offer: whose it is and what he calls it. items: the OfferedItems as JSON,
  -- NULL once it has ended. reason: why it was declined or failed. download: the number of the download that fetches it.
  CREATE TABLE received_offer (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    network     TEXT    NOT NULL,
    sender      TEXT    NOT NULL,
    sender_name TEXT    NOT NULL,
    offer       TEXT    NOT NULL,
    names       TEXT    NOT NULL,
    items       TEXT,
    files       INTEGER NOT NULL,
    bytes       INTEGER NOT NULL,
    state       TEXT    NOT NULL CHECK (state IN ('open', 'accepted', 'delivered', 'declined', 'withdrawn', 'failed')),
    code        TEXT,
    reason      TEXT,
    download    INTEGER,
    added_ms    INTEGER NOT NULL,
    ended_ms    INTEGER,
    UNIQUE (sender, offer)
  ) STRICT;
  CREATE INDEX received_offer_alive ON received_offer (sender) WHERE ended_ms IS NULL;

  -- What was put together to be sent, to one or to many. items: the OfferedItems as JSON; places: the absolute local
  -- paths of its files, in the same order.
  CREATE TABLE parcel (
    id     INTEGER PRIMARY KEY,
    items  TEXT    NOT NULL,
    places TEXT    NOT NULL
  ) STRICT;

  -- One row per receiver of a parcel. offer: what it is called between the two. waits: 1 if it stays while the receiver is
  -- offline. arrived: bytes that the receiver has.
  CREATE TABLE send (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    network    TEXT    NOT NULL,
    peer       TEXT    NOT NULL,
    peer_name  TEXT    NOT NULL,
    offer      TEXT    NOT NULL UNIQUE,
    parcel     INTEGER NOT NULL,
    names      TEXT    NOT NULL,
    files      INTEGER NOT NULL,
    total      INTEGER NOT NULL,
    arrived    INTEGER NOT NULL DEFAULT 0,
    waits      INTEGER NOT NULL,
    state      TEXT    NOT NULL
      CHECK (state IN ('waiting', 'offered', 'accepted', 'delivered', 'declined', 'failed', 'cancelled')),
    code       TEXT,
    reason     TEXT,
    added_ms   INTEGER NOT NULL,
    ended_ms   INTEGER
  ) STRICT;
  CREATE INDEX send_alive ON send (network) WHERE ended_ms IS NULL;
  CREATE INDEX send_parcel ON send (parcel);
  `,
  `
  -- One row per offer that was taken back and whose receiver has not heard of it. ended_ms: when that was.
  CREATE TABLE withdrawal (
    offer    TEXT    PRIMARY KEY,
    network  TEXT    NOT NULL,
    peer     TEXT    NOT NULL,
    ended_ms INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  `,
  `
  -- 1 if the owner wants to have whatever this one offers, without being asked. Such a one is known, too.
  ALTER TABLE acquaintance ADD COLUMN always INTEGER NOT NULL DEFAULT 0;
  `,
];

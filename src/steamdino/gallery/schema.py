"""The database's tables, as numbered migrations. A released migration is never edited: append a new one."""

from __future__ import annotations

import sqlite3

from steamdino.errors import GalleryError

APPLICATION_ID = 0x5344494E  # "SDIN": tools can recognise a gallery's database by it

_V1 = """
CREATE TABLE catalogue (                     -- one row
    revision INTEGER NOT NULL                -- counts the changes of what a snapshot would show
);
INSERT INTO catalogue VALUES (0);

CREATE TABLE sources (
    source_id  INTEGER PRIMARY KEY,
    name       TEXT NOT NULL UNIQUE,
    kind       TEXT NOT NULL,                -- 'folder', 'table' or 'archive'
    location   TEXT NOT NULL UNIQUE,         -- relative to the gallery if beside or below it, else absolute
    steam      INTEGER NOT NULL DEFAULT 0,   -- 1: its ids are appIDs
    added_at   TEXT NOT NULL,
    scanned_at TEXT                          -- NULL until a scan has ended
);

CREATE TABLE games (
    game_id    TEXT PRIMARY KEY,
    source_id  INTEGER NOT NULL REFERENCES sources ON DELETE CASCADE,
    name       TEXT NOT NULL,
    columns    TEXT NOT NULL DEFAULT '{}',   -- JSON: whatever else the source knows
    added_at   TEXT NOT NULL,
    gone_at    TEXT                          -- when a scan no longer found it
) WITHOUT ROWID;
CREATE INDEX games_by_source ON games (source_id);

CREATE TABLE banners (
    game_id    TEXT NOT NULL REFERENCES games ON DELETE CASCADE,
    kind       TEXT NOT NULL DEFAULT 'vertical',
    path       TEXT NOT NULL,                -- of the picture, written like sources.location
    origin     TEXT NOT NULL,                -- where it was added from: equals path unless it was copied
    size       INTEGER NOT NULL,             -- bytes
    mtime_ns   INTEGER NOT NULL,             -- of the origin
    sha256     TEXT NOT NULL,
    width      INTEGER NOT NULL,
    height     INTEGER NOT NULL,
    mode       TEXT NOT NULL,
    format     TEXT NOT NULL,
    PRIMARY KEY (game_id, kind)
) WITHOUT ROWID;
CREATE INDEX banners_by_content ON banners (sha256);

CREATE TABLE problems (
    source_id  INTEGER NOT NULL REFERENCES sources ON DELETE CASCADE,
    stage      TEXT NOT NULL,                -- 'add' or 'build'
    place      TEXT NOT NULL,                -- "line 12", a relative path, an id
    game_id    TEXT,
    sha256     TEXT,                         -- of a picture that cannot be decoded: not tried again
    reason     TEXT NOT NULL,
    noted_at   TEXT NOT NULL
);
CREATE INDEX problems_by_source ON problems (source_id, stage);
CREATE INDEX problems_by_content ON problems (sha256) WHERE sha256 IS NOT NULL;

CREATE TABLE recipes (
    recipe_id  INTEGER PRIMARY KEY,
    hash       TEXT NOT NULL UNIQUE,
    name       TEXT NOT NULL,
    json       TEXT NOT NULL,                -- canonical
    created_at TEXT NOT NULL
);

CREATE TABLE vectors (
    sha256     TEXT NOT NULL,                -- of the banner: two games with one picture share one vector
    recipe_id  INTEGER NOT NULL REFERENCES recipes ON DELETE CASCADE,
    precision  TEXT NOT NULL,                -- the one used: 'f32', 'bf16', ...
    vector     BLOB NOT NULL,                -- float16, little-endian, unit length
    PRIMARY KEY (recipe_id, sha256)
) WITHOUT ROWID;
"""

_V2 = """
ALTER TABLE recipes ADD COLUMN whitening BLOB;  -- .npz that was learned on this gallery, where the recipe names one
"""

_V3 = """
CREATE TABLE steam_apps (                    -- what `sync` knows of each app that a list or a person named
    appid      INTEGER PRIMARY KEY,
    name       TEXT,                         -- as the list has it; NULL where it has none
    modified   INTEGER,                      -- as the list has it: seconds since 1970
    swept      INTEGER NOT NULL,             -- number of the last sweep of the whole list that saw it; 0 for none
    due        INTEGER NOT NULL DEFAULT 1,   -- 1: its details are to be asked for; 2: once more, from another country
    tries      INTEGER NOT NULL DEFAULT 0,   -- of asking, since it became due
    outcome    TEXT NOT NULL DEFAULT 'listed',  -- 'listed', 'found', 'hidden', 'unreleased', 'failed' or 'vanished'
    reason     TEXT,
    asked_at   TEXT                          -- when its details were last asked for
);
CREATE INDEX steam_apps_due ON steam_apps (due, appid) WHERE due > 0;

CREATE TABLE steam_assets (                  -- the pictures that its details name
    appid      INTEGER NOT NULL REFERENCES steam_apps ON DELETE CASCADE,
    kind       TEXT NOT NULL,                -- of banner: 'vertical', 'header' or 'hero'
    candidates TEXT NOT NULL,                -- JSON: [[role, path, query], ...], the best first
    chosen     INTEGER NOT NULL DEFAULT 0,   -- which of them
    due        INTEGER NOT NULL DEFAULT 1,   -- 1: to be fetched, or asked about with a conditional request
    asked_anew INTEGER NOT NULL DEFAULT 0,   -- 1: it was absent once, and the details were asked for again
    outcome    TEXT NOT NULL DEFAULT 'listed',  -- 'listed', 'fetched', 'missing' or 'failed'
    reason     TEXT,
    fetched    TEXT,                         -- path of what was fetched, without the query
    etag       TEXT,                         -- of what was fetched, for conditional requests
    tried_at   TEXT,
    PRIMARY KEY (appid, kind)
) WITHOUT ROWID;
CREATE INDEX steam_assets_due ON steam_assets (kind, appid) WHERE due = 1;

CREATE TABLE steam_state (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;  -- where the list was left off
"""

_V4 = """
CREATE TABLE measures (                      -- what `check` measured of a picture, so that it is measured once
    sha256     TEXT PRIMARY KEY,
    version    INTEGER NOT NULL,             -- of the measures
    json       TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE decisions (                     -- a person's; they outlive the games, so that adding again finds them
    game_a     TEXT NOT NULL,                -- of two games the lower id
    game_b     TEXT NOT NULL,                -- '' for a decision about game_a alone
    verdict    TEXT NOT NULL,                -- 'same' or 'different' of two, 'keep' of one
    noted_at   TEXT NOT NULL,
    PRIMARY KEY (game_a, game_b)
) WITHOUT ROWID;

CREATE TABLE exclusions (                    -- games that searches skip
    game_id    TEXT PRIMARY KEY,
    reason     TEXT NOT NULL,                -- the flaw
    noted_at   TEXT NOT NULL
) WITHOUT ROWID;
"""

_V5 = """
ALTER TABLE banners ADD COLUMN ctime_ns INTEGER NOT NULL DEFAULT 0;  -- of the origin's status; 0 where unknown

-- However a game was deleted: what `sync` knew of its pictures is worth nothing without it, and Steam is asked again.
CREATE TRIGGER steam_follows_games AFTER DELETE ON games
WHEN CAST(CAST(old.game_id AS INTEGER) AS TEXT) = old.game_id BEGIN
    DELETE FROM steam_assets WHERE appid = CAST(old.game_id AS INTEGER);
    UPDATE steam_apps SET due = 1, tries = 0 WHERE appid = CAST(old.game_id AS INTEGER) AND outcome = 'found';
END;

-- Galleries in which games or banners were deleted before there was the trigger.
DELETE FROM steam_assets WHERE CAST(appid AS TEXT) NOT IN (SELECT game_id FROM games);
UPDATE steam_apps SET due = 1, tries = 0
WHERE outcome = 'found' AND CAST(appid AS TEXT) NOT IN (SELECT game_id FROM games);
UPDATE steam_assets SET due = 1, chosen = 0, asked_anew = 0, outcome = 'listed', fetched = NULL, etag = NULL
WHERE outcome = 'fetched' AND NOT EXISTS (
    SELECT 1 FROM banners WHERE game_id = CAST(appid AS TEXT) AND banners.kind = steam_assets.kind);

-- Reasons that may name a file of this machine. The next build tries these pictures again, and so does not repeat them.
UPDATE catalogue SET revision = revision + 1
WHERE EXISTS (SELECT 1 FROM problems WHERE stage = 'build' AND sha256 IS NULL);
DELETE FROM problems WHERE stage = 'build' AND sha256 IS NULL;
"""

_V6 = """
ALTER TABLE recipes ADD COLUMN dtype TEXT NOT NULL DEFAULT 'float16';  -- of its vectors: gallery.vector_dtype
"""

_V7 = """
CREATE TABLE absences (                      -- games that were gone and came back; games.gone_at has the others
    game_id    TEXT NOT NULL REFERENCES games ON DELETE CASCADE,
    gone_at    TEXT NOT NULL,
    back_at    TEXT NOT NULL
);
CREATE INDEX absences_by_game ON absences (game_id);
CREATE INDEX absences_by_end ON absences (back_at);

CREATE TABLE banner_changes (
    change_id  INTEGER PRIMARY KEY,          -- rises with time
    game_id    TEXT NOT NULL REFERENCES games ON DELETE CASCADE,
    kind       TEXT NOT NULL,
    at         TEXT NOT NULL,
    old_sha256 TEXT,                         -- NULL: the game had no banner, and was added on an earlier day
    new_sha256 TEXT,                         -- NULL: the banner was removed
    picture    TEXT,                         -- the old one's copy, written like banners.path; NULL if it is not kept
    CHECK (old_sha256 IS NOT new_sha256)
);
CREATE INDEX banner_changes_by_game ON banner_changes (game_id, kind);
CREATE INDEX banner_changes_by_time ON banner_changes (kind, at);
CREATE INDEX banner_changes_by_content ON banner_changes (old_sha256) WHERE old_sha256 IS NOT NULL;

DROP INDEX games_by_source;
CREATE INDEX games_by_addition ON games (source_id, added_at);
CREATE INDEX games_by_absence ON games (gone_at) WHERE gone_at IS NOT NULL;

ALTER TABLE catalogue ADD COLUMN recorded_from TEXT NOT NULL DEFAULT '';  -- from when changes are recorded, or kept
ALTER TABLE catalogue ADD COLUMN uuid TEXT NOT NULL DEFAULT '';           -- 32 hex digits: names its feed of changes
UPDATE catalogue SET recorded_from = strftime('%Y-%m-%dT%H:%M:%S+00:00', 'now'), uuid = lower(hex(randomblob(16)));
"""

_V8 = """
CREATE TABLE difference_hashes (             -- of pictures that `check` or `duplicates` decoded
    sha256     TEXT PRIMARY KEY,
    version    INTEGER NOT NULL,             -- of the computation
    hash       BLOB NOT NULL                 -- 32 bytes
) WITHOUT ROWID;
"""

_V9 = """
-- In a table WITHOUT ROWID, a row with a vector of 512 numbers exceeds its share of a page, and takes 4 KB more.
CREATE TABLE rowid_vectors (
    sha256     TEXT NOT NULL,                -- of the banner: two games with one picture share one vector
    recipe_id  INTEGER NOT NULL REFERENCES recipes ON DELETE CASCADE,
    precision  TEXT NOT NULL,                -- the one used: 'f32', 'bf16', ...
    vector     BLOB NOT NULL,                -- unit length, of the recipe's dtype
    UNIQUE (recipe_id, sha256)
);
INSERT INTO rowid_vectors SELECT sha256, recipe_id, precision, vector FROM vectors;
DROP TABLE vectors;
ALTER TABLE rowid_vectors RENAME TO vectors;
CREATE INDEX vectors_by_precision ON vectors (recipe_id, precision);
"""

_V10 = """
CREATE TABLE miniatures (                    -- of pictures that may be re-encoded from others
    sha256     TEXT PRIMARY KEY,
    version    INTEGER NOT NULL,             -- of the computation
    miniature  BLOB NOT NULL                 -- see banners.miniature
);
"""

MIGRATIONS = (_V1, _V2, _V3, _V4, _V5, _V6, _V7, _V8, _V9, _V10)
VERSION = len(MIGRATIONS)


def version_of(connection: sqlite3.Connection) -> int:
    """Return the database's version; 0 for an empty one.

    Raises:
        GalleryError: it belongs to another program, or a newer version of this one made it.
    """
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if application != APPLICATION_ID and (tables or version or application):
        raise GalleryError("it is another program's SQLite database; name another folder")
    if version > VERSION:
        raise GalleryError(
            f"its format is {version}, newer than {VERSION}, the newest that this version reads; upgrade steam-dino"
        )
    return int(version)


def migrate(connection: sqlite3.Connection) -> None:
    """Migrate a database to the newest version, in one transaction, so that a new one is empty or whole."""
    version = version_of(connection)
    if version == VERSION:
        return
    statements = "".join(MIGRATIONS[version:])
    # executescript commits first, so the transaction must be part of the script.
    connection.executescript(
        f"BEGIN IMMEDIATE; PRAGMA application_id = {APPLICATION_ID}; {statements}"
        f"PRAGMA user_version = {VERSION}; COMMIT;"
    )

-- Tables are private: views.sql is the contract. Frozen once released; one transaction.
-- Times are microseconds since 1970, UTC, of snapshots. The open end of a validity is the largest integer.

CREATE TABLE setting (
    key TEXT NOT NULL PRIMARY KEY,
    value TEXT
) STRICT, WITHOUT ROWID;

CREATE TABLE snapshot_row (
    id INTEGER PRIMARY KEY,
    taken_at INTEGER NOT NULL UNIQUE,
    key TEXT NOT NULL UNIQUE,
    status TEXT NOT NULL CHECK (status IN ('complete', 'incomplete', 'damaged')),
    message TEXT,
    -- What the storage said of the two files when they were read: a difference means that they were replaced.
    file_status TEXT NOT NULL,
    companion_status TEXT,
    files INTEGER NOT NULL DEFAULT 0,
    bytes INTEGER NOT NULL DEFAULT 0,
    nodes INTEGER,
    new_bytes INTEGER NOT NULL DEFAULT 0,
    added INTEGER NOT NULL DEFAULT 0,
    changed INTEGER NOT NULL DEFAULT 0,
    metadata_changed INTEGER NOT NULL DEFAULT 0,
    removed INTEGER NOT NULL DEFAULT 0,
    host TEXT,
    user TEXT,
    file_root TEXT,
    tags TEXT,
    note TEXT,
    tool TEXT,
    started_at INTEGER,
    finished_at INTEGER,
    is_sorted INTEGER NOT NULL DEFAULT 1
) STRICT;

-- Every folder of a name, up to the root: '' is the root, and has no parent.
CREATE TABLE folder (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    parent_id INTEGER REFERENCES folder (id)
) STRICT;

CREATE TABLE path (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    folder_id INTEGER NOT NULL REFERENCES folder (id),
    ext TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX path_name ON path (name);
CREATE INDEX path_folder ON path (folder_id);

-- One row for a run of snapshots in which an entry stayed the same, key for key.
CREATE TABLE version (
    path_id INTEGER NOT NULL REFERENCES path (id),
    valid_from INTEGER NOT NULL,
    valid_to INTEGER NOT NULL,
    md5 BLOB,
    size INTEGER,
    mode INTEGER,
    uid INTEGER,
    gid INTEGER,
    mtime_ns INTEGER,
    ctime_ns INTEGER,
    inode INTEGER,
    link_count INTEGER,
    -- Only where they are not the doubles of mtime_ns and ctime_ns.
    mtime REAL,
    created REAL,
    -- 0: the keys of snapcat, 1: the keys of snapshooter, 2: any others.
    shape INTEGER NOT NULL,
    extra TEXT,
    -- The line itself, where it cannot be spelled from the columns.
    line BLOB,
    -- As the views show it: stored in the index only, so that a search for one uses it.
    md5_text TEXT GENERATED ALWAYS AS (nullif(lower(hex(md5)), '')) VIRTUAL,
    PRIMARY KEY (path_id, valid_from)
) STRICT, WITHOUT ROWID;
CREATE INDEX version_opened ON version (valid_from, path_id);
-- All that a comparison shows of what is gone: the rows themselves are spread over the whole table.
CREATE INDEX version_closed ON version (valid_to, path_id, valid_from, md5, size, mtime, mtime_ns, mode, uid, gid)
    WHERE valid_to < 9223372036854775807;
-- What a content is to the snapshots (who names it, since when, its size) is read from this index alone.
CREATE INDEX version_md5 ON version (md5_text, valid_from, size);

-- The same for symlinks, folders and special files. Snapshots without a companion have none.
CREATE TABLE node_version (
    path_id INTEGER NOT NULL REFERENCES path (id),
    valid_from INTEGER NOT NULL,
    valid_to INTEGER NOT NULL,
    type TEXT NOT NULL,
    destination TEXT,
    mode INTEGER NOT NULL,
    uid INTEGER NOT NULL,
    gid INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL,
    device INTEGER,
    PRIMARY KEY (path_id, valid_from)
) STRICT, WITHOUT ROWID;
CREATE INDEX node_version_opened ON node_version (valid_from, path_id);
CREATE INDEX node_version_closed ON node_version (valid_to, path_id) WHERE valid_to < 9223372036854775807;

-- What the heap held when it was listed last. is_named: a snapshot names it. verified_stamp: what the storage said of
-- the object while it was read, as one number; NULL where it was not noted.
CREATE TABLE heap_object (
    md5 TEXT NOT NULL PRIMARY KEY,
    stored_bytes INTEGER,
    is_named INTEGER NOT NULL,
    verified_at INTEGER,
    verified_stamp INTEGER,
    verify_result TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX heap_object_unnamed ON heap_object (md5) WHERE is_named = 0;

-- Contents that snapshots name and the heap does not hold. Empty where the heap is not known.
CREATE TABLE missing_row (
    md5 TEXT NOT NULL PRIMARY KEY
) STRICT, WITHOUT ROWID;

-- What the file system stamped a bucket of the heap with when it was listed, and what of it is in heap_object:
-- the number of objects and a sum of their md5s.
CREATE TABLE heap_bucket (
    bucket INTEGER PRIMARY KEY,
    mtime_ns INTEGER NOT NULL,
    ctime_ns INTEGER NOT NULL,
    inode INTEGER NOT NULL,
    listed_at_ns INTEGER NOT NULL,
    objects INTEGER NOT NULL,
    checksum INTEGER NOT NULL
) STRICT;

CREATE TABLE problem_row (
    id INTEGER PRIMARY KEY,
    snapshot_id INTEGER REFERENCES snapshot_row (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    message TEXT NOT NULL
) STRICT;
CREATE INDEX problem_snapshot ON problem_row (snapshot_id);

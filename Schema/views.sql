-- The stable contract: names and columns change only by addition. Plain SQL, no functions of our own, so that any
-- SQLite client can use them. Each column has its comment at the end of its line.

-- A snapshot; `added`, `changed`, `removed` are against the one before it in time; in the first one all are added.
CREATE VIEW snapshot AS
SELECT
    s.id AS id, -- surrogate key, in no order; a rebuild may change it
    strftime('%Y-%m-%dT%H:%M:%S', s.taken_at / 1000000, 'unixepoch')
        || printf('.%06dZ', s.taken_at % 1000000) AS taken_at, -- time of the snapshot, ISO 8601 UTC
    s.taken_at AS taken_at_us, -- the same in microseconds since 1970
    s.key AS path, -- the file, relative to the snap root
    s.status AS status, -- complete, incomplete (some files could not be read) or damaged (the file cannot be read)
    s.files AS files, -- entries
    s.bytes AS bytes, -- sum of their sizes
    s.new_bytes AS new_bytes, -- bytes of contents that no earlier snapshot names, each counted once
    s.added AS added, -- files that the snapshot before does not have
    s.changed AS changed, -- files with another content than in the snapshot before
    s.removed AS removed, -- files that only the snapshot before has
    s.metadata_changed AS metadata_changed, -- files with the same content and another key
    s.nodes AS nodes, -- symlinks, folders and special files; NULL without a companion
    s.host AS host, -- the machine that made it
    s.user AS user, -- the user who made it
    s.file_root AS file_root, -- the folder that was snapshotted
    s.tags AS tags, -- JSON array of texts
    s.note AS note, -- free text
    s.tool AS tool, -- program and version; NULL without a companion
    strftime('%Y-%m-%dT%H:%M:%S', s.started_at / 1000000, 'unixepoch')
        || printf('.%06dZ', s.started_at % 1000000) AS started_at, -- start of the scan
    strftime('%Y-%m-%dT%H:%M:%S', s.finished_at / 1000000, 'unixepoch')
        || printf('.%06dZ', s.finished_at % 1000000) AS finished_at, -- when it was published
    s.message AS message, -- what is wrong with a damaged one
    (SELECT p.id FROM snapshot_row AS p
        WHERE p.taken_at < s.taken_at AND p.status <> 'damaged'
        ORDER BY p.taken_at DESC LIMIT 1) AS parent_id -- the undamaged snapshot before it in time
FROM snapshot_row AS s;

-- A version: an entry that stayed the same, key for key, over a run of snapshots.
CREATE VIEW file_version AS
SELECT
    p.name AS name, -- path relative to the file root
    f.name AS dir, -- folder part of the name, empty at the root
    CASE WHEN f.name = '' THEN p.name
        ELSE CAST(substr(CAST(p.name AS BLOB), length(CAST(f.name AS BLOB)) + 2) AS TEXT)
        END AS basename, -- last component of the name
    p.ext AS ext, -- extension in lower case without its dot, empty where there is none
    v.size AS size, -- bytes
    v.md5_text AS md5, -- md5 of the content, lower-case hex
    v.mode AS mode, -- full st_mode
    v.uid AS uid, -- owner
    v.gid AS gid, -- group
    coalesce(v.mtime,
        (v.mtime_ns - ((v.mtime_ns % 1000000000) + 1000000000) % 1000000000) / 1000000000
        + 1e-9 * (((v.mtime_ns % 1000000000) + 1000000000) % 1000000000)) AS mtime, -- modification, seconds since 1970 as in the snapshot
    v.mtime_ns AS mtime_ns, -- the same in nanoseconds; NULL in lines of snapshooter
    v.extra AS extra, -- JSON of all other keys; NULL where there are none
    a.id AS first_snapshot_id, -- first snapshot of the run
    (SELECT z.id FROM snapshot_row AS z
        WHERE z.taken_at >= v.valid_from AND z.taken_at < v.valid_to AND z.status <> 'damaged'
        ORDER BY z.taken_at DESC LIMIT 1) AS last_snapshot_id, -- last snapshot of the run
    strftime('%Y-%m-%dT%H:%M:%S', v.valid_from / 1000000, 'unixepoch')
        || printf('.%06dZ', v.valid_from % 1000000) AS valid_from, -- first snapshot's time
    CASE WHEN v.valid_to < 9223372036854775807 THEN
        strftime('%Y-%m-%dT%H:%M:%S', v.valid_to / 1000000, 'unixepoch')
        || printf('.%06dZ', v.valid_to % 1000000) END AS valid_to, -- time of the first later snapshot without it; NULL while current
    v.valid_to = 9223372036854775807 AS is_current, -- 1 where the latest snapshot has it
    v.valid_from AS valid_from_us, -- microseconds since 1970
    nullif(v.valid_to, 9223372036854775807) AS valid_to_us, -- microseconds since 1970; NULL while current
    v.ctime_ns AS ctime_ns, -- status change, nanoseconds since 1970
    v.inode AS inode, -- inode number
    v.link_count AS link_count -- hard links
FROM version AS v
JOIN path AS p ON p.id = v.path_id
JOIN folder AS f ON f.id = p.folder_id
JOIN snapshot_row AS a ON a.taken_at = v.valid_from;

-- An entry of a snapshot. `WHERE snapshot_id = ...` is fast.
CREATE VIEW snapshot_file AS
SELECT
    s.id AS snapshot_id, -- the snapshot
    strftime('%Y-%m-%dT%H:%M:%S', s.taken_at / 1000000, 'unixepoch')
        || printf('.%06dZ', s.taken_at % 1000000) AS taken_at, -- its time
    s.taken_at AS taken_at_us, -- its time in microseconds since 1970
    p.name AS name, -- path relative to the file root
    f.name AS dir, -- folder part of the name, empty at the root
    CASE WHEN f.name = '' THEN p.name
        ELSE CAST(substr(CAST(p.name AS BLOB), length(CAST(f.name AS BLOB)) + 2) AS TEXT)
        END AS basename, -- last component of the name
    p.ext AS ext, -- extension in lower case without its dot
    v.size AS size, -- bytes
    v.md5_text AS md5, -- md5 of the content, lower-case hex
    v.mode AS mode, -- full st_mode
    v.uid AS uid, -- owner
    v.gid AS gid, -- group
    coalesce(v.mtime,
        (v.mtime_ns - ((v.mtime_ns % 1000000000) + 1000000000) % 1000000000) / 1000000000
        + 1e-9 * (((v.mtime_ns % 1000000000) + 1000000000) % 1000000000)) AS mtime, -- modification, seconds since 1970 as in the snapshot
    v.mtime_ns AS mtime_ns, -- the same in nanoseconds; NULL in lines of snapshooter
    v.extra AS extra -- JSON of all other keys
FROM snapshot_row AS s
JOIN version AS v ON v.valid_from <= s.taken_at AND s.taken_at < v.valid_to
JOIN path AS p ON p.id = v.path_id
JOIN folder AS f ON f.id = p.folder_id
WHERE s.status <> 'damaged';

-- An entry of the latest snapshot.
CREATE VIEW current_file AS
SELECT
    p.name AS name, -- path relative to the file root
    f.name AS dir, -- folder part of the name, empty at the root
    CASE WHEN f.name = '' THEN p.name
        ELSE CAST(substr(CAST(p.name AS BLOB), length(CAST(f.name AS BLOB)) + 2) AS TEXT)
        END AS basename, -- last component of the name
    p.ext AS ext, -- extension in lower case without its dot
    v.size AS size, -- bytes
    v.md5_text AS md5, -- md5 of the content, lower-case hex
    v.mode AS mode, -- full st_mode
    v.uid AS uid, -- owner
    v.gid AS gid, -- group
    coalesce(v.mtime,
        (v.mtime_ns - ((v.mtime_ns % 1000000000) + 1000000000) % 1000000000) / 1000000000
        + 1e-9 * (((v.mtime_ns % 1000000000) + 1000000000) % 1000000000)) AS mtime, -- modification, seconds since 1970 as in the snapshot
    v.mtime_ns AS mtime_ns, -- the same in nanoseconds; NULL in lines of snapshooter
    v.extra AS extra, -- JSON of all other keys
    strftime('%Y-%m-%dT%H:%M:%S', v.valid_from / 1000000, 'unixepoch')
        || printf('.%06dZ', v.valid_from % 1000000) AS valid_from -- since when it is as it is
FROM version AS v
JOIN path AS p ON p.id = v.path_id
JOIN folder AS f ON f.id = p.folder_id
WHERE v.valid_to = 9223372036854775807;

-- A difference between a snapshot and the one before it in time.
CREATE VIEW change AS
SELECT
    s.id AS snapshot_id, -- the later snapshot
    strftime('%Y-%m-%dT%H:%M:%S', s.taken_at / 1000000, 'unixepoch')
        || printf('.%06dZ', s.taken_at % 1000000) AS taken_at, -- its time
    CASE WHEN b.path_id IS NULL THEN 'added'
        WHEN b.md5 IS NOT v.md5 THEN 'changed'
        ELSE 'metadata' END AS status, -- added, changed, metadata or removed
    p.name AS name, -- path relative to the file root
    b.md5_text AS md5_before, -- NULL where added
    v.md5_text AS md5_after, -- NULL where removed
    b.size AS size_before, -- bytes
    v.size AS size_after, -- bytes
    s.taken_at AS taken_at_us -- microseconds since 1970
FROM snapshot_row AS s
JOIN version AS v ON v.valid_from = s.taken_at
LEFT JOIN version AS b ON b.path_id = v.path_id AND b.valid_to = s.taken_at
JOIN path AS p ON p.id = v.path_id
UNION ALL
SELECT
    s.id,
    strftime('%Y-%m-%dT%H:%M:%S', s.taken_at / 1000000, 'unixepoch')
        || printf('.%06dZ', s.taken_at % 1000000),
    'removed',
    p.name,
    v.md5_text,
    NULL,
    v.size,
    NULL,
    s.taken_at
FROM snapshot_row AS s
JOIN version AS v ON v.valid_to = s.taken_at AND v.valid_to < 9223372036854775807
JOIN path AS p ON p.id = v.path_id
WHERE NOT EXISTS (
    SELECT 1 FROM version AS n WHERE n.path_id = v.path_id AND n.valid_from = s.taken_at);

-- A symlink, folder or special file of a snapshot that has a companion.
CREATE VIEW snapshot_node AS
SELECT
    s.id AS snapshot_id, -- the snapshot
    p.name AS name, -- path relative to the file root; . is the root itself
    f.name AS dir, -- folder part of the name, empty at the root
    n.type AS type, -- directory, link, fifo, socket, character_device or block_device
    n.destination AS destination, -- where a link points to
    n.mode AS mode, -- full st_mode
    (n.mtime_ns - ((n.mtime_ns % 1000000000) + 1000000000) % 1000000000) / 1000000000
        + 1e-9 * (((n.mtime_ns % 1000000000) + 1000000000) % 1000000000) AS mtime, -- modification, seconds since 1970
    n.mtime_ns AS mtime_ns, -- the same in nanoseconds
    n.uid AS uid, -- owner
    n.gid AS gid -- group
FROM snapshot_row AS s
JOIN node_version AS n ON n.valid_from <= s.taken_at AND s.taken_at < n.valid_to
JOIN path AS p ON p.id = n.path_id
JOIN folder AS f ON f.id = p.folder_id
WHERE s.status <> 'damaged';

-- Sums of a snapshot by folder, all levels below it. With `WHERE snapshot_id = ...`: without, every snapshot is summed.
CREATE VIEW folder_size AS
WITH RECURSIVE lineage (folder_id, ancestor_id) AS (
    SELECT id, id FROM folder
    UNION ALL
    SELECT l.folder_id, f.parent_id FROM lineage AS l JOIN folder AS f ON f.id = l.ancestor_id
    WHERE f.parent_id IS NOT NULL
)
SELECT
    s.id AS snapshot_id, -- the snapshot
    a.name AS dir, -- the folder, empty for the root
    count(*) AS files, -- entries in it and below
    CAST(total(v.size) AS INTEGER) AS bytes -- sum of their sizes
FROM snapshot_row AS s
-- CROSS keeps the order: the snapshot first, then its versions.
CROSS JOIN version AS v ON v.valid_from <= s.taken_at AND s.taken_at < v.valid_to
JOIN path AS p ON p.id = v.path_id
JOIN lineage AS l ON l.folder_id = p.folder_id
JOIN folder AS a ON a.id = l.ancestor_id
WHERE s.status <> 'damaged'
GROUP BY s.id, a.id;

-- A content: in the heap, or named by a snapshot, or both.
CREATE VIEW object AS
SELECT
    v.md5_text AS md5, -- its name, lower-case hex
    v.size AS size, -- bytes of the content; NULL where no snapshot names it
    h.stored_bytes AS stored_bytes, -- bytes of the file in the heap; NULL where not known
    CASE WHEN h.md5 IS NOT NULL THEN 1
        WHEN EXISTS (SELECT 1 FROM setting AS k WHERE k.key = 'heap') THEN 0
        END AS present, -- 1 in the heap, 0 missing, NULL where the heap is not known
    (SELECT s.id FROM snapshot_row AS s WHERE s.taken_at = v.valid_from) AS first_snapshot_id, -- first snapshot that names it
    (SELECT count(*) FROM version AS n WHERE n.md5_text = v.md5_text) AS reference_count, -- versions that name it
    strftime('%Y-%m-%dT%H:%M:%S', h.verified_at / 1000000, 'unixepoch')
        || printf('.%06dZ', h.verified_at % 1000000) AS verified_at, -- when check or repair began that last read it and found it good; NULL where it is not known to be
    h.verify_result AS verify_result -- ok, or the problem that the last reading found
FROM version AS v
LEFT JOIN heap_object AS h ON h.md5 = v.md5_text
-- The first version stands for all of them: no grouping, so that a search for a md5 reaches the index from any query.
WHERE v.md5_text IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM version AS e
    WHERE e.md5_text = v.md5_text AND (e.valid_from, e.path_id) < (v.valid_from, v.path_id))
UNION ALL
SELECT h.md5, CAST(NULL AS INTEGER), h.stored_bytes, 1, CAST(NULL AS INTEGER), 0,
    strftime('%Y-%m-%dT%H:%M:%S', h.verified_at / 1000000, 'unixepoch')
        || printf('.%06dZ', h.verified_at % 1000000),
    h.verify_result
FROM heap_object AS h WHERE h.is_named = 0;

-- Named by a snapshot and not in the heap.
CREATE VIEW missing_object AS
SELECT
    m.md5 AS md5, -- its name, lower-case hex
    (SELECT max(v.size) FROM version AS v WHERE v.md5_text = m.md5) AS size, -- bytes of the content
    (SELECT count(*) FROM version AS v WHERE v.md5_text = m.md5) AS reference_count -- versions that name it
FROM missing_row AS m;

-- In the heap and named by no snapshot.
CREATE VIEW orphan_object AS
SELECT
    h.md5 AS md5, -- its name, lower-case hex
    h.stored_bytes AS stored_bytes -- bytes of the file in the heap
FROM heap_object AS h
WHERE h.is_named = 0;

-- What make or indexing could not do.
CREATE VIEW problem AS
SELECT
    r.snapshot_id AS snapshot_id, -- NULL where it concerns no snapshot in particular
    r.name AS name, -- the file
    r.kind AS kind, -- unreadable, unstable, damaged, duplicate, companion (it is damaged) or ignored
    r.message AS message -- what happened
FROM problem_row AS r;

-- Versions and settings.
CREATE VIEW catalog_info AS
SELECT
    key AS key, -- schema_version, tool, ...
    value AS value -- as text
FROM setting;

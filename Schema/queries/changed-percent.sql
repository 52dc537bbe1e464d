-- How much of each snapshot differs from the one before it, with an alarm
-- :limit percent from which on it is an alarm (default: 10)
SELECT s.taken_at, p.files AS files_before, s.added, s.changed, s.removed,
    round(100.0 * (s.changed + s.removed) / nullif(p.files, 0), 2) AS changed_percent,
    coalesce(100.0 * (s.changed + s.removed) / nullif(p.files, 0) >= CAST(coalesce(:limit, 10) AS REAL), 0) AS is_alarm
FROM snapshot AS s JOIN snapshot AS p ON p.id = s.parent_id
ORDER BY s.taken_at_us DESC

-- Times without a snapshot
-- :hours the longest that is no gap (default: 25)
SELECT taken_at AS before, next_at AS after, round((next_us - taken_at_us) / 3.6e9, 2) AS hours
FROM (
    SELECT taken_at, taken_at_us, lead(taken_at) OVER by_time AS next_at, lead(taken_at_us) OVER by_time AS next_us
    FROM snapshot
    WINDOW by_time AS (ORDER BY taken_at_us)
)
WHERE next_us - taken_at_us > CAST(coalesce(:hours, 25) AS REAL) * 3.6e9
ORDER BY taken_at_us

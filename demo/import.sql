-- SPDX-License-Identifier: GPL-2.0
-- What sqlite3 does in a guest, and once outside the machine to compare: an import
-- into a table with two indexes, checked, and a digest of what came of it. All of it
-- is in sqlite3's own memory.
PRAGMA temp_store = memory;
CREATE TABLE visits(id INTEGER PRIMARY KEY, name TEXT NOT NULL, place INTEGER NOT NULL);
CREATE INDEX visits_by_name ON visits(name);
WITH RECURSIVE counter(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM counter WHERE i < 30000)
INSERT INTO visits
SELECT i, printf('visitor %08x of the lodge', (i * 2654435761) % 4294967296), (i * 7919) % 100003
FROM counter;
CREATE INDEX visits_by_place ON visits(place, id);
DELETE FROM visits WHERE place % 10 = 3;
PRAGMA integrity_check;
SELECT count(*), sum(place), min(name), max(name) FROM visits;
SELECT place / 10000 AS tens, count(*), sum(id) FROM visits GROUP BY tens ORDER BY tens;
SELECT sum(id * (1 + place % 97)) FROM (SELECT id, place FROM visits ORDER BY name);

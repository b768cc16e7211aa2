#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# sqlite3 in a guest: a database in memory, larger than the pool, and one in a file.
. "$(dirname "$0")/program.sh"

query()		# DATABASE
{
	cat <<END
pragma journal_mode = wal;
create table t (id integer primary key, word text, number integer);
create index by_number on t (number);
with recursive n(i) as (select 1 union all select i + 1 from n where i < 12000)
insert into t select i, printf('%0200d', i * 7919), (i * 104729) % 10007 from n;
update t set word = upper(word) || 'x' where number % 3 = 0;
delete from t where number % 7 = 0;
select count(*), sum(number), sum(length(word)), max(word) from t;
select number, count(*) from t group by number order by 2 desc, 1 limit 5;
pragma integrity_check;
END
}
query >"$work/query.sql"

guest sqlite 3M 128M
for database in :memory: "$work/file.db"; do
	name=$(basename "$database")
	sqlite3 "$database" <"$work/query.sql" >"$work/host"
	check "$name: integrity_check on the host" grep -qx ok "$work/host"
	rm -f "$work"/file.db*
	inside sqlite3 -cmd 'pragma cache_size = -6000' "$database" <"$work/query.sql" >"$work/guest"
	check "$name: integrity_check in the guest" grep -qx ok "$work/guest"
	check "$name: the same answers" cmp "$work/host" "$work/guest"
done
sqlite3 "$work/file.db" 'pragma integrity_check' >"$work/after"
is "the file is in order for the host" "$(cat "$work/after")" ok
the_end
done_testing

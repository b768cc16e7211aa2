#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# redis-server with three times its pool; every value follows from its key.
# shellcheck disable=SC2317 # functions that are commands of other functions
. "$(dirname "$0")/program.sh"

port=16379
# Of 2 KiB each.
if debug_kernel; then count=1500 pool=3M; else count=4000 pool=4M; fi
client=$(dirname "$0")/helper-redis.py

cli() { redis-cli -p $port "$@" 2>/dev/null; }
answers() { [ "$(cli ping)" = PONG ]; }
saved() { cli info persistence | tr -d '\r' | grep -qx rdb_bgsave_in_progress:0; }

ask()		# FILL-OR-CHECK ROUND
{
	local out
	out=$(python3 "$client" "$port" "$1" "$count" "$2")
	local status=$?
	echo "# $out"
	return "$status"
}

guest redis $pool 256M 1M
inside redis-server --port $port --dir "$work" --save '' --logfile "$work/log" \
	--jemalloc-bg-thread no --io-threads 1 >/dev/null 2>&1 &
server=$!
check "redis answers" eventually answers
check "filled" ask fill 0
check "every value is right" ask check 0
cli bgsave >/dev/null
check "filled anew while it saves" ask fill 1
for ((i = 0; i < 300; i++)); do saved && break; sleep 0.2; done
is "saved" "$(cli info persistence | tr -d '\r' | grep rdb_last_bgsave_status)" rdb_last_bgsave_status:ok
check "every new value is right" ask check 1
cli shutdown nosave
wait $server
result $? "redis ends"

# What was saved is a moment of the first round, or of the second, value by value.
check "the snapshot is in order" redis-check-rdb "$work/dump.rdb"
the_end
done_testing

// SPDX-License-Identifier: GPL-2.0
/*
 * The memory.* files: cgroup v2's names, formats and units.
 *
 * A limit has an administrator's bound: a writer who is none, such as the user to
 * whom a guest was given, moves it freely below what an administrator set last.
 */
#include "guest-mm/account.h"
#include "guest-mm/control.h"
#include "guest-mm/pool.h"

static u64 bytes_of(unsigned long pages)
{
	return (u64)pages << PAGE_SHIFT;
}

/* The largest number of pages stands for no limit. */
static unsigned long pages_of(u64 bytes)
{
	return bytes == SIZE_UNLIMITED ? ~0UL : bytes >> PAGE_SHIFT;
}

static int show_limit(struct guest *guest, enum memory_limit which, struct text *out)
{
	u64 bytes = READ_ONCE(guest->memory->limit[which]);

	if (bytes == SIZE_UNLIMITED)
		text_printf(out, "max\n");
	else
		text_printf(out, "%llu\n", (unsigned long long)bytes);
	return 0;
}

static int parse_size(struct guest *guest, const char *field, const char *value, u64 *bytes)
{
	int err = size_parse(value, bytes);

	if (err == -ERANGE)
		return guest_error(guest, err, field, value, "too large a number");
	if (err)
		return guest_error(guest, err, field, value, "not a size");
	return 0;
}

/* Understand a limit, in whole pages, and see whether this writer may set it. */
static int parse_limit(struct guest *guest, enum memory_limit which, const char *field,
		       const char *value, u64 *bytes)
{
	u64 bound = guest->memory->bound[which];
	int err = parse_size(guest, field, value, bytes);

	if (err)
		return err;
	if (*bytes != SIZE_UNLIMITED)
		*bytes = bytes_of(pages_of(*bytes));
	if (*bytes > bound && !guest->privileged)
		return guest_error(guest, -EPERM, field, value,
				   "the administrator allows %llu bytes at most",
				   (unsigned long long)bound);
	return 0;
}

static void set_limit(struct guest *guest, enum memory_limit which, u64 bytes)
{
	WRITE_ONCE(guest->memory->limit[which], bytes);
	if (guest->privileged)
		guest->memory->bound[which] = bytes;
}

/* ---- whichever the guest has: a pool or an account ---- */

static unsigned long max_pages(struct guest *guest)
{
	return guest->account ? guest->account->max_pages : guest->pool->max_pages;
}

static unsigned long held(struct guest *guest)
{
	return guest->account ? account_held(guest->account) : pool_current(guest->pool);
}

static int set_max(struct guest *guest, unsigned long pages)
{
	return guest->account ? account_set_limit(guest->account, pages) :
				pool_set_limit(guest->pool, pages);
}

/* ---- limits ---- */

static int max_show(struct guest *guest, struct text *out)
{
	return show_limit(guest, LIMIT_MAX, out);
}

static int max_store(struct guest *guest, char *value)
{
	static const char field[] = "memory.max";
	unsigned long machine = max_pages(guest);
	u64 bytes;
	int err;

	err = parse_limit(guest, LIMIT_MAX, field, value, &bytes);
	if (err)
		return err;
	if (bytes != SIZE_UNLIMITED && pages_of(bytes) > machine)
		return guest_error(guest, -ERANGE, field, value,
				   "the machine has %llu bytes of memory",
				   (unsigned long long)bytes_of(machine));
	err = set_max(guest, min(pages_of(bytes), machine));
	switch (err) {
	case 0:
		set_limit(guest, LIMIT_MAX, bytes);
		return 0;
	case -EBUSY:
		return guest_error(guest, err, field, value,
				   "%llu bytes are in use and cannot be reclaimed",
				   (unsigned long long)bytes_of(held(guest)));
	case -EINVAL:
		return guest_error(guest, err, field, value, "less than memory.min");
	case -EINTR:
		return guest_error(guest, err, field, value, "interrupted");
	default:
		return err;
	}
}

static int min_show(struct guest *guest, struct text *out)
{
	return show_limit(guest, LIMIT_MIN, out);
}

static int min_store(struct guest *guest, char *value)
{
	static const char field[] = "memory.min";
	struct pool *pool = guest->pool;
	u64 bytes;
	int err;

	err = parse_limit(guest, LIMIT_MIN, field, value, &bytes);
	if (err)
		return err;
	if (pages_of(bytes) > pool->max_pages)
		return guest_error(guest, -ERANGE, field, value,
				   "the machine has %llu bytes of memory",
				   (unsigned long long)bytes_of(pool->max_pages));
	err = pool_set_min(pool, pages_of(bytes));
	switch (err) {
	case 0:
		set_limit(guest, LIMIT_MIN, bytes);
		return 0;
	case -ENOMEM:
		return guest_error(guest, err, field, value,
				   "the host has not so much free memory");
	case -EINVAL:
		return guest_error(guest, err, field, value, "more than memory.max");
	case -EINTR:
		return guest_error(guest, err, field, value, "interrupted");
	default:
		return err;
	}
}

static int zswap_max_show(struct guest *guest, struct text *out)
{
	return show_limit(guest, LIMIT_ZSWAP, out);
}

static int zswap_max_store(struct guest *guest, char *value)
{
	static const char field[] = "memory.zswap.max";
	struct pool *pool = guest->pool;
	u64 bytes;
	int err;

	if (!pool->tiers[TIER_STORE])
		return guest_error(guest, -EOPNOTSUPP, field, value,
				   "the compressed store is not built in");
	err = parse_limit(guest, LIMIT_ZSWAP, field, value, &bytes);
	if (err)
		return err;
	set_limit(guest, LIMIT_ZSWAP, bytes);
	WRITE_ONCE(pool->store_max, pages_of(bytes));
	/* It knows how much of this the store may have, and writes back what is too much. */
	host_thread_wake(pool->worker);
	return 0;
}

static int swap_max_show(struct guest *guest, struct text *out)
{
	return show_limit(guest, LIMIT_SWAP, out);
}

static int swap_max_store(struct guest *guest, char *value)
{
	u64 bytes;
	int err;

	err = parse_limit(guest, LIMIT_SWAP, "memory.swap.max", value, &bytes);
	if (err)
		return err;
	set_limit(guest, LIMIT_SWAP, bytes);
	swap_file_limit(guest);
	return 0;
}

/* ---- figures ---- */

static int show_pages(struct text *out, unsigned long pages)
{
	text_printf(out, "%llu\n", (unsigned long long)bytes_of(pages));
	return 0;
}

static int current_show(struct guest *guest, struct text *out)
{
	return show_pages(out, held(guest));
}

static int peak_show(struct guest *guest, struct text *out)
{
	return show_pages(out, atomic_long_read(guest->account ? &guest->account->peak :
						&guest->pool->peak));
}

static unsigned long store_pages(struct pool *pool)
{
	return pool->tiers[TIER_STORE] ? tier_store_pages(pool->tiers[TIER_STORE]) : 0;
}

static int zswap_current_show(struct guest *guest, struct text *out)
{
	return show_pages(out, store_pages(guest->pool));
}

static int swap_current_show(struct guest *guest, struct text *out)
{
	struct tier *tier = guest->pool->tiers[TIER_SWAP_FILE];

	return show_pages(out, tier ? tier_swap_file_used(tier) : 0);
}

static void stat_line(struct text *out, const char *name, u64 value)
{
	text_printf(out, "%s %llu\n", name, (unsigned long long)value);
}

static int stat_show(struct guest *guest, struct text *out)
{
	static const struct {
		const char *name;
		enum pool_stat stat;
	} counts[] = {
		{ "pgfault", PS_PGFAULT },
		{ "pgmajfault", PS_PGMAJFAULT },
		{ "workingset_refault", PS_REFAULT },
		{ "cow", PS_COW },
		{ "pgscan", PS_PGSCAN },
		{ "pgsteal_kswapd", PS_PGSTEAL_KSWAPD },
		{ "pgsteal_direct", PS_PGSTEAL_DIRECT },
		{ "zswpin", PS_ZSWPIN },
		{ "zswpout", PS_ZSWPOUT },
		{ "zswpwb", PS_ZSWPWB },
		{ "pswpin", PS_PSWPIN },
		{ "pswpout", PS_PSWPOUT },
		{ "swap_ra", PS_SWAP_RA },
		{ "swap_ra_hit", PS_SWAP_RA_HIT },
		{ "same_filled_in", PS_SAME_IN },
		{ "same_filled_out", PS_SAME_OUT },
		{ "clean_drop", PS_CLEAN_DROP },
		{ "waits", PS_WAITS },
	};
	struct pool *pool = guest->pool;
	unsigned int i;

	stat_line(out, "anon", bytes_of(pool_stat(pool, PS_RESIDENT)));
	stat_line(out, "zswap", bytes_of(store_pages(pool)));
	stat_line(out, "zswapped", bytes_of(atomic_long_read(&pool->in_tier[TIER_STORE])));
	stat_line(out, "same_filled", bytes_of(atomic_long_read(&pool->in_tier[TIER_SAME_FILLED])));
	stat_line(out, "swapped", bytes_of(atomic_long_read(&pool->in_tier[TIER_SWAP_FILE])));
	stat_line(out, "frames_cached", bytes_of(pool_stat(pool, PS_CACHED)));
	stat_line(out, "frames_reserved", bytes_of(READ_ONCE(pool->nr_reserve)));
	stat_line(out, "metadata", pool_stat(pool, PS_METADATA));
	stat_line(out, "pgsteal",
		  pool_stat(pool, PS_PGSTEAL_KSWAPD) + pool_stat(pool, PS_PGSTEAL_DIRECT));
	for (i = 0; i < ARRAY_SIZE(counts); i++)
		stat_line(out, counts[i].name, pool_stat(pool, counts[i].stat));
	stat_line(out, "wait_max_us", atomic_long_read(&pool->wait_max_us));
	return 0;
}

static int events_show(struct guest *guest, struct text *out)
{
	static const char *const names[PE_COUNT] = {
		[PE_LOW] = "low",
		[PE_HIGH] = "high",
		[PE_MAX] = "max",
		[PE_OOM] = "oom",
		[PE_OOM_KILL] = "oom_kill",
	};
	atomic_long_t *events = guest->account ? guest->account->events : guest->pool->events;
	unsigned int i;

	for (i = 0; i < PE_COUNT; i++)
		stat_line(out, names[i], atomic_long_read(&events[i]));
	return 0;
}

static int reclaim_store(struct guest *guest, char *value)
{
	static const char field[] = "memory.reclaim";
	unsigned long wanted, done;
	u64 bytes;
	int err;

	err = parse_size(guest, field, value, &bytes);
	if (err)
		return err;
	/* The same whether all is asked for or more than there is. */
	wanted = bytes == SIZE_UNLIMITED ? ~0UL : DIV_ROUND_UP(bytes, PAGE_SIZE);
	done = pool_reclaim(guest->pool, min(wanted, guest->pool->max_pages));
	if (done < wanted)
		return guest_error(guest, -EAGAIN, field, value, "only %llu bytes were reclaimed",
				   (unsigned long long)bytes_of(done));
	return 0;
}

const struct guest_file memory_files[] = {
	{ .name = "memory.max", .mode = 0644, .show = max_show, .store = max_store },
	{ .name = "memory.min", .mode = 0644, .show = min_show, .store = min_store },
	{ .name = "memory.current", .mode = 0444, .show = current_show },
	{ .name = "memory.peak", .mode = 0444, .show = peak_show },
	{ .name = "memory.stat", .mode = 0444, .show = stat_show },
	{ .name = "memory.events", .mode = 0444, .show = events_show, .polled = true },
	{ .name = "memory.reclaim", .mode = 0200, .store = reclaim_store, .unlocked = true },
	{ .name = "memory.zswap.max", .mode = 0644, .show = zswap_max_show,
	  .store = zswap_max_store },
	{ .name = "memory.zswap.current", .mode = 0444, .show = zswap_current_show },
	{ .name = "memory.swap.file", .mode = 0644, .show = swap_file_show,
	  .store = swap_file_store, .unlocked = true },
	{ .name = "memory.swap.max", .mode = 0644, .show = swap_max_show, .store = swap_max_store },
	{ .name = "memory.swap.current", .mode = 0444, .show = swap_current_show },
	{ }
};

const struct guest_file account_files[] = {
	{ .name = "memory.max", .mode = 0644, .show = max_show, .store = max_store },
	{ .name = "memory.current", .mode = 0444, .show = current_show },
	{ .name = "memory.peak", .mode = 0444, .show = peak_show },
	{ .name = "memory.events", .mode = 0444, .show = events_show, .polled = true },
	{ }
};

/* ---- life ---- */

void memory_control_default(struct guest *guest, unsigned long pages)
{
	mutex_lock(&guest->lock);
	if (guest->memory->limit[LIMIT_MAX] == SIZE_UNLIMITED && !set_max(guest, pages))
		WRITE_ONCE(guest->memory->limit[LIMIT_MAX], bytes_of(pages));
	mutex_unlock(&guest->lock);
}

int memory_control_init(struct guest *guest)
{
	struct memory_control *memory = kzalloc(sizeof(*memory), GFP_KERNEL);
	unsigned int i;

	if (!memory)
		return -ENOMEM;
	for (i = 0; i < LIMIT_COUNT; i++) {
		memory->limit[i] = SIZE_UNLIMITED;
		memory->bound[i] = SIZE_UNLIMITED;
	}
	/* Nothing is set aside, and only an administrator may take memory from the host. */
	memory->limit[LIMIT_MIN] = 0;
	memory->bound[LIMIT_MIN] = 0;
	guest->memory = memory;
	return 0;
}

void memory_control_exit(struct guest *guest)
{
	swap_file_forget(guest);
	kfree(guest->memory);
	guest->memory = NULL;
}

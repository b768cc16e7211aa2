// SPDX-License-Identifier: GPL-2.0
/*
 * The whole VM of a guest under random operations: every byte that a process reads is
 * compared with what it wrote, while pages move between frames and tiers, and at the end
 * every figure of the pool is zero.
 */
#include <sched.h>

#include "selftests/unit/unit.h"

#include "selftests/unit/sim.h"

#define PAGES		160	/* of each process */
#define PROCS		6
#define THREADS		2	/* of each process; thread t owns pages that are t modulo this */

/**
 * struct proc - a process and what its memory must hold
 * @lock: shared by its threads' accesses, exclusive for what changes mappings
 * @model: the content of each page
 * @file: 0, or 1 + the pattern of the file's page that is mapped there
 */
struct proc {
	pthread_rwlock_t lock;
	struct sim_space *ss;
	u8 (*model)[PAGE_SIZE];
	u64 file[PAGES];
};

/* One run: a machine and its processes. */
struct run {
	struct sim *sim;
	struct proc proc[PROCS];
	unsigned long steps;
	bool shrinks;	/* change limits and reclaim meanwhile */
};

struct actor {
	struct run *run;
	unsigned int proc, thread;
	u64 random;
};

static void proc_new(struct run *run, struct proc *proc)
{
	proc->ss = sim_space_create(run->sim, PAGES);
	assert_non_null(proc->ss);
	memset(proc->model, 0, PAGES * PAGE_SIZE);
	memset(proc->file, 0, sizeof(proc->file));
}

static void check_page(struct proc *proc, u64 vpn)
{
	u8 page[PAGE_SIZE];

	must(!sim_read(proc->ss, vpn, 0, page, PAGE_SIZE));
	if (memcmp(page, proc->model[vpn], PAGE_SIZE)) {
		print_error("space %u page %llu differs\n", proc->ss->space.id, vpn);
		host_bug(__FILE__, __LINE__, "wrong content");
	}
}

static void write_page(struct proc *proc, u64 vpn, u64 *random)
{
	unsigned int offset = 0, len = PAGE_SIZE;
	u8 page[PAGE_SIZE];

	sim_pattern(page, sim_random(random, 100000));
	if (sim_random(random, 2)) {
		offset = sim_random(random, PAGE_SIZE);
		len = 1 + sim_random(random, min(64UL, PAGE_SIZE - offset));
	}
	must(!sim_write(proc->ss, vpn, offset, page, len));
	memcpy(proc->model[vpn] + offset, page, len);
}

/* A device writes into a page, slowly. */
static void direct_io(struct proc *proc, u64 vpn, u64 *random)
{
	struct frame *frame = sim_pin(proc->ss, vpn);

	must(!IS_ERR(frame));
	sim_pattern(proc->model[vpn], sim_random(random, 100000));
	sched_yield();
	memcpy(frame_data(frame), proc->model[vpn], PAGE_SIZE);
	sim_unpin(frame);
	check_page(proc, vpn);
}

static u64 own_page(struct actor *a)
{
	/* Some pages are touched much more often than others. */
	u64 vpn = sim_random(&a->random, 1 + sim_random(&a->random, PAGES));

	return vpn / THREADS * THREADS + a->thread;
}

static void change_limit(struct run *run, u64 *random)
{
	struct pool *pool = run->sim->pool;
	unsigned long limit = 300 + sim_random(random, 300);
	int err;

	switch (sim_random(random, 4)) {
	case 3:
		err = pool_swapoff(pool);
		must(!err || err == -EBUSY || err == -EALREADY);
		if (!err)
			tier_swap_file_reopen(pool->tiers[TIER_SWAP_FILE]);
		break;
	case 0:
		pool_reclaim(pool, sim_random(random, 200));
		break;
	case 1:
		err = pool_set_limit(pool, limit);
		must(!err || err == -EBUSY);
		break;
	default:
		pool_set_min(pool, sim_random(random, 100));
	}
}

/* MADV_DONTNEED: zeroes, or the file again. */
static void discard(struct proc *proc, u64 vpn, u64 n)
{
	u64 i;

	must(!sim_discard(proc->ss, vpn, n));
	for (i = vpn; i < vpn + n; i++) {
		if (proc->file[i])
			sim_pattern(proc->model[i], proc->file[i] - 1);
		else
			memset(proc->model[i], 0, PAGE_SIZE);
	}
}

/* With the process to ourselves: what changes its mappings. */
static void change_mappings(struct run *run, struct proc *proc, u64 *random)
{
	u64 n = 1 + sim_random(random, PAGES / 2);
	u64 vpn = sim_random(random, PAGES - n + 1), to, i;
	struct proc *other = &run->proc[sim_random(random, PROCS)];
	u64 seed = sim_random(random, 100000);

	switch (sim_random(random, 9)) {
	case 0:
		must(!sim_unmap(proc->ss, vpn, n));
		memset(proc->model[vpn], 0, n * PAGE_SIZE);
		memset(&proc->file[vpn], 0, n * sizeof(u64));
		return;
	case 1:
		n = min(n, (u64)PAGES / 4);
		vpn = sim_random(random, PAGES / 2 - n + 1);
		to = PAGES / 2 + sim_random(random, PAGES / 2 - n + 1);
		must(!sim_move(proc->ss, vpn, to, n));
		memcpy(proc->model[to], proc->model[vpn], n * PAGE_SIZE);
		memset(proc->model[vpn], 0, n * PAGE_SIZE);
		memcpy(&proc->file[to], &proc->file[vpn], n * sizeof(u64));
		memset(&proc->file[vpn], 0, n * sizeof(u64));
		return;
	case 2:
		must(!sim_map_file(proc->ss, vpn, n, seed));
		for (i = 0; i < n; i++) {
			sim_pattern(proc->model[vpn + i], seed + i);
			proc->file[vpn + i] = seed + i + 1;
		}
		return;
	case 3:
		discard(proc, vpn, n);
		return;
	default:
		break;
	}
	/* Fork over another process, unless it is being used. */
	if (other == proc || pthread_rwlock_trywrlock(&other->lock))
		return;
	sim_space_exit(other->ss);
	other->ss = sim_fork(proc->ss);
	must(other->ss);
	memcpy(other->model, proc->model, PAGES * PAGE_SIZE);
	memcpy(other->file, proc->file, sizeof(other->file));
	pthread_rwlock_unlock(&other->lock);
}

static void *act(void *arg)
{
	struct actor *a = arg;
	struct run *run = a->run;
	struct proc *proc = &run->proc[a->proc];
	unsigned long step;

	for (step = 0; step < run->steps; step++) {
		unsigned int what = sim_random(&a->random, 1000);

		if (what < 12) {
			pthread_rwlock_wrlock(&proc->lock);
			change_mappings(run, proc, &a->random);
			pthread_rwlock_unlock(&proc->lock);
			continue;
		}
		if (what < 14 && run->shrinks) {
			change_limit(run, &a->random);
			continue;
		}
		pthread_rwlock_rdlock(&proc->lock);
		if (what < 30)
			direct_io(proc, own_page(a), &a->random);
		else if (what < 450)
			write_page(proc, own_page(a), &a->random);
		else
			check_page(proc, own_page(a));
		pthread_rwlock_unlock(&proc->lock);
	}
	return NULL;
}

/* SEED in the environment repeats a run as far as threads allow. */
static u64 seed(void)
{
	const char *text = getenv("SEED");

	return text ? strtoull(text, NULL, 10) : 1;
}

static void run_begin(struct run *run, unsigned long limit, unsigned long swap)
{
	unsigned int i;

	memset(run, 0, sizeof(*run));
	run->sim = sim_create(limit);
	assert_non_null(run->sim);
	if (swap)
		assert_non_null(sim_swap(run->sim, swap));
	for (i = 0; i < PROCS; i++) {
		pthread_rwlock_init(&run->proc[i].lock, NULL);
		run->proc[i].model = kmalloc(PAGES * PAGE_SIZE, GFP_KERNEL);
		proc_new(run, &run->proc[i]);
	}
}

static void run_end(struct run *run)
{
	struct sim *sim = run->sim;
	unsigned int i, vpn;

	for (i = 0; i < PROCS; i++)
		for (vpn = 0; vpn < PAGES; vpn++)
			check_page(&run->proc[i], vpn);
	print_message("# faults %ld major %lu cow %lu kills %ld\n",
		      atomic_long_read(&sim->faults), pool_stat(sim->pool, PS_PGMAJFAULT),
		      pool_stat(sim->pool, PS_COW), atomic_long_read(&sim->oom_kills));
	print_message("# same %lu store %lu swap %lu writeback %lu clean %lu\n",
		      pool_stat(sim->pool, PS_SAME_OUT), pool_stat(sim->pool, PS_ZSWPOUT),
		      pool_stat(sim->pool, PS_PSWPOUT), pool_stat(sim->pool, PS_ZSWPWB),
		      pool_stat(sim->pool, PS_CLEAN_DROP));
	for (i = 0; i < PROCS; i++) {
		sim_space_exit(run->proc[i].ss);
		pthread_rwlock_destroy(&run->proc[i].lock);
		kfree(run->proc[i].model);
	}
	assert_int_equal(atomic_long_read(&sim->oom_kills), 0);
	pool_set_min(sim->pool, 0);
	sim_destroy(sim);
	assert_int_equal(host_allocated(), 0);
}

static void run_all(struct run *run, unsigned int threads, unsigned long steps, u64 seed)
{
	struct actor actor[PROCS * THREADS];
	pthread_t id[PROCS * THREADS];
	unsigned int i, n = 0;

	run->steps = steps;
	for (i = 0; i < PROCS * threads; i++) {
		actor[i] = (struct actor){ run, i % PROCS, i / PROCS, seed * 1000 + i + 1 };
		if (i)
			n += !pthread_create(&id[n], NULL, act, &actor[i]);
	}
	act(&actor[0]);
	while (n)
		pthread_join(id[--n], NULL);
}

/* One thing at a time, so that a failure can be repeated. */
static void test_one_thread(void **state)
{
	static const unsigned long swap[] = { 0, 2000 };
	unsigned int i, p;
	struct run run;

	for (i = 0; i < ARRAY_SIZE(swap); i++) {
		/* Without a swap file, random data must stay resident. */
		run_begin(&run, swap[i] ? 250 : 700, swap[i]);
		run.shrinks = swap[i];
		run.steps = 1200;
		for (p = 0; p < PROCS; p++) {
			struct actor a = { &run, p, i % THREADS, seed() * 1000 + i * 100 + p };

			act(&a);
		}
		run_end(&run);
	}
}

static void test_threads(void **state)
{
	struct run run;

	run_begin(&run, 400, 2000);
	run_all(&run, THREADS, 2500, seed());
	run_end(&run);
}

/* So little that most accesses bring a page in, and the store overflows into the file. */
static void test_tiny(void **state)
{
	struct run run;

	run_begin(&run, 150, 2000);
	WRITE_ONCE(run.sim->pool->store_max, 40);
	run_all(&run, THREADS, 1500, seed());
	run_end(&run);
}

static void test_threads_limits(void **state)
{
	struct run run;

	run_begin(&run, 400, 2000);
	run.shrinks = true;
	run_all(&run, THREADS, 2500, seed());
	run_end(&run);
}

static void test_no_swap(void **state)
{
	struct run run;

	run_begin(&run, 750, 0);
	run_all(&run, THREADS, 2000, seed());
	run_end(&run);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_thread),
		cmocka_unit_test(test_threads),
		cmocka_unit_test(test_tiny),
		cmocka_unit_test(test_threads_limits),
		cmocka_unit_test(test_no_swap),
	};

	return cmocka_run_group_tests_name("vm", tests, NULL, NULL);
}

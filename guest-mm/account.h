/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The account: memory that a guest takes of the host's and manages itself.
 *
 * What a pool is to a guest whose memory is ours to manage. Nothing of it can be evicted: what
 * is taken is the guest's until it gives it back.
 */
#ifndef LODGE_ACCOUNT_H
#define LODGE_ACCOUNT_H

#include "guest-core/host.h"
#include "guest-mm/pool.h"

/**
 * struct account - how much a guest has, in pages
 * @held: what it has
 * @peak: the most that @held was
 * @limit: memory.max; changes under guest->lock
 * @max_pages: upper bound of @limit: the machine's memory
 * @room: what it may still take. One number decides, so that @limit can be lowered while pages
 *	are taken: neither is refused for the other's sake unless both cannot be.
 * @events: memory.events, by enum pool_event
 */
struct account {
	atomic_long_t held;
	atomic_long_t peak;
	unsigned long limit;
	unsigned long max_pages;
	atomic_long_t room;
	atomic_long_t events[PE_COUNT];
};

/** account_init() - nothing is taken, and no limit but @max_pages, the machine's memory */
void account_init(struct account *account, unsigned long max_pages);

/** account_charge() - take @pages; false if the limit forbids.  Any context. */
bool account_charge(struct account *account, unsigned long pages);

/** account_uncharge() - give @pages back.  Any context. */
void account_uncharge(struct account *account, unsigned long pages);

/** account_held() - pages held now */
unsigned long account_held(struct account *account);

/** account_set_limit() - change memory.max; 0; -EBUSY: more is held, and all stays as it was */
int account_set_limit(struct account *account, unsigned long pages);

/** note_peak() - @peak is @now, if it was less */
void note_peak(atomic_long_t *peak, long now);

#endif /* LODGE_ACCOUNT_H */

// SPDX-License-Identifier: GPL-2.0
/* What a guest has taken of the host's memory; see account.h. */
#include "guest-mm/account.h"

void note_peak(atomic_long_t *peak, long now)
{
	long old = atomic_long_read(peak);

	while (now > old) {
		long seen = atomic_long_cmpxchg(peak, old, now);

		if (seen == old)
			break;
		old = seen;
	}
}

void account_init(struct account *account, unsigned long max_pages)
{
	account->limit = max_pages;
	account->max_pages = max_pages;
	atomic_long_set(&account->room, max_pages);
}

static bool take_room(struct account *account, long pages)
{
	long old = atomic_long_read(&account->room);

	while (pages <= old) {
		long seen = atomic_long_cmpxchg(&account->room, old, old - pages);

		if (seen == old)
			return true;
		old = seen;
	}
	return false;
}

bool account_charge(struct account *account, unsigned long pages)
{
	if (!take_room(account, pages))
		return false;
	note_peak(&account->peak, atomic_long_add_return(pages, &account->held));
	return true;
}

void account_uncharge(struct account *account, unsigned long pages)
{
	atomic_long_sub(pages, &account->held);
	atomic_long_add(pages, &account->room);
}

unsigned long account_held(struct account *account)
{
	return atomic_long_read(&account->held);
}

int account_set_limit(struct account *account, unsigned long pages)
{
	unsigned long limit = account->limit;

	pages = min(pages, account->max_pages);
	if (pages >= limit)
		atomic_long_add(pages - limit, &account->room);
	else if (!take_room(account, limit - pages))
		return -EBUSY;
	WRITE_ONCE(account->limit, pages);
	return 0;
}

// SPDX-License-Identifier: GPL-2.0
/* The tiers that are built in. */
#include "guest-mm/tier.h"

static const struct tier_ops *const tiers[TIER_COUNT] = {
#ifdef LODGE_TIER_SAME_FILLED
	[TIER_SAME_FILLED] = &tier_same_filled_ops,
#endif
#ifdef LODGE_TIER_STORE
	[TIER_STORE] = &tier_store_ops,
#endif
#ifdef LODGE_TIER_SWAP_FILE
	[TIER_SWAP_FILE] = &tier_swap_file_ops,
#endif
};

const struct tier_ops *tier_ops_of(enum tier_id id)
{
	return (unsigned int)id < TIER_COUNT ? tiers[id] : NULL;
}

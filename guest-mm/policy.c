// SPDX-License-Identifier: GPL-2.0
/* The policies that are built in. */
#include "guest-mm/policy.h"

/* Kconfig's default comes first. */
static const struct policy_ops *const policies[] = {
#if defined(LODGE_POLICY_DEFAULT_CLOCK) && defined(LODGE_POLICY_CLOCK)
	&policy_clock_ops,
#endif
#ifdef LODGE_POLICY_TL
	&policy_tl_ops,
#endif
#if !defined(LODGE_POLICY_DEFAULT_CLOCK) && defined(LODGE_POLICY_CLOCK)
	&policy_clock_ops,
#endif
};

const struct policy_ops *policy_at(unsigned int n)
{
	return n < ARRAY_SIZE(policies) ? policies[n] : NULL;
}

const struct policy_ops *policy_find(const char *name)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(policies); i++)
		if (!name || !strcmp(name, policies[i]->name))
			return policies[i];
	return NULL;
}

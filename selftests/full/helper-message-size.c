// SPDX-License-Identifier: GPL-2.0
/* How long a message to lodge's socket for devices is, for tests that write to it themselves. */
#include <stdio.h>

#include "../../userland/lodge/devices.h"

int main(void)
{
	printf("%zu\n", sizeof(struct device_message));
	return 0;
}

// SPDX-License-Identifier: GPL-2.0
/* Process 1 of a guest that lodge boot --rootdir started. */
#include <signal.h>
#include <sys/reboot.h>
#include <termios.h>
#include <unistd.h>

#include "channel.h"
#include "init.h"

#define LINE "/dev/ttyS0"

int main(void)
{
	struct command command;
	struct order order;
	unsigned int status;

	/* A reader that is gone is an error of write(), not init's end. */
	signal(SIGPIPE, SIG_IGN);
	reboot(RB_DISABLE_CAD);
	root_prepare();
	line_open(LINE);
	line_receive(&order);
	root_mount(&order);
	network_raise();
	command_start(&command, &order);
	status = command_relay(&command);
	line_send(FRAME_EXIT, &status, sizeof(status));
	tcdrain(line_fd());
	reboot(RB_POWER_OFF);
	return 1;
}

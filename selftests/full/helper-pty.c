// SPDX-License-Identifier: GPL-2.0
/* A command on a pseudo-terminal in a guest, with what standard input says typed there. */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

static void become_command(int master, char **argv)
{
	const struct winsize size = { .ws_row = atoi(argv[1]), .ws_col = atoi(argv[2]) };
	int slave, fd;

	setsid();
	slave = open(ptsname(master), O_RDWR);
	if (slave < 0 || ioctl(slave, TIOCSWINSZ, &size) || ioctl(slave, TIOCSCTTY, 0))
		_exit(125);
	for (fd = 0; fd <= 2; fd++)
		dup2(slave, fd);
	close(master);
	execvp(argv[3], argv + 3);
	_exit(127);
}

int main(int argc, char **argv)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY);
	struct pollfd fds[2] = {
		{ .fd = master, .events = POLLIN }, { .fd = STDIN_FILENO, .events = POLLIN },
	};
	char data[512];
	ssize_t n;

	if (argc < 4 || master < 0 || grantpt(master) || unlockpt(master))
		return 125;
	if (!fork())
		become_command(master, argv);
	while (poll(fds, 2, -1) > 0) {
		if (fds[1].revents) {
			n = read(STDIN_FILENO, data, sizeof(data));
			if (n <= 0)
				fds[1].fd = -1;
			else if (write(master, data, n) != n)
				return 125;
		}
		if (!fds[0].revents)
			continue;
		n = read(master, data, sizeof(data));
		if (n <= 0)
			break;
		if (write(STDOUT_FILENO, data, n) != n)
			return 125;
	}
	wait(NULL);
	return 0;
}

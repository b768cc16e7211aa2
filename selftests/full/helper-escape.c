// SPDX-License-Identifier: GPL-2.0
/* Root of a guest looks for the host's files outside of its directory. Argument: one there. */
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

static void show(const char *what, const char *path)
{
	char line[64] = "";
	FILE *file = fopen(path, "r");

	if (file && fgets(line, sizeof(line), file))
		line[strcspn(line, "\n")] = '\0';
	printf("%s: %s\n", what, *line ? line : "not found");
	if (file)
		fclose(file);
}

static void try_mount(const char *what, const char *options)
{
	if (mount("none", "/mnt", "hostfs", 0, options))
		printf("%s: not found\n", what);
	else
		show(what, "/mnt/file");
	umount("/mnt");
}

int main(int argc, char **argv)
{
	char up[512];

	if (argc != 2)
		return 2;
	mkdir("/mnt", 0755);
	show("link", "/link");
	show("up", "/up");
	try_mount("mount", argv[1]);
	snprintf(up, sizeof(up), "/../%s", argv[1]);
	try_mount("mount ..", up);
	return 0;
}

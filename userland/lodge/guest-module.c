// SPDX-License-Identifier: GPL-2.0
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "error.h"
#include "guest-module.h"
#include "util.h"

/* As the file calls itself; in the kernel the number of the instance is behind it. */
#define MODULE "lodge_guest"
#define MODULE_NAME_MAX 56
/* What holds the kernel's struct module, and in it the name. */
#define MODULE_SECTION ".gnu.linkonce.this_module"

/* A file of the user's: nothing that it says of itself is believed. */
struct image {
	char *bytes;
	size_t size;
};

static void module_name(char *name, unsigned int number)
{
	snprintf(name, MODULE_NAME_MAX, MODULE "_%u", number);
}

static struct image read_image(const char *guest, const char *file)
{
	int fd cleanup_fd = open(file, O_RDONLY | O_CLOEXEC);
	struct image image = { 0 };
	struct stat st;
	ssize_t n = -1;

	if (fd < 0 || fstat(fd, &st))
		die_guest(guest, NULL, "%s: %s", file, strerror(errno));
	image.bytes = xcalloc(st.st_size + 1, 1);
	while (image.size < (size_t)st.st_size) {
		n = read(fd, image.bytes + image.size, st.st_size - image.size);
		if (n <= 0)
			break;
		image.size += n;
	}
	if (n < 0)
		die_guest(guest, NULL, "%s: %s", file, strerror(errno));
	return image;
}

static void *part(const struct image *image, uint64_t offset, uint64_t size)
{
	if (offset > image->size || size > image->size - offset)
		return NULL;
	return image->bytes + offset;
}

/* Section number @i, or NULL. */
static const Elf64_Shdr *section(const struct image *image, unsigned int i)
{
	const Elf64_Ehdr *elf = part(image, 0, sizeof(*elf));

	if (!elf || memcmp(elf->e_ident, ELFMAG, SELFMAG) ||
	    elf->e_ident[EI_CLASS] != ELFCLASS64 || elf->e_shentsize != sizeof(Elf64_Shdr) ||
	    elf->e_shoff % 8 || i >= elf->e_shnum)
		return NULL;
	return part(image, elf->e_shoff + (uint64_t)i * sizeof(Elf64_Shdr), sizeof(Elf64_Shdr));
}

/* Where the name is in the module's struct module: room for MODULE_NAME_MAX bytes, or NULL. */
static char *find_name(const struct image *image)
{
	const Elf64_Ehdr *elf = (void *)image->bytes;
	const Elf64_Shdr *names, *s;
	unsigned int i;

	if (!section(image, 0))
		return NULL;
	names = section(image, elf->e_shstrndx);
	for (i = 0; names && (s = section(image, i)); i++) {
		char *content = part(image, s->sh_offset, s->sh_size), *found;
		const char *name;

		name = part(image, names->sh_offset + s->sh_name, sizeof(MODULE_SECTION));
		if (!name || memcmp(name, MODULE_SECTION, sizeof(MODULE_SECTION)) || !content)
			continue;
		found = memmem(content, s->sh_size, MODULE, sizeof(MODULE));
		if (found && s->sh_size - (found - content) >= MODULE_NAME_MAX)
			return found;
	}
	return NULL;
}

/**
 * guest_module_load - load a guest kernel into the host's, under a name of its own
 * @guest: name of the guest, for what is said
 * @file: the module, as make guest-module builds it
 * @number: of the instance that it is for
 *
 * Ends the program if that fails.
 */
void guest_module_load(const char *guest, const char *file, unsigned int number)
{
	struct image image = read_image(guest, file);
	char *name = find_name(&image), *bytes cleanup_free = image.bytes;
	char parameters[32];

	if (!name)
		die_guest(guest, NULL, "%s: not a guest kernel for --host=module", file);
	module_name(name, number);
	snprintf(parameters, sizeof(parameters), "instance=%u", number);
	if (!syscall(SYS_init_module, bytes, image.size, parameters))
		return;
	switch (errno) {
	case ENOEXEC:
		die_guest(guest, NULL, "%s: not built for the kernel that runs", file);
	case EPERM:
		die_guest(guest, NULL, "%s: loading a module needs root (CAP_SYS_MODULE)", file);
	case ENOENT:
		die_guest(guest, NULL, "%s: lodge.ko is not loaded, or another version", file);
	default:
		die_guest(guest, NULL, "%s: %s", file, strerror(errno));
	}
}

/**
 * guest_module_unload - unload what guest_module_load() loaded
 * @number: of the instance
 *
 * Return: 0 or -errno: -EAGAIN while the guest has not ended.
 */
int guest_module_unload(unsigned int number)
{
	char name[MODULE_NAME_MAX];

	module_name(name, number);
	return syscall(SYS_delete_module, name, O_NONBLOCK) ? -errno : 0;
}

/**
 * guest_module_clean - unload the kernels of guests whose launcher was killed
 *
 * One that belongs to somebody has a user: lodge.ko.
 */
void guest_module_clean(void)
{
	FILE *modules cleanup_file = fopen("/proc/modules", "re");
	unsigned int number, users;
	char line[512];

	while (modules && fgets(line, sizeof(line), modules)) {
		if (sscanf(line, MODULE "_%u %*u %u", &number, &users) == 2 && !users)
			guest_module_unload(number);
	}
}

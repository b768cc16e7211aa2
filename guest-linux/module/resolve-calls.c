// SPDX-License-Identifier: GPL-2.0
/*
 * resolve-calls OBJECT: do now what the host's module loader would do at each start of a
 * guest for direct calls and jumps from .text to .text, which moves as a whole, and take
 * these relocations away: some two thirds of all.
 *
 * Only what the assembler marks as a branch (R_X86_64_PLT32) is touched. objtool finds
 * the target of a branch in the instruction, too; but for the address of a function it
 * needs the relocation, or it would take the function for one that nobody calls
 * indirectly.
 */
#include <elf.h>
#include <err.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static char *image;
static size_t image_size;

/* Where @size bytes at @offset of the file are in memory. */
static void *at(uint64_t offset, uint64_t size)
{
	if (offset > image_size || size > image_size - offset)
		errx(1, "the object is cut off");
	return image + offset;
}

static void map(const char *path)
{
	struct stat st;
	int fd = open(path, O_RDWR | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &st))
		err(1, "%s", path);
	image_size = st.st_size;
	image = mmap(NULL, image_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (image == MAP_FAILED)
		err(1, "%s", path);
	close(fd);
}

int main(int argc, char **argv)
{
	Elf64_Shdr *sections, *names, *text = NULL, *relocations = NULL, *table;
	Elf64_Rela *relocation, *end, *kept;
	const Elf64_Sym *symbols, *symbol;
	const Elf64_Ehdr *header;
	int32_t distance;
	char *code;
	int i;

	if (argc != 2)
		errx(2, "usage: resolve-calls OBJECT");
	map(argv[1]);
	header = at(0, sizeof(*header));
	if (memcmp(header->e_ident, ELFMAG, SELFMAG) || header->e_type != ET_REL ||
	    header->e_machine != EM_X86_64)
		errx(1, "%s: not an object for x86-64", argv[1]);
	sections = at(header->e_shoff, header->e_shnum * sizeof(*sections));
	names = &sections[header->e_shstrndx];
	for (i = 0; i < header->e_shnum; i++) {
		const char *name = at(names->sh_offset + sections[i].sh_name, 1);

		if (!strcmp(name, ".text"))
			text = &sections[i];
		else if (!strcmp(name, ".rela.text"))
			relocations = &sections[i];
	}
	if (!text || !relocations)
		errx(1, "%s: no .text with relocations", argv[1]);

	table = &sections[relocations->sh_link];
	symbols = at(table->sh_offset, table->sh_size);
	code = at(text->sh_offset, text->sh_size);
	relocation = at(relocations->sh_offset, relocations->sh_size);
	end = relocation + relocations->sh_size / sizeof(*relocation);
	for (kept = relocation; relocation < end; relocation++) {
		symbol = &symbols[ELF64_R_SYM(relocation->r_info)];
		if (ELF64_R_TYPE(relocation->r_info) != R_X86_64_PLT32 ||
		    symbol->st_shndx != text - sections) {
			*kept++ = *relocation;
			continue;
		}
		distance = symbol->st_value + relocation->r_addend - relocation->r_offset;
		memcpy(code + relocation->r_offset, &distance, sizeof(distance));
	}
	relocations->sh_size -= (char *)end - (char *)kept;
	return 0;
}

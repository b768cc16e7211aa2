// SPDX-License-Identifier: GPL-2.0
/*
 * resolve-calls OBJECT: do now what the host's module loader would do at each start of a
 * guest for direct calls and jumps from .text to .text, which moves as a whole, and take
 * these relocations away: nearly half of all.
 *
 * Nothing but branches is touched. objtool finds their targets in the instructions, too;
 * but where the address of a function is taken it needs the relocation, or it would take
 * the function for one that nobody calls indirectly.
 */
#include <elf.h>
#include <err.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static char *image;
static size_t image_size;

/* Where @size bytes at @offset of the file are in memory. */
static void *at(unsigned long offset, unsigned long size)
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

/* Whether these four bytes of @code are the distance of a call, a jump or a conditional jump. */
static bool is_branch(const unsigned char *code, unsigned long offset)
{
	return (offset >= 1 && (code[offset - 1] & 0xfe) == 0xe8) ||
	       (offset >= 2 && code[offset - 2] == 0x0f && (code[offset - 1] & 0xf0) == 0x80);
}

int main(int argc, char **argv)
{
	Elf64_Shdr *sections, *names, *text = NULL, *relocations = NULL, *table;
	Elf64_Rela *relocation, *end, *kept;
	const Elf64_Sym *symbols, *symbol;
	const Elf64_Ehdr *header;
	unsigned char *code;
	unsigned int n;
	long distance;
	int i;

	if (argc != 2)
		errx(2, "usage: resolve-calls OBJECT");
	map(argv[1]);
	header = at(0, sizeof(*header));
	if (memcmp(header->e_ident, ELFMAG, SELFMAG) || header->e_type != ET_REL ||
	    header->e_ident[EI_CLASS] != ELFCLASS64 || header->e_machine != EM_X86_64 ||
	    header->e_shstrndx >= header->e_shnum)
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
	if (!text || !relocations || relocations->sh_link >= header->e_shnum)
		errx(1, "%s: no .text with relocations", argv[1]);

	table = &sections[relocations->sh_link];
	symbols = at(table->sh_offset, table->sh_size);
	code = at(text->sh_offset, text->sh_size);
	relocation = at(relocations->sh_offset, relocations->sh_size);
	end = relocation + relocations->sh_size / sizeof(*relocation);
	for (kept = relocation; relocation < end; relocation++) {
		n = ELF64_R_SYM(relocation->r_info);
		if (n >= table->sh_size / sizeof(*symbols) || text->sh_size < 4 ||
		    relocation->r_offset > text->sh_size - 4)
			errx(1, "%s: a relocation leads out of it", argv[1]);
		symbol = &symbols[n];
		distance = symbol->st_value + relocation->r_addend - relocation->r_offset;
		if (ELF64_R_TYPE(relocation->r_info) != R_X86_64_PLT32 ||
		    symbol->st_shndx != text - sections || distance != (int)distance ||
		    !is_branch(code, relocation->r_offset)) {
			*kept++ = *relocation;
			continue;
		}
		memcpy(code + relocation->r_offset, &distance, 4);
	}
	relocations->sh_size -= (char *)end - (char *)kept;
	return 0;
}

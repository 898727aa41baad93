/* SPDX-License-Identifier: MIT */
/*
 * An unsigned ELF costs its header and its tail: the notes are nearly always in the first page,
 * which is read already. libelf translates byte orders; it is not given the file, because it would
 * map or read more of it than the few hundred bytes that matter.
 */
#include "loader/identity/elf.h"

#include <elf.h>
#include <errno.h>
#include <libelf.h>
#include <stdlib.h>
#include <string.h>

#include "loader/identity/identity.h"
#include "loader/identity/module.h"
#include "loader/identity/note.h"
#include "loader/identity/reader.h"
#include "loader/identity/record.h"
#include "policy/cleanup.h"

/* The kernel runs no program with more than 64 KiB of program headers. */
#define SEGMENTS_SIZE_MAX 65536
#define SECTIONS_MAX 8192
#define NOTES_MAX 64	     /* notes segments or sections looked at */
#define NOTES_SIZE_MAX 65536 /* bytes of one */
#define NAMES_SIZE_MAX (1u << 20)

struct elf {
	struct identity *identity;
	const struct identity_reader *reader;
	const uint8_t *head; /* what is read already */
	size_t head_len;
	unsigned int class;
	unsigned int encoding;
	Elf64_Ehdr ehdr; /* in this machine's order, widened */
};

/* A range of the file: out of the head, or else read into *ret_owned. NULL: not in the file. */
static const uint8_t *range(const struct elf *elf, uint64_t off, size_t len, uint8_t **ret_owned,
			    int *ret_err)
{
	*ret_err = 0;
	if (off <= elf->head_len && len <= elf->head_len - off)
		return elf->head + off;
	if (off > elf->reader->size || len > elf->reader->size - off)
		return NULL;
	*ret_err = reader_copy(elf->reader, off, len, ret_owned);
	return *ret_err ? NULL : *ret_owned;
}

/* @count things of @type at @from into @to, in this machine's byte order. */
static bool translate(const struct elf *elf, void *to, const void *from, size_t size, Elf_Type type)
{
	Elf_Data src = {
		.d_buf = (void *)from, .d_type = type, .d_version = EV_CURRENT, .d_size = size
	};
	Elf_Data dst = { .d_buf = to, .d_version = EV_CURRENT, .d_size = size };

	return elf->class == ELFCLASS64 ? elf64_xlatetom(&dst, &src, elf->encoding) :
					  elf32_xlatetom(&dst, &src, elf->encoding);
}

static bool ehdr_read(struct elf *elf)
{
	const uint8_t *ident = elf->head;
	Elf32_Ehdr narrow;

	elf->class = ident[EI_CLASS];
	elf->encoding = ident[EI_DATA];
	if (elf->encoding != ELFDATA2LSB && elf->encoding != ELFDATA2MSB)
		return false;
	if (elf->class == ELFCLASS64)
		return elf->head_len >= sizeof(elf->ehdr) &&
		       translate(elf, &elf->ehdr, elf->head, sizeof(elf->ehdr), ELF_T_EHDR);
	if (elf->class != ELFCLASS32 || elf->head_len < sizeof(narrow) ||
	    !translate(elf, &narrow, elf->head, sizeof(narrow), ELF_T_EHDR))
		return false;
	elf->ehdr.e_type = narrow.e_type;
	elf->ehdr.e_phoff = narrow.e_phoff;
	elf->ehdr.e_shoff = narrow.e_shoff;
	elf->ehdr.e_phnum = narrow.e_phnum;
	elf->ehdr.e_shnum = narrow.e_shnum;
	elf->ehdr.e_phentsize = narrow.e_phentsize;
	elf->ehdr.e_shentsize = narrow.e_shentsize;
	elf->ehdr.e_shstrndx = narrow.e_shstrndx;
	return true;
}

static bool phdr_get(const struct elf *elf, const uint8_t *table, size_t i, Elf64_Phdr *ret_phdr)
{
	Elf32_Phdr narrow;

	if (elf->class == ELFCLASS64)
		return translate(elf, ret_phdr, table + i * sizeof(*ret_phdr), sizeof(*ret_phdr),
				 ELF_T_PHDR);
	if (!translate(elf, &narrow, table + i * sizeof(narrow), sizeof(narrow), ELF_T_PHDR))
		return false;
	*ret_phdr = (Elf64_Phdr){ .p_type = narrow.p_type,
				  .p_offset = narrow.p_offset,
				  .p_filesz = narrow.p_filesz,
				  .p_align = narrow.p_align };
	return true;
}

static bool shdr_get(const struct elf *elf, const uint8_t *table, size_t i, Elf64_Shdr *ret_shdr)
{
	Elf32_Shdr narrow;

	if (elf->class == ELFCLASS64)
		return translate(elf, ret_shdr, table + i * sizeof(*ret_shdr), sizeof(*ret_shdr),
				 ELF_T_SHDR);
	if (!translate(elf, &narrow, table + i * sizeof(narrow), sizeof(narrow), ELF_T_SHDR))
		return false;
	*ret_shdr = (Elf64_Shdr){ .sh_type = narrow.sh_type,
				  .sh_name = narrow.sh_name,
				  .sh_offset = narrow.sh_offset,
				  .sh_size = narrow.sh_size,
				  .sh_addralign = narrow.sh_addralign };
	return true;
}

/* The notes of one segment or section. */
static int notes_read(const struct elf *elf, uint64_t off, uint64_t size, uint64_t align)
{
	cleanup(cleanup_free) uint8_t *owned = NULL;
	const uint8_t *notes;
	int err;

	if (size > NOTES_SIZE_MAX)
		size = NOTES_SIZE_MAX;
	notes = range(elf, off, (size_t)size, &owned, &err);
	if (!notes)
		return err;
	return note_read(elf->identity, notes, (size_t)size, align == 8 ? 8 : 4,
			 elf->encoding == ELFDATA2MSB);
}

static int segments_read(const struct elf *elf)
{
	size_t entry = elf->class == ELFCLASS64 ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);
	size_t size = elf->ehdr.e_phnum * entry, seen = 0, i;
	cleanup(cleanup_free) uint8_t *owned = NULL;
	const uint8_t *table;
	int err;

	if (elf->ehdr.e_phentsize != entry || size > SEGMENTS_SIZE_MAX)
		return 0;
	table = range(elf, elf->ehdr.e_phoff, size, &owned, &err);
	for (i = 0; table && i < elf->ehdr.e_phnum && seen < NOTES_MAX; i++) {
		Elf64_Phdr phdr;

		if (!phdr_get(elf, table, i, &phdr) || phdr.p_type != PT_NOTE)
			continue;
		seen++;
		err = notes_read(elf, phdr.p_offset, phdr.p_filesz, phdr.p_align);
		if (err)
			return err;
	}
	return err;
}

/* What makes an object file a kernel module is its .modinfo section. */
static int module_mark(const struct elf *elf, const Elf64_Shdr *names, const uint8_t *table,
		       size_t count)
{
	static const char modinfo[] = ".modinfo";
	cleanup(cleanup_free) uint8_t *owned = NULL;
	size_t size = names->sh_size < NAMES_SIZE_MAX ? (size_t)names->sh_size : NAMES_SIZE_MAX;
	const uint8_t *text;
	int err;
	size_t i;

	text = range(elf, names->sh_offset, size, &owned, &err);
	for (i = 0; text && i < count; i++) {
		Elf64_Shdr shdr;

		if (shdr_get(elf, table, i, &shdr) && shdr.sh_name < size &&
		    size - shdr.sh_name >= sizeof(modinfo) &&
		    !memcmp(text + shdr.sh_name, modinfo, sizeof(modinfo)))
			elf->identity->type = IDENTITY_MODULE;
	}
	return err;
}

/* Object files, which modules are, have no segments: their notes are sections. */
static int sections_read(const struct elf *elf)
{
	size_t entry = elf->class == ELFCLASS64 ? sizeof(Elf64_Shdr) : sizeof(Elf32_Shdr);
	size_t count = elf->ehdr.e_shnum, seen = 0, i;
	cleanup(cleanup_free) uint8_t *owned = NULL;
	const uint8_t *table;
	Elf64_Shdr shdr;
	int err;

	if (elf->ehdr.e_shentsize != entry || count > SECTIONS_MAX)
		return 0;
	table = range(elf, elf->ehdr.e_shoff, count * entry, &owned, &err);
	for (i = 0; table && i < count && seen < NOTES_MAX; i++) {
		if (!shdr_get(elf, table, i, &shdr) || shdr.sh_type != SHT_NOTE)
			continue;
		seen++;
		err = notes_read(elf, shdr.sh_offset, shdr.sh_size, shdr.sh_addralign);
		if (err)
			return err;
	}
	if (table && elf->ehdr.e_shstrndx < count &&
	    shdr_get(elf, table, elf->ehdr.e_shstrndx, &shdr))
		err = module_mark(elf, &shdr, table, count);
	return err;
}

static int headers_read(struct identity *identity, const struct identity_reader *reader,
			const uint8_t *head, size_t head_len)
{
	struct elf elf = {
		.identity = identity, .reader = reader, .head = head, .head_len = head_len
	};

	if (head_len < EI_NIDENT || elf_version(EV_CURRENT) == EV_NONE || !ehdr_read(&elf))
		return 0;
	return elf.ehdr.e_phnum ? segments_read(&elf) : sections_read(&elf);
}

int elf_read(struct identity *identity, const struct identity_reader *reader, const uint8_t *head,
	     size_t head_len, unsigned int flags)
{
	cleanup(cleanup_free) uint8_t *bytes = NULL;
	struct identity_memory memory;
	bool is_signed;
	int err;

	identity->type = IDENTITY_ELF;
	err = module_is_signed(reader, &is_signed);
	if (err)
		return err;
	if (!is_signed)
		return headers_read(identity, reader, head, head_len);
	if (reader->size > IDENTITY_PRIVATE_MAX) {
		record_overflow(identity, "a signed ELF file of more than 64 MiB");
		return headers_read(identity, reader, head, head_len);
	}
	/* Signature, notes and digest are taken from one read. */
	err = reader_copy(reader, 0, (size_t)reader->size, &bytes);
	if (err)
		return err;
	memory = (struct identity_memory){ bytes, (size_t)reader->size };
	return elf_read_memory(identity, &memory, flags);
}

int elf_read_memory(struct identity *identity, struct identity_memory *memory, unsigned int flags)
{
	struct identity_reader reader = identity_memory_reader(memory);
	int err = module_read(identity, memory->data, memory->len, flags);

	if (!err)
		err = headers_read(identity, &reader, memory->data, memory->len);
	return err;
}

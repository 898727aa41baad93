/* SPDX-License-Identifier: MIT */
/* ELF: build-id and package note out of the headers, and an appended signature if there is one. */
#ifndef DEBAR_LOADER_IDENTITY_ELF_H
#define DEBAR_LOADER_IDENTITY_ELF_H

#include <stddef.h>
#include <stdint.h>

struct identity;
struct identity_memory;
struct identity_reader;

int elf_read(struct identity *identity, const struct identity_reader *reader, const uint8_t *head,
	     size_t head_len, unsigned int flags);

/* The same for bytes that are in memory already, as of an unpacked module. */
int elf_read_memory(struct identity *identity, struct identity_memory *memory, unsigned int flags);

#endif

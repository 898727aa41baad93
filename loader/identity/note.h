/* SPDX-License-Identifier: MIT */
/* ELF notes: the GNU build-id, and the package that systemd's .note.package names. */
#ifndef DEBAR_LOADER_IDENTITY_NOTE_H
#define DEBAR_LOADER_IDENTITY_NOTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct identity;

int note_read(struct identity *identity, const uint8_t *notes, size_t len, size_t align,
	      bool big_endian);

#endif

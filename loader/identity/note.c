/* SPDX-License-Identifier: MIT */
#include "loader/identity/note.h"

#include <elf.h>
#include <jansson.h>
#include <string.h>

#include "loader/identity/identity.h"
#include "loader/identity/reader.h"
#include "loader/identity/record.h"
#include "policy/cleanup.h"

/* systemd's "FDO" note, whose text is JSON: https://systemd.io/ELF_PACKAGE_METADATA/ */
#define NOTE_PACKAGE 0xcafe1a7e

#define NOTE_HEADER 12

static void cleanup_json(json_t **json)
{
	json_decref(*json);
}

static int package_read(struct identity *identity, const uint8_t *text, size_t len)
{
	cleanup(cleanup_json) json_t *json = NULL;
	const char *type, *name, *version;

	/* Padding with NUL is part of the note. */
	len = strnlen((const char *)text, len);
	json = json_loadb((const char *)text, len, JSON_REJECT_DUPLICATES, NULL);
	name = json_string_value(json_object_get(json, "name"));
	if (!name)
		return 0;
	type = json_string_value(json_object_get(json, "type"));
	version = json_string_value(json_object_get(json, "version"));
	return record_package(identity, type ? type : "", name, version ? version : "");
}

static size_t round_up(size_t n, size_t align)
{
	return (n + align - 1) & ~(align - 1);
}

int note_read(struct identity *identity, const uint8_t *notes, size_t len, size_t align,
	      bool big_endian)
{
	size_t at = 0;
	int err = 0;

	while (!err && len - at >= NOTE_HEADER) {
		const uint8_t *note = notes + at;
		uint32_t name_len = big_endian ? be32(note) : le32(note);
		uint32_t desc_len = big_endian ? be32(note + 4) : le32(note + 4);
		uint32_t type = big_endian ? be32(note + 8) : le32(note + 8);
		size_t left = len - at;
		size_t desc = round_up(NOTE_HEADER + (size_t)name_len, align);
		size_t next;

		if (desc > left || desc_len > left - desc)
			break;
		if (type == NT_GNU_BUILD_ID && name_len == sizeof("GNU") &&
		    !memcmp(note + NOTE_HEADER, "GNU", sizeof("GNU")))
			err = record_buildid(identity, note + desc, desc_len);
		else if (type == NOTE_PACKAGE && name_len == sizeof("FDO") &&
			 !memcmp(note + NOTE_HEADER, "FDO", sizeof("FDO")))
			err = package_read(identity, note + desc, desc_len);
		next = round_up(desc + desc_len, align);
		if (next >= left)
			break;
		at += next;
	}
	return err;
}

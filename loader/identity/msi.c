/* SPDX-License-Identifier: MIT */
/*
 * [MS-CFB]: sectors in chains, the chains in a table (FAT), the sectors of the table in another
 * (DIFAT), streams below a cutoff in the sectors of a stream of their own. Every step is bounded
 * by a count, so a chain that bites its tail ends.
 */
#include "loader/identity/msi.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "loader/identity/digest.h"
#include "loader/identity/identity.h"
#include "loader/identity/pkcs7.h"
#include "loader/identity/reader.h"
#include "loader/identity/record.h"
#include "policy/cleanup.h"

#define HEADER_SIZE 512
#define HEADER_DIFAT 76
#define HEADER_DIFAT_COUNT 109
#define DIFAT_SECTORS_MAX 1024
#define SECTOR_LAST 0xfffffffau /* larger numbers are marks */
#define ENTRY_SIZE 128
#define ENTRIES_MAX 65536
#define ENTRY_STREAM 2
#define STEPS_MAX 262144 /* links followed in one file; large installers take some thousands */

struct ole {
	const struct identity_reader *reader;
	uint8_t header[HEADER_SIZE];
	uint32_t sector; /* bytes */
	uint32_t mini;
	uint32_t cutoff;
	uint32_t *difat; /* the sectors of the FAT */
	size_t difat_count;
	/* the table's sector that was needed last */
	uint8_t *table;
	uint32_t table_at;
	uint32_t steps;
	uint32_t mini_start; /* the root entry's stream: all small streams */
	/* where in that stream the last piece was: the next is mostly just behind */
	uint32_t mini_sector;
	uint64_t mini_index;
	size_t signature_bytes;
};

static void cleanup_ole(struct ole *ole)
{
	free(ole->difat);
	free(ole->table);
}

/* Errors of structure are -EINVAL throughout. */
static int sector_read(const struct ole *ole, uint32_t n, uint32_t within, void *buf, size_t len)
{
	uint64_t off = ((uint64_t)n + 1) * ole->sector + within;

	if (n > SECTOR_LAST || off > ole->reader->size || len > ole->reader->size - off)
		return -EINVAL;
	return reader_read(ole->reader, buf, len, off);
}

static int difat_load(struct ole *ole)
{
	uint32_t per = ole->sector / 4 - 1, next = le32(ole->header + 68), i;
	uint32_t sectors = le32(ole->header + 72), s;
	cleanup(cleanup_free) uint8_t *buf = malloc(ole->sector);

	if (sectors > DIFAT_SECTORS_MAX)
		return -EINVAL;
	ole->difat = calloc(HEADER_DIFAT_COUNT + (size_t)sectors * per, sizeof(*ole->difat));
	if (!buf || !ole->difat)
		return -ENOMEM;
	for (i = 0; i < HEADER_DIFAT_COUNT; i++)
		ole->difat[ole->difat_count++] = le32(ole->header + HEADER_DIFAT + 4 * i);
	for (s = 0; s < sectors && next <= SECTOR_LAST; s++) {
		int err = sector_read(ole, next, 0, buf, ole->sector);

		if (err)
			return err;
		for (i = 0; i < per; i++)
			ole->difat[ole->difat_count++] = le32(buf + 4 * i);
		next = le32(buf + (size_t)4 * per);
	}
	return 0;
}

static int fat_next(struct ole *ole, uint32_t n, uint32_t *ret_next)
{
	uint32_t per = ole->sector / 4, table = n / per;
	int err;

	if (n > SECTOR_LAST || table >= ole->difat_count || ole->steps++ == STEPS_MAX)
		return -EINVAL;
	if (table != ole->table_at) {
		err = sector_read(ole, ole->difat[table], 0, ole->table, ole->sector);
		ole->table_at = err ? UINT32_MAX : table;
		if (err)
			return err;
	}
	*ret_next = le32(ole->table + (size_t)4 * (n % per));
	return 0;
}

/* The sector @steps behind @start. More steps than there are sectors bite their tail. */
static int chain_walk(struct ole *ole, uint32_t start, uint64_t steps, uint32_t *ret_sector)
{
	int err = steps > ole->reader->size / ole->sector ? -EINVAL : 0;

	while (!err && steps--)
		err = fat_next(ole, start, &start);
	*ret_sector = start;
	return err;
}

/* A stream in whole sectors into @buf. */
static int stream_read(struct ole *ole, uint32_t start, uint8_t *buf, size_t size)
{
	size_t at = 0;
	int err = 0;

	while (!err && at < size) {
		size_t n = size - at < ole->sector ? size - at : ole->sector;

		err = sector_read(ole, start, 0, buf + at, n);
		at += n;
		if (!err && at < size)
			err = fat_next(ole, start, &start);
	}
	return err;
}

/* The sector of the root's stream that has byte @off of it. */
static int mini_sector(struct ole *ole, uint64_t off, uint32_t *ret_sector)
{
	uint64_t index = off / ole->sector;
	int err;

	if (index < ole->mini_index) {
		ole->mini_index = 0;
		ole->mini_sector = ole->mini_start;
	}
	err = chain_walk(ole, ole->mini_sector, index - ole->mini_index, ret_sector);
	if (err)
		return err;
	ole->mini_index = index;
	ole->mini_sector = *ret_sector;
	return 0;
}

/* A small stream: its chain is in the mini FAT, its sectors are pieces of the root's stream. */
static int mini_read(struct ole *ole, uint32_t start, uint8_t *buf, size_t size)
{
	uint32_t fat = le32(ole->header + 60), per = ole->sector / 4;
	uint32_t sector;
	size_t at = 0;

	while (at < size) {
		size_t n = size - at < ole->mini ? size - at : ole->mini;
		uint64_t off = (uint64_t)start * ole->mini;
		uint8_t next[4];
		int err;

		if (start > SECTOR_LAST || off > ole->reader->size)
			return -EINVAL;
		err = mini_sector(ole, off, &sector);
		if (!err)
			err = sector_read(ole, sector, off % ole->sector, buf + at, n);
		at += n;
		if (err || at == size)
			return err;
		err = chain_walk(ole, fat, start / per, &sector);
		if (!err)
			err = sector_read(ole, sector, start % per * 4, next, sizeof(next));
		if (err)
			return err;
		start = le32(next);
	}
	return 0;
}

static int signature_read(struct ole *ole, struct identity *identity, const uint8_t *entry,
			  unsigned int flags)
{
	/* What an installer's own digest is made of is not computed: digest_ok stays unknown. */
	const struct digest_set none = {};
	const struct pkcs7_content content = { .verify = flags & IDENTITY_VERIFY,
					       .digests = &none };
	uint32_t start = le32(entry + 116), size = le32(entry + 120);
	cleanup(cleanup_free) uint8_t *bytes = NULL;
	int err;

	ole->signature_bytes += size;
	if (ole->signature_bytes > IDENTITY_SIGNATURE_MAX) {
		record_overflow(identity, "signatures of more than 16 MiB");
		return 0;
	}
	if (size > ole->reader->size)
		return -EINVAL;
	bytes = malloc(size ? size : 1);
	if (!bytes)
		return -ENOMEM;
	err = size < ole->cutoff ? mini_read(ole, start, bytes, size) :
				   stream_read(ole, start, bytes, size);
	return err ? err : pkcs7_read(identity, bytes, size, &content);
}

/* Names are UTF-16, with their length in bytes and the NUL counted. */
static bool entry_is(const uint8_t *entry, const char *name)
{
	size_t len = strlen(name) + 1, i;

	if (entry[66] != ENTRY_STREAM || le16(entry + 64) != len * 2)
		return false;
	for (i = 0; i < len; i++)
		if (le16(entry + 2 * i) != (uint8_t)name[i])
			return false;
	return true;
}

/* Classes of Windows Installer: packages, patches, transforms. */
static bool is_installer(const uint8_t *root)
{
	static const uint8_t tail[12] = { 0, 0, 0, 0, 0xc0, 0, 0, 0, 0, 0, 0, 0x46 };
	uint32_t class = le32(root + 80);

	return (class == 0xc1084 || class == 0xc1086 || class == 0xc1082) &&
	       !memcmp(root + 84, tail, sizeof(tail));
}

static int directory_read(struct ole *ole, struct identity *identity, unsigned int flags)
{
	uint32_t sector = le32(ole->header + 48), per = ole->sector / ENTRY_SIZE, i;
	uint64_t fit = ole->reader->size / ENTRY_SIZE, max = fit < ENTRIES_MAX ? fit : ENTRIES_MAX;
	uint8_t entry[ENTRY_SIZE];
	int err = 0;

	for (i = 0; !err && i < max && sector <= SECTOR_LAST; i++) {
		err = sector_read(ole, sector, i % per * ENTRY_SIZE, entry, sizeof(entry));
		if (!err && !i) {
			ole->mini_start = ole->mini_sector = le32(entry + 116);
			if (is_installer(entry))
				identity->type = IDENTITY_MSI;
		}
		if (!err && entry_is(entry, "\5DigitalSignature"))
			err = signature_read(ole, identity, entry, flags);
		if (!err && i % per == per - 1)
			err = fat_next(ole, sector, &sector);
		if (identity->keys.overflow)
			break;
	}
	return err;
}

int msi_read(struct identity *identity, const struct identity_reader *reader, const uint8_t *head,
	     size_t head_len, unsigned int flags)
{
	cleanup(cleanup_ole) struct ole ole = { .reader = reader, .table_at = UINT32_MAX };
	int err;

	if (head_len < HEADER_SIZE)
		return 0;
	memcpy(ole.header, head, HEADER_SIZE);
	/* sectors of 512 or 4096 bytes, small ones of 64: nothing else exists */
	if ((le16(head + 30) != 9 && le16(head + 30) != 12) || le16(head + 32) != 6)
		return 0;
	ole.sector = 1u << le16(head + 30);
	ole.mini = 64;
	ole.cutoff = le32(head + 56);
	if (ole.cutoff > 65536)
		return 0;
	ole.table = malloc(ole.sector);
	if (!ole.table)
		return -ENOMEM;
	err = difat_load(&ole);
	if (!err)
		err = directory_read(&ole, identity, flags);
	if (err != -EINVAL)
		return err;
	record_problem(identity, "an OLE2 document whose tables cannot be followed");
	return 0;
}

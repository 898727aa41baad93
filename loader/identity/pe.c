/* SPDX-License-Identifier: MIT */
/*
 * One pass over the file, whatever its size: the digests, the header and the certificate table all
 * come from the same read, so they are about the same bytes.
 *
 * The Authenticode digest covers everything but three holes: the checksum, the directory entry
 * of the certificate table, and that table. Where the holes are is only known at the PE header,
 * which may lie anywhere, so bytes are digested up to the header, the header is put together,
 * and then the rest follows.
 */
#include "loader/identity/pe.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "loader/identity/digest.h"
#include "loader/identity/identity.h"
#include "loader/identity/pkcs7.h"
#include "loader/identity/reader.h"
#include "loader/identity/record.h"
#include "policy/cleanup.h"

/* Offsets from the signature "PE\0\0", where the two formats agree up to the checksum. */
#define OPTIONAL_MAGIC 24
#define CHECKSUM 88
#define CHECKSUM_SIZE 4
#define DIRECTORY_COUNT_PE32 116
#define DIRECTORY_COUNT_PE32_PLUS 132
#define CERTIFICATES_PE32 152
#define CERTIFICATES_PE32_PLUS 168
#define DIRECTORY_SIZE 8
#define HEADER_SIZE (CERTIFICATES_PE32_PLUS + DIRECTORY_SIZE)

#define MAGIC_PE32 0x10b
#define MAGIC_PE32_PLUS 0x20b
#define CERTIFICATES_INDEX 4

#define IMAGE_MAX UINT32_MAX /* all that its header could place anything in */

/* WIN_CERTIFICATE: length, revision, type, then the signature; entries begin at multiples of 8. */
#define ENTRY_HEADER 8
#define ENTRY_TYPE_EFI_GUID 0x0ef1
#define EFI_GUID_SIZE 16

struct hole {
	uint64_t start;
	uint64_t end;
};

struct pe {
	struct identity *identity;
	uint64_t size;
	uint64_t header_off; /* of "PE\0\0" */
	uint8_t header[HEADER_SIZE];
	size_t header_len; /* bytes put together so far */
	size_t header_want;
	bool parsed;
	bool is_pe;
	struct hole holes[3]; /* checksum, directory entry, table: in file order, empty if absent */
	uint8_t *table;
	size_t table_len;
	struct digest_set image;
	struct digest_set whole;
};

static void cleanup_pe(struct pe *pe)
{
	digest_release(&pe->image);
	digest_release(&pe->whole);
	free(pe->table);
}

/* Digest [off, off + len) without the holes, and keep what falls into the table. */
static int image_update(struct pe *pe, uint64_t off, const uint8_t *data, size_t len)
{
	uint64_t at = off, end = off + len;
	size_t i;
	int err;

	for (i = 0; i < 3; i++) {
		const struct hole *h = &pe->holes[i];

		if (h->end <= at || h->start >= end || h->start == h->end)
			continue;
		if (h->start > at) {
			err = digest_update(&pe->image, data + (at - off), h->start - at);
			if (err)
				return err;
			at = h->start;
		}
		if (i == 2 && pe->table)
			memcpy(pe->table + (at - h->start), data + (at - off),
			       (h->end < end ? h->end : end) - at);
		at = h->end < end ? h->end : end;
	}
	return at < end ? digest_update(&pe->image, data + (at - off), end - at) : 0;
}

/* The certificate table's place, made to fit the file; what cannot be right is no table. */
static int table_place(struct pe *pe, const uint8_t *entry)
{
	uint64_t start = le32(entry), len = le32(entry + 4), end = start + len;

	if (!start && !len)
		return 0;
	if (start < pe->header_off + pe->header_want || start >= pe->size || !len) {
		record_problem(pe->identity, "a certificate table that is not inside the file");
		return 0;
	}
	if (end > pe->size) {
		record_problem(pe->identity, "a certificate table that ends behind the file");
		end = pe->size;
	}
	pe->holes[2] = (struct hole){ start, end };
	if (end - start > IDENTITY_SIGNATURE_MAX) {
		record_overflow(pe->identity, "signatures of more than 16 MiB");
		return 0;
	}
	pe->table_len = end - start;
	pe->table = malloc(pe->table_len);
	return pe->table ? 0 : -ENOMEM;
}

static int header_parse(struct pe *pe)
{
	const uint8_t *h = pe->header;
	uint64_t off = pe->header_off;
	size_t count, entry;

	pe->parsed = true;
	if (pe->header_len < CHECKSUM + CHECKSUM_SIZE || memcmp(h, "PE\0\0", 4))
		return 0;
	switch (le16(h + OPTIONAL_MAGIC)) {
	case MAGIC_PE32:
		count = DIRECTORY_COUNT_PE32;
		entry = CERTIFICATES_PE32;
		break;
	case MAGIC_PE32_PLUS:
		count = DIRECTORY_COUNT_PE32_PLUS;
		entry = CERTIFICATES_PE32_PLUS;
		break;
	default:
		return 0;
	}
	pe->is_pe = true;
	pe->holes[0] = (struct hole){ off + CHECKSUM, off + CHECKSUM + CHECKSUM_SIZE };
	if (pe->header_len < entry + DIRECTORY_SIZE || le32(h + count) <= CERTIFICATES_INDEX)
		return 0;
	pe->holes[1] = (struct hole){ off + entry, off + entry + DIRECTORY_SIZE };
	return table_place(pe, h + entry);
}

/*
 * The header is whole, or as much of it as the file has. Of digests that no signature can name there
 * is no need: in a large file each costs seconds.
 */
static int header_done(struct pe *pe)
{
	int err = header_parse(pe);

	if (!pe->table) {
		digest_drop(&pe->image, DIGEST_SHA384);
		digest_drop(&pe->image, DIGEST_SHA512);
	}
	return err;
}

static int chunk_update(struct pe *pe, uint64_t off, const uint8_t *data, size_t len)
{
	int err = digest_update(&pe->whole, data, len);
	size_t n;

	if (!err && off < pe->header_off) {
		n = len < pe->header_off - off ? len : (size_t)(pe->header_off - off);
		err = digest_update(&pe->image, data, n);
		off += n;
		data += n;
		len -= n;
	}
	if (!err && len && !pe->parsed) {
		n = pe->header_want - pe->header_len;
		if (n > len)
			n = len;
		memcpy(pe->header + pe->header_len, data, n);
		pe->header_len += n;
		off += n;
		data += n;
		len -= n;
		if (pe->header_len == pe->header_want) {
			err = header_done(pe);
			if (!err)
				err = image_update(pe, pe->header_off, pe->header, pe->header_len);
		}
	}
	return err || !len ? err : image_update(pe, off, data, len);
}

static int stream(struct pe *pe, const struct identity_reader *reader, const uint8_t *head,
		  size_t head_len)
{
	size_t chunk = pe->size < DIGEST_CHUNK ? (size_t)pe->size : DIGEST_CHUNK;
	cleanup(cleanup_free) uint8_t *buf = malloc(chunk);
	static const uint8_t zeroes[8];
	uint64_t off;
	int err = 0;

	if (!buf)
		return -ENOMEM;
	for (off = 0; !err && off < pe->size; off += chunk) {
		size_t len = pe->size - off < chunk ? (size_t)(pe->size - off) : chunk;

		err = reader_read(reader, buf, len, off);
		/* Where the header is was learnt from an earlier read of these. */
		if (!err && !off && memcmp(buf, head, head_len))
			err = -EAGAIN;
		if (!err)
			err = chunk_update(pe, off, buf, len);
	}
	/*
	 * Signing pads the file to a multiple of eight first, so an unsigned file is digested as if
	 * it were padded: it has one Authenticode digest before and after.
	 */
	if (!err && !pe->holes[2].end && pe->size % 8)
		err = digest_update(&pe->image, zeroes, 8 - pe->size % 8);
	if (!err)
		err = digest_finish(&pe->image);
	if (!err)
		err = digest_finish(&pe->whole);
	return err;
}

static int table_walk(struct pe *pe, const struct pkcs7_content *content)
{
	size_t at = 0, entries = 0;

	while (pe->table_len - at > ENTRY_HEADER) {
		const uint8_t *entry = pe->table + at;
		size_t left = pe->table_len - at, len = le32(entry), skip = ENTRY_HEADER;
		int err;

		if (len <= ENTRY_HEADER)
			break; /* padding, or nothing that could be stepped over */
		if (entries++ == IDENTITY_ENTRIES_MAX) {
			record_overflow(pe->identity,
					"more than 64 entries in a certificate table");
			break;
		}
		if (len > left) {
			record_problem(pe->identity, "a signature that ends behind its table");
			len = left;
		}
		if (le16(entry + 6) == ENTRY_TYPE_EFI_GUID)
			skip += EFI_GUID_SIZE;
		if (len > skip) {
			err = pkcs7_read(pe->identity, entry + skip, len - skip, content);
			if (err)
				return err;
		}
		len = (len + 7) & ~(size_t)7;
		if (len >= left)
			break;
		at += len;
	}
	return 0;
}

static int results(struct pe *pe, unsigned int flags)
{
	const struct pkcs7_content content = {
		.verify = flags & IDENTITY_VERIFY,
		.digests = &pe->image,
	};
	struct debar_key key = { .kind = DEBAR_KEY_AUTHENTICODE };
	struct identity *identity = pe->identity;

	if (pe->whole.has[DIGEST_SHA256]) {
		memcpy(identity->sha256, pe->whole.value[DIGEST_SHA256], 32);
		identity->has_sha256 = true;
	}
	if (!pe->is_pe) {
		identity->type = IDENTITY_DOS;
		return 0;
	}
	identity->type = IDENTITY_PE;
	identity->has_authenticode = true;
	memcpy(identity->authenticode, pe->image.value[DIGEST_SHA256], 32);
	memcpy(identity->authenticode_sha1, pe->image.value[DIGEST_SHA1], 20);
	memcpy(key.value, identity->authenticode, 32);
	identity_add_key(identity, &key);
	key = (struct debar_key){ .kind = DEBAR_KEY_AUTHENTICODE_SHA1 };
	memcpy(key.value, identity->authenticode_sha1, 20);
	identity_add_key(identity, &key);
	return pe->table ? table_walk(pe, &content) : 0;
}

int pe_read(struct identity *identity, const struct identity_reader *reader, const uint8_t *head,
	    size_t head_len, unsigned int flags)
{
	const unsigned int all = (1u << DIGEST_KIND_MAX) - 1;
	const unsigned int keys = 1u << DIGEST_SHA1 | 1u << DIGEST_SHA256;
	cleanup(cleanup_pe) struct pe pe = { .identity = identity, .size = reader->size };
	int err;

	identity->type = IDENTITY_DOS;
	if (head_len < 64)
		return 0;
	pe.header_off = le32(head + 60);
	if (pe.header_off >= pe.size)
		return 0;
	if (pe.header_off + 4 <= head_len && memcmp(head + pe.header_off, "PE\0\0", 4))
		return 0;
	if (pe.size > IMAGE_MAX) {
		identity->type = IDENTITY_PE;
		record_overflow(identity, "a Windows image of more than 4 GiB");
		return 0;
	}
	pe.header_want = pe.size - pe.header_off < HEADER_SIZE ? (size_t)(pe.size - pe.header_off) :
								 HEADER_SIZE;
	err = digest_start(&pe.image, flags & IDENTITY_VERIFY ? all : keys);
	if (!err && flags & IDENTITY_SHA256)
		err = digest_start(&pe.whole, 1u << DIGEST_SHA256);
	if (!err)
		err = stream(&pe, reader, head, head_len);
	return err ? err : results(&pe, flags);
}

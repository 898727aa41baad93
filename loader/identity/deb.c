/* SPDX-License-Identifier: MIT */
/* deb(5): an ar archive of debian-binary, control.tar[.gz|.xz|.zst] and data.tar, in this order. */
#include "loader/identity/deb.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "loader/identity/identity.h"
#include "loader/identity/openpgp.h"
#include "loader/identity/reader.h"
#include "loader/identity/record.h"
#include "loader/identity/unpack.h"
#include "policy/cleanup.h"

#define AR_MAGIC_SIZE 8
#define AR_HEADER_SIZE 60
#define AR_SIZE_OFF 48
#define AR_SIZE_LEN 10
#define AR_MEMBERS_MAX 16
#define TAR_BLOCK 512
#define TAR_SIZE_OFF 124
#define TAR_SIZE_LEN 12
#define TAR_TYPE_OFF 156
#define CONTROL_MAX (16u << 20) /* bytes of the unpacked control archive */
#define SIGNATURE_MAX 65536	/* bytes of a member that debsigs adds */

struct member {
	char name[17]; /* without the blanks or the / behind it */
	uint64_t off;
	uint64_t size;
};

/* Digits of a fixed field, as far as there are any. */
static uint64_t field_number(const uint8_t *field, size_t len, unsigned int base)
{
	uint64_t n = 0;
	size_t i = 0;

	while (i < len && field[i] == ' ')
		i++;
	for (; i < len && field[i] >= '0' && field[i] < '0' + base; i++)
		n = n * base + (field[i] - '0');
	return n;
}

/* 0, -ENOENT at the end or at what is no member, or the reader's error. */
static int member_read(const struct identity_reader *reader, uint64_t off,
		       struct member *ret_member)
{
	uint8_t header[AR_HEADER_SIZE];
	size_t len = 16;
	int err;

	if (off > reader->size || reader->size - off < sizeof(header))
		return -ENOENT;
	err = reader_read(reader, header, sizeof(header), off);
	if (err)
		return err;
	if (memcmp(header + 58, "`\n", 2))
		return -ENOENT;
	while (len && (header[len - 1] == ' ' || header[len - 1] == '/'))
		len--;
	memcpy(ret_member->name, header, len);
	ret_member->name[len] = '\0';
	ret_member->off = off + AR_HEADER_SIZE;
	ret_member->size = field_number(header + AR_SIZE_OFF, AR_SIZE_LEN, 10);
	return ret_member->size <= reader->size - ret_member->off ? 0 : -ENOENT;
}

/* The value of the field at the beginning of a line, without blanks around it. */
static int control_field(const char *text, size_t len, const char *name, char **ret_value)
{
	size_t name_len = strlen(name);
	const char *end = text + len, *next;

	for (; text < end; text = next) {
		const char *stop = memchr(text, '\n', (size_t)(end - text));

		next = stop ? stop + 1 : end;
		if (!stop)
			stop = end;
		if ((size_t)(stop - text) <= name_len || text[name_len] != ':' ||
		    strncasecmp(text, name, name_len))
			continue;
		text += name_len + 1;
		while (text < stop && strchr(" \t\r", *text))
			text++;
		while (stop > text && strchr(" \t\r", stop[-1]))
			stop--;
		*ret_value = strndup(text, (size_t)(stop - text));
		return *ret_value ? 0 : -ENOMEM;
	}
	*ret_value = NULL;
	return 0;
}

static int control_read(struct identity *identity, const char *text, size_t len)
{
	cleanup(cleanup_free) char *name = NULL, *version = NULL;
	int err = control_field(text, len, "Package", &name);

	if (!err)
		err = control_field(text, len, "Version", &version);
	if (err || !name)
		return err;
	return record_package(identity, "deb", name, version ? version : "");
}

/* Unpacking lets the last file of a name win, so the last one counts. */
static int tar_read(struct identity *identity, const uint8_t *tar, size_t len)
{
	const uint8_t *control = NULL;
	size_t control_len = 0, at = 0;

	while (len - at >= TAR_BLOCK && tar[at]) {
		const uint8_t *header = tar + at;
		const char *name = (const char *)header;
		uint64_t size = field_number(header + TAR_SIZE_OFF, TAR_SIZE_LEN, 8);
		uint8_t type = header[TAR_TYPE_OFF];

		at += TAR_BLOCK;
		if (size > len - at)
			break;
		if ((type == '0' || !type) &&
		    (!strcmp(name, "./control") || !strcmp(name, "control"))) {
			control = tar + at;
			control_len = size;
		}
		at += (size + TAR_BLOCK - 1) / TAR_BLOCK * TAR_BLOCK;
		if (at > len)
			break;
	}
	if (!control) {
		record_problem(identity, "a Debian package without a control file");
		return 0;
	}
	return control_read(identity, (const char *)control, control_len);
}

static int archive_read(struct identity *identity, const struct identity_reader *reader,
			const struct member *member)
{
	cleanup(cleanup_free) uint8_t *tar = NULL;
	size_t len = 0;
	int err;

	if (!strcmp(member->name, "control.tar")) {
		len = member->size < CONTROL_MAX ? (size_t)member->size : CONTROL_MAX;
		err = reader_copy(reader, member->off, len, &tar);
	} else {
		err = unpack(reader, member->off, member->size, CONTROL_MAX, &tar, &len);
	}
	if (err == -EINVAL || err == -EFBIG) {
		record_problem(identity,
			       "a Debian package whose control archive cannot be unpacked");
		return 0;
	}
	return err ? err : tar_read(identity, tar, len);
}

static int key_read(struct identity *identity, const struct identity_reader *reader,
		    const struct member *member)
{
	cleanup(cleanup_free) uint8_t *bytes = NULL;
	int err;

	if (identity->signing_key_len || member->size > SIGNATURE_MAX)
		return 0;
	err = reader_copy(reader, member->off, (size_t)member->size, &bytes);
	if (!err)
		identity->signing_key_len =
			openpgp_signer(bytes, (size_t)member->size, identity->signing_key);
	return err;
}

int deb_read(struct identity *identity, const struct identity_reader *reader, const uint8_t *head,
	     size_t head_len, unsigned int flags)
{
	uint64_t off = AR_MAGIC_SIZE;
	struct member member;
	bool control = false;
	size_t i;
	int err = 0;

	(void)head, (void)head_len, (void)flags;
	identity->type = IDENTITY_DEB;
	for (i = 0; !err && i < AR_MEMBERS_MAX; i++) {
		err = member_read(reader, off, &member);
		if (err)
			break;
		if (!control && !strncmp(member.name, "control.tar", 11)) {
			control = true;
			err = archive_read(identity, reader, &member);
		} else if (!strncmp(member.name, "_gpg", 4)) {
			err = key_read(identity, reader, &member);
		}
		/* members begin at even offsets */
		off = member.off + member.size + (member.size & 1);
	}
	if (!control)
		record_problem(identity, "a Debian package without a control archive");
	return err && err != -ENOENT ? err : record_openpgp(identity);
}

/* SPDX-License-Identifier: MIT */
/* An RPM is a lead, a header of signatures, a header of facts, and the payload, which we leave. */
#include "loader/identity/rpm.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "loader/identity/identity.h"
#include "loader/identity/openpgp.h"
#include "loader/identity/reader.h"
#include "loader/identity/record.h"
#include "loader/identity/rpm_header.h"
#include "policy/cleanup.h"

#define LEAD_SIZE 96
#define HEADER_START 16 /* magic, reserved, and two sizes */

struct section {
	uint8_t *bytes;
	struct rpm_header header;
	uint64_t end; /* offset in the file of what follows */
};

static void cleanup_section(struct section *section)
{
	free(section->bytes);
}

/* 0, -EINVAL when there is no header of bearable size, or the reader's error. */
static int section_read(const struct identity_reader *reader, uint64_t off,
			struct section *ret_section)
{
	uint8_t start[HEADER_START];
	uint64_t size;
	int err;

	if (off > reader->size || reader->size - off < sizeof(start))
		return -EINVAL;
	err = reader_read(reader, start, sizeof(start), off);
	if (err)
		return err;
	size = rpm_header_size(start + 8);
	if (memcmp(start, "\x8e\xad\xe8\x01", 4) || size > RPM_HEADER_MAX)
		return -EINVAL;
	off += sizeof(start);
	err = reader_copy(reader, off, (size_t)size, &ret_section->bytes);
	if (err)
		return err;
	ret_section->header = rpm_header_at(start + 8, ret_section->bytes);
	ret_section->end = off + size;
	return 0;
}

static const char *header_text(const struct rpm_header *header, enum rpm_tag tag)
{
	struct rpm_values values;
	const char *text;

	if (!rpm_header_find(header, tag, RPM_TYPE_STRING, &values) ||
	    !rpm_values_string(&values, &text))
		return NULL;
	return text;
}

static int package_read(struct identity *identity, const struct rpm_header *header)
{
	const char *name = header_text(header, RPM_TAG_NAME);
	const char *version = header_text(header, RPM_TAG_VERSION);
	const char *release = header_text(header, RPM_TAG_RELEASE);
	cleanup(cleanup_free) char *both = NULL;

	if (!name) {
		record_problem(identity, "an RPM package without a name");
		return 0;
	}
	if (asprintf(&both, "%s-%s", version ? version : "", release ? release : "") < 0) {
		both = NULL;
		return -ENOMEM;
	}
	return record_package(identity, "rpm", name, both);
}

static void key_read(struct identity *identity, const struct rpm_header *header)
{
	static const enum rpm_tag tags[] = { RPM_TAG_SIG_RSA, RPM_TAG_SIG_DSA, RPM_TAG_SIG_PGP,
					     RPM_TAG_SIG_GPG };
	struct rpm_values values;
	size_t i;

	for (i = 0; i < sizeof(tags) / sizeof(*tags) && !identity->signing_key_len; i++)
		if (rpm_header_find(header, tags[i], RPM_TYPE_BIN, &values))
			identity->signing_key_len = openpgp_signer(
				values.at, values.count < values.len ? values.count : values.len,
				identity->signing_key);
}

int rpm_read(struct identity *identity, const struct identity_reader *reader, const uint8_t *head,
	     size_t head_len, unsigned int flags)
{
	cleanup(cleanup_section) struct section signatures = {}, facts = {};
	int err;

	(void)head, (void)head_len, (void)flags;
	identity->type = IDENTITY_RPM;
	err = section_read(reader, LEAD_SIZE, &signatures);
	if (!err) {
		key_read(identity, &signatures.header);
		err = section_read(reader, (signatures.end + 7) & ~(uint64_t)7, &facts);
	}
	if (!err)
		err = record_openpgp(identity);
	if (!err)
		return package_read(identity, &facts.header);
	if (err != -EINVAL)
		return err;
	record_problem(identity, "an RPM package whose headers cannot be read");
	return 0;
}

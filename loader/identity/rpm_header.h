/* SPDX-License-Identifier: MIT */
/* The header of an RPM package, in its file and in the database: tags, and one store of data. */
#ifndef DEBAR_LOADER_IDENTITY_RPM_HEADER_H
#define DEBAR_LOADER_IDENTITY_RPM_HEADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RPM_HEADER_MAX (16u << 20)

enum rpm_tag {
	RPM_TAG_SIG_DSA = 267,
	RPM_TAG_SIG_RSA = 268,
	RPM_TAG_NAME = 1000,
	RPM_TAG_VERSION = 1001,
	RPM_TAG_RELEASE = 1002,
	RPM_TAG_FILE_STATES = 1029,
	RPM_TAG_DIR_INDEXES = 1116,
	RPM_TAG_BASE_NAMES = 1117,
	RPM_TAG_DIR_NAMES = 1118,
	/* numbers of the signature header, which begin from 1000 again */
	RPM_TAG_SIG_PGP = 1002,
	RPM_TAG_SIG_GPG = 1005,
};

enum rpm_type {
	RPM_TYPE_CHAR = 1,
	RPM_TYPE_INT32 = 4,
	RPM_TYPE_STRING = 6,
	RPM_TYPE_BIN = 7,
	RPM_TYPE_STRINGS = 8,
};

struct rpm_header {
	const uint8_t *entries;
	uint32_t count;
	const uint8_t *data;
	uint32_t data_len;
};

/* A tag's values. `len` reaches to the end of the store: that is all that is known. */
struct rpm_values {
	const uint8_t *at;
	size_t len;
	uint32_t count;
};

/* Numbers of entries and of data bytes, as the eight bytes before the entries say. */
uint64_t rpm_header_size(const uint8_t sizes[8]);

/* @bytes are the entries and the data, rpm_header_size() of them. */
struct rpm_header rpm_header_at(const uint8_t sizes[8], const uint8_t *bytes);

/* False: the tag is absent, of another type, or outside of the store. */
bool rpm_header_find(const struct rpm_header *header, enum rpm_tag tag, enum rpm_type type,
		     struct rpm_values *ret_values);

/* The next string of an array; false at the end, and where the NUL is missing. */
bool rpm_values_string(struct rpm_values *values, const char **ret_string);

#endif

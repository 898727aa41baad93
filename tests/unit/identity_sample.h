/* SPDX-License-Identifier: MIT */
/* Samples for the tests of loader/identity/, and what is known of them. */
#ifndef DEBAR_TESTS_IDENTITY_SAMPLE_H
#define DEBAR_TESTS_IDENTITY_SAMPLE_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "loader/identity/identity.h"

/* osslsigncode signed these, by throw-away authorities whose keys are gone. */
#define SAMPLE "tests/fuzz/corpus/"

struct sample {
	uint8_t *data;
	size_t len;
};

__attribute__((unused)) static struct sample sample_load(const char *path)
{
	struct sample sample = {};
	FILE *file = fopen(path, "rb");

	if (file && !fseek(file, 0, SEEK_END)) {
		sample.len = (size_t)ftell(file);
		sample.data = malloc(sample.len + 1);
		rewind(file);
		if (!sample.data || fread(sample.data, 1, sample.len, file) != sample.len)
			sample.len = 0;
	}
	if (file)
		fclose(file);
	if (!sample.len) {
		printf("Bail out! no sample %s\n", path);
		exit(1);
	}
	return sample;
}

/* NULL when reading failed, and then *ret_err says how. */
__attribute__((unused)) static struct identity *sample_read(const void *data, size_t len,
							    unsigned int flags, int *ret_err)
{
	struct identity_memory memory = { data, len };
	struct identity_reader reader = identity_memory_reader(&memory);
	struct identity *identity = NULL;
	int err = identity_read(&identity, &reader, flags);

	if (ret_err)
		*ret_err = err;
	return err ? NULL : identity;
}

__attribute__((unused)) static bool sample_has_key(const struct identity *identity,
						   enum debar_key_kind kind, const void *value,
						   size_t len)
{
	uint8_t padded[32] = {};
	__u32 i;

	memcpy(padded, value, len);
	for (i = 0; i < identity->keys.count; i++)
		if (identity->keys.keys[i].kind == kind &&
		    !memcmp(identity->keys.keys[i].value, padded, sizeof(padded)))
			return true;
	return false;
}

__attribute__((unused)) static size_t sample_count_keys(const struct identity *identity,
							enum debar_key_kind kind)
{
	size_t count = 0;
	__u32 i;

	for (i = 0; i < identity->keys.count; i++)
		count += identity->keys.keys[i].kind == kind;
	return count;
}

#endif

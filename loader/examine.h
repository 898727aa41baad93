/* SPDX-License-Identifier: MIT */
/*
 * What is this file? Opens it without being held up by what only looks like one, reads it once, and
 * gives all of its keys: those of its content and those of its place.
 */
#ifndef DEBAR_LOADER_EXAMINE_H
#define DEBAR_LOADER_EXAMINE_H

#include <stddef.h>

#include "bpf/abi.h"

struct identity;
struct packages;

/* The digest, the keys of the content, and one for each directory above it. */
#define EXAMINE_KEYS_MAX (1 + DEBAR_FILE_KEYS_MAX + 128)
#define EXAMINE_OWNERS_MAX 4

/* Bytes of the largest file that is digested: minutes of reading, and nothing that is ever run. */
#define EXAMINE_DIGEST_MAX (64LL << 30)

struct examined {
	char *real; /* absolute path without links */
	struct identity *identity;
	size_t owner_count;			/* packages that own the path */
	const char *owners[EXAMINE_OWNERS_MAX]; /* which belong to the packages */
	size_t key_count;
	struct debar_key keys[EXAMINE_KEYS_MAX];
};

/*
 * Never waits on a FIFO or a device. @packages, which may be NULL, has to outlive what is examined.
 * On failure *reterr_words says what is wrong with the file.
 */
int examine_file(struct examined **ret_examined, const struct packages *packages, const char *path,
		 const char **reterr_words);

/* The package to name: the owner, or else what the file says of itself; NULL: none. */
const char *examine_package(const struct examined *examined);

void examine_free(struct examined *examined);

#endif

/* SPDX-License-Identifier: MIT */
/* Which policy? From what -p names, or /etc/debar/policy.d, to one checked struct policy. */
#ifndef DEBAR_READ_H
#define DEBAR_READ_H

#include <stdbool.h>
#include <stddef.h>

#include "policy/policy.h"

#define READ_POLICY_DIR "/etc/debar/policy.d"

/* The policies a command line names; strings belong to the caller. */
struct read_names {
	size_t count;
	char *names[DEBAR_BANS_MAX];
	bool trusted; /* where an anchor is configured, only what is signed is accepted */
};

/*
 * Reads, parses and checks every policy of @names (a file, a directory in name order, or the id of
 * a shipped ban); none named: READ_POLICY_DIR. Errors and warnings have been printed when this
 * returns negative. -ENODATA, and nothing printed: none named and the directory has none.
 */
int read_policy(const struct read_names *names, const struct policy_checks *checks,
		struct policy **ret_policy);

/* Every shipped ban, for verbs that look and do not enforce. */
int read_shipped(const struct policy_checks *checks, struct policy **ret_policy);

struct trust_manifest;

/* Parse one file as it is, noting what was read for it; unchecked. A message has been printed. */
int read_one(struct policy *policy, const char *path, struct trust_manifest *manifest);

/* READ_POLICY_DIR, or $DEBAR_POLICY_DIR. */
const char *read_policy_dir(void);

/* Where the shipped bans are: the build's data directory, or $DEBAR_BANS. */
const char *read_bans_dir(void);

/* An absolute path for a named file or directory, the name itself for a shipped ban; malloc'd. */
char *read_resolve(const char *name);

#endif

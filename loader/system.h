/* SPDX-License-Identifier: MIT */
/* Files this machine cannot do without, by content. */
#ifndef DEBAR_SYSTEM_H
#define DEBAR_SYSTEM_H

#include <stddef.h>

#include "policy/policy.h"

#define SYSTEM_FILES_MAX 32

struct packages;

struct system_files {
	size_t count;
	struct packages *packages; /* whose the names of the owners are */
	struct policy_system_file files[SYSTEM_FILES_MAX];
	char *paths[SYSTEM_FILES_MAX];
};

/*
 * Init, the shell, debar itself, and what debar maps, the loader and the C library among it: a policy
 * that bans one of them needs --force.
 */
void system_read(struct system_files *ret_files);
/* policy_checks.find_packages: @ctx is a struct system_files. */
void system_find_packages(void *ctx);
void system_release(struct system_files *files);

/* sha256 of the file's bytes. */
int system_digest(const char *path, __u8 ret_digest[32]);

/*
 * Called for each file that is never refused by what is derived from it: the same, rescue shells,
 * what they and init load. @name stays the same across upgrades, @path has no links in it. A file may
 * come more than once; one that is not there does not.
 */
typedef void system_file_fn(void *ctx, const char *name, const char *path);
void system_each_needed(system_file_fn *fn, void *ctx);

/* The name under which debar itself comes. */
#define SYSTEM_SELF "debar"

#endif

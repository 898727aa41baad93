/* SPDX-License-Identifier: MIT */
/* Files this machine cannot do without, by content: a policy that bans one needs --force. */
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

/* Init, the shell, debar itself, and what debar maps: the loader and the C library among it. */
void system_read(struct system_files *ret_files);
/* policy_checks.find_packages: @ctx is a struct system_files. */
void system_find_packages(void *ctx);
void system_release(struct system_files *files);

#endif

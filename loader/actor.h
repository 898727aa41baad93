/* SPDX-License-Identifier: MIT */
/* Who acts, while the act waits: from /proc, which cannot change under a task that is held. */
#ifndef DEBAR_ACTOR_H
#define DEBAR_ACTOR_H

#include <stddef.h>
#include <sys/types.h>

#include "bpf/abi.h"

#define ACTOR_CGROUPS_MAX 33 /* the root and 32 levels, as the programs in the kernel look */

struct actor {
	struct debar_actor who;
	char cgroup[2][DEBAR_CGROUP_LEN]; /* name of its cgroup, and of that one's parent */
	size_t cgroup_count;
	__u64 cgroups[ACTOR_CGROUPS_MAX]; /* ids, the root's first */
};

/* @proc, @cgroups: descriptors of /proc and of the cgroup v2 file system, or -1. What cannot be
 * read stays zero: a task that is killed meanwhile is gone, and its act with it. */
void actor_read(int proc, int cgroups, pid_t pid, struct actor *ret_actor);

#endif

/* SPDX-License-Identifier: MIT */
/* Cgroups of version 2: where they are, and which of them a policy's exceptions mean now. */
#ifndef DEBAR_CGROUPS_H
#define DEBAR_CGROUPS_H

#include <linux/limits.h>
#include <linux/types.h>

struct policy;

/* The path of the root of all, where systems mount it: on hybrid ones not at /sys/fs/cgroup itself. */
void cgroups_root(char ret_path[PATH_MAX]);

/* The id that the kernel's programs see of the cgroup at @path. 0 or -errno. */
int cgroups_id(const char *path, __u64 *ret_id);

/* The same of one that a policy names, as /system.slice/forensics.slice. */
int cgroups_id_below(const char *path, __u64 *ret_id);

/* A number that changes when a cgroup that @policy excepts is made, removed, or made again. */
__u64 cgroups_now(const struct policy *policy);

#endif

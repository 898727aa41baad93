/* SPDX-License-Identifier: MIT */
/* What can still be learnt of an actor when its event arrives: a moment later, it may be gone. */
#ifndef DEBAR_LOADER_WITNESS_H
#define DEBAR_LOADER_WITNESS_H

#include <stdbool.h>
#include <stddef.h>

#include "bpf/abi.h"
#include "loader/container.h"

/*
 * The executable that the actor runs. @proc: descriptor of /proc. False: the process is gone, or
 * its number belongs to another one now, which is told by its name.
 */
bool witness_executable(int proc, const struct debar_actor *actor, char *ret_path, size_t size);

/*
 * Its container: by the names of its cgroup and that one's parent, or else by the whole path of the
 * cgroup while that exists. @cgroups: of container_open_cgroups(), or -1.
 */
bool witness_container(int cgroups, const struct debar_actor *actor,
		       const char names[2][DEBAR_CGROUP_LEN], char ret_id[CONTAINER_ID_MAX + 1]);

#endif

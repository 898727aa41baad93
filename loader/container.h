/* SPDX-License-Identifier: MIT */
/*
 * Which container is that? The kernel knows cgroups only; container engines name them after the
 * container. It is a name: whoever may make cgroups below a delegated one can make one that looks
 * like a container's, so it is told in reports and decides nothing.
 */
#ifndef DEBAR_LOADER_CONTAINER_H
#define DEBAR_LOADER_CONTAINER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CONTAINER_ID_MAX 64

/*
 * The id in a cgroup's path, of the innermost container there; also the last two names of the path
 * alone will do ("docker/0123...", "libpod-0123....scope/container"). False: no container.
 */
bool container_id(const char *path, char ret_id[CONTAINER_ID_MAX + 1]);

/* Opens where cgroup v2 is mounted: the first of @dirs (NULL ends them) that is. Or -errno. */
int container_open_cgroups(const char *const *dirs);

/*
 * The path, from the root of cgroup v2 ("/system.slice/x.service"), of the cgroup with an id.
 * @cgroups: from container_open_cgroups(). -ESTALE: there is no such cgroup any more.
 */
int container_cgroup_path(int cgroups, uint64_t id, char *ret_path, size_t size);

#endif

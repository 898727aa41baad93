/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <linux/limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "loader/witness.h"
#include "policy/cleanup.h"

static bool same_comm(int process, const struct debar_actor *actor)
{
	cleanup(cleanup_fd) int fd = openat(process, "comm", O_RDONLY | O_CLOEXEC);
	char comm[DEBAR_COMM_LEN + 1];
	ssize_t len = fd < 0 ? -1 : read(fd, comm, sizeof(comm) - 1);

	if (len <= 0)
		return false;
	if (comm[len - 1] == '\n')
		len--;
	comm[len] = '\0';
	return strncmp(comm, actor->comm, DEBAR_COMM_LEN) == 0;
}

bool witness_executable(int proc, const struct debar_actor *actor, char *ret_path, size_t size)
{
	cleanup(cleanup_fd) int process = -1;
	char name[16];
	ssize_t len;

	if (!actor->pid)
		return false;
	snprintf(name, sizeof(name), "%u", actor->pid);
	process = openat(proc, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (process < 0)
		return false;
	len = readlinkat(process, "exe", ret_path, size - 1);
	if (len <= 0)
		return false;
	ret_path[len] = '\0';
	/* Asked last: the directory stays that of one process, whatever becomes of its number. */
	return same_comm(process, actor);
}

bool witness_container(int cgroups, const struct debar_actor *actor,
		       const char names[2][DEBAR_CGROUP_LEN], char ret_id[CONTAINER_ID_MAX + 1])
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%.*s/%.*s", DEBAR_CGROUP_LEN, names[1], DEBAR_CGROUP_LEN,
		 names[0]);
	if (container_id(path, ret_id))
		return true;
	if (cgroups < 0 || !actor->cgroup)
		return false;
	return !container_cgroup_path(cgroups, actor->cgroup, path, sizeof(path)) &&
	       container_id(path, ret_id);
}

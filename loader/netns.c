// SPDX-License-Identifier: MIT
/* A socket belongs to the namespace that its maker is in: this thread goes there for that moment. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "loader/netns.h"
#include "policy/cleanup.h"

int netns_socket(__u32 pid, int family, int type, int protocol)
{
	cleanup(cleanup_fd) int home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	cleanup(cleanup_fd) int away = -1;
	char path[64];
	int fd, error;

	snprintf(path, sizeof(path), "/proc/%u/ns/net", pid);
	if (pid && home >= 0)
		away = open(path, O_RDONLY | O_CLOEXEC);
	if (away >= 0 && setns(away, CLONE_NEWNET))
		return -errno;
	fd = socket(family, type | SOCK_CLOEXEC, protocol);
	error = -errno;
	/* Not to get home would put the whole controller into a container: better to stop. */
	if (away >= 0 && setns(home, CLONE_NEWNET))
		abort();
	return fd < 0 ? error : fd;
}

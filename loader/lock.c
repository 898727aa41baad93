// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "loader/lock.h"
#include "policy/cleanup.h"

#define CHANGE_LOCK RUN_DIR "/change.lock"
#define CONTROLLER_LOCK RUN_DIR "/controller.lock"

int lock_dir(void)
{
	if (mkdir(RUN_DIR, 0700) && errno != EEXIST)
		return -errno;
	return 0;
}

static int open_lock(const char *path)
{
	int ret = lock_dir(), fd;

	if (ret)
		return ret;
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	return fd < 0 ? -errno : fd;
}

int lock_change(void)
{
	cleanup(cleanup_fd) int fd = open_lock(CHANGE_LOCK);

	if (fd < 0)
		return fd;
	while (flock(fd, LOCK_EX))
		if (errno != EINTR)
			return -errno;
	return take_fd(fd);
}

static pid_t read_pid(int fd)
{
	char text[16] = "";

	if (pread(fd, text, sizeof(text) - 1, 0) <= 0)
		return 0;
	return atoi(text);
}

int lock_controller(pid_t *ret_pid)
{
	cleanup(cleanup_fd) int fd = open_lock(CONTROLLER_LOCK);

	if (fd < 0)
		return fd;
	if (flock(fd, LOCK_EX | LOCK_NB)) {
		*ret_pid = read_pid(fd);
		return -EBUSY;
	}
	if (ftruncate(fd, 0) || dprintf(fd, "%d\n", getpid()) < 0)
		return -errno;
	return take_fd(fd);
}

pid_t lock_controller_pid(void)
{
	cleanup(cleanup_fd) int fd = open(CONTROLLER_LOCK, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || !flock(fd, LOCK_SH | LOCK_NB))
		return 0;
	return read_pid(fd);
}

/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "loader/kills.h"
#include "policy/cleanup.h"

/* When the last ones were: the oldest is the one that matters. What is ahead of now is not of this boot. */
static int64_t *oldest(int64_t times[KILLS_MAX], int64_t now)
{
	int64_t *found = &times[0];

	for (int i = 0; i < KILLS_MAX; i++) {
		if (times[i] > now)
			times[i] = 0;
		if (times[i] < *found)
			found = &times[i];
	}
	return found;
}

bool kills_take(const char *path, int64_t now)
{
	cleanup(cleanup_fd) int fd =
		open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
	int64_t times[KILLS_MAX] = {}, *at;

	if (fd < 0 || flock(fd, LOCK_EX) || pread(fd, times, sizeof(times), 0) < 0)
		return false;
	at = oldest(times, now);
	if (*at && now - *at < KILLS_SPAN)
		return false;
	*at = now;
	return pwrite(fd, times, sizeof(times), 0) == sizeof(times);
}

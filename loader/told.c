// SPDX-License-Identifier: MIT
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "loader/identify.h"
#include "loader/told.h"
#include "policy/cleanup.h"

static int open_same(const char *path, const struct debar_event *event)
{
	cleanup(cleanup_fd) int fd = -1;
	struct stat st;
	int ret = identify_open(path, &fd);

	if (ret)
		return ret;
	if (fstat(fd, &st) || st.st_ino != event->inode)
		return -ESTALE;
	return take_fd(fd);
}

/* One of the links in a directory of the actor's in /proc leads to it. */
static int open_among(const char *links, const struct debar_event *event)
{
	char path[96];
	DIR *list;
	struct dirent *entry;
	struct stat st;
	int fd = -ENOENT;

	snprintf(path, sizeof(path), "/proc/%u/%s", event->actor.pid, links);
	list = opendir(path);
	while (list && fd < 0 && (entry = readdir(list))) {
		if (fstatat(dirfd(list), entry->d_name, &st, 0) || st.st_ino != event->inode)
			continue;
		snprintf(path, sizeof(path), "/proc/%u/%s/%.40s", event->actor.pid, links,
			 entry->d_name);
		fd = open_same(path, event);
	}
	if (list)
		closedir(list);
	return fd;
}

/*
 * A file of memfd_create has no path, and where the hook could not ask for one only its last name is
 * told: made executable by mprotect, it is mapped, and its descriptor is mostly closed.
 */
int told_open(const struct debar_event *event)
{
	char path[DEBAR_PATH_LEN + 64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%u/root%s", event->actor.pid, event->path);
	fd = event->path[0] == '/' ? open_same(path, event) : -ENOENT;
	if (fd < 0)
		fd = open_among("fd", event);
	return fd < 0 ? open_among("map_files", event) : fd;
}

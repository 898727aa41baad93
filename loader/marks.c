// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fanotify.h>
#include <unistd.h>

#include "loader/marks.h"
#include "policy/cleanup.h"

struct marks {
	int fan;
	uint64_t mask;
	FILE *mounts;
};

/*
 * Local file systems, and overlays. Not those whose server can hang, because every program would
 * hang with it: what runs from there is unclassified, and classified from the event.
 */
static bool is_local(const char *type)
{
	static const char *const types[] = { "ext2",	 "ext3",    "ext4",  "xfs",    "btrfs",
					     "f2fs",	 "tmpfs",   "ramfs", "rootfs", "overlay",
					     "squashfs", "erofs",   "vfat",  "exfat",  "iso9660",
					     "zfs",	 "bcachefs" };
	size_t i;

	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (!strcmp(type, types[i]))
			return true;
	return false;
}

/* Marking twice is no error. What cannot be marked is asked about by the hooks. */
static void mark(struct marks *marks, int dirfd, const char *path)
{
	fanotify_mark(marks->fan, FAN_MARK_ADD | FAN_MARK_FILESYSTEM, marks->mask, dirfd, path);
}

/* mountinfo writes white space and backslashes as three octal digits. */
static void unescape(char *text)
{
	char *to = text;

	for (; *text; text++, to++) {
		*to = *text;
		if (text[0] != '\\' || !text[1] || !text[2] || !text[3])
			continue;
		*to = (text[1] - '0') << 6 | (text[2] - '0') << 3 | (text[3] - '0');
		text += 3;
	}
	*to = 0;
}

/* A line of /proc/self/mountinfo: "36 35 98:0 /root /mount options optional - type source ..." */
static void follow_line(struct marks *marks, char *line)
{
	char *type = strstr(line, " - "), path[4096];

	if (!type || sscanf(line, "%*d %*d %*s %*s %4095s", path) != 1)
		return;
	type += 3;
	type[strcspn(type, " \n")] = 0;
	if (!is_local(type))
		return;
	unescape(path);
	mark(marks, AT_FDCWD, path);
}

void marks_follow(struct marks *marks)
{
	cleanup(cleanup_free) char *line = NULL;
	size_t size = 0;

	rewind(marks->mounts);
	while (getline(&line, &size, marks->mounts) > 0)
		follow_line(marks, line);
}

int marks_new(struct marks **ret_marks, int fan, uint64_t mask)
{
	struct marks *marks = calloc(1, sizeof(*marks));

	if (!marks)
		return -ENOMEM;
	marks->fan = fan;
	marks->mask = mask;
	marks->mounts = fopen("/proc/self/mountinfo", "re");
	if (!marks->mounts) {
		free(marks);
		return -errno;
	}
	marks_follow(marks);
	*ret_marks = marks;
	return 0;
}

void marks_clear(struct marks *marks)
{
	fanotify_mark(marks->fan, FAN_MARK_FLUSH | FAN_MARK_FILESYSTEM, 0, AT_FDCWD, "/");
}

void marks_free(struct marks *marks)
{
	if (!marks)
		return;
	marks_clear(marks);
	fclose(marks->mounts);
	free(marks);
}

int marks_fd(const struct marks *marks)
{
	return fileno(marks->mounts);
}

void marks_add(struct marks *marks, int fd)
{
	mark(marks, fd, NULL);
}

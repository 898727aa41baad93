// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fanotify.h>
#include <unistd.h>

#include "loader/kernel.h"
#include "loader/marks.h"
#include "policy/cleanup.h"

#define MARKS_MAX 4096 /* as many as the kernel's set holds */

struct marks {
	struct kernel *kernel;
	int fan;
	FILE *mounts;
	size_t count;
	__u32 devices[MARKS_MAX];
};

/*
 * Local file systems, and overlays. Not those whose server can hang, because every program would
 * hang with it: what runs from there is unclassified, and classified from the event.
 */
static bool is_local(const char *type)
{
	static const char *const types[] = { "ext2",	"ext3",	   "ext4",  "xfs",    "btrfs",
					     "f2fs",	"tmpfs",   "ramfs", "rootfs", "overlay",
					     "squashfs", "erofs",  "vfat",  "exfat",  "iso9660",
					     "zfs",	"bcachefs" };
	size_t i;

	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (!strcmp(type, types[i]))
			return true;
	return false;
}

static bool is_marked(const struct marks *marks, __u32 device)
{
	size_t i;

	for (i = 0; i < marks->count; i++)
		if (marks->devices[i] == device)
			return true;
	return false;
}

/*
 * The kernel is told after the mark stands: it may count on being asked. A number that is marked
 * already may belong to another super block by now (overlays' are used again), so it is marked anew.
 */
static void mark(struct marks *marks, int dirfd, const char *path, __u32 device)
{
	if (marks->count == MARKS_MAX)
		return;
	if (fanotify_mark(marks->fan, FAN_MARK_ADD | FAN_MARK_FILESYSTEM, FAN_OPEN_EXEC_PERM,
			  dirfd, path))
		return;
	if (!is_marked(marks, device) && !kernel_mark(marks->kernel, device, true))
		marks->devices[marks->count++] = device;
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
	unsigned int major, minor;
	char *type = strstr(line, " - "), path[4096];

	if (!type || sscanf(line, "%*d %*d %u:%u %*s %4095s", &major, &minor, path) != 3)
		return;
	type += 3;
	type[strcspn(type, " \n")] = 0;
	if (!is_local(type))
		return;
	unescape(path);
	mark(marks, AT_FDCWD, path, major << 20 | minor);
}

void marks_follow(struct marks *marks)
{
	cleanup(cleanup_free) char *line = NULL;
	size_t size = 0;

	rewind(marks->mounts);
	while (getline(&line, &size, marks->mounts) > 0)
		follow_line(marks, line);
}

int marks_new(struct marks **ret_marks, struct kernel *kernel, int fan)
{
	struct marks *marks = calloc(1, sizeof(*marks));

	if (!marks)
		return -ENOMEM;
	marks->kernel = kernel;
	marks->fan = fan;
	marks->mounts = fopen("/proc/self/mountinfo", "re");
	if (!marks->mounts) {
		free(marks);
		return -errno;
	}
	marks_follow(marks);
	*ret_marks = marks;
	return 0;
}

void marks_free(struct marks *marks)
{
	size_t i;

	if (!marks)
		return;
	fanotify_mark(marks->fan, FAN_MARK_FLUSH | FAN_MARK_FILESYSTEM, 0, AT_FDCWD, "/");
	for (i = 0; i < marks->count; i++)
		kernel_mark(marks->kernel, marks->devices[i], false);
	fclose(marks->mounts);
	free(marks);
}

int marks_fd(const struct marks *marks)
{
	return fileno(marks->mounts);
}

void marks_add(struct marks *marks, int fd, __u32 device)
{
	mark(marks, fd, NULL, device);
}

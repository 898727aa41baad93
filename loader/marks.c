// SPDX-License-Identifier: MIT
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "loader/marks.h"
#include "policy/cleanup.h"

#define OTHERS_MAX 1024

/* Another mount namespace, as it was when its mounts were last marked. */
struct other {
	ino_t number;
	uint64_t mounts; /* hash of what it had mounted */
	unsigned int round;
};

struct marks {
	int fan;
	uint64_t mask;
	FILE *mounts;
	bool layers_tell; /* an open of an overlay's file is asked about as one of the layer's */
	unsigned int round;
	size_t other_count;
	struct other others[OTHERS_MAX];
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

/* Whose opens and reads somebody else answers: a server, or any user's program. */
static bool has_server(int fd)
{
	static const unsigned long magics[] = {
		FUSE_SUPER_MAGIC, NFS_SUPER_MAGIC,  CIFS_SUPER_MAGIC,	SMB_SUPER_MAGIC,
		SMB2_SUPER_MAGIC, CEPH_SUPER_MAGIC, V9FS_MAGIC,		AFS_SUPER_MAGIC,
		AFS_FS_MAGIC,	  CODA_SUPER_MAGIC, AUTOFS_SUPER_MAGIC,
	};
	struct statfs fs;

	if (fstatfs(fd, &fs))
		return true;
	for (size_t i = 0; i < sizeof(magics) / sizeof(magics[0]); i++)
		if ((unsigned long)fs.f_type == magics[i])
			return true;
	return false;
}

/*
 * Marking twice is no error. What cannot be marked is asked about by the hooks. The path of a local
 * mount may lead to another one that a user laid over it, and a hook tells of files on any.
 */
static void mark(struct marks *marks, int fd)
{
	char path[32];

	if (fd < 0 || has_server(fd))
		return;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	fanotify_mark(marks->fan, FAN_MARK_ADD | FAN_MARK_FILESYSTEM, marks->mask, AT_FDCWD, path);
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

/*
 * A line of mountinfo: "36 35 98:0 /root /mount options optional - type source ...". @root leads to
 * the root it is told from.
 */
static void follow_line(struct marks *marks, const char *root, char *line)
{
	cleanup(cleanup_fd) int fd = -1;
	char *type = strstr(line, " - "), path[4096 + 32];
	int len = snprintf(path, sizeof(path), "%s", root);

	if (!type || sscanf(line, "%*d %*d %*s %*s %4095s", path + len) != 1)
		return;
	type += 3;
	type[strcspn(type, " \n")] = 0;
	if (!is_local(type) || (marks->layers_tell && !strcmp(type, "overlay")))
		return;
	unescape(path);
	fd = open(path, O_PATH | O_CLOEXEC);
	mark(marks, fd);
}

void marks_follow(struct marks *marks)
{
	cleanup(cleanup_free) char *line = NULL;
	size_t size = 0;

	rewind(marks->mounts);
	while (getline(&line, &size, marks->mounts) > 0)
		follow_line(marks, "", line);
}

/* ---- other mount namespaces --------------------------------------------------------------- */

/* As it was, or a new one; NULL: there are too many. */
static struct other *find_other(struct marks *marks, ino_t number)
{
	struct other *other;

	for (size_t i = 0; i < marks->other_count; i++)
		if (marks->others[i].number == number)
			return &marks->others[i];
	if (marks->other_count == OTHERS_MAX)
		return NULL;
	other = &marks->others[marks->other_count++];
	*other = (struct other){ .number = number };
	return other;
}

static uint64_t hash_text(uint64_t hash, const char *text)
{
	while (*text)
		hash = (hash ^ (unsigned char)*text++) * 0x100000001b3ULL;
	return hash;
}

/* Its mounts as one of its processes has them, if they are others than the last time. */
static void follow_process(struct marks *marks, struct other *other, const char *pid)
{
	cleanup(cleanup_free) char *line = NULL;
	cleanup(cleanup_file) FILE *mounts = NULL;
	char path[64];
	size_t size = 0;
	uint64_t hash = 1;

	snprintf(path, sizeof(path), "/proc/%.16s/mountinfo", pid);
	mounts = fopen(path, "re");
	while (mounts && getline(&line, &size, mounts) > 0)
		hash = hash_text(hash, line);
	if (!mounts || hash == other->mounts)
		return;
	snprintf(path, sizeof(path), "/proc/%.16s/root", pid);
	rewind(mounts);
	while (getline(&line, &size, mounts) > 0)
		follow_line(marks, path, line);
	if (!access(path, F_OK)) /* else it went meanwhile, and another process may know */
		other->mounts = hash;
}

static void forget_others(struct marks *marks)
{
	size_t kept = 0;

	for (size_t i = 0; i < marks->other_count; i++)
		if (marks->others[i].round == marks->round)
			marks->others[kept++] = marks->others[i];
	marks->other_count = kept;
}

void marks_follow_others(struct marks *marks)
{
	struct other *other;
	struct dirent *entry;
	char path[64];
	struct stat st;
	DIR *proc = opendir("/proc");
	ino_t own = stat("/proc/self/ns/mnt", &st) ? 0 : st.st_ino;

	marks->round++;
	while (proc && (entry = readdir(proc))) {
		snprintf(path, sizeof(path), "/proc/%.16s/ns/mnt", entry->d_name);
		if (entry->d_name[0] < '1' || entry->d_name[0] > '9' || stat(path, &st) ||
		    st.st_ino == own)
			continue;
		other = find_other(marks, st.st_ino);
		if (!other || other->round == marks->round)
			continue;
		other->round = marks->round;
		follow_process(marks, other, entry->d_name);
	}
	if (proc)
		closedir(proc);
	forget_others(marks);
}

/*
 * Where the kernel has this function, fanotify opens an overlay's file for its listener in a way that
 * the open of the layer's file beneath is asked about: the listener would wait for itself in the
 * midst of its read. There every open of the file beneath is asked about (since 6.12), so that an
 * overlay whose layers are marked needs no mark, and its opens are told as those of the layer.
 */
static bool listener_asks_itself(void)
{
	cleanup(cleanup_file) FILE *symbols = fopen("/proc/kallsyms", "re");
	char line[512];

	while (symbols && fgets(line, sizeof(line), symbols))
		if (strstr(line, " dentry_open_nonotify\n"))
			return true;
	return false;
}

int marks_new(struct marks **ret_marks, int fan, uint64_t mask)
{
	struct marks *marks = calloc(1, sizeof(*marks));

	if (!marks)
		return -ENOMEM;
	marks->fan = fan;
	marks->mask = mask;
	marks->layers_tell = mask & FAN_OPEN_PERM && listener_asks_itself();
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
	mark(marks, fd);
}

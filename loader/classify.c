// SPDX-License-Identifier: MIT
#include "loader/classify.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "loader/identify.h"
#include "loader/identity/identity.h"
#include "policy/cleanup.h"

#define COPY_MAX (128LL << 20) /* bytes of one file */
#define HEAD_SIZE 8

/* ---- one file ----------------------------------------------------------------------------- */

/* Reads the whole of @fd. */
static int copy_file(int fd, uint8_t **ret_data, size_t *ret_len)
{
	cleanup(cleanup_free) uint8_t *data = NULL;
	size_t len = 0;
	struct stat st;
	ssize_t n;

	if (fstat(fd, &st))
		return -errno;
	if (st.st_size > COPY_MAX)
		return -EFBIG;
	data = malloc(st.st_size + 1);
	if (!data)
		return -ENOMEM;
	while (len < (size_t)st.st_size) {
		n = pread(fd, data + len, st.st_size - len, len);
		if (n < 0)
			return -errno;
		if (!n)
			break;
		len += n;
	}
	*ret_data = take(data);
	*ret_len = len;
	return 0;
}

int classify_copy(struct identity **ret_identity, int fd)
{
	cleanup(cleanup_free) uint8_t *data = NULL;
	struct identity_memory memory = {};
	struct identity_reader reader;
	int ret = copy_file(fd, &data, &memory.len);

	if (ret)
		return ret;
	memory.data = data;
	reader = identity_memory_reader(&memory);
	return identity_read(ret_identity, &reader, IDENTITY_SHA256);
}

/* ---- what runs ---------------------------------------------------------------------------- */

struct seen {
	size_t count, room;
	struct {
		dev_t device;
		ino_t inode;
	} * files;
};

static void seen_free(struct seen *seen)
{
	free(seen->files);
}

/* Was the file of @st met before? From now on it was. */
static int seen_add(struct seen *seen, const struct stat *st)
{
	size_t room = seen->room ? seen->room * 2 : 256, i;
	void *grown;

	for (i = 0; i < seen->count; i++)
		if (seen->files[i].inode == st->st_ino && seen->files[i].device == st->st_dev)
			return 1;
	if (seen->count == seen->room) {
		grown = reallocarray(seen->files, room, sizeof(*seen->files));
		if (!grown)
			return -ENOMEM;
		seen->files = grown;
		seen->room = room;
	}
	seen->files[seen->count].device = st->st_dev;
	seen->files[seen->count++].inode = st->st_ino;
	return 0;
}

/* A line of maps: "7f..-7f.. r-xp 0002a000 08:01 1234    /usr/lib/libc.so.6" */
static int mapped_line(const char *pid, char *line, struct seen *seen, classify_fn *fn, void *ctx)
{
	cleanup(cleanup_fd) int fd = -1;
	char range[64], modes[8], path[128];
	struct stat st;
	int ret;

	if (sscanf(line, "%63s %7s", range, modes) != 2 || modes[2] != 'x' || !strchr(line, '/'))
		return 0;
	snprintf(path, sizeof(path), "/proc/%.16s/map_files/%s", pid, range);
	/* The very file, whatever its name leads to by now; gone with its process: nothing to do. */
	if (stat(path, &st) || !S_ISREG(st.st_mode))
		return 0;
	ret = seen_add(seen, &st);
	if (ret)
		return ret < 0 ? ret : 0;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	return fd < 0 ? 0 : fn(ctx, fd, path);
}

static int mapped_process(const char *pid, struct seen *seen, classify_fn *fn, void *ctx)
{
	cleanup(cleanup_file) FILE *maps = NULL;
	cleanup(cleanup_free) char *line = NULL;
	char path[64];
	size_t size = 0;
	int ret = 0;

	snprintf(path, sizeof(path), "/proc/%.16s/maps", pid);
	maps = fopen(path, "re");
	while (maps && !ret && getline(&line, &size, maps) > 0)
		ret = mapped_line(pid, line, seen, fn, ctx);
	return ret;
}

int classify_mapped(classify_fn *fn, void *ctx)
{
	cleanup(seen_free) struct seen seen = {};
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	int ret = 0;

	if (!proc)
		return -errno;
	while (!ret && (entry = readdir(proc)))
		if (isdigit((unsigned char)entry->d_name[0]))
			ret = mapped_process(entry->d_name, &seen, fn, ctx);
	closedir(proc);
	return ret;
}

/* ---- trees -------------------------------------------------------------------------------- */

/* What becomes code: by its first bytes, or because it says that it can be executed. */
static bool is_code(int fd, mode_t mode)
{
	static const struct {
		const char *bytes;
		size_t len;
	} heads[] = { { "\177ELF", 4 },
		      { "MZ", 2 },
		      { "#!", 2 },
		      { "\xfd"
			"7zXZ",
			5 },
		      { "\x28\xb5\x2f\xfd", 4 },
		      { "\x1f\x8b\x08", 3 } };
	char head[HEAD_SIZE];
	ssize_t n = pread(fd, head, sizeof(head), 0);
	size_t i;

	for (i = 0; n > 0 && i < sizeof(heads) / sizeof(heads[0]); i++)
		if ((size_t)n >= heads[i].len && !memcmp(head, heads[i].bytes, heads[i].len))
			return true;
	return n > 0 && mode & (S_IXUSR | S_IXGRP | S_IXOTH);
}

static int tree_file(const FTSENT *entry, classify_fn *fn, void *ctx, size_t *unread)
{
	cleanup(cleanup_fd) int fd = -1;

	if (identify_open(entry->fts_accpath, &fd)) {
		++*unread;
		return 0;
	}
	return is_code(fd, entry->fts_statp->st_mode) ? fn(ctx, fd, entry->fts_path) : 0;
}

int classify_tree(const char *path, classify_fn *fn, void *ctx, size_t *unread)
{
	char *const roots[] = { (char *)path, NULL };
	FTS *tree = fts_open(roots, FTS_PHYSICAL | FTS_COMFOLLOW | FTS_NOCHDIR | FTS_XDEV, NULL);
	FTSENT *entry;
	int ret = tree ? 0 : -errno;

	while (!ret && (errno = 0, entry = fts_read(tree))) {
		if (entry->fts_info == FTS_F)
			ret = tree_file(entry, fn, ctx, unread);
		else if (entry->fts_info == FTS_NS || entry->fts_info == FTS_DNR)
			ret = entry->fts_level ? (++*unread, 0) : -entry->fts_errno;
		else if (entry->fts_info == FTS_DEFAULT && !entry->fts_level)
			ret = -ENODEV;
	}
	if (tree)
		fts_close(tree);
	return ret;
}

/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "loader/spool.h"
#include "policy/cleanup.h"

#define SPOOL_FILE "events.json"
#define SPOOL_OLD "events.json.1"
#define SPOOL_LOCK "events.lock"

struct spool {
	int dir;
	int lock;
	int file;
	int64_t file_max;
};

struct spool_reader {
	int dir;
	FILE *old; /* read to its end before the file; NULL: there is none, or no longer */
	FILE *file;
};

static int dir_open(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* ---- writing ------------------------------------------------------------------------------ */

/* A line that a crash cut off is ended, so that the next one is whole. */
static int end_last_line(int file)
{
	off_t size = lseek(file, 0, SEEK_END);
	char last;

	if (size <= 0 || pread(file, &last, 1, size - 1) != 1 || last == '\n')
		return 0;
	return write(file, "\n", 1) == 1 ? 0 : -errno;
}

static int file_open(struct spool *spool)
{
	cleanup(cleanup_fd) int file = openat(
		spool->dir, SPOOL_FILE, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	int err;

	if (file < 0)
		return -errno;
	err = end_last_line(file);
	if (err)
		return err;
	cleanup_fd(&spool->file);
	spool->file = take_fd(file);
	return 0;
}

void spool_close(struct spool *spool)
{
	if (!spool)
		return;
	cleanup_fd(&spool->file);
	cleanup_fd(&spool->lock);
	cleanup_fd(&spool->dir);
	free(spool);
}

static void spool_closep(struct spool **spool)
{
	spool_close(*spool);
}

int spool_open(struct spool **ret_spool, const char *dir, int64_t file_max)
{
	cleanup(spool_closep) struct spool *spool = malloc(sizeof(*spool));
	int err;

	if (!spool)
		return -ENOMEM;
	*spool = (struct spool){ .lock = -1, .file = -1, .file_max = file_max };
	spool->dir = dir_open(dir);
	if (spool->dir < 0)
		return spool->dir;
	spool->lock =
		openat(spool->dir, SPOOL_LOCK, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (spool->lock < 0)
		return -errno;
	if (flock(spool->lock, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? -EBUSY : -errno;
	err = file_open(spool);
	if (err)
		return err;
	*ret_spool = take(spool);
	return 0;
}

/* Make room: the full file becomes the old one, and the old one goes. */
static int rotate(struct spool *spool)
{
	if (renameat(spool->dir, SPOOL_FILE, spool->dir, SPOOL_OLD) < 0)
		return -errno;
	return file_open(spool);
}

int spool_append(struct spool *spool, const char *line)
{
	cleanup(cleanup_free) char *text = NULL;
	struct stat st;
	ssize_t written;
	int len, err = 0;

	if (fstat(spool->file, &st) < 0)
		return -errno;
	if (!st.st_nlink) /* somebody removed it */
		err = file_open(spool);
	else if (st.st_size >= spool->file_max)
		err = rotate(spool);
	if (err || fstat(spool->file, &st) < 0)
		return err ? err : -errno;
	len = asprintf(&text, "%s\n", line);
	if (len < 0)
		return -ENOMEM;
	written = write(spool->file, text, (size_t)len);
	if (written == len)
		return 0;
	err = written < 0 ? -errno : -ENOSPC;
	if (written > 0 && ftruncate(spool->file, st.st_size) < 0)
		return -errno;
	return err;
}

/* ---- reading ------------------------------------------------------------------------------ */

static FILE *stream_open(int dir, const char *name)
{
	cleanup(cleanup_fd) int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	FILE *stream = fd < 0 ? NULL : fdopen(fd, "r");

	if (stream)
		(void)take_fd(fd);
	return stream;
}

static void stream_drop(FILE **stream)
{
	cleanup_file(stream);
	*stream = NULL;
}

static bool same_file(FILE *stream, const struct stat *other)
{
	struct stat st;

	return stream && fstat(fileno(stream), &st) == 0 && st.st_ino == other->st_ino &&
	       st.st_dev == other->st_dev;
}

void spool_reader_close(struct spool_reader *reader)
{
	if (!reader)
		return;
	cleanup_file(&reader->old);
	cleanup_file(&reader->file);
	cleanup_fd(&reader->dir);
	free(reader);
}

static void spool_reader_closep(struct spool_reader **reader)
{
	spool_reader_close(*reader);
}

int spool_reader_open(struct spool_reader **ret_reader, const char *dir)
{
	cleanup(spool_reader_closep) struct spool_reader *reader = calloc(1, sizeof(*reader));
	struct stat st;

	if (!reader)
		return -ENOMEM;
	reader->dir = dir_open(dir);
	if (reader->dir < 0)
		return reader->dir;
	reader->file = stream_open(reader->dir, SPOOL_FILE);
	if (!reader->file && errno != ENOENT)
		return -errno;
	reader->old = stream_open(reader->dir, SPOOL_OLD);
	/* Between the two it may have been rotated; then both are one file. */
	if (reader->old && fstat(fileno(reader->old), &st) == 0 && same_file(reader->file, &st))
		stream_drop(&reader->old);
	*ret_reader = take(reader);
	return 0;
}

/* A whole line, or nothing: of a line that is being written the beginning is left for later. */
static int stream_next(FILE *stream, char **ret_line)
{
	cleanup(cleanup_free) char *line = NULL;
	off_t start = ftello(stream);
	size_t room = 0;
	ssize_t len;

	clearerr(stream);
	len = getline(&line, &room, stream);
	if (len < 0)
		return ferror(stream) ? -EIO : 0;
	if (line[len - 1] != '\n')
		return fseeko(stream, start, SEEK_SET) ? -errno : 0;
	line[len - 1] = '\0';
	*ret_line = take(line);
	return 1;
}

/* At the end of the file: is the name another file's by now? Then that is the next to read. */
static bool file_follow(struct spool_reader *reader)
{
	struct stat st;

	if (fstatat(reader->dir, SPOOL_FILE, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return false;
	if (reader->file && same_file(reader->file, &st))
		return false;
	/* What was written before the rename is still to be read, so it is read once more. */
	reader->old = take(reader->file);
	reader->file = stream_open(reader->dir, SPOOL_FILE);
	return reader->old || reader->file;
}

int spool_reader_next(struct spool_reader *reader, char **ret_line)
{
	int got;

	do {
		got = reader->old ? stream_next(reader->old, ret_line) : 0;
		if (got)
			return got;
		stream_drop(&reader->old);
		got = reader->file ? stream_next(reader->file, ret_line) : 0;
		if (got)
			return got;
	} while (file_follow(reader));
	return 0;
}

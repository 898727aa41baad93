/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fsverity.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "loader/examine.h"
#include "loader/identity/identity.h"
#include "policy/cleanup.h"
#include "policy/digest.h"

static int fail(int err, const char *words, const char **reterr_words)
{
	*reterr_words = words ? words : strerror(err);
	return -err;
}

static int not_regular(mode_t mode, const char **reterr_words)
{
	if (S_ISDIR(mode))
		return fail(EISDIR, "is a directory; debar scan takes trees", reterr_words);
	if (S_ISFIFO(mode))
		return fail(EINVAL, "is a FIFO, not a file", reterr_words);
	if (S_ISSOCK(mode))
		return fail(EINVAL, "is a socket, not a file", reterr_words);
	return fail(EINVAL, "is a device, not a file", reterr_words);
}

/* Asked before it is opened, because opening a device can do something; and again after. */
static int file_open(const char *path, const char **reterr_words)
{
	cleanup(cleanup_fd) int fd = -1;
	struct stat st;

	if (stat(path, &st) < 0)
		return fail(errno, NULL, reterr_words);
	if (!S_ISREG(st.st_mode))
		return not_regular(st.st_mode, reterr_words);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0 || fstat(fd, &st) < 0)
		return fail(errno, NULL, reterr_words);
	if (!S_ISREG(st.st_mode))
		return not_regular(st.st_mode, reterr_words);
	return take_fd(fd);
}

static ssize_t file_pread(void *ctx, void *buf, size_t len, uint64_t off)
{
	ssize_t got;

	do
		got = pread(*(int *)ctx, buf, len, (off_t)off);
	while (got < 0 && errno == EINTR);
	return got < 0 ? -errno : got;
}

static void key_add(struct examined *examined, const struct debar_key *key)
{
	if (examined->key_count < EXAMINE_KEYS_MAX)
		examined->keys[examined->key_count++] = *key;
}

static void verity_key(struct examined *examined, int fd)
{
	union {
		struct fsverity_digest digest;
		char room[sizeof(struct fsverity_digest) + 64];
	} measured = { .digest.digest_size = 64 };
	struct debar_key key = { .kind = DEBAR_KEY_FSVERITY };

	if (ioctl(fd, FS_IOC_MEASURE_VERITY, &measured) < 0 ||
	    measured.digest.digest_algorithm != FS_VERITY_HASH_ALG_SHA256)
		return;
	memcpy(key.value, measured.digest.digest, sizeof(key.value));
	key_add(examined, &key);
}

/* A rule names a path, or with "/" at its end what is below: "/opt/x" meets /opt/x, /opt/ and /. */
static int path_keys(struct examined *examined)
{
	const char *real = examined->real;
	size_t len = strlen(real);

	while (len) {
		struct debar_key key = { .kind = DEBAR_KEY_PATH };
		int err = digest_sha256(real, len, key.value);

		if (err)
			return err;
		key_add(examined, &key);
		do
			len--;
		while (len && real[len - 1] != '/');
	}
	return 0;
}

static int package_key(struct examined *examined)
{
	const char *package = examined->identity->package;
	struct debar_key key = { .kind = DEBAR_KEY_PACKAGE };
	int err;

	if (!package)
		return 0;
	err = digest_sha256(package, strlen(package), key.value);
	if (!err)
		key_add(examined, &key);
	return err;
}

static int keys_fill(struct examined *examined, int fd)
{
	const struct identity *identity = examined->identity;
	struct debar_key sha256 = { .kind = DEBAR_KEY_SHA256 };
	int err;

	memcpy(sha256.value, identity->sha256, sizeof(sha256.value));
	key_add(examined, &sha256);
	for (size_t i = 0; i < identity->keys.count; i++)
		key_add(examined, &identity->keys.keys[i]);
	verity_key(examined, fd);
	err = package_key(examined);
	return err ? err : path_keys(examined);
}

static void examine_freep(struct examined **examined)
{
	examine_free(*examined);
}

int examine_file(struct examined **ret_examined, const char *path, const char **reterr_words)
{
	cleanup(examine_freep) struct examined *examined = calloc(1, sizeof(*examined));
	cleanup(cleanup_fd) int fd = -1;
	struct identity_reader reader = { .pread = file_pread, .ctx = &fd };
	struct stat st;
	int err;

	if (!examined)
		return fail(ENOMEM, NULL, reterr_words);
	fd = file_open(path, reterr_words);
	if (fd < 0)
		return fd;
	examined->real = realpath(path, NULL);
	if (!examined->real || fstat(fd, &st) < 0)
		return fail(errno, NULL, reterr_words);
	reader.size = (uint64_t)st.st_size;
	err = identity_read(&examined->identity, &reader, IDENTITY_SHA256);
	if (!err)
		err = keys_fill(examined, fd);
	if (err)
		return fail(-err, err == -EAGAIN ? "changed while it was read" : NULL, reterr_words);
	*ret_examined = take(examined);
	return 0;
}

void examine_free(struct examined *examined)
{
	if (!examined)
		return;
	identity_free(examined->identity);
	free(examined->real);
	free(examined);
}

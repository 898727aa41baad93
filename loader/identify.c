/* SPDX-License-Identifier: MIT */
#include "loader/identify.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fsverity.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "loader/identity/identity.h"
#include "policy/cleanup.h"

#define VERITY_DIGEST_MAX 64
#define VERITY_SIGNATURE_MAX 16128 /* the kernel's own limit, FS_VERITY_MAX_SIGNATURE_SIZE */
#define IMA_MAX 4096

static void cleanup_identity(struct identity **identity)
{
	identity_free(*identity);
}

static int regular_check(int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	return S_ISREG(st.st_mode) ? 0 : -ENODEV;
}

/*
 * By O_PATH first: opening a device or a FIFO is an act, and some devices rewind a tape or arm a
 * watchdog. The second open is of the very inode that was looked at.
 */
int identify_open(const char *path, int *ret_fd)
{
	const int flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
	cleanup(cleanup_fd) int place = open(path, O_PATH | O_CLOEXEC);
	char again[32];
	int fd, err;

	if (place < 0)
		return -errno;
	err = regular_check(place);
	if (err)
		return err;
	(void)snprintf(again, sizeof(again), "/proc/self/fd/%d", place);
	fd = open(again, flags | O_NOATIME);
	if (fd < 0 && errno == EPERM) /* somebody else's file */
		fd = open(again, flags);
	if (fd < 0)
		return -errno;
	*ret_fd = fd;
	return 0;
}

static ssize_t fd_pread(void *ctx, void *buf, size_t len, uint64_t off)
{
	const int *fd = ctx;
	ssize_t n;

	do
		n = pread(*fd, buf, len, (off_t)off);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

/* Most file systems and files have none: every error means that there is nothing to add. */
static int verity_add(struct identity *identity, int fd, unsigned int flags)
{
	union {
		struct fsverity_digest head;
		uint8_t room[sizeof(struct fsverity_digest) + VERITY_DIGEST_MAX];
	} measured = { .head = { .digest_size = VERITY_DIGEST_MAX } };
	uint8_t signature[VERITY_SIGNATURE_MAX];
	struct fsverity_read_metadata_arg metadata = {
		.metadata_type = FS_VERITY_METADATA_TYPE_SIGNATURE,
		.length = sizeof(signature),
		.buf_ptr = (uintptr_t)signature,
	};
	struct identity_verity verity;
	int len;

	if (ioctl(fd, FS_IOC_MEASURE_VERITY, &measured) < 0)
		return 0;
	verity = (struct identity_verity){
		.algorithm = measured.head.digest_algorithm,
		.digest = measured.head.digest,
		.digest_len = measured.head.digest_size,
	};
	len = ioctl(fd, FS_IOC_READ_VERITY_METADATA, &metadata);
	if (len > 0) {
		verity.signature = signature;
		verity.signature_len = (size_t)len;
	}
	return identity_add_verity(identity, &verity, flags);
}

static int ima_add(struct identity *identity, int fd)
{
	uint8_t value[IMA_MAX];
	ssize_t len = fgetxattr(fd, "security.ima", value, sizeof(value));

	return len > 0 ? identity_add_ima(identity, value, (size_t)len) : 0;
}

static bool same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

int identify_fd(struct identity **ret_identity, int fd, unsigned int flags)
{
	cleanup(cleanup_identity) struct identity *identity = NULL;
	struct identity_reader reader = { .pread = fd_pread, .ctx = &fd };
	struct stat before, after;
	int err = regular_check(fd);

	if (err)
		return err;
	if (fstat(fd, &before) < 0)
		return -errno;
	reader.size = (uint64_t)before.st_size;
	err = identity_read(&identity, &reader, flags);
	if (!err)
		err = verity_add(identity, fd, flags);
	if (!err)
		err = ima_add(identity, fd);
	if (err)
		return err;
	/* For what is printed. What the kernel acts on, it binds to the content itself. */
	if (fstat(fd, &after) < 0)
		return -errno;
	if (before.st_size != after.st_size || !same_time(&before.st_mtim, &after.st_mtim) ||
	    !same_time(&before.st_ctim, &after.st_ctim))
		return -EAGAIN;
	*ret_identity = take(identity);
	return 0;
}

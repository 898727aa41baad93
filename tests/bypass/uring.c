// SPDX-License-Identifier: MIT
/*
 * Files opened and written by io_uring alone, with no open or write of the task's own.
 *
 *   uring exec FILE | map FILE | write FILE FROM
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define REFUSED 111

static struct {
	int fd;
	struct io_uring_params params;
	char *sq;
	char *cq;
	struct io_uring_sqe *sqes;
} ring;

static int fail(const char *what, int error)
{
	fprintf(stderr, "uring: %s: %s\n", what, strerror(error));
	exit(REFUSED);
}

static void ring_make(void)
{
	ring.fd = syscall(SYS_io_uring_setup, 4, &ring.params);
	if (ring.fd < 0)
		fail("setup", errno);
	ring.sq = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, ring.fd, IORING_OFF_SQ_RING);
	ring.cq = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, ring.fd, IORING_OFF_CQ_RING);
	ring.sqes = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, ring.fd, IORING_OFF_SQES);
	if (ring.sq == MAP_FAILED || ring.cq == MAP_FAILED || ring.sqes == MAP_FAILED)
		fail("mmap", errno);
}

static unsigned int *word(char *base, unsigned int offset)
{
	return (unsigned int *)(base + offset);
}

/* One request; what came of it. */
static int ring_do(const struct io_uring_sqe *sqe)
{
	unsigned int tail = *word(ring.sq, ring.params.sq_off.tail);
	unsigned int at = tail & *word(ring.sq, ring.params.sq_off.ring_mask);
	unsigned int head = *word(ring.cq, ring.params.cq_off.head);
	struct io_uring_cqe *cqes = (void *)(ring.cq + ring.params.cq_off.cqes);
	int result;

	ring.sqes[at] = *sqe;
	word(ring.sq, ring.params.sq_off.array)[at] = at;
	__atomic_store_n(word(ring.sq, ring.params.sq_off.tail), tail + 1, __ATOMIC_RELEASE);
	if (syscall(SYS_io_uring_enter, ring.fd, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) < 0)
		fail("enter", errno);
	result = cqes[head & *word(ring.cq, ring.params.cq_off.ring_mask)].res;
	__atomic_store_n(word(ring.cq, ring.params.cq_off.head), head + 1, __ATOMIC_RELEASE);
	return result;
}

static int ring_open(const char *file, int flags)
{
	struct io_uring_sqe sqe = {
		.opcode = IORING_OP_OPENAT, .fd = AT_FDCWD, .addr = (__u64)file, .open_flags = flags
	};
	int fd = ring_do(&sqe);

	return fd < 0 ? fail(file, -fd) : fd;
}

static void ring_write(int fd, const void *bytes, size_t size)
{
	struct io_uring_sqe sqe = {
		.opcode = IORING_OP_WRITE, .fd = fd, .addr = (__u64)bytes, .len = size
	};

	if (ring_do(&sqe) != (int)size)
		fail("write", EIO);
}

static void overwrite(const char *file, const char *from)
{
	static char bytes[1 << 20];
	int fd = ring_open(from, O_RDONLY), to;
	ssize_t size = read(fd, bytes, sizeof(bytes));

	to = ring_open(file, O_WRONLY | O_TRUNC);
	ring_write(to, bytes, size);
}

int main(int argc, char **argv)
{
	char *const words[] = { argc > 2 ? argv[2] : NULL, NULL }, *const envp[] = { NULL };
	int fd;

	if (argc < 3)
		return 2;
	ring_make();
	if (!strcmp(argv[1], "write")) {
		overwrite(argv[2], argv[3]);
		return 0;
	}
	fd = ring_open(argv[2], O_RDONLY | O_CLOEXEC);
	if (!strcmp(argv[1], "exec")) {
		syscall(SYS_execveat, fd, "", words, envp, AT_EMPTY_PATH);
		fail("exec", errno);
	}
	if (mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0) == MAP_FAILED)
		fail("mmap", errno);
	return 0;
}

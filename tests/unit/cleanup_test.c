/* SPDX-License-Identifier: MIT */
/* What take() hands on is not released by the one that had it, and is by the one that gets it. */
#include "policy/cleanup.h"

#include <fcntl.h>

#include "tests/unit/tap.h"

static int open_null(bool fail)
{
	cleanup(cleanup_fd) int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	if (fail)
		return -1;
	return take_fd(fd);
}

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

int main(void)
{
	int lowest = open_null(false), next;

	tap_ok(is_open(lowest), "a descriptor that was taken stays open");
	tap_int(open_null(true), -1, "the failing path returns none");
	next = open_null(false);
	tap_int(next, lowest + 1, "the failing path closed its descriptor");
	cleanup_fd(&next);
	tap_ok(!is_open(next), "cleanup_fd closes");

	cleanup(cleanup_free) char *text = strdup("x");
	cleanup(cleanup_free) char *moved = take(text);

	tap_ok(!text, "take() leaves NULL");
	tap_str(moved, "x", "take() returns what was there");
	cleanup_fd(&lowest);
	return tap_done();
}

/* SPDX-License-Identifier: MIT */
/*
 * Ownership in one screen: a variable that owns something says so where it is declared and is
 * released when it goes out of scope; take() hands the thing on and leaves nothing to release.
 */
#ifndef DEBAR_POLICY_CLEANUP_H
#define DEBAR_POLICY_CLEANUP_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define cleanup(fn) __attribute__((cleanup(fn)))

/* The pointer in @p, which then holds NULL: ownership moves to whoever gets the value. */
#define take(p)                                                                                    \
	({                                                                                         \
		__typeof__(p) taken_ = (p);                                                        \
		(p) = NULL;                                                                        \
		taken_;                                                                            \
	})

/* The descriptor in @fd, which then holds -1. */
#define take_fd(fd)                                                                                \
	({                                                                                         \
		int taken_ = (fd);                                                                 \
		(fd) = -1;                                                                         \
		taken_;                                                                            \
	})

static inline void cleanup_free(void *p)
{
	free(*(void **)p);
}

static inline void cleanup_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void cleanup_file(FILE **f)
{
	if (*f)
		fclose(*f);
}

#endif

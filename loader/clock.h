/* SPDX-License-Identifier: MIT */
/* Clocks in nanoseconds, as the kernel's programs read them. */
#ifndef DEBAR_CLOCK_H
#define DEBAR_CLOCK_H

#include <stdint.h>
#include <time.h>

static inline int64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

#endif

/* SPDX-License-Identifier: MIT */
/*
 * How many processes were ended in the last minute: kept in a file, so that a controller that is
 * started again and again, or a loop of loads, ends no more than one.
 */
#ifndef DEBAR_LOADER_KILLS_H
#define DEBAR_LOADER_KILLS_H

#include <stdbool.h>
#include <stdint.h>

#define KILLS_MAX 20
#define KILLS_SPAN (60 * 1000000000LL)

/*
 * May one more be ended at @now (boot clock)? If so it is counted. Where the file cannot be had, it
 * may not.
 */
bool kills_take(const char *path, int64_t now);

#endif

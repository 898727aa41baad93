/* SPDX-License-Identifier: MIT */
/*
 * Identical denials in a row become one record and a count. The first of a row passes at once,
 * those after it are counted and passed on together: within a second, or when the row ends. So the
 * sum of all counts is the number of acts, and nobody waits for the first sign of one. Several rows
 * are kept at a time: whoever tries two banned files in turn fills no log either.
 */
#ifndef DEBAR_LOADER_FOLD_H
#define DEBAR_LOADER_FOLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FOLD_ROWS 8
#define FOLD_RECORD_MAX 1024
#define FOLD_NANOSECONDS 1000000000LL

/* A record as the ring has it, and of how many acts it speaks. Negative: stop, and say so. */
typedef int fold_pass_fn(void *ctx, const void *record, size_t size, unsigned int count);

struct fold_row {
	size_t size;	   /* of the record; 0: the row is free */
	unsigned int held; /* acts since the last record that was passed on */
	int64_t since;	   /* when that was */
	int64_t seen;	   /* when the last act was */
	unsigned char record[FOLD_RECORD_MAX];
	unsigned char essence[FOLD_RECORD_MAX];
};

struct fold {
	struct fold_row rows[FOLD_ROWS];
	fold_pass_fn *pass;
	void *ctx;
};

/*
 * One more act. @essence: of the same size, the record without what differs from one act of a row
 * to the next (time, process id). @now: any clock, nanoseconds. Returns what @pass said, or 0.
 */
int fold_add(struct fold *fold, const void *record, const void *essence, size_t size, int64_t now);

/* Pass on what was held for long enough; @all: what is held, for any time. */
int fold_flush(struct fold *fold, int64_t now, bool all);

/* Nanoseconds until there is something to flush; -1: nothing is held. */
int64_t fold_wait(const struct fold *fold, int64_t now);

#endif

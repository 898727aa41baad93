/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "loader/fold.h"

static int row_pass(struct fold *fold, struct fold_row *row, int64_t now)
{
	unsigned int count = row->held;

	row->held = 0;
	row->since = now;
	return count ? fold->pass(fold->ctx, row->record, row->size, count) : 0;
}

static struct fold_row *row_find(struct fold *fold, const void *essence, size_t size)
{
	for (size_t i = 0; i < FOLD_ROWS; i++) {
		struct fold_row *row = &fold->rows[i];

		if (row->size == size && memcmp(row->essence, essence, size) == 0)
			return row;
	}
	return NULL;
}

/* A free row, or the one whose last act is longest ago. */
static struct fold_row *row_oldest(struct fold *fold)
{
	struct fold_row *oldest = &fold->rows[0];

	for (size_t i = 0; i < FOLD_ROWS; i++) {
		struct fold_row *row = &fold->rows[i];

		if (!row->size)
			return row;
		if (row->seen < oldest->seen)
			oldest = row;
	}
	return oldest;
}

int fold_add(struct fold *fold, const void *record, const void *essence, size_t size, int64_t now)
{
	struct fold_row *row;
	int err;

	if (!size || size > FOLD_RECORD_MAX)
		return -EMSGSIZE;
	row = row_find(fold, essence, size);
	if (!row) {
		row = row_oldest(fold);
		err = row_pass(fold, row, now);
		if (err < 0)
			return err;
		row->size = size;
		row->since = now - FOLD_NANOSECONDS;
		memcpy(row->essence, essence, size);
	}
	memcpy(row->record, record, size);
	row->held++;
	row->seen = now;
	return now - row->since >= FOLD_NANOSECONDS ? row_pass(fold, row, now) : 0;
}

int fold_flush(struct fold *fold, int64_t now, bool all)
{
	for (size_t i = 0; i < FOLD_ROWS; i++) {
		struct fold_row *row = &fold->rows[i];
		int err = 0;

		if (all || now - row->since >= FOLD_NANOSECONDS)
			err = row_pass(fold, row, now);
		if (err < 0)
			return err;
	}
	return 0;
}

int64_t fold_wait(const struct fold *fold, int64_t now)
{
	int64_t wait = -1;

	for (size_t i = 0; i < FOLD_ROWS; i++) {
		const struct fold_row *row = &fold->rows[i];
		int64_t left = row->since + FOLD_NANOSECONDS - now;

		if (!row->held)
			continue;
		if (left < 0)
			left = 0;
		if (wait < 0 || left < wait)
			wait = left;
	}
	return wait;
}

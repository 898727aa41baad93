/* SPDX-License-Identifier: MIT */
/* The first of a row passes at once, and every act is counted once. */
#include "loader/fold.h"

#include <errno.h>

#include "tests/unit/tap.h"

#define SECOND FOLD_NANOSECONDS

/* What was passed on: "a" is one act, "a12" twelve. */
struct seen {
	char text[4096];
	unsigned int acts;
	int error;
};

static int see(void *ctx, const void *record, size_t size, unsigned int count)
{
	struct seen *seen = ctx;
	size_t len = strlen(seen->text);

	(void)size;
	snprintf(seen->text + len, sizeof(seen->text) - len, "%c%.0u ", *(const char *)record,
		 count > 1 ? count : 0);
	seen->acts += count;
	return seen->error;
}

/* Acts are letters; the same letter in another case is the same row. */
static int act(struct fold *fold, char letter, int64_t now)
{
	char record[2] = { letter }, essence[2] = { (char)(letter | 0x20) };

	return fold_add(fold, record, essence, sizeof(record), now);
}

static void one_row(void)
{
	struct seen seen = {};
	struct fold fold = { .pass = see, .ctx = &seen };

	act(&fold, 'A', 0);
	tap_str(seen.text, "A ", "the first act passes at once");
	tap_int(fold_wait(&fold, 0), -1, "and nothing waits");
	for (int i = 1; i < 12; i++)
		act(&fold, i < 11 ? 'a' : 'A', i);
	tap_str(seen.text, "A ", "those after it are held");
	tap_int(fold_wait(&fold, 11), SECOND - 11, "for a second since the first");
	fold_flush(&fold, SECOND - 1, false);
	tap_str(seen.text, "A ", "not a moment less");
	fold_flush(&fold, SECOND, false);
	tap_str(seen.text, "A A11 ", "then told together, as the last of them");
	fold_flush(&fold, 5 * SECOND, true);
	tap_str(seen.text, "A A11 ", "and once only");
	act(&fold, 'a', 6 * SECOND);
	tap_str(seen.text, "A A11 a ", "after a pause, the first passes at once again");
}

static void steady(void)
{
	struct seen seen = {};
	struct fold fold = { .pass = see, .ctx = &seen };

	for (int i = 0; i < 100000; i++)
		act(&fold, 'a', i * (SECOND / 1000));
	fold_flush(&fold, 100 * SECOND, true);
	tap_int(seen.acts, 100000, "no act is forgotten or counted twice");
	tap_ok(strlen(seen.text) < 110 * strlen("a1000 "), "a flood makes a line a second");
}

static void many_rows(void)
{
	struct seen seen = {};
	struct fold fold = { .pass = see, .ctx = &seen };

	for (int i = 0; i < 10; i++) {
		act(&fold, 'a', 2 * i);
		act(&fold, 'b', 2 * i + 1);
	}
	tap_str(seen.text, "a b ", "two in turn are two rows");
	for (char c = 'c'; c < 'c' + FOLD_ROWS - 2; c++)
		act(&fold, c, 30 + c);
	tap_str(seen.text, "a b c d e f g h ", "every row's first passes at once");
	act(&fold, 'i', 300);
	tap_str(seen.text, "a b c d e f g h a9 i ",
		"what is held of an old row is told, not dropped");
	fold_flush(&fold, 301, true);
	tap_str(seen.text, "a b c d e f g h a9 i b9 ",
		"and at the end, what is held of the others");
	tap_int(seen.acts, 27, "every act was counted");
}

static void refusals(void)
{
	struct seen seen = { .error = -EIO };
	struct fold fold = { .pass = see, .ctx = &seen };
	char big[FOLD_RECORD_MAX + 1] = {};

	tap_int(fold_add(&fold, big, big, sizeof(big), 0), -EMSGSIZE,
		"too large a record is refused");
	tap_int(fold_add(&fold, big, big, 0, 0), -EMSGSIZE, "so is an empty one");
	tap_int(seen.acts, 0, "and neither is passed on");
	tap_int(act(&fold, 'a', 0), -EIO, "an error of the receiver is handed up");
	tap_int(act(&fold, 'a', 1), 0, "not when nothing was passed");
	tap_int(fold_flush(&fold, 2, true), -EIO, "and again when something is");
}

int main(void)
{
	one_row();
	steady();
	many_rows();
	refusals();
	return tap_done();
}

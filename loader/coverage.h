/* SPDX-License-Identifier: MIT */
/* What the way debar works on this machine leaves uncovered, in words: said at the start, and by
 * `status`. What no way covers is in the README. */
#ifndef DEBAR_COVERAGE_H
#define DEBAR_COVERAGE_H

#include <stddef.h>

struct policy_book;

#define COVERAGE_GAPS_MAX 8

/*
 * @parts: what is loaded (enum kernel_part). @book: of the policy in force, or NULL. Returns how
 * many; 0 in kernel mode.
 */
size_t coverage_gaps(unsigned int parts, const struct policy_book *book,
		     const char *ret_gaps[COVERAGE_GAPS_MAX]);

#endif

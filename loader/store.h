/* SPDX-License-Identifier: MIT */
/*
 * What outlives a verb: how enforcement was asked for, so that reload and a new controller can read
 * the same policies again, and the rule book, so that an event can name its rule.
 */
#ifndef DEBAR_STORE_H
#define DEBAR_STORE_H

#include "loader/enforce.h"

struct policy;
struct policy_book;

/*
 * Files are replaced whole, or stay as they were. The book of @generation is kept beside the one
 * before, whose events may still be in the ring. 0 or -errno.
 */
int store_save(const struct enforce_options *options, const struct policy *policy,
	       uint32_t generation);

/* -ENOENT: nothing was stored. Strings in @ret_options belong to the caller (enforce_options_free). */
int store_options(struct enforce_options *ret_options);
int store_book(uint32_t generation, struct policy_book **ret_book);

/* Forget all. */
void store_remove(void);

#endif

/* SPDX-License-Identifier: MIT */
#ifndef DEBAR_POLICY_DIFF_H
#define DEBAR_POLICY_DIFF_H

#include "policy/model.h"

/* How many values of one list are not in the other, both ways; lists may have millions. */
int diff_lists(const struct policy *before, const struct range *old, const struct policy *after,
	       const struct range *now, size_t *ret_added, size_t *ret_removed);

#endif

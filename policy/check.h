/* SPDX-License-Identifier: MIT */
/* Checks that need more than one line of text; what policy_check() is made of. */
#ifndef DEBAR_POLICY_CHECK_H
#define DEBAR_POLICY_CHECK_H

#include "policy/model.h"

struct check {
	const struct policy *policy;
	const struct policy_checks *options;
	struct policy_error *error;
};

/* An error without --force, a warning with it. */
__attribute__((format(printf, 3, 4))) int
check_soft(const struct check *check, const struct policy_place *place, const char *format, ...);
__attribute__((format(printf, 3, 4))) void
check_warn(const struct check *check, const struct policy_place *place, const char *format, ...);

/* Where a rule stands: in the policy, or at its line of a list. */
struct policy_place check_place(const struct policy *policy, const struct rule *rule);

/* "sha256 ab12..." into @buf, for messages. Returns @buf. */
const char *check_show(const struct policy *policy, const struct rule_value *value, char *buf,
		       size_t size);

/* One thing banned twice, and rules that an exception leaves without effect. */
int check_doubles(const struct check *check);

/* Rules that ban too much: public suffixes, whole families, the running system. */
int check_breadth(const struct check *check);

#endif

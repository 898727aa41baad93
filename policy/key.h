/* SPDX-License-Identifier: MIT */
/* From a value of the policy to the keys that the kernel compares. */
#ifndef DEBAR_POLICY_KEY_H
#define DEBAR_POLICY_KEY_H

#include "policy/model.h"

/* Called for every key of a value; stops at the first error. */
struct key_sink {
	void *ctx;
	int (*key)(void *ctx, const struct debar_key *key);
};

/*
 * The keys of @value: none (a name, a network, a cgroup, or facts not learnt yet), one, or one for
 * every certificate or package of @facts that it matches. @facts may be NULL.
 */
int key_each(const struct policy *policy, const struct rule_value *value,
	     const struct policy_facts *facts, const struct key_sink *sink);

#endif

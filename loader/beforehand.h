/* SPDX-License-Identifier: MIT */
/*
 * load --scan: trees are classified before the policy is in force, because nobody stays who could do
 * it afterwards. What is not in them is content that nobody knows, and `unclassified` decides.
 */
#ifndef DEBAR_BEFOREHAND_H
#define DEBAR_BEFOREHAND_H

#include <stddef.h>

#include "policy/policy.h"

struct beforehand;
struct kernel;

int beforehand_new(struct beforehand **ret_beforehand);
void beforehand_free(struct beforehand *beforehand);

static inline void beforehand_freep(struct beforehand **beforehand)
{
	beforehand_free(*beforehand);
}

/* Read @path and everything below it. Errors have been printed. */
int beforehand_tree(struct beforehand *beforehand, const char *path);

/* Whatever is mapped as code now; likewise. */
int beforehand_mapped(struct beforehand *beforehand);

/* The certificates that were seen, for the policy's tables; borrowed. */
struct policy_facts beforehand_facts(const struct beforehand *beforehand);

/* The keys of all contents into the kernel, where the hooks find them. Says how many. */
int beforehand_put(const struct beforehand *beforehand, struct kernel *kernel);

#endif

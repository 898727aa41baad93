/* SPDX-License-Identifier: MIT */
#ifndef DEBAR_POLICY_COMPILE_H
#define DEBAR_POLICY_COMPILE_H

#include "policy/model.h"

/* Tables while they grow, with an index from key to its last match. */
struct compile {
	const struct policy *policy;
	const struct policy_facts *facts;
	struct policy_tables *tables;
	struct policy_error *error;
	size_t key_room, except_room, cgroup_room, name_room, network_room;
	size_t name_except_room, network_except_room;
	uint32_t *slots; /* index of the key's last match plus one; 0: free */
	size_t slot_mask;
	uint32_t *before; /* of a match: the one before it of the same key plus one */
	size_t before_room;
	const struct rule *rule; /* the rule, or the exception, being compiled */
	const struct policy_exception *exception;
};

/* The exceptions, into the tables that are theirs. */
int compile_excepts(struct compile *compile);

#endif

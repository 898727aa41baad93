/* SPDX-License-Identifier: MIT */
/*
 * The tables of names and networks as the kernel looks them up: a policy's names become buckets and
 * a pool, its networks a tree without surprises. Pure; fresh randomness comes from the caller.
 */
#ifndef DEBAR_POLICY_NAMES_H
#define DEBAR_POLICY_NAMES_H

#include <stddef.h>

#include "bpf/abi_net.h"

struct policy_tables;

/* Arrays in the layout of a batch update; an index is the key of buckets, chunks and rules. */
struct names_tables {
	struct debar_net_head head;
	size_t bucket_count;
	struct debar_name_bucket *buckets;
	size_t chunk_count;
	struct debar_name_chunk *chunks;
	size_t rule_count;
	struct debar_net_rule *rules;
	size_t network_count;
	struct debar_network_key *network_keys;
	struct debar_network *networks;
};

/*
 * Of @tables only bans, names, networks and their exceptions are read. @seed: 16 fresh random
 * bytes, so that nobody outside can know which names collide. -E2BIG: a name or a network with more
 * than DEBAR_NET_RULES_MAX rules. The ports are 53 and 5353; others are for the caller to add.
 */
int names_build(const struct policy_tables *tables, const __u8 seed[16],
		struct names_tables **ret_names);
void names_free(struct names_tables *names);

/* The hash of a name in wire form. */
__u64 names_hash(const __u8 *wire, size_t len, __u64 seed, __u64 multiplier);

/* "a.example" -> "\1a\7example". Bytes written, or -EINVAL: not a name of legal lengths. */
int names_to_wire(const char *name, __u8 ret_wire[DEBAR_NAME_MAX]);

#endif

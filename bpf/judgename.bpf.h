/* SPDX-License-Identifier: GPL-2.0-only */
/* The verdict about a name, for the programs that see names: judge.bpf.h continued. */
#ifndef DEBAR_JUDGENAME_BPF_H
#define DEBAR_JUDGENAME_BPF_H

#include "bpf/judge.bpf.h"
#include "bpf/names.bpf.h"

/* ---- the names in force: written by the controller ----------------------------------------- */

struct debar_bucket_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_INNER_MAP);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32)); /* upper half of a name's hash, scaled */
	__uint(value_size, sizeof(struct debar_name_bucket));
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 2);
	__type(key, __u32); /* slot */
	__array(values, struct debar_bucket_map);
} debar_buckets __weak SEC(".maps");

struct debar_pool_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_INNER_MAP);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32)); /* chunk */
	__uint(value_size, sizeof(struct debar_name_chunk));
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 2);
	__type(key, __u32); /* slot */
	__array(values, struct debar_pool_map);
} debar_pool __weak SEC(".maps");

/* ---- the verdict --------------------------------------------------------------------------- */

static __always_inline void *net_buckets(__u32 slot)
{
	return bpf_map_lookup_elem(&debar_buckets, &slot);
}

static __always_inline void *net_pool(__u32 slot)
{
	return bpf_map_lookup_elem(&debar_pool, &slot);
}

/* One pass over the name's borders. */
__weak int debar_names_pass(struct judgement *j, struct name *name)
{
	struct net_look look = { .name = name, .verdict = j };

	if (!j || !name)
		return 0;
	look.slot = j->slot;
	look.head = net_head(look.slot);
	if (!look.head || !look.head->buckets)
		return 0;
	if (look.head->seed != name->seed) {
		name->seed = look.head->seed;
		name->multiplier = look.head->multiplier;
		name_rehash(name);
	}
	names_look(&look);
	return 0;
}

/*
 * Sets j->action for the name, whose hashes were made with some generation's seed: after a swap
 * they are made again.
 */
__weak int debar_judge_name(struct judgement *j, struct name *name)
{
	struct debar_state *state = state_get();

	if (!state || !j || !name)
		return 0;
	j->now = now_utc(state);
	for (int try = 0; try < JUDGE_TRIES; try++) {
		if (!judge_begin(j, state))
			return 0;
		debar_names_pass(j, name);
		if (judge_weigh(j))
			debar_names_pass(j, name);
		if (!judge_torn(j, state))
			break;
	}
	j->action = mode_cap(state, j->action);
	return 0;
}

#endif

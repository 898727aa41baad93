/* SPDX-License-Identifier: GPL-2.0-only */
/* The verdict about a name, for the programs that see names: judge.bpf.h continued. */
#ifndef DEBAR_JUDGENAME_BPF_H
#define DEBAR_JUDGENAME_BPF_H

#include "bpf/judge.bpf.h"

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

static __always_inline void *net_pool(struct net_look *look)
{
	struct judgement *j = look->verdict;
	__u32 slot = j->slot;

	return bpf_map_lookup_elem(&debar_pool, &slot);
}

static __always_inline void judge_name_once(struct judgement *j, struct name *name,
					    const struct debar_net_head *head)
{
	struct net_look look = { .name = name, .head = head };
	__u32 slot = j->slot;

	look.buckets = bpf_map_lookup_elem(&debar_buckets, &slot);
	if (!look.buckets)
		return;
	look.verdict = j;
	names_look(&look);
	if (!j->met)
		return;
	j->weighing = 1;
	names_look(&look);
}

/*
 * Sets j->action for the name, whose hashes were made with some generation's seed: after a swap
 * they are made again.
 */
int debar_judge_name(struct judgement *j, struct name *name)
{
	struct debar_state *state = state_get();
	int try;

	if (!state || !j || !name)
		return 0;
	j->now = now_utc(state);
	for (try = 0; try < 3; try++) {
		struct debar_net_head *head;

		if (!judge_begin(j, state))
			return 0;
		head = net_head(j->slot);
		if (head && head->buckets) {
			if (head->seed != name->seed) {
				name->seed = head->seed;
				name->multiplier = head->multiplier;
				name_rehash(name);
			}
			judge_name_once(j, name, head);
		}
		if (!judge_torn(j, state))
			break;
	}
	j->action = mode_cap(state, j->action);
	return 0;
}

static __always_inline void judge_name(NET_CTX *ctx, struct judgement *j, struct name *name)
{
	debar_judge_name(j, name);
	if (judge_owner(ctx, j))
		debar_judge_name(j, name);
}

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Is a name, or a name above it, in the policy's table? One look-up for each label border at which
 * any rule ends, the stored name compared. For every rule that is met the includer's
 * net_rule_met(look, rule) is called; net_pool(look) and net_rules(look) give the tables.
 */
#ifndef DEBAR_NAMES_BPF_H
#define DEBAR_NAMES_BPF_H

#include "bpf/name.bpf.h"

struct net_look;
static void *net_pool(struct net_look *look);
static void *net_rules(struct net_look *look);
static void net_rule_met(struct net_look *look, const struct debar_net_rule *rule);

#ifdef __bpf__

#define table_at(type, table, at)                                                                  \
	({                                                                                         \
		__u32 at_ = (at);                                                                  \
		(type *)bpf_map_lookup_elem(table, &at_);                                          \
	})

#else

#define table_at(type, table, at) ((type *)(table) + (at))

#endif

/* One look-up, of a name or an address. Small: the kernel gives all functions together 512 bytes. */
struct net_look {
	struct name *name;
	void *verdict; /* the includer's */
	void *buckets;
	void *pool; /* of the record being compared, then the rules it has */
	const struct debar_net_head *head;
	__u64 hash;
	__u32 label; /* border being looked at */
	__u32 start; /* where in the name */
	__u32 first; /* chunk of the record, then the first of its rules */
	__u32 differs;
};

static long net_rules_step(__u32 i, struct net_look *look)
{
	const struct debar_net_rule *rule =
		table_at(struct debar_net_rule, look->pool, look->first + i);

	if (rule)
		net_rule_met(look, rule);
	return !rule;
}

static __always_inline void net_rules_meet(struct net_look *look, __u32 first, __u32 count)
{
	look->pool = net_rules(look);
	if (!look->pool)
		return;
	look->first = first;
	bpf_loop(count < DEBAR_NET_RULES_MAX ? count : DEBAR_NET_RULES_MAX, net_rules_step, look,
		 0);
}

/* The chunks of a record behind the first. */
static long names_chunk_step(__u32 i, struct net_look *look)
{
	const struct debar_name_chunk *chunk =
		table_at(struct debar_name_chunk, look->pool, look->first + 1 + i);
	__u32 at = (look->start + DEBAR_NAME_CHUNK - 8 + i * DEBAR_NAME_CHUNK) & 255;
	const __u8 *wire;

	opaque(at);
	wire = &look->name->wire[at & 255];
	look->differs = !chunk || chunk->words[0] != word_at(wire) ||
			chunk->words[1] != word_at(wire + 8) ||
			chunk->words[2] != word_at(wire + 16) ||
			chunk->words[3] != word_at(wire + 24);
	return look->differs;
}

/* The record at @chunk against the name from look->start on. */
static __always_inline void names_compare(struct net_look *look, __u32 at)
{
	const struct debar_name_chunk *chunk;
	const struct debar_name_record *record;
	__u32 start = look->start & 255, len = look->name->len - start;
	const __u8 *wire;

	look->pool = net_pool(look);
	chunk = look->pool ? table_at(struct debar_name_chunk, look->pool, at) : 0;
	record = (const void *)chunk;
	if (!chunk || record->len != len)
		return;
	opaque(start);
	wire = &look->name->wire[start & 255];
	if (chunk->words[1] != word_at(wire) || chunk->words[2] != word_at(wire + 8) ||
	    chunk->words[3] != word_at(wire + 16))
		return;
	look->first = at;
	look->differs = 0;
	if (len > DEBAR_NAME_CHUNK - 8)
		bpf_loop((len + 7) / DEBAR_NAME_CHUNK, names_chunk_step, look, 0);
	if (!look->differs)
		net_rules_meet(look, record->first, record->count);
}

/* The slot with this tag: chunk of its record, plus one; 0: none. */
static __always_inline __u32 names_probe(struct net_look *look, __u64 final)
{
	__u32 tag = final, count = look->head->buckets, at = (final >> 32) * count >> 32;

	for (int probe = 0; probe < DEBAR_NAME_PROBES; probe++) {
		const struct debar_name_bucket *bucket =
			table_at(struct debar_name_bucket, look->buckets, at);

		if (!bucket)
			return 0;
		for (int i = 0; i < DEBAR_NAME_SLOTS; i++)
			if (bucket->slots[i].tag == tag)
				return bucket->slots[i].chunk + 1;
		if (!bucket->slots[DEBAR_NAME_SLOTS - 1].tag)
			return 0;
		at = at + 1 < count ? at + 1 : 0;
	}
	return 0;
}

/* bpf_loop body: the i-th border from the end. */
static long names_border(__u32 i, struct net_look *look)
{
	__u32 label = look->name->labels - 1 - i, depth = i + 1, chunk;

	opaque(label);
	label &= NAME_LABEL_SLOTS - 1;
	look->hash = debar_hash_label(look->hash, look->name->hash[label], look->name->multiplier);
	if (!(look->head->depths[depth >> 6 & 1] >> (depth & 63) & 1))
		return 0;
	look->label = label;
	look->start = look->name->start[label];
	chunk = names_probe(look, debar_hash_final(look->hash));
	if (chunk)
		names_compare(look, chunk - 1);
	return 0;
}

static __always_inline void names_look(struct net_look *look)
{
	look->hash = look->name->seed;
	bpf_loop(look->name->labels, names_border, look, 0);
}

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Is a name, or a name above it, in the policy's table? One look-up for each label border at which
 * any rule ends, the stored name compared.
 */
#ifndef DEBAR_NAMES_BPF_H
#define DEBAR_NAMES_BPF_H

#include "bpf/look.bpf.h"

static __always_inline void *net_buckets(__u32 slot);
static __always_inline void *net_pool(__u32 slot);

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

	look->pool = net_pool(look->slot);
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

/* The chunk of the record with this tag, plus one; 0: there is none. @count: of buckets. */
__weak __u32 debar_names_probe(__u32 slot, __u32 count, __u64 final)
{
	__u32 tag = final, at = (final >> 32) * count >> 32;
	void *buckets = net_buckets(slot);

	if (!buckets)
		return 0;
	for (int probe = 0; probe < DEBAR_NAME_PROBES; probe++) {
		const struct debar_name_bucket *bucket =
			table_at(struct debar_name_bucket, buckets, at);

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
	chunk = debar_names_probe(look->slot, look->head->buckets, debar_hash_final(look->hash));
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

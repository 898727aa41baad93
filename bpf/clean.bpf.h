/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Addresses that no rule of the generation in force names: most packets go where others went before,
 * and what was found once need not be looked up in the tree each time.
 *
 * An element holds the address whole, and a hash of it by the generation's own key. Writers do not
 * wait for each other: of two that mix, neither the address of the one with the hash of the other nor
 * half of each is believed, because for one half of an address the hash is another for each other half.
 * Not used where addresses are learnt, which have no generation.
 */
#ifndef DEBAR_CLEAN_BPF_H
#define DEBAR_CLEAN_BPF_H

#include "bpf/judge.bpf.h"

#define CLEANS 4096

/* An address as it stands in a header of IPv6; IPv4 is ::ffff:a.b.c.d. */
struct clean_key {
	__u64 front;
	__u64 back;
};

struct clean {
	struct clean_key key;
	__u64 hash;
	__u64 pad;
};

/* Written and read by connect, sendmsg and egress. Full: the newer takes the older's place. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, CLEANS);
	__type(key, __u32);
	__type(value, struct clean);
} debar_cleans __weak SEC(".maps");

static __always_inline struct clean_key clean_v4(__u32 a)
{
	return (struct clean_key){ .back = (__u64)a << 32 | bpf_htonl(0xffff) };
}

static __always_inline struct clean_key clean_v6(__u32 a, __u32 b, __u32 c, __u32 d)
{
	return (struct clean_key){ .front = (__u64)b << 32 | a, .back = (__u64)d << 32 | c };
}

static __always_inline void clean_address(struct clean_key key, struct debar_address *ret_address)
{
	address_v6(ret_address, key.front, key.front >> 32, key.back, key.back >> 32);
}

static __always_inline __u64 clean_hash(const struct debar_net_head *head, struct clean_key key)
{
	__u64 hash = (head->seed ^ key.front) * head->multiplier;

	hash ^= hash >> 32;
	return (hash ^ key.back) * head->multiplier;
}

static __always_inline struct clean *clean_slot(__u64 hash)
{
	__u32 at = hash >> 52;

	return bpf_map_lookup_elem(&debar_cleans, &at);
}

/* @hash: clean_hash() of it. */
static __always_inline bool clean_holds(struct clean_key key, __u64 hash)
{
	struct clean *clean = clean_slot(hash);

	return clean && clean->hash == hash && clean->key.back == key.back &&
	       clean->key.front == key.front;
}

/* After it was judged: @hash is of the head of @generation. */
static __always_inline void clean_note(struct clean_key key, __u64 hash, __u32 generation,
				       const struct judgement *j)
{
	struct clean *clean;

	if (j->bans || !j->settled || j->generation != generation)
		return;
	clean = clean_slot(hash);
	if (!clean)
		return;
	clean->hash = hash;
	clean->key = key;
}

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory to parse in. A packet leaves in a system call and may be interrupted by one that leaves in
 * a soft interrupt, or by another task, on the same CPU: so each CPU has a few, taken and given back.
 */
#ifndef DEBAR_SCRATCH_BPF_H
#define DEBAR_SCRATCH_BPF_H

#include "bpf/dns.bpf.h"
#include "bpf/headers.bpf.h"
#include "bpf/judge.bpf.h"
#include "bpf/stream.bpf.h"

#define SCRATCH_SLOTS 4

struct scratch {
	__u32 busy;
	__u32 pad;
	struct judgement judgement;
	struct name name;
	struct stream stream;
	struct chunk chunk;
	struct packet packet;
	__u32 at;  /* DNS: next question or record */
	__u32 end; /* DNS: of the message */
	__u8 refused;
	__u8 malformed;
	__u8 whole; /* TCP: a message of DNS is in memory */
	__u8 pad2;
	struct dns_message message;
};

/* All taken: the packet is dropped, and sent again by who knows how (FACT_SCRATCH). */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, SCRATCH_SLOTS);
	__type(key, __u32);
	__type(value, struct scratch);
} debar_scratch __weak SEC(".maps");

/*
 * A parse of a connection that goes on in a later segment; only while it does, so an established
 * connection has none. No memory: see tcp_keep().
 */
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct stream);
} debar_streams __weak SEC(".maps");

/* The name in it is ready to be read for the generation of @head. */
static __always_inline struct scratch *scratch_take(const struct debar_net_head *head)
{
	for (__u32 i = 0; i < SCRATCH_SLOTS; i++) {
		__u32 slot = i;
		struct scratch *scratch = bpf_map_lookup_elem(&debar_scratch, &slot);

		if (!scratch || __sync_val_compare_and_swap(&scratch->busy, 0, 1))
			continue;
		scratch->name.seed = head->seed;
		scratch->name.multiplier = head->multiplier;
		return scratch;
	}
	net_count(DEBAR_NET_FACT_SCRATCH);
	return NULL;
}

static __always_inline void scratch_give(struct scratch *scratch)
{
	barrier();
	scratch->busy = 0;
}

#endif

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

/* ---- learning, see learn.bpf.h -------------------------------------------------------------- */

/* Whose answer. No hole: a key is compared whole. */
struct learn_key {
	__u64 cookie; /* of the socket */
	__u64 name;   /* hash of the question */
	struct debar_address server;
	__u16 id;
	__u16 port;
};
_Static_assert(sizeof(struct learn_key) == 40, "learn_key has a hole");

struct learn_asked {
	__s64 when; /* boot clock */
	struct debar_match match;
	__u32 generation;
	__u32 pad;
};

struct learn_share {
	__s64 since; /* boot clock */
	__u32 count;
	__u32 pad;
};

struct learn {
	struct learn_key key;
	struct learn_asked asked;
	struct debar_match match; /* that the question met, whoever asks */
	__u64 expected;		  /* hash of the name whose records count */
	struct debar_address address;
	__u8 action; /* likewise: enum debar_action */
	__u8 pad[3];
};

/* ---- questions judged before, see known.bpf.h ----------------------------------------------- */

#define KNOWN_WORDS 8

struct known_name {
	__u64 words[KNOWN_WORDS];
};

/* ---- the buffers ---------------------------------------------------------------------------- */

struct scratch {
	__u32 busy;
	__u32 pad;
	struct judgement judgement;
	struct name name;
	struct stream stream;
	struct chunk chunk;
	struct packet packet;
	__u32 segment; /* UDP: bytes of each datagram */
	__u32 left;    /* UDP: bytes of all that are not read */
	__u32 at;      /* DNS: next question or record */
	__u32 end;     /* DNS: of the message */
	__u8 refused;
	__u8 malformed;
	__u8 whole;  /* a message of DNS is in memory, and to be looked at */
	__u8 answer; /* DNS: `question` wants an answer, if it is refused */
	__u8 learns; /* some ban does */
	__u8 server; /* this side's port is one of DNS */
	__u8 pad2[2];
	__u32 generation;
	__u32 asked_size; /* bytes of `asked`; 0: not looked for, or longer */
	struct known_name asked;
	struct debar_question question;
	struct learn learn;
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

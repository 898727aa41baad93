/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Questions that no rule of a generation names: most are asked again and again, and an answer repeats
 * its question. The bytes are compared whole, as they stand in the message, so that nothing but the
 * very same name passes for one that was judged. Not used where addresses are learnt, for whose sake
 * every question is read.
 */
#ifndef DEBAR_KNOWN_BPF_H
#define DEBAR_KNOWN_BPF_H

#include "bpf/judge.bpf.h"
#include "bpf/scratch.bpf.h"

#define KNOWN_MAX 2048

/* `turn` is odd while it is written, and another one afterwards: who read meanwhile knows nothing. */
struct known {
	__u32 turn;
	__u32 generation;
	struct known_name name;
};

/* Written and read by egress and ingress. Full: the newer takes the older's place. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, KNOWN_MAX);
	__type(key, __u32);
	__type(value, struct known);
} debar_known __weak SEC(".maps");

/*
 * The bytes behind the message's header up to the first zero, filled with zeroes; returns how many they
 * are with that zero, 0: there is none in so many. Whether a name ends there the parser has to say.
 */
static __always_inline __u32 known_read(struct scratch *s, struct known_name *ret_name)
{
	const __u64 ones = 0x0101010101010101ULL;

	__builtin_memset(ret_name, 0, sizeof(*ret_name));
#pragma unroll
	for (__u32 i = 0; i < KNOWN_WORDS; i++) {
		__u64 word = word_at(&s->message.bytes[DNS_HEADER + i * 8]);
		__u64 zero = (word - ones) & ~word & ones << 7;

		if (zero) {
			zero = ((zero & -zero) >> 7) - 1; /* the bytes in front of the first one */
			ret_name->words[i] = word & zero;
			return i * 8 + ((zero & ones) * ones >> 56) + 1;
		}
		ret_name->words[i] = word;
	}
	return 0;
}

static __always_inline struct known *known_slot(const struct known_name *name)
{
	__u64 hash = 0;
	__u32 at;

	for (__u32 i = 0; i < KNOWN_WORDS; i++)
		hash = (hash ^ name->words[i]) * 0x9e3779b97f4a7c15ULL;
	at = hash >> 53;
	return bpf_map_lookup_elem(&debar_known, &at);
}
_Static_assert(KNOWN_MAX == 1 << (64 - 53), "known_slot takes other bits");

static __always_inline bool known_is(const struct known_name *name, __u32 generation)
{
	struct known *known = known_slot(name);
	__u64 differs = 0;
	__u32 turn;

	if (!known)
		return false;
	turn = *(volatile __u32 *)&known->turn;
	barrier();
	if (turn & 1 || known->generation != generation)
		return false;
	for (__u32 i = 0; i < KNOWN_WORDS; i++)
		differs |= *(volatile __u64 *)&known->name.words[i] ^ name->words[i];
	barrier();
	return !differs && *(volatile __u32 *)&known->turn == turn;
}

/* Was the one question of this message judged before? Then s->at is behind it. */
static __always_inline bool known_holds(struct scratch *s)
{
	__u32 size = s->learns ? 0 : known_read(s, &s->asked);

	s->asked_size = size;
	if (!size || DNS_HEADER + size + 4 > s->end || !known_is(&s->asked, s->generation))
		return false;
	s->at = DNS_HEADER + size + 4;
	return true;
}

/* After it was judged, alone in its message. */
static __always_inline void known_note(struct scratch *s)
{
	struct known *known;
	__u32 turn;

	if (!s->asked_size || s->at != DNS_HEADER + s->asked_size + 4 || s->malformed ||
	    s->judgement.bans || !s->judgement.settled)
		return;
	known = known_slot(&s->asked);
	if (!known)
		return;
	turn = *(volatile __u32 *)&known->turn & ~1u;
	if (__sync_val_compare_and_swap(&known->turn, turn, turn + 1) != turn)
		return;
	known->generation = s->judgement.generation;
	known->name = s->asked;
	barrier();
	*(volatile __u32 *)&known->turn = turn + 2;
}

#endif

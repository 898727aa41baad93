/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The parsers are compiled twice from one source: for the kernel, and for user space, where unit
 * tests and fuzzers run them under sanitizers. This page is the whole difference between the two.
 */
#ifndef DEBAR_HOSTED_BPF_H
#define DEBAR_HOSTED_BPF_H

#include <linux/types.h>
#include <stdbool.h>

#include "bpf/abi_net.h"

#ifdef __bpf__

#include "bpf/kernel.bpf.h"

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

/* Where bytes come from: a packet. */
#define SOURCE struct __sk_buff

static __always_inline bool source_load(SOURCE *source, __u32 offset, void *to, __u32 len)
{
	return !bpf_skb_load_bytes(source, offset, to, len);
}

/* Eight bytes from any address: the kernels debar runs on read them at once. */
static __always_inline __u64 word_at(const void *at)
{
	return *(const volatile __u64 *)at;
}

/* Keeps the compiler from proving a bound away that the verifier has to see. */
#define opaque(x) asm volatile("" : "+r"(x))

/*
 * Is @len, a __u64, from @least to @most? In two tests of a whole register: made one, or halved,
 * 6.1's verifier does not see the bounds.
 */
#define within(len, least, most)                                                                   \
	({                                                                                         \
		bool good_ = true;                                                                 \
		opaque(len);                                                                       \
		if ((len) < (least))                                                               \
			good_ = false;                                                             \
		opaque(len);                                                                       \
		good_ && (len) <= (most);                                                          \
	})

#else

/* bpf_loop's steps are given a number that few want; a test uses not every parser. */
#pragma GCC diagnostic ignored "-Wunused-parameter"
#pragma GCC diagnostic ignored "-Wunused-function"

#undef __always_inline
#define __always_inline inline __attribute__((always_inline))
#ifndef __noinline
#define __noinline __attribute__((noinline))
#endif

#ifndef __weak
#define __weak static __attribute__((unused))
#endif

struct source {
	const __u8 *bytes;
	__u32 len;
};

#define SOURCE struct source

static inline bool source_load(SOURCE *source, __u32 offset, void *to, __u32 len)
{
	if (offset > source->len || len > source->len - offset)
		return false;
	__builtin_memcpy(to, source->bytes + offset, len);
	return true;
}

/* As the helper of that name: 0 goes on, 1 ends. */
#define bpf_loop(n, step, ctx, flags)                                                              \
	({                                                                                         \
		__u32 i_ = 0;                                                                      \
		while (i_ < (__u32)(n) && !(step)(i_, (ctx)))                                      \
			i_++;                                                                      \
		(long)i_;                                                                          \
	})

static inline __u64 word_at(const void *at)
{
	__u64 word;

	__builtin_memcpy(&word, at, sizeof(word));
	return word;
}

#define opaque(x) ((void)(x))
#define within(len, least, most) ((len) >= (least) && (len) <= (most))

#endif

#endif

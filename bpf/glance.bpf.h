/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A message of DNS as most are, read where it stands: one question that was judged before, and behind it
 * nothing, or records that lead nowhere. Whatever else it is, the parsers of inspect.bpf.h have to say.
 */
#ifndef DEBAR_GLANCE_BPF_H
#define DEBAR_GLANCE_BPF_H

#include "bpf/dns.bpf.h"
#include "bpf/headers.bpf.h"
#include "bpf/known.bpf.h"

#define GLANCE_MAX 1024	 /* bytes of a message */
#define GLANCE_RECORDS 6 /* in one answer */

/* The bytes at @at of the message, of @type; NULL: they are not there, or not in the linear part. */
#define glance_at(type, skb, payload, at)                                                          \
	({                                                                                         \
		const type *there_ = (void *)(long)(skb)->data + (payload) + (at);                 \
		(void *)(there_ + 1) <= (void *)(long)(skb)->data_end ? there_ : NULL;             \
	})

/* As known_read(), four bytes at a time, because so many at least are behind the name. */
static __always_inline __u32 glance_name(struct __sk_buff *skb, __u32 payload,
					 struct known_name *ret_name)
{
	const __u32 ones = 0x01010101;

	__builtin_memset(ret_name, 0, sizeof(*ret_name));
#pragma unroll
	for (__u32 i = 0; i < 2 * KNOWN_WORDS; i++) {
		const __u32 *word = glance_at(__u32, skb, payload, DNS_HEADER + i * 4);
		__u64 bytes;
		__u32 zero;

		if (!word)
			return 0;
		bytes = *word;
		zero = ((__u32)bytes - ones) & ~(__u32)bytes & ones << 7;
		if (zero) {
			zero = ((zero & -zero) >> 7) - 1;
			ret_name->words[i / 2] |= (bytes & zero) << (i & 1) * 32;
			return i * 4 + ((zero & ones) * ones >> 24) + 1;
		}
		ret_name->words[i / 2] |= bytes << (i & 1) * 32;
	}
	return 0;
}

/* Behind the one question, which is known; 0: it is not. */
static __always_inline __u32 glance_question(struct __sk_buff *skb, __u32 payload, __u32 generation)
{
	struct known_name name;
	__u32 size = glance_name(skb, payload, &name);

	return size && known_is(&name, generation) ? DNS_HEADER + size + 4 : 0;
}

static __always_inline __u16 glance_short(const __u8 *bytes)
{
	return bytes[0] << 8 | bytes[1];
}

/* Behind the record at @at, whose name is a pointer, or the root's; 0: it may lead on to a name. */
static __always_inline __u32 glance_record(struct __sk_buff *skb, __u32 payload, __u32 at)
{
	struct head {
		__u8 bytes[10];
	};
	const __u8 *first = glance_at(__u8, skb, payload, at);
	const struct head *head;
	__u16 type;

	if (!first || (*first && *first < 0xc0))
		return 0;
	at += *first ? 2 : 1;
	head = glance_at(struct head, skb, payload, at);
	if (!head)
		return 0;
	type = glance_short(head->bytes);
	if (type != DNS_TYPE_A && type != DNS_TYPE_AAAA && type != DNS_TYPE_OPT)
		return 0;
	return at + sizeof(*head) + glance_short(head->bytes + 8);
}

/*
 * Is there nothing to be found in the datagram? @records: look at what is behind the question, too. Of
 * several datagrams in one (UDP_SEGMENT) it has nothing to say.
 */
static __noinline bool glance(struct __sk_buff *skb, const struct packet *packet, __u32 generation,
			      bool records)
{
	struct header {
		__u8 bytes[DNS_HEADER];
	};
	__u32 payload = packet->offset, at, count;
	const struct header *header;

	opaque(payload);
	if (payload > 256 || packet->len > GLANCE_MAX || skb->gso_size)
		return false;
	header = glance_at(struct header, skb, payload, 0);
	if (!header || glance_short(header->bytes + 4) != 1)
		return false;
	count = glance_short(header->bytes + 6) + glance_short(header->bytes + 8) +
		glance_short(header->bytes + 10);
	at = glance_question(skb, payload, generation);
	if (!at || at > packet->len)
		return false;
	if (!records)
		return true;
	if (count > GLANCE_RECORDS)
		return false;
	for (int i = 0; i < GLANCE_RECORDS && count; i++, count--) {
		opaque(at);
		if (at > GLANCE_MAX)
			return false;
		at = glance_record(skb, payload, at);
		if (!at || at > packet->len)
			return false;
	}
	return true;
}

#endif

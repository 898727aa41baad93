/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Addresses of banned names, learnt from answers where a ban says `learn: true`. Whoever answers, or
 * owns a name below a banned one, would like to choose what is refused here. So an answer counts only
 * once, soon, from the server and to the socket, with the id and the question, that a query of a
 * banned name had on its way out (in phase audit, or of an excepted owner: else it did not leave);
 * it may have few records; and addresses that this host needs are spared.
 *
 * Keys and values are copied to the stack: elsewhere 6.1's verifier does not take them.
 */
#ifndef DEBAR_LEARN_BPF_H
#define DEBAR_LEARN_BPF_H

#include "bpf/headers.bpf.h"
#include "bpf/judgename.bpf.h"
#include "bpf/scratch.bpf.h"

#define LEARN_WAIT 10000000000LL	  /* nanoseconds from a query to its answer */
#define LEARN_SECONDS_MIN 60		  /* a shorter life than it takes to connect */
#define LEARN_NAME_WINDOW 3600000000000LL /* nanoseconds in which a name has its share */
#define DNS_CLASS_IN 1

/* A query of a banned name that left; written at egress, ends with its answer. Full: oldest goes. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, struct learn_key);
	__type(value, struct learn_asked);
} debar_asked __weak SEC(".maps");

/* A name's hash -> how many addresses it has taught. Full: the oldest name begins anew. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, __u64);
	__type(value, struct learn_share);
} debar_shares __weak SEC(".maps");

static long learn_digest_step(__u32 i, struct name **of)
{
	struct name *name = *of;
	__u32 label = name->at++;

	opaque(label);
	name->running = debar_hash_label(name->running, name->hash[label & (NAME_LABEL_SLOTS - 1)],
					 name->multiplier);
	return 0;
}

/* One number for the whole name. */
static __always_inline __u64 learn_digest(struct name *name)
{
	name->at = 0;
	name->running = name->seed;
	bpf_loop(name->labels, learn_digest_step, &name, 0);
	return debar_hash_final(name->running);
}

/* ---- the query ------------------------------------------------------------------------------ */

/* Whose answer it is: the same for a query and its answer. The name is read already. */
static __always_inline void learn_key_set(struct __sk_buff *skb, struct scratch *s)
{
	struct learn_key *key = &s->learn.key;

	__builtin_memset(key, 0, sizeof(*key));
	key->cookie = bpf_get_socket_cookie(skb);
	key->name = learn_digest(&s->name);
	packet_address(skb, &key->server, s->packet.ingress);
	key->id = s->question.id;
	key->port = s->packet.remote_port;
}

/* After a question that was not refused; s->learn.match is what it met before its owner was asked. */
checked int debar_learn_ask(struct __sk_buff *skb, struct scratch *s)
{
	struct learn_asked asked = {};
	struct debar_ban *ban;
	struct learn_key key;

	if (!s || s->learn.action < DEBAR_AUDIT)
		return 0;
	ban = ban_get(s->judgement.slot & 1, s->learn.match.ban & (DEBAR_BANS_MAX - 1));
	if (!ban || !(ban->flags & DEBAR_BAN_LEARN))
		return 0;
	learn_key_set(skb, s);
	key = s->learn.key;
	asked.when = bpf_ktime_get_boot_ns();
	asked.match = s->learn.match;
	asked.generation = s->judgement.generation;
	bpf_map_update_elem(&debar_asked, &key, &asked, BPF_ANY);
	return 0;
}

/* ---- what must stay reachable --------------------------------------------------------------- */

/* This network, loopback, private, shared, link-local, protocol's, benchmark's, multicast, reserved. */
static __always_inline bool special_v4(const __u8 *a)
{
	return !a[0] || a[0] == 10 || a[0] == 127 || a[0] >= 224 ||
	       (a[0] == 100 && (a[1] & 0xc0) == 64) || (a[0] == 169 && a[1] == 254) ||
	       (a[0] == 172 && (a[1] & 0xf0) == 16) || (a[0] == 192 && a[1] == 168) ||
	       (a[0] == 192 && !a[1] && !a[2]) || (a[0] == 198 && (a[1] & 0xfe) == 18);
}

/* Only what is global unicast, and of that no tunnel that has an IPv4 address in it. */
static __always_inline bool special_v6(const __u8 *a)
{
	return (a[0] & 0xe0) != 0x20 || (a[0] == 0x20 && a[1] == 0x02) ||
	       (a[0] == 0x20 && a[1] == 0x01 && !a[2] && !a[3]);
}

static __always_inline bool address_equal(const struct debar_address *a,
					  const struct debar_address *b)
{
	__u8 differs = a->family ^ b->family;

	for (__u32 i = 0; i < sizeof(a->bytes); i++)
		differs |= a->bytes[i] ^ b->bytes[i];
	return !differs;
}

static __always_inline bool learn_spared(const struct learn *learn)
{
	struct debar_address address = learn->address;

	if (address.family == 4 ? special_v4(address.bytes) : special_v6(address.bytes))
		return true;
	return bpf_map_lookup_elem(&debar_spared, &address) ||
	       address_equal(&address, &learn->key.server);
}

/* ---- the answer ----------------------------------------------------------------------------- */

/* One more for this name? */
static __always_inline bool learn_share(struct learn *learn)
{
	__s64 now = learn->asked.when;
	__u64 name = learn->key.name;
	struct learn_share *share = bpf_map_lookup_elem(&debar_shares, &name);
	struct learn_share first = { .since = now, .count = 1 };

	if (!share || now - share->since > LEARN_NAME_WINDOW) {
		bpf_map_update_elem(&debar_shares, &name, &first, BPF_ANY);
		return true;
	}
	return __sync_fetch_and_add(&share->count, 1) < DEBAR_LEARN_NAME_MAX;
}

static __always_inline void learn_address(struct learn *learn, __u32 ttl)
{
	struct debar_address address = learn->address;
	struct debar_learned *known = bpf_map_lookup_elem(&debar_learned, &address);
	struct debar_learned learned = { .match = learn->asked.match,
					 .generation = learn->asked.generation };
	bool again = known && known->generation == learn->asked.generation &&
		     known->until > learn->asked.when;

	if (learn_spared(learn) || (!again && !learn_share(learn))) {
		net_count(DEBAR_NET_UNLEARNED);
		return;
	}
	if (ttl < LEARN_SECONDS_MIN)
		ttl = LEARN_SECONDS_MIN;
	if (ttl > DEBAR_LEARN_SECONDS_MAX)
		ttl = DEBAR_LEARN_SECONDS_MAX;
	learned.until = learn->asked.when + ttl * 1000000000LL;
	if (!bpf_map_update_elem(&debar_learned, &address, &learned, BPF_ANY))
		net_count(DEBAR_NET_LEARNED);
}

/* The address of a record, canonical; false: it is of another size than it should be. */
static __always_inline bool learn_data(struct scratch *s, const struct dns_record *record)
{
	__u32 words[4];

	if (record->size != (record->type == DNS_TYPE_A ? 4 : 16))
		return false;
	for (__u32 i = 0; i < 4; i++)
		words[i] = bpf_htonl((__u32)dns_short(&s->message, record->data + i * 4) << 16 |
				     dns_short(&s->message, record->data + i * 4 + 2));
	if (record->type == DNS_TYPE_A)
		address_v4(&s->learn.address, words[0]);
	else
		address_v6(&s->learn.address, words[0], words[1], words[2], words[3]);
	return true;
}

/* bpf_loop body: one record of the answer; those about other names than the chain's say nothing. */
static long learn_record(__u32 i, struct scratch **of)
{
	struct scratch *s = *of;
	struct dns_record record;
	__u32 after = dns_record(&s->message, &s->name, s->end, s->at, &record);

	if (!after)
		return 1;
	s->at = after;
	if (record.class != DNS_CLASS_IN ||
	    (record.type != DNS_TYPE_A && record.type != DNS_TYPE_AAAA &&
	     record.type != DNS_TYPE_CNAME))
		return 0;
	if (!debar_dns_name(&s->message, &s->name, s->end, record.owner) ||
	    learn_digest(&s->name) != s->learn.expected)
		return 0;
	if (record.type == DNS_TYPE_CNAME) {
		if (debar_dns_name(&s->message, &s->name, s->end, record.data))
			s->learn.expected = learn_digest(&s->name);
	} else if (learn_data(s, &record)) {
		learn_address(&s->learn, record.ttl);
	}
	return 0;
}

/* After an answer that was not refused, its message in memory. */
checked int debar_learn_answer(struct __sk_buff *skb, struct scratch *s)
{
	struct learn_asked *asked;
	struct dns_header header;
	struct learn_key key;
	__u32 after;

	if (!s)
		return 0;
	dns_header_read(&s->message, &header);
	if (header.code || header.truncated || header.questions != 1 || !header.answers)
		return 0;
	after = debar_dns_name(&s->message, &s->name, s->end, DNS_HEADER);
	if (!after)
		return 0;
	s->question.id = header.id;
	learn_key_set(skb, s);
	key = s->learn.key;
	asked = bpf_map_lookup_elem(&debar_asked, &key);
	if (!asked)
		return 0;
	s->learn.asked = *asked;
	bpf_map_delete_elem(&debar_asked, &key);
	if (header.answers > DEBAR_LEARN_NAME_MAX) {
		net_count(DEBAR_NET_UNLEARNED);
		return 0;
	}
	if (bpf_ktime_get_boot_ns() - s->learn.asked.when > LEARN_WAIT)
		return 0;
	s->at = after + 4;
	s->learn.expected = s->learn.key.name;
	bpf_loop(header.answers, learn_record, &s, 0);
	return 0;
}

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What leaves in packets, and the answers that come in.
 *
 *	egress	address of packets that no connect or sendmsg hook saw; questions to DNS; server
 *		names of TLS; hosts of HTTP
 *	ingress	DNS answers that lead on to a banned name
 *
 * A dropped datagram is EPERM for its sender. A refused TCP socket stays refused: its data is
 * dropped until the controller, or the user time-out set in net.bpf.c, ends it.
 */
#define NET_CTX struct __sk_buff
#define net_owner_excepted debar_skb_owner
#include "bpf/inspect.bpf.h"

#include "bpf/clean.bpf.h"
#include "bpf/glance.bpf.h"

char LICENSE[] SEC("license") = "GPL";

/* What a cgroup program returns. */
enum {
	REFUSE,
	PASS
};

/* One packet on its way through a program. */
struct passage {
	struct __sk_buff *skb;
	struct bpf_sock *sk; /* or NULL; for storage alone, because it may be half a socket */
	struct debar_socket *socket; /* or NULL */
	const struct debar_net_head *head;
	__u32 generation;
	struct packet packet;
};

/* False: no policy, or none with names or networks. */
static __always_inline bool passage_begin(struct passage *p)
{
	struct debar_state *state = state_get();

	p->generation = state ? *(volatile __u32 *)&state->generation : 0;
	if (!p->generation)
		return false;
	p->head = net_head(p->generation & 1);
	return p->head && (p->head->buckets || p->head->networks);
}

/* Can an address be banned? */
static __always_inline bool passage_addresses(const struct passage *p)
{
	return p->head->networks || p->head->learn;
}

static __always_inline void passage_socket(struct passage *p)
{
	p->sk = p->skb->sk;
	if (p->sk)
		p->socket = bpf_sk_storage_get(&debar_sockets, p->sk, 0, 0);
}

static __always_inline bool packet_key(struct __sk_buff *skb, struct clean_key *ret_key)
{
	struct ipv6hdr v6 = {};
	struct iphdr v4 = {};
	__u32 *words = v6.daddr.in6_u.u6_addr32;

	if (skb->protocol == bpf_htons(ETH_P_IP)) {
		if (!header_load(skb, 0, &v4))
			return false;
		*ret_key = clean_v4(v4.daddr);
		return true;
	}
	if (!header_load(skb, 0, &v6))
		return false;
	*ret_key = clean_v6(words[0], words[1], words[2], words[3]);
	return true;
}

/* Is the address one of which no rule speaks? *ret_hash, of *ret_key, is for who has to find out. */
static __always_inline bool address_clean(struct passage *p, struct clean_key *ret_key,
					  __u64 *ret_hash)
{
	if (!packet_key(p->skb, ret_key))
		return true;
	*ret_hash = clean_hash(p->head, *ret_key);
	return !p->head->learn && clean_holds(*ret_key, *ret_hash);
}

/* Was that it is audited told already, of this connection and by this generation? From now on it is. */
static __always_inline bool address_told(struct passage *p, __u32 generation)
{
	bool told;

	if (!p->socket && p->sk)
		p->socket =
			bpf_sk_storage_get(&debar_sockets, p->sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
	if (!p->socket)
		return false;
	told = p->socket->told == generation;
	p->socket->told = generation;
	return told;
}

/* What an address that is not known as clean is found to be. In that memory, for the sake of the stack. */
static __noinline int address_refused(struct passage *p, struct clean_key *key, __u64 hash)
{
	struct scratch *s = scratch_take(p->head);
	struct judgement *j;
	int refused;

	if (!s)
		return 1;
	j = &s->judgement;
	judgement_set(j, &p->packet,
		      p->packet.protocol == IPPROTO_UDP && p->packet.remote_port == 443 ?
			      DEBAR_HOOK_QUIC :
			      DEBAR_HOOK_CONNECT);
	clean_address(*key, &j->remote);
	judge_address(p->skb, j);
	clean_note(*key, hash, p->generation, j);
	if (j->action == DEBAR_AUDIT && address_told(p, j->generation))
		refused = 0;
	else
		refused = debar_skb_told(p->skb, j, NULL, NULL) == 1;
	scratch_give(s);
	return refused;
}

/* Memory to parse in, with the packet in it. NULL: there is none. */
static __always_inline struct scratch *passage_scratch(struct passage *p)
{
	struct scratch *s = scratch_take(p->head);

	if (!s)
		return NULL;
	s->packet = p->packet;
	s->server = dns_port(p->head, p->packet.local_port);
	s->learns = p->head->learn;
	s->generation = p->generation;
	s->refused = s->malformed = s->whole = s->answer = 0;
	return s;
}

static __always_inline int query_read(struct passage *p)
{
	struct scratch *s = passage_scratch(p);
	int refused;

	if (!s)
		return REFUSE;
	refused = debar_query(p->skb, s);
	scratch_give(s);
	return refused == 1 ? REFUSE : PASS;
}

/*
 * Remember where the parse stands, or that it has ended. Without memory for it the segment was
 * parsed alone: it is dropped if it holds the front of something, and TCP sends it again.
 */
static __noinline int tcp_keep(struct passage *p, const struct stream *s, struct stream *kept)
{
	if (stream_idle(s)) {
		if (kept)
			bpf_sk_storage_delete(&debar_streams, p->sk);
		if (p->socket)
			p->socket->flags &= ~DEBAR_SOCKET_STREAM;
		return PASS;
	}
	if (!p->sk)
		return PASS;
	if (!kept)
		kept = bpf_sk_storage_get(&debar_streams, p->sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
	if (!p->socket)
		p->socket =
			bpf_sk_storage_get(&debar_sockets, p->sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
	if (!kept || !p->socket) {
		net_count(DEBAR_NET_FACT_STORAGE);
		return REFUSE;
	}
	*kept = *s;
	p->socket->next = p->packet.seq + p->packet.len;
	p->socket->flags |= DEBAR_SOCKET_STREAM;
	return PASS;
}

struct message_walk {
	struct __sk_buff *skb;
	struct scratch *s;
};

/* bpf_loop body: up to the next message of DNS, and its questions. */
static long tcp_message(__u32 i, struct message_walk *walk)
{
	debar_segment(walk->skb, walk->s);
	if (!walk->s->whole || walk->s->refused)
		return 1;
	walk->s->whole = 0;
	debar_questions(walk->skb, walk->s);
	return !!walk->s->refused;
}

/* The first eight bytes of the payload, or as many as there are, one at least. */
static __always_inline bool front_read(struct passage *p, __u8 front[8], __u64 *len)
{
	__u32 offset = p->packet.offset;
	__u64 some = *len - 1;

	opaque(offset);
	if (offset <= HEADERS_MAX) {
		const __u8 *at = (void *)(long)p->skb->data + offset;

		if ((void *)(at + 8) <= (void *)(long)p->skb->data_end) {
			__builtin_memcpy(front, at, 8);
			return true;
		}
	}
	opaque(some);
	some = (some & 7) + 1;
	return !bpf_skb_load_bytes(p->skb, p->packet.offset, front, some);
}

/* What a segment says, after those before it. */
static __always_inline int tcp_read(struct passage *p)
{
	struct stream *kept = NULL;
	__u8 front[8] = {}, kind = STREAM_NONE;
	__u64 len = p->packet.len < sizeof(front) ? p->packet.len : sizeof(front);
	__s32 seen = 0;
	struct scratch *s;
	int result;

	if (p->socket && p->sk && p->socket->flags & DEBAR_SOCKET_STREAM)
		kept = bpf_sk_storage_get(&debar_streams, p->sk, 0, 0);
	if (kept) {
		seen = p->socket->next - p->packet.seq;
		if (seen < 0) {
			net_count(DEBAR_NET_FACT_GAP);
			return REFUSE;
		}
		if (seen >= (__s32)p->packet.len)
			return PASS;
	} else {
		if (!front_read(p, front, &len))
			return PASS;
		kind = stream_kind(front, len, dns_port(p->head, p->packet.remote_port));
		if (kind == STREAM_NONE)
			return PASS;
	}
	s = passage_scratch(p);
	if (!s)
		return REFUSE;
	chunk_begin(&s->chunk, p->packet.offset, seen, p->packet.len);
	if (kept)
		s->stream = *kept;
	else
		stream_begin(&s->stream, kind);
	if (kind == STREAM_DNS || s->stream.kind == STREAM_DNS) {
		struct message_walk walk = { .skb = p->skb, .s = s };

		bpf_loop(STREAM_STEPS_MAX, tcp_message, &walk, 0);
	} else {
		debar_segment(p->skb, s);
	}
	result = s->refused ? REFUSE : tcp_keep(p, &s->stream, kept);
	scratch_give(s);
	return result;
}

SEC("cgroup_skb/egress")
int debar_egress(struct __sk_buff *skb)
{
	struct passage p = { .skb = skb };
	struct clean_key key;
	bool clean = true;
	__u64 hash = 0;

	if (!passage_begin(&p))
		return PASS;
	if (!packet_read(skb, &p.packet)) {
		net_count(DEBAR_NET_FACT_HEADERS);
		return PASS;
	}
	if (passage_addresses(&p))
		clean = address_clean(&p, &key, &hash);
	/* Acknowledgements and the like say no name, and a refused connection may end with them. */
	if (clean && (!p.packet.len || !p.head->buckets) && !p.packet.fragment)
		return PASS;
	if (!clean || p.packet.protocol == IPPROTO_TCP)
		passage_socket(&p);
	if (p.socket && p.socket->flags & DEBAR_SOCKET_REFUSED)
		return p.packet.fin && !p.packet.len ? PASS : REFUSE;
	if (!clean && address_refused(&p, &key, hash))
		return REFUSE;
	if (p.packet.fragment) {
		net_count(DEBAR_NET_FACT_FRAGMENT);
		return PASS;
	}
	if (!p.head->buckets || !p.packet.len)
		return PASS;
	if (p.packet.protocol == IPPROTO_TCP)
		return tcp_read(&p);
	if (!dns_port(p.head, p.packet.remote_port))
		return PASS;
	if (!p.head->learn && glance(skb, &p.packet, p.generation, false)) {
		net_count(DEBAR_NET_QUERY);
		return PASS;
	}
	return query_read(&p);
}

SEC("cgroup_skb/ingress")
int debar_ingress(struct __sk_buff *skb)
{
	struct passage p = { .skb = skb, .packet.ingress = 1 };
	struct scratch *s;
	int refused;

	if (!passage_begin(&p) || !p.head->buckets || !packet_read(skb, &p.packet))
		return PASS;
	if (p.packet.fragment || !p.packet.len || !dns_port(p.head, p.packet.remote_port))
		return PASS;
	if (!p.head->learn && p.packet.protocol == IPPROTO_UDP &&
	    glance(skb, &p.packet, p.generation, true)) {
		net_count(DEBAR_NET_ANSWER);
		return PASS;
	}
	s = passage_scratch(&p);
	if (!s)
		return REFUSE;
	refused = debar_answer(skb, s);
	/* From here and not from there, for the sake of the stack. */
	if (s->whole && s->learns)
		debar_learn_answer(skb, s);
	scratch_give(s);
	return refused == 1 ? REFUSE : PASS;
}

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
#include "bpf/netreport.bpf.h"

#include "bpf/headers.bpf.h"
#include "bpf/judgename.bpf.h"
#include "bpf/scratch.bpf.h"

char LICENSE[] SEC("license") = "GPL";

/* What a cgroup program returns. */
enum {
	REFUSE,
	PASS
};

static __always_inline __u64 net_ancestor(NET_CTX *ctx, int level)
{
	return bpf_skb_ancestor_cgroup_id(ctx, level);
}

/* One packet on its way through the program. */
struct passage {
	struct __sk_buff *skb;
	struct debar_socket *socket; /* or NULL */
	struct scratch *scratch;
	const struct debar_net_head *head;
	struct packet packet;
	__u32 generation;
	__u32 at;  /* DNS: next question or record */
	__u32 end; /* DNS: of the message */
	__u8 refused;
	__u8 malformed;
};

/* Tell what was judged; 1: refused. A refusal marks the socket. */
checked int debar_skb_told(struct __sk_buff *skb, struct judgement *j, struct debar_socket *socket,
			   struct name *name)
{
	struct debar_address local = {};

	if (!j)
		return 0;
	if (j->excepted && j->bans && j->action < DEBAR_AUDIT)
		net_count(DEBAR_NET_EXCEPTED);
	if (j->action < DEBAR_AUDIT)
		return 0;
	if (j->action == DEBAR_DENY) {
		j->error = EPERM;
		if (j->protocol == IPPROTO_TCP && !(j->flags & DEBAR_NETEV_INGRESS)) {
			j->flags |= DEBAR_NETEV_REFUSED;
			if (socket)
				socket->flags |= DEBAR_SOCKET_REFUSED;
		}
	}
	packet_address(skb, &j->remote, j->flags & DEBAR_NETEV_INGRESS);
	packet_address(skb, &local, !(j->flags & DEBAR_NETEV_INGRESS));
	net_report(skb, j, &local, socket, name);
	return j->action == DEBAR_DENY;
}

static __always_inline void judgement_set(struct judgement *j, const struct passage *p, __u8 hook)
{
	*j = (struct judgement){};
	if (p->socket)
		j->uid = p->socket->actor.uid;
	j->port = p->packet.remote_port;
	j->local_port = p->packet.local_port;
	j->protocol = p->packet.protocol;
	j->flags = p->packet.ingress ? DEBAR_NETEV_INGRESS : 0;
	j->hook = hook;
}

static __always_inline void passage_judge_name(struct passage *p, __u8 hook)
{
	struct judgement *j = &p->scratch->judgement;

	judgement_set(j, p, hook);
	judge_name(p->skb, j, &p->scratch->name);
	p->refused = debar_skb_told(p->skb, j, p->socket, &p->scratch->name) == 1;
}

/* ---- DNS ----------------------------------------------------------------------------------- */

checked int debar_dns_port(__u32 slot, __u16 port)
{
	struct debar_net_head *head = net_head(slot & 1);

	for (__u32 i = 0; head && i < DEBAR_DNS_PORTS_MAX; i++)
		if (head->ports[i] == port && port)
			return 1;
	return 0;
}

/* The message into memory; false: too short for a header. */
static __always_inline bool dns_load(struct passage *p, __u32 offset, __u32 len)
{
	if (len < DNS_HEADER)
		return false;
	if (len > DNS_MESSAGE_MAX)
		len = DNS_MESSAGE_MAX;
	p->end = len;
	opaque(len);
	if (len < DNS_HEADER || len > DNS_MESSAGE_MAX)
		return false;
	return !bpf_skb_load_bytes(p->skb, offset, p->scratch->message.bytes, len);
}

/* bpf_loop body: one question. */
static long dns_question(__u32 i, struct passage *p)
{
	__u32 after = debar_dns_name(&p->scratch->message, &p->scratch->name, p->end, p->at);

	if (!after || after + 4 > p->end) {
		p->malformed = 1;
		return 1;
	}
	p->at = after + 4;
	net_count(DEBAR_NET_QUERY);
	passage_judge_name(p, DEBAR_HOOK_DNS);
	return !!p->refused;
}

/* bpf_loop body: one record of an answer. */
static long dns_answer(__u32 i, struct passage *p)
{
	struct dns_record record;
	__u32 after = dns_record(&p->scratch->message, p->end, p->at, &record), target;

	if (!after)
		return 1;
	p->at = after;
	target = dns_target(&record);
	if (!target || !debar_dns_name(&p->scratch->message, &p->scratch->name, p->end, target))
		return 0;
	passage_judge_name(p, DEBAR_HOOK_DNS);
	return !!p->refused;
}

/* All the questions of a message that is in memory. */
static __always_inline void dns_questions(struct passage *p)
{
	struct dns_header header;

	dns_header_read(&p->scratch->message, &header);
	p->at = DNS_HEADER;
	if (header.response && p->packet.remote_port == 5353)
		return;
	bpf_loop(header.questions < DNS_QUESTIONS_MAX ? header.questions : DNS_QUESTIONS_MAX,
		 dns_question, p, 0);
}

static __always_inline void dns_answers(struct passage *p)
{
	struct dns_header header;
	__u32 records;

	dns_header_read(&p->scratch->message, &header);
	if (!header.response)
		return;
	net_count(DEBAR_NET_ANSWER);
	p->at = DNS_HEADER;
	bpf_loop(header.questions < DNS_QUESTIONS_MAX ? header.questions : DNS_QUESTIONS_MAX,
		 dns_question, p, 0);
	records = (__u32)header.answers + header.authorities + header.additionals;
	if (!p->refused && !p->malformed)
		bpf_loop(records < DNS_RECORDS_MAX ? records : DNS_RECORDS_MAX, dns_answer, p, 0);
}

/* ---- egress -------------------------------------------------------------------------------- */

/* The address, unless a connect or sendmsg hook has judged it for this generation. */
static __noinline int address_refused(struct passage *p, bool tcp)
{
	struct judgement j;

	judgement_set(&j, p,
		      p->packet.protocol == IPPROTO_UDP && p->packet.remote_port == 443 ?
			      DEBAR_HOOK_QUIC :
			      DEBAR_HOOK_CONNECT);
	if (packet_address(p->skb, &j.remote, false))
		return 0;
	judge_address(p->skb, &j);
	if (p->socket && !j.bans && tcp)
		p->socket->clean = j.generation;
	if (j.action == DEBAR_AUDIT && p->socket) {
		if (p->socket->told == j.generation)
			return 0;
		p->socket->told = j.generation;
	}
	return debar_skb_told(p->skb, &j, p->socket, NULL) == 1;
}

static __always_inline void query_read(struct passage *p)
{
	p->scratch = scratch_take(p->head);
	if (!p->scratch) {
		p->refused = 1;
		return;
	}
	if (dns_load(p, p->packet.offset, p->packet.len))
		dns_questions(p);
	else
		p->malformed = 1;
	if (p->malformed)
		net_count(DEBAR_NET_FACT_MALFORMED);
	scratch_give(p->scratch);
}

static __always_inline bool head_get(struct passage *p)
{
	struct debar_state *state = state_get();

	if (!state || !state->generation)
		return false;
	p->generation = state->generation;
	p->head = net_head(p->generation & 1);
	return p->head && (p->head->buckets || p->head->networks);
}

static __always_inline struct bpf_sock *passage_socket(struct passage *p)
{
	struct bpf_sock *sk = p->skb->sk;

	if (sk)
		sk = bpf_sk_fullsock(sk);
	if (sk)
		p->socket = bpf_sk_storage_get(&debar_sockets, sk, 0, 0);
	return sk;
}

SEC("cgroup_skb/egress")
int debar_egress(struct __sk_buff *skb)
{
	struct passage p = { .skb = skb };
	struct bpf_sock *sk;

	if (!head_get(&p))
		return PASS;
	if (!packet_read(skb, &p.packet)) {
		net_count(DEBAR_NET_FACT_HEADERS);
		return PASS;
	}
	/* Acknowledgements and the like matter to addresses only. */
	if (!p.head->networks && !p.packet.len)
		return PASS;
	sk = passage_socket(&p);
	if (p.socket && p.socket->flags & DEBAR_SOCKET_REFUSED)
		return p.packet.fin && !p.packet.len ? PASS : REFUSE;
	if (p.head->networks && (!p.socket || p.socket->clean != p.generation) &&
	    address_refused(&p, sk && sk->protocol == IPPROTO_TCP))
		return REFUSE;
	if (p.packet.fragment) {
		net_count(DEBAR_NET_FACT_FRAGMENT);
		return PASS;
	}
	if (!p.head->buckets || !p.packet.len)
		return PASS;
	if (p.packet.protocol != IPPROTO_TCP &&
	    debar_dns_port(p.generation & 1, p.packet.remote_port))
		query_read(&p);
	return p.refused ? REFUSE : PASS;
}

SEC("cgroup_skb/ingress")
int debar_ingress(struct __sk_buff *skb)
{
	struct passage p = { .skb = skb, .packet.ingress = 1 };

	if (!head_get(&p) || !p.head->buckets || !packet_read(skb, &p.packet))
		return PASS;
	if (p.packet.fragment || !p.packet.len ||
	    !debar_dns_port(p.generation & 1, p.packet.remote_port) ||
	    p.packet.protocol == IPPROTO_TCP)
		return PASS;
	passage_socket(&p);
	p.scratch = scratch_take(p.head);
	if (!p.scratch)
		return REFUSE;
	if (dns_load(&p, p.packet.offset, p.packet.len))
		dns_answers(&p);
	scratch_give(p.scratch);
	return p.refused ? REFUSE : PASS;
}

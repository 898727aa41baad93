/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a payload says: the questions and answers of DNS, the names in a TCP segment. Each of the
 * functions that the programs call is verified once, see `checked` in verdict.bpf.h.
 */
#ifndef DEBAR_INSPECT_BPF_H
#define DEBAR_INSPECT_BPF_H

#include "bpf/netreport.bpf.h"

#include "bpf/headers.bpf.h"
#include "bpf/judgename.bpf.h"
#include "bpf/known.bpf.h"
#include "bpf/learn.bpf.h"
#include "bpf/scratch.bpf.h"

#define SEGMENTS_MAX 128 /* UDP_MAX_SEGMENTS of the newest kernels */

static __always_inline __u64 net_ancestor(NET_CTX *ctx, int level)
{
	return bpf_skb_ancestor_cgroup_id(ctx, level);
}

static __always_inline __u32 net_uid(NET_CTX *ctx)
{
	return owner_uid(bpf_get_socket_cookie(ctx));
}

/* Nothing more of what this connection says leaves. */
static __always_inline void skb_refuse(struct __sk_buff *skb, struct judgement *j)
{
	struct debar_socket *socket = NULL;
	struct bpf_sock *sk = skb->sk;

	if (sk)
		j->device = sk->bound_dev_if;
	if (sk)
		socket = bpf_sk_storage_get(&debar_sockets, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
	if (socket)
		socket->flags |= DEBAR_SOCKET_REFUSED;
	else
		net_count(DEBAR_NET_FACT_STORAGE);
}

/* Tell what was judged; 1: refused. A refusal marks the socket. @question: one that wants an answer. */
checked int debar_skb_told(struct __sk_buff *skb, struct judgement *j, struct name *name,
			   struct debar_question *question)
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
			skb_refuse(skb, j);
		} else if (question) {
			j->flags |= DEBAR_NETEV_ANSWER;
		}
	}
	packet_address(skb, &j->remote, j->flags & DEBAR_NETEV_INGRESS);
	packet_address(skb, &local, !(j->flags & DEBAR_NETEV_INGRESS));
	net_report(skb, j, &local, name, question);
	return j->action == DEBAR_DENY;
}

static __always_inline void judgement_set(struct judgement *j, const struct packet *packet,
					  __u8 hook)
{
	*j = (struct judgement){};
	j->port = packet->remote_port;
	j->local_port = packet->local_port;
	j->protocol = packet->protocol;
	j->flags = packet->ingress ? DEBAR_NETEV_INGRESS : 0;
	j->hook = hook;
}

/* What the steps of a loop are given. */
struct inspection {
	struct __sk_buff *skb;
	struct scratch *s;
};

static __always_inline void inspect_name(struct inspection *in, __u8 hook)
{
	struct judgement *j = &in->s->judgement;
	struct debar_question *question = in->s->answer ? &in->s->question : NULL;

	judgement_set(j, &in->s->packet, hook);
	debar_judge_name(j, &in->s->name);
	in->s->learn.match = j->match;
	in->s->learn.action = j->action;
	if (judge_owner(in->skb, j))
		debar_judge_name(j, &in->s->name);
	in->s->refused = debar_skb_told(in->skb, j, &in->s->name, question) == 1;
}

/* ---- DNS ----------------------------------------------------------------------------------- */

/* Is it one of the ports where queries go? Four of them at a time: each packet is asked. */
static __always_inline bool dns_port(const struct debar_net_head *head, __u16 port)
{
	const __u64 ones = 0x0001000100010001ULL;
	__u64 first = word_at(&head->ports[0]) ^ ones * port;
	__u64 rest = word_at(&head->ports[4]) ^ ones * port;

	return (((first - ones) & ~first) | ((rest - ones) & ~rest)) & ones << 15 && port;
}
_Static_assert(DEBAR_DNS_PORTS_MAX == 8, "dns_port looks at eight");

/* bpf_loop body: one question. */
static long dns_question(__u32 i, struct inspection *in)
{
	struct scratch *s = in->s;
	__u32 after = debar_dns_name(&s->message, &s->name, s->end, s->at);

	if (!after || after + 4 > s->end) {
		s->malformed = 1;
		return 1;
	}
	s->at = after + 4;
	s->question.type = dns_short(&s->message, after);
	s->question.class = dns_short(&s->message, after + 2);
	net_count(DEBAR_NET_QUERY);
	inspect_name(in, DEBAR_HOOK_DNS);
	if (!s->refused && s->learns && !s->packet.ingress)
		debar_learn_ask(in->skb, s);
	return !!s->refused;
}

/* bpf_loop body: one record of an answer. */
static long dns_answer(__u32 i, struct inspection *in)
{
	struct scratch *s = in->s;
	struct dns_record record;
	__u32 after = dns_record(&s->message, &s->name, s->end, s->at, &record), target;

	if (!after)
		return 1;
	s->at = after;
	target = dns_target(&record);
	if (!target || !debar_dns_name(&s->message, &s->name, s->end, target))
		return 0;
	inspect_name(in, DEBAR_HOOK_DNS);
	return !!s->refused;
}

/* bpf_loop body: does this ban deny what cannot be parsed? */
static long malformed_step(__u32 which, struct judgement **of)
{
	struct judgement *j = *of;
	struct debar_ban *ban = ban_get(j->slot & 1, which & (DEBAR_BANS_MAX - 1));

	if (!ban || !(ban->flags & DEBAR_BAN_MALFORMED_DENY) || j->action == DEBAR_DENY ||
	    ban_says(j->slot & 1, which & (DEBAR_BANS_MAX - 1), DEBAR_INHERIT, true, j->now) !=
		    DEBAR_DENY)
		return 0;
	j->action = DEBAR_DENY;
	j->match.ban = which;
	return 0;
}

/* Of a message to port 53 that is none: `malformed` decides. */
checked int debar_malformed(struct __sk_buff *skb, struct scratch *s)
{
	struct debar_state *state = state_get();
	struct judgement *j;

	if (!s || !state)
		return 0;
	net_count(DEBAR_NET_FACT_MALFORMED);
	if (s->packet.remote_port != 53)
		return 0;
	j = &s->judgement;
	judgement_set(j, &s->packet, DEBAR_HOOK_DNS);
	j->now = now_utc(state);
	judge_begin(j, state);
	bpf_loop(DEBAR_BANS_MAX, malformed_step, &j, 0);
	j->action = mode_cap(state, j->action);
	j->because = DEBAR_BECAUSE_MALFORMED;
	s->refused = debar_skb_told(skb, j, NULL, NULL) == 1;
	return s->refused;
}

/*
 * All the questions of the message that is in memory. Whatever the opcode, the names are matched; an
 * answer of mDNS has none to ask.
 */
checked int debar_questions(struct __sk_buff *skb, struct scratch *s)
{
	struct inspection in = { .skb = skb, .s = s };
	struct dns_header header;

	if (!s)
		return 0;
	dns_header_read(&s->message, &header);
	s->at = DNS_HEADER;
	if (header.response && s->packet.remote_port == 5353 && !s->packet.ingress)
		return 0;
	s->answer = !s->packet.ingress && s->packet.protocol == IPPROTO_UDP &&
		    dns_wants_answer(&header) && s->packet.remote_port != 5353 && !s->server;
	s->question.id = header.id;
	s->question.recursion = header.recursion;
	s->question.extended = header.additionals != 0;
	s->asked_size = 0;
	if (header.questions == 1 && known_holds(s)) {
		net_count(DEBAR_NET_QUERY);
		return 0;
	}
	bpf_loop(header.questions < DNS_QUESTIONS_MAX ? header.questions : DNS_QUESTIONS_MAX,
		 dns_question, &in, 0);
	if (header.questions == 1)
		known_note(s);
	return s->refused;
}

/* The message into memory; false: too short for a header. */
static __always_inline bool dns_load(struct __sk_buff *skb, struct scratch *s, __u32 offset,
				     __u64 len)
{
	if (len > DNS_MESSAGE_MAX)
		len = DNS_MESSAGE_MAX;
	s->end = len;
	if (!within(len, DNS_HEADER, DNS_MESSAGE_MAX))
		return false;
	return !bpf_skb_load_bytes(skb, offset, s->message.bytes, len);
}

/*
 * A datagram to a port of DNS; 1: refused. Or several, of a length each (UDP_SEGMENT), that the card
 * will take apart: all of them leave, or none. No bpf_loop, because eight frames of calls are the most.
 */
checked int debar_query(struct __sk_buff *skb, struct scratch *s)
{
	if (!s)
		return 0;
	s->left = s->packet.len;
	s->segment = skb->gso_size ? skb->gso_size : s->left;
	for (int i = 0; i < SEGMENTS_MAX && s->left && !s->refused; i++) {
		__u32 len = s->left < s->segment ? s->left : s->segment;

		s->malformed = 0;
		if (dns_load(skb, s, s->packet.offset, len))
			debar_questions(skb, s);
		else
			s->malformed = 1;
		if (s->malformed && !s->refused)
			debar_malformed(skb, s);
		s->packet.offset += len;
		s->left -= len;
	}
	return s->refused;
}

/*
 * An answer: its questions too, because they may have left before the policy came. Over TCP only a
 * message that a segment begins with.
 */
checked int debar_answer(struct __sk_buff *skb, struct scratch *s)
{
	struct inspection in = { .skb = skb, .s = s };
	__u32 skip, records;
	struct dns_header header;

	if (!s)
		return 0;
	skip = s->packet.protocol == IPPROTO_TCP ? 2 : 0;
	if (s->packet.len < skip ||
	    !dns_load(skb, s, s->packet.offset + skip, s->packet.len - skip))
		return 0;
	dns_header_read(&s->message, &header);
	/* Nothing is to be had from one that says no, as do those of loader/answer.c. */
	if (!header.response || (header.code && !header.answers))
		return 0;
	net_count(DEBAR_NET_ANSWER);
	debar_questions(skb, s);
	records = (__u32)header.answers + header.authorities + header.additionals;
	if (!s->refused && !s->malformed)
		bpf_loop(records < DNS_RECORDS_MAX ? records : DNS_RECORDS_MAX, dns_answer, &in, 0);
	s->whole = !s->refused && !s->malformed;
	return s->refused;
}

/* ---- TCP ----------------------------------------------------------------------------------- */

/* bpf_loop body: up to the next thing found. */
static long segment_step(__u32 i, struct inspection *in)
{
	struct scratch *s = in->s;
	bool tls = s->stream.kind == STREAM_TLS;
	int found = debar_stream_run(in->skb, &s->stream, &s->chunk);

	if (found == STREAM_NAME) {
		net_count(tls ? DEBAR_NET_TLS : DEBAR_NET_HTTP);
		if (debar_name_text(&s->name, (struct text *)s->stream.text, s->stream.text_len))
			inspect_name(in, tls ? DEBAR_HOOK_TLS : DEBAR_HOOK_HTTP);
		return !!s->refused;
	}
	s->whole = found == STREAM_MESSAGE;
	if (found == STREAM_OVER)
		s->stream.kind = STREAM_NONE;
	return 1;
}

/* What is left of the segment, up to a message of DNS, which is then in memory; 1: refused. */
checked int debar_segment(struct __sk_buff *skb, struct scratch *s)
{
	struct inspection in = { .skb = skb, .s = s };

	if (!s)
		return 0;
	bpf_loop(STREAM_STEPS_MAX, segment_step, &in, 0);
	if (s->stream.kind == STREAM_NONE && s->stream.encrypted)
		net_count(DEBAR_NET_ECH);
	if (!s->whole)
		return s->refused;
	s->end = s->stream.text_len;
	__builtin_memcpy(s->message.bytes, s->stream.text, STREAM_TEXT);
	if (s->end < DNS_HEADER) {
		s->whole = 0;
		debar_malformed(skb, s);
	}
	return s->refused;
}

#endif

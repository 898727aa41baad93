/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where a program wants to connect or send to, while it still can be told at once.
 *
 *	connect4, connect6	TCP, UDP and the rest: is the address banned? and who owns the socket
 *	sendmsg4, sendmsg6	datagrams without a connection: the same
 *	sock_create		raw sockets, SCTP, UDP-Lite: no other hook before their packets
 *	sockops			ends a refused TCP connection soon, without a controller
 *
 * A packet does not know its process, so the owner of a socket is kept here, for packet.bpf.c.
 */
#define NET_CTX struct bpf_sock_addr
#define net_owner_excepted debar_addr_owner
#include "bpf/netreport.bpf.h"

#include "bpf/clean.bpf.h"

#include <linux/errno.h>
#include <linux/in.h>
#include <linux/tcp.h>

char LICENSE[] SEC("license") = "GPL";

/* What a cgroup program returns. */
enum {
	REFUSE,
	PASS
};

#define SOCK_RAW 3 /* include/linux/net.h */

static __always_inline __u64 net_ancestor(NET_CTX *ctx, int level)
{
	return bpf_get_current_ancestor_cgroup_id(level);
}

static __always_inline __u32 net_uid(NET_CTX *ctx)
{
	return bpf_get_current_uid_gid();
}

/* What is audited is told here, and not again at the packet. */
static __always_inline void socket_told(struct bpf_sock *sk, __u32 generation)
{
	struct debar_socket *socket = NULL;

	if (sk)
		socket = bpf_sk_storage_get(&debar_sockets, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
	if (socket)
		socket->told = generation;
	else
		net_count(DEBAR_NET_FACT_STORAGE);
}

/* One decision about an address; @hook names it in the event. */
static __noinline int address_decide(struct bpf_sock_addr *ctx, struct clean_key *key, __u8 hook)
{
	struct debar_state *state = state_get();
	struct debar_net_head *head;
	struct judgement j = {};
	__u32 generation;
	__u64 hash;

	generation = state ? *(volatile __u32 *)&state->generation : 0;
	if (!generation)
		return PASS;
	owner_take(bpf_get_socket_cookie(ctx));
	if (key->back == clean_v4(bpf_htonl(DEBAR_NET_CANARY)).back)
		net_count(DEBAR_NET_ADDRESS);
	head = net_head(generation & 1);
	if (!head || !(head->networks || head->learn))
		return PASS;
	hash = clean_hash(head, *key);
	if (!head->learn && clean_holds(*key, hash))
		return PASS;
	clean_address(*key, &j.remote);
	judge_address(ctx, &j);
	clean_note(*key, hash, generation, &j);
	if (j.excepted && j.bans && j.action < DEBAR_AUDIT)
		net_count(DEBAR_NET_EXCEPTED);
	if (j.action < DEBAR_AUDIT)
		return PASS;
	j.port = bpf_ntohs(ctx->user_port);
	j.protocol = ctx->protocol;
	j.hook = j.protocol == IPPROTO_UDP && j.port == 443 ? DEBAR_HOOK_QUIC : hook;
	if (j.action == DEBAR_DENY)
		j.error = ECONNREFUSED;
	else
		socket_told(ctx->sk, j.generation);
	net_report(ctx, &j, NULL, NULL, NULL);
	if (j.action != DEBAR_DENY)
		return PASS;
	bpf_set_retval(-ECONNREFUSED);
	return REFUSE;
}

static __always_inline int decide4(struct bpf_sock_addr *ctx, __u8 hook)
{
	struct clean_key key = clean_v4(ctx->user_ip4);

	return address_decide(ctx, &key, hook);
}

static __always_inline int decide6(struct bpf_sock_addr *ctx, __u8 hook)
{
	struct clean_key key =
		clean_v6(ctx->user_ip6[0], ctx->user_ip6[1], ctx->user_ip6[2], ctx->user_ip6[3]);

	return address_decide(ctx, &key, hook);
}

SEC("cgroup/connect4")
int debar_connect4(struct bpf_sock_addr *ctx)
{
	return decide4(ctx, DEBAR_HOOK_CONNECT);
}

SEC("cgroup/connect6")
int debar_connect6(struct bpf_sock_addr *ctx)
{
	return decide6(ctx, DEBAR_HOOK_CONNECT);
}

SEC("cgroup/sendmsg4")
int debar_sendmsg4(struct bpf_sock_addr *ctx)
{
	return decide4(ctx, DEBAR_HOOK_SENDMSG);
}

SEC("cgroup/sendmsg6")
int debar_sendmsg6(struct bpf_sock_addr *ctx)
{
	return decide6(ctx, DEBAR_HOOK_SENDMSG);
}

/* Of TCP and UDP the owner is set when they are connected or sent to; the others have no hook there. */
SEC("cgroup/sock_create")
int debar_socket(struct bpf_sock *sk)
{
	if (sk->type == SOCK_RAW || (sk->protocol != IPPROTO_TCP && sk->protocol != IPPROTO_UDP))
		owner_take(bpf_get_socket_cookie(sk));
	return PASS;
}

/*
 * A refused connection's data is dropped, and TCP would try again for minutes. Nothing that was
 * dropped at once counts as sent, so that no retransmission time-out ever comes; but each try asks
 * for header options. That is asked for once a connection stands, ended when data has passed and no
 * parse waits for more of it, and where it finds the socket refused, it sets a user time-out that has
 * run out at the next try.
 */
static __always_inline void connection_end(struct bpf_sock_ops *ctx)
{
	int soon = 1;

	bpf_setsockopt(ctx, IPPROTO_TCP, TCP_USER_TIMEOUT, &soon, sizeof(soon));
}

SEC("sockops")
int debar_sockops(struct bpf_sock_ops *ctx)
{
	struct debar_socket *socket;
	struct debar_state *state;
	struct debar_net_head *head;
	struct bpf_sock *sk;

	switch (ctx->op) {
	case BPF_SOCK_OPS_ACTIVE_ESTABLISHED_CB:
		state = state_get();
		head = state ? net_head(state->generation & 1) : NULL;
		if (head && head->buckets)
			bpf_sock_ops_cb_flags_set(ctx, BPF_SOCK_OPS_RTO_CB_FLAG |
							       BPF_SOCK_OPS_WRITE_HDR_OPT_CB_FLAG);
		return 1;
	case BPF_SOCK_OPS_HDR_OPT_LEN_CB:
	case BPF_SOCK_OPS_RTO_CB:
		break;
	default:
		return 1;
	}
	sk = ctx->sk;
	if (!sk)
		return 1;
	socket = bpf_sk_storage_get(&debar_sockets, sk, 0, 0);
	if (socket && socket->flags & DEBAR_SOCKET_REFUSED)
		connection_end(ctx);
	else if (ctx->op == BPF_SOCK_OPS_HDR_OPT_LEN_CB && ctx->data_segs_out &&
		 (!socket || !(socket->flags & DEBAR_SOCKET_STREAM)))
		bpf_sock_ops_cb_flags_set(ctx, BPF_SOCK_OPS_RTO_CB_FLAG);
	return 1;
}

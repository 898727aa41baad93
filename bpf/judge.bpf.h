/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The verdict of the network programs: which rules does this name or address meet, which of their
 * bans are excepted, what do the others say now. The includer defines NET_CTX, its programs' context,
 * a name of its own for net_owner_excepted; net_uid(): who owns the acting socket; net_ancestor(): the
 * cgroup of it, or of the acting task, at that level, 0 below the last. Functions that are not static
 * are so for the verifier, which walks through each of them once and not once for every caller.
 */
#ifndef DEBAR_JUDGE_BPF_H
#define DEBAR_JUDGE_BPF_H

#include <bpf/bpf_endian.h>

#include "bpf/look.bpf.h"
#include "bpf/net_maps.bpf.h"

/* Of verdict.bpf.h the programs of the network use the half about bans. */
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wunused-function"
#include "bpf/verdict.bpf.h"
#pragma clang diagnostic pop

#define JUDGE_TRIES 3

static __always_inline __u64 net_ancestor(NET_CTX *ctx, int level);
static __always_inline __u32 net_uid(NET_CTX *ctx);

static __always_inline void net_count(enum debar_net_counter which)
{
	__u32 key = which;
	__u64 *n = bpf_map_lookup_elem(&debar_netcount, &key);

	if (n)
		__sync_fetch_and_add(n, 1);
}

/* What is being judged, and what came of it. */
struct judgement {
	__s64 now;		  /* UTC nanoseconds */
	struct debar_match match; /* of the rule that decided */
	struct debar_address remote;
	__u32 generation;
	__u32 slot;
	__u32 device;		/* that the socket is bound to, of one that was refused */
	__u32 excepted;		/* bit: that ban is excepted */
	__u32 owner;		/* bit: so is that one, for the owner, by the rules of... */
	__u32 owner_generation; /* this one */
	__u32 asks;		/* bit: whether the owner is, is to be asked of that ban */
	__u32 bans;		/* bit: a rule of that ban was met */
	__u32 start;		/* where in the name the rule's name begins */
	__u8 whole;		/* looking at the whole name */
	__u8 weighing;		/* second pass: exceptions are known */
	__u8 action;		/* enum debar_action; INHERIT: nothing matched */
	__u8 hook;		/* this and below: what else an event says; enum debar_hook */
	__u8 protocol;
	__u8 flags;   /* enum debar_net_flags */
	__u8 because; /* enum debar_because */
	__u8 settled; /* no swap went on meanwhile */
	__u16 port;   /* host order */
	__u16 local_port;
	__u16 error;
	__u8 said[DEBAR_BANS_MAX]; /* what its phase says: enum debar_action */
};

struct ancestor_walk {
	struct debar_key key;
	NET_CTX *ctx;
	__s64 now;
	__u32 slot;
	__u8 ban;
	__u8 found;
};

static long net_ancestor_step(__u32 level, struct ancestor_walk *walk)
{
	__u64 id = net_ancestor(walk->ctx, level);

	if (!id)
		return 1;
	__builtin_memcpy(walk->key.value, &id, sizeof(id));
	walk->found = except_holds(walk->slot, &walk->key, walk->ban, walk->now);
	return walk->found;
}

/* Does an exception of @ban name the owner's uid, or a cgroup the socket is in? */
int net_owner_excepted(NET_CTX *ctx, __u32 slot, __u32 ban, __u32 uid, __s64 now)
{
	struct ancestor_walk walk = { .key = { .kind = DEBAR_KEY_UID }, .ban = ban };

	walk.ctx = ctx;
	walk.now = now;
	walk.slot = slot;
	__builtin_memcpy(walk.key.value, &uid, sizeof(uid));
	if (except_holds(slot, &walk.key, ban, now))
		return 1;
	__builtin_memset(walk.key.value, 0, sizeof(walk.key.value));
	walk.key.kind = DEBAR_KEY_CGROUP;
	bpf_loop(CGROUP_DEPTH_MAX, net_ancestor_step, &walk, 0);
	return walk.found;
}

/* What every ban that was met says at j->now, and which of them ask who the owner is. */
static long net_ban_step(__u32 which, struct judgement **of)
{
	struct judgement *j = *of;
	struct debar_ban *ban;

	which &= DEBAR_BANS_MAX - 1;
	if (!(j->bans >> which & 1))
		return 0;
	ban = ban_get(j->slot & 1, which);
	if (!ban)
		return 0;
	j->said[which] = ban_says(j->slot & 1, which, DEBAR_INHERIT, true, j->now);
	if (ban->flags & DEBAR_BAN_EXCEPTS_TASK)
		j->asks |= 1U << which;
	return 0;
}

/* After the first pass: is there anything to weigh? */
static __always_inline bool judge_weigh(struct judgement *j)
{
	if (!j->bans)
		return false;
	bpf_loop(DEBAR_BANS_MAX, net_ban_step, &j, 0);
	j->weighing = 1;
	return true;
}

/* Second pass: the strictest action, and of those the first rule. */
static __always_inline void net_rule_weigh(struct net_look *look, struct judgement *j,
					   const struct debar_net_rule *rule)
{
	__u32 which = rule->ban & (DEBAR_BANS_MAX - 1);
	__u8 action;

	opaque(which);
	action = j->said[which & (DEBAR_BANS_MAX - 1)];
	if (action != DEBAR_OFF && rule->network != DEBAR_INHERIT)
		action = rule->network;
	if (action < DEBAR_AUDIT || action < j->action || j->excepted >> which & 1)
		return;
	if (action == j->action && rule->rule > j->match.rule)
		return;
	j->action = action;
	j->match = (struct debar_match){ .rule = rule->rule,
					 .ban = rule->ban,
					 .network = rule->network };
	j->start = look->start;
}

static __always_inline void net_rule_met(struct net_look *look, const struct debar_net_rule *rule)
{
	struct judgement *j = look->verdict;

	if (rule->flags & DEBAR_NET_EXACT && (look->label || (look->name && look->name->cut)))
		return;
	if (rule->flags & DEBAR_NET_EXCEPT) {
		if (!j->weighing && j->now < rule->until)
			j->excepted |= 1U << (rule->ban & 31);
	} else if (!j->weighing) {
		j->bans |= 1U << (rule->ban & 31);
	} else {
		net_rule_weigh(look, j, rule);
	}
}

static __always_inline struct debar_net_head *net_head(__u32 slot)
{
	return bpf_map_lookup_elem(&debar_nethead, &slot);
}

/* Start judging by the generation in force; false: no policy. */
static __always_inline bool judge_begin(struct judgement *j, const struct debar_state *state)
{
	j->generation = *(volatile __u32 *)&state->generation;
	j->slot = j->generation & 1;
	j->action = DEBAR_INHERIT;
	j->excepted = j->owner_generation == j->generation ? j->owner : 0;
	j->asks = 0;
	j->bans = 0;
	j->weighing = 0;
	j->settled = 0;
	barrier();
	return j->generation;
}

/* Did a swap rewrite the slot meanwhile? */
static __always_inline bool judge_torn(struct judgement *j, const struct debar_state *state)
{
	barrier();
	if (*(volatile __u32 *)&state->filling - j->generation < 2) {
		j->settled = 1;
		return false;
	}
	net_count(DEBAR_NET_RETRY);
	return true;
}

static __always_inline void *net_rules(__u32 slot)
{
	return bpf_map_lookup_elem(&debar_netrules, &slot);
}

struct owner_walk {
	NET_CTX *ctx;
	struct judgement *j;
	__u32 found;
};

/* bpf_loop body: each ban that has exceptions of uids or cgroups. */
static long net_owner_step(__u32 ban, struct owner_walk *walk)
{
	struct judgement *j = walk->j;

	if (j->asks >> (ban & 31) & 1 &&
	    net_owner_excepted(walk->ctx, j->slot, ban, net_uid(walk->ctx), j->now))
		walk->found |= 1U << (ban & 31);
	return 0;
}

/*
 * Who owns the socket is asked last, and only of bans that were met. True: an exception was found,
 * so that it has to be judged again.
 */
static __always_inline bool judge_owner(NET_CTX *ctx, struct judgement *j)
{
	struct owner_walk walk = { .ctx = ctx, .j = j };

	if (!j->asks || j->action < DEBAR_AUDIT)
		return false;
	bpf_loop(DEBAR_BANS_MAX, net_owner_step, &walk, 0);
	j->owner = walk.found;
	j->owner_generation = j->generation;
	return walk.found;
}

/* ---- addresses ----------------------------------------------------------------------------- */

static __always_inline void address_v4(struct debar_address *address, __u32 a)
{
	*address = (struct debar_address){ .family = 4 };
	__builtin_memcpy(address->bytes, &a, sizeof(a));
}

/* ::ffff:0:0/96 and NAT64's 64:ff9b::/96 hold an IPv4 address, which is what is meant. */
static __always_inline void address_v6(struct debar_address *address, __u32 a, __u32 b, __u32 c,
				       __u32 d)
{
	__u32 words[4] = { a, b, c, d };

	if (!b && ((!a && c == bpf_htonl(0xffff)) || (a == bpf_htonl(0x64ff9b) && !c))) {
		address_v4(address, d);
		return;
	}
	*address = (struct debar_address){ .family = 6 };
	__builtin_memcpy(address->bytes, words, sizeof(words));
}

/* One pass over the rules of the longest network that holds the address. */
__weak int debar_address_pass(struct judgement *j)
{
	struct debar_network_key key = { .prefix = 160 };
	struct net_look look = { .verdict = j };
	struct debar_network *network;
	void *networks;
	__u32 slot;

	if (!j)
		return 0;
	slot = look.slot = j->slot;
	networks = bpf_map_lookup_elem(&debar_networks, &slot);
	if (!networks)
		return 0;
	key.address = j->remote;
	if (key.address.family == 4)
		key.prefix = 64;
	network = bpf_map_lookup_elem(networks, &key);
	if (network)
		net_rules_meet(&look, network->first, network->count);
	return 0;
}

/* And the rule of the name that this address was learnt from. */
__weak int debar_learned_pass(struct judgement *j)
{
	struct net_look look = { .verdict = j };
	struct debar_address address;
	struct debar_learned *learned;
	struct debar_net_rule rule = {};

	if (!j)
		return 0;
	address = j->remote;
	learned = bpf_map_lookup_elem(&debar_learned, &address);
	if (!learned || learned->generation != j->generation ||
	    learned->until < (__s64)bpf_ktime_get_boot_ns())
		return 0;
	rule.rule = learned->match.rule;
	rule.ban = learned->match.ban;
	rule.network = learned->match.network;
	net_rule_met(&look, &rule);
	if (j->action && j->match.rule == rule.rule)
		j->flags |= DEBAR_NETEV_LEARNED;
	return 0;
}

static __always_inline void judge_pass(struct judgement *j, const struct debar_net_head *head)
{
	if (head && head->networks)
		debar_address_pass(j);
	if (head && head->learn)
		debar_learned_pass(j);
}

/* Sets j->action for j->remote. Swaps that overtake every try leave what was found last. */
__weak int debar_judge_address(struct judgement *j)
{
	struct debar_state *state = state_get();

	if (!state || !j)
		return 0;
	j->now = now_utc(state);
	for (int try = 0; try < JUDGE_TRIES; try++) {
		struct debar_net_head *head;

		if (!judge_begin(j, state))
			return 0;
		head = net_head(j->slot);
		judge_pass(j, head);
		if (judge_weigh(j))
			judge_pass(j, head);
		if (!judge_torn(j, state))
			break;
	}
	net_count(DEBAR_NET_ADDRESS);
	j->action = mode_cap(state, j->action);
	return 0;
}

static __always_inline void judge_address(NET_CTX *ctx, struct judgement *j)
{
	debar_judge_address(j);
	if (judge_owner(ctx, j))
		debar_judge_address(j);
}

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One look-up of a name or an address, and the rules it meets: for each of them the includer's
 * net_rule_met(look, rule) is called; the tables of a generation's slot come from the includer too.
 */
#ifndef DEBAR_LOOK_BPF_H
#define DEBAR_LOOK_BPF_H

#include "bpf/name.bpf.h"

struct net_look;
static __always_inline void net_rule_met(struct net_look *look, const struct debar_net_rule *rule);
static __always_inline void *net_rules(__u32 slot);

#ifdef __bpf__

#define table_at(type, table, at)                                                                  \
	({                                                                                         \
		__u32 at_ = (at);                                                                  \
		(type *)bpf_map_lookup_elem(table, &at_);                                          \
	})

#else

#define table_at(type, table, at) ((type *)(table) + (at))

#endif

/* One look-up, of a name or an address. Small: the kernel gives all functions together 512 bytes. */
struct net_look {
	struct name *name;
	void *verdict; /* the includer's */
	void *pool;    /* of the record being compared, then the rules it has */
	const struct debar_net_head *head;
	__u64 hash;
	__u32 label; /* border being looked at */
	__u32 start; /* where in the name */
	__u32 first; /* chunk of the record, then the first of its rules */
	__u32 differs;
	__u32 slot; /* of the generation */
};

static long net_rules_step(__u32 i, struct net_look *look)
{
	const struct debar_net_rule *rule =
		table_at(struct debar_net_rule, look->pool, look->first + i);

	if (rule)
		net_rule_met(look, rule);
	return !rule;
}

static __always_inline void net_rules_meet(struct net_look *look, __u32 first, __u32 count)
{
	look->pool = net_rules(look->slot);
	if (!look->pool)
		return;
	look->first = first;
	bpf_loop(count < DEBAR_NET_RULES_MAX ? count : DEBAR_NET_RULES_MAX, net_rules_step, look,
		 0);
}

#endif

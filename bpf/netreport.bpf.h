/* SPDX-License-Identifier: GPL-2.0-only */
/* What a network program found, as one record in the ring: who, where to, which name and rule. */
#ifndef DEBAR_NETREPORT_BPF_H
#define DEBAR_NETREPORT_BPF_H

#include "bpf/judge.bpf.h"

/* All that an event says beside the judgement. */
struct net_found {
	struct debar_socket *socket;	    /* or NULL */
	struct name *name;		    /* or NULL */
	const struct debar_address *remote; /* or NULL: net_addresses() knows it */
	NET_CTX *ctx;
	__u64 cookie;
	__u32 error;
	__u16 port;	  /* host order */
	__u16 local_port; /* host order */
	__u8 protocol;
	__u8 hook;
	__u8 because;
	__u8 flags;
};

/* The includer's: addresses that its context has. */
static void net_addresses(const struct net_found *found, struct debar_net_event *event);

static __always_inline void net_report(const struct judgement *j, const struct net_found *found)
{
	struct debar_net_event *event = bpf_ringbuf_reserve(&debar_ring, sizeof(*event), 0);

	net_count(found->error ? DEBAR_NET_DENY : DEBAR_NET_AUDIT);
	if (!event) {
		net_count(DEBAR_NET_LOST);
		return;
	}
	event->size = sizeof(*event);
	event->generation = j->generation;
	event->when = j->now;
	if (found->socket)
		event->actor = found->socket->actor;
	else
		__builtin_memset(&event->actor, 0, sizeof(event->actor));
	event->match = j->match;
	event->cookie = found->cookie;
	event->remote = (struct debar_address){};
	event->local = (struct debar_address){};
	if (found->remote)
		event->remote = *found->remote;
	net_addresses(found, event);
	event->port = found->port;
	event->local_port = found->local_port;
	event->protocol = found->protocol;
	event->hook = found->hook;
	event->outcome = found->error ? DEBAR_OUTCOME_DENIED : DEBAR_OUTCOME_AUDITED;
	event->because = found->because;
	event->error = found->error;
	event->flags = found->flags;
	event->pad = 0;
	if (found->name) {
		event->flags |= DEBAR_NETEV_NAME;
		event->name_len = found->name->len;
		event->matched = j->start;
		__builtin_memcpy(event->name, found->name->wire, sizeof(event->name));
	} else {
		event->name_len = 0;
		event->matched = 0;
		__builtin_memset(event->name, 0, sizeof(event->name));
	}
	bpf_ringbuf_submit(event, 0);
}

#endif

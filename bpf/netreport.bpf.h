/* SPDX-License-Identifier: GPL-2.0-only */
/* What a network program found, as one record in the ring: who, where to, which name and rule. */
#ifndef DEBAR_NETREPORT_BPF_H
#define DEBAR_NETREPORT_BPF_H

#include "bpf/judge.bpf.h"
#include "bpf/owner.bpf.h"

/* @local, @name and @question may be NULL. */
static __always_inline void net_report(NET_CTX *ctx, const struct judgement *j,
				       const struct debar_address *local, const struct name *name,
				       const struct debar_question *question)
{
	struct debar_net_event *event = bpf_ringbuf_reserve(&debar_ring, sizeof(*event), 0);

	net_count(j->error ? DEBAR_NET_DENY : DEBAR_NET_AUDIT);
	if (!event) {
		net_count(DEBAR_NET_LOST);
		return;
	}
	__builtin_memset(event, 0, sizeof(*event));
	event->size = sizeof(*event);
	event->generation = j->generation;
	event->when = j->now;
	event->match = j->match;
	event->cookie = bpf_get_socket_cookie(ctx);
	owner_read(event->cookie, &event->actor);
	event->remote = j->remote;
	if (local)
		event->local = *local;
	event->port = j->port;
	event->local_port = j->local_port;
	event->protocol = j->protocol;
	event->hook = j->hook;
	event->outcome = j->error ? DEBAR_OUTCOME_DENIED : DEBAR_OUTCOME_AUDITED;
	event->because = j->because;
	event->error = j->error;
	event->device = j->device;
	event->flags = j->flags;
	if (name) {
		event->flags |= DEBAR_NETEV_NAME;
		event->name_len = name->len;
		event->matched = j->start;
		__builtin_memcpy(event->name, name->wire, sizeof(event->name));
		if (question)
			event->question = *question;
	}
	bpf_ringbuf_submit(event, 0);
}

#endif

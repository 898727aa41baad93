/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who owns a socket: an array that is indexed by the low bits of its cookie, because storage of the
 * socket's own costs more than all the rest of a connect. A newer socket takes an older one's place,
 * whose owner is not known from then on. Written by connect, sendmsg and sock_create, read by all.
 */
#ifndef DEBAR_OWNER_BPF_H
#define DEBAR_OWNER_BPF_H

#include <bpf/bpf_core_read.h>

#include "bpf/net_maps.bpf.h"

#define OWNERS 16384
#define UID_UNKNOWN 0xffffffffu /* no exception names it */

/* `turn` is odd while it is written, and another one afterwards: who read meanwhile knows nothing. */
struct owner {
	__u64 cookie;
	__u32 turn;
	__u32 pad;
	struct debar_actor actor; /* last known */
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, OWNERS);
	__type(key, __u32);
	__type(value, struct owner);
} debar_owners __weak SEC(".maps");

static __always_inline struct owner *owner_slot(__u64 cookie)
{
	__u32 at = cookie & (OWNERS - 1);

	return bpf_map_lookup_elem(&debar_owners, &at);
}

/* Who acts owns the socket from now on. Two writers at once are two sockets: one stays unknown. */
static __always_inline void owner_take(__u64 cookie)
{
	struct owner *owner = owner_slot(cookie);
	__u32 pid = bpf_get_current_pid_tgid() >> 32, uid = (__u32)bpf_get_current_uid_gid();
	struct task_struct *task;
	__u32 turn;

	if (!owner || !cookie)
		return;
	/* A datagram each time by the same process: nothing to write. */
	if (owner->cookie == cookie && owner->actor.pid == pid && owner->actor.uid == uid)
		return;
	turn = *(volatile __u32 *)&owner->turn & ~1u;
	if (__sync_val_compare_and_swap(&owner->turn, turn, turn + 1) != turn)
		return;
	owner->cookie = cookie;
	task = (void *)bpf_get_current_task();
	owner->actor.cgroup = bpf_get_current_cgroup_id();
	owner->actor.pid = pid;
	owner->actor.ppid = BPF_CORE_READ(task, real_parent, tgid);
	owner->actor.uid = uid;
	bpf_get_current_comm(owner->actor.comm, sizeof(owner->actor.comm));
	barrier();
	*(volatile __u32 *)&owner->turn = turn + 2;
}

/* The last known owner; all zero: not known. */
static __always_inline bool owner_read(__u64 cookie, struct debar_actor *ret_actor)
{
	struct owner *owner = owner_slot(cookie);
	__u32 turn;
	bool known;

	if (!owner || !cookie)
		return false;
	turn = *(volatile __u32 *)&owner->turn;
	barrier();
	known = owner->cookie == cookie && !(turn & 1);
	if (known)
		*ret_actor = owner->actor;
	barrier();
	if (known && *(volatile __u32 *)&owner->turn == turn)
		return true;
	__builtin_memset(ret_actor, 0, sizeof(*ret_actor));
	return false;
}

/* Of the last known owner. */
static __always_inline __u32 owner_uid(__u64 cookie)
{
	struct owner *owner = owner_slot(cookie);
	__u32 turn, uid;

	if (!owner || !cookie)
		return UID_UNKNOWN;
	turn = *(volatile __u32 *)&owner->turn;
	barrier();
	uid = owner->cookie == cookie && !(turn & 1) ? owner->actor.uid : UID_UNKNOWN;
	barrier();
	return *(volatile __u32 *)&owner->turn == turn ? uid : UID_UNKNOWN;
}

#endif

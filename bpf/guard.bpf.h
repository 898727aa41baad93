/* SPDX-License-Identifier: GPL-2.0-only */
/* What the guard's programs share: what is debar's, who is trusted, how something is refused. */
#ifndef DEBAR_GUARD_BPF_H
#define DEBAR_GUARD_BPF_H

#include "bpf/kernel.bpf.h"

#include <linux/bpf.h>
#include <linux/errno.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "bpf/report.bpf.h"

#define BPFFS_MAGIC 0xcafe4a11 /* include/uapi/linux/magic.h has it for user space only */

/* What is debar's -> 1. Written by the controller; maps by debar_g_map, code by debar_g_mmap, too. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, struct debar_own);
	__type(value, __u32);
} debar_g_own SEC(".maps");

/* Digest of the controller, and of every library it was armed with -> enum debar_trust. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 128);
	__type(key, struct debar_digest);
	__type(value, __u32);
} debar_g_trust SEC(".maps");

/* Tasks that are trusted: 1. */
struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, __u32);
} debar_g_tasks SEC(".maps");

/* Key 0: is it armed? */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct debar_guard);
} debar_g_state SEC(".maps");

static __always_inline struct debar_guard *armed(void)
{
	__u32 zero = 0;
	struct debar_guard *guard = bpf_map_lookup_elem(&debar_g_state, &zero);

	return guard && guard->armed ? guard : NULL;
}

static __always_inline bool task_trusted(struct task_struct *task)
{
	__u32 *mark = bpf_task_storage_get(&debar_g_tasks, task, 0, 0);

	return mark && *mark;
}

static __always_inline bool trusted(void)
{
	return task_trusted(bpf_get_current_task_btf());
}

static __always_inline bool owns(__u32 kind, __u32 device, __u64 id)
{
	struct debar_own own = { .kind = kind, .device = device, .id = id };

	return bpf_map_lookup_elem(&debar_g_own, &own) != NULL;
}

static __always_inline bool owns_inode(struct inode *inode)
{
	if (!inode || BPF_CORE_READ(inode, i_sb, s_magic) != BPFFS_MAGIC)
		return false;
	return owns(DEBAR_OWN_INODE, BPF_CORE_READ(inode, i_sb, s_dev),
		    BPF_CORE_READ(inode, i_ino));
}

/* For people: what was refused to whom. It has been decided, and a full ring changes nothing. */
static __noinline void tell(__u32 act, __u32 error, const void *name, __u32 size)
{
	struct debar_state *state = state_get();
	struct debar_event *event;

	if (!state)
		return;
	event = bpf_ringbuf_reserve(&debar_ring, sizeof(*event), 0);
	if (!event) {
		count(DEBAR_COUNT_LOST);
		return;
	}
	__builtin_memset(event, 0, sizeof(*event));
	event->size = sizeof(*event);
	event->generation = state->generation;
	event->when = now_utc(state);
	actor_fill(&event->actor);
	event->hook = DEBAR_HOOK_GUARD;
	event->outcome = DEBAR_OUTCOME_DENIED;
	event->because = DEBAR_BECAUSE_GUARD;
	event->match.rule = act;
	event->error = error;
	event->foreign = 0;
	if (name && size <= sizeof(event->path))
		bpf_probe_read_kernel_str(event->path, size, name);
	report_cgroup(event, (void *)bpf_get_current_task());
	bpf_ringbuf_submit(event, 0);
}

/*
 * Clang makes `refuse ? -EPERM : 0` a negation, of which 6.12's verifier loses the range.
 * @name: a string in the kernel, or NULL.
 */
static __always_inline int answer(bool refuse, __u32 act, const void *name)
{
	long ret = 0;

	if (refuse) {
		tell(act, EPERM, name, DEBAR_PATH_LEN);
		ret = -EPERM;
		asm volatile("" : "+r"(ret));
	}
	return ret;
}

static __always_inline int answer_dentry(bool refuse, __u32 act, struct dentry *dentry)
{
	return answer(refuse, act, refuse ? BPF_CORE_READ(dentry, d_name.name) : NULL);
}

/* "There is none" rather than "not permitted": who lists all there are goes on to the next. */
static __always_inline int absent(bool refuse, __u32 act)
{
	long ret = 0;

	if (refuse) {
		tell(act, ENOENT, NULL, 0);
		ret = -ENOENT;
		asm volatile("" : "+r"(ret));
	}
	return ret;
}

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/* What a hook found, as one record in the ring: who, which file, which rule, what became of it. */
#ifndef DEBAR_REPORT_BPF_H
#define DEBAR_REPORT_BPF_H

#include "bpf/verdict.bpf.h"

#include <bpf/bpf_core_read.h>

static __always_inline void report_cgroup(struct debar_event *event, struct task_struct *task)
{
	struct cgroup *cgroup = BPF_CORE_READ(task, cgroups, dfl_cgrp);
	struct cgroup *parent = (void *)BPF_CORE_READ(cgroup, self.parent);

	event->cgroup[0][0] = event->cgroup[1][0] = 0;
	bpf_probe_read_kernel_str(event->cgroup[0], DEBAR_CGROUP_LEN,
				  BPF_CORE_READ(cgroup, kn, name));
	if (parent)
		bpf_probe_read_kernel_str(event->cgroup[1], DEBAR_CGROUP_LEN,
					  BPF_CORE_READ(parent, kn, name));
}

static __always_inline void actor_fill(struct debar_actor *actor)
{
	struct task_struct *task = (void *)bpf_get_current_task();

	actor->cgroup = bpf_get_current_cgroup_id();
	actor->pid = bpf_get_current_pid_tgid() >> 32;
	actor->ppid = BPF_CORE_READ(task, real_parent, tgid);
	actor->uid = (__u32)bpf_get_current_uid_gid();
	actor->pad = 0;
	bpf_get_current_comm(actor->comm, sizeof(actor->comm));
}

static __always_inline void report_name(struct debar_event *event, struct file *file)
{
	const unsigned char *name = BPF_CORE_READ(file, f_path.dentry, d_name.name);

	bpf_probe_read_kernel_str(event->path, sizeof(event->path), name);
}

/*
 * @file: NULL when there was only memory. @path: may the program ask for the whole path? (bpf_d_path
 * is for sleepable hooks; of a path too long for the record only the name is told.)
 */
/* Returns false when the ring was full. */
static __always_inline bool report_file(struct verdict *v, struct file *file, __u8 hook,
					__u8 outcome, __u32 error, bool has_digest, bool path)
{
	struct debar_event *event = bpf_ringbuf_reserve(&debar_ring, sizeof(*event), 0);
	struct inode *inode = file ? file->f_inode : NULL;

	if (!event) {
		count(DEBAR_COUNT_LOST);
		return false;
	}
	event->size = sizeof(*event);
	event->generation = v->generation;
	event->when = v->now;
	actor_fill(&event->actor);
	event->key = v->key;
	event->key.nth = 0;
	event->match = v->match;
	event->device = inode ? inode->i_sb->s_dev : 0;
	event->inode = inode ? inode->i_ino : 0;
	event->file_size = inode ? inode->i_size : 0;
	event->hook = hook;
	event->outcome = outcome;
	event->because = v->because;
	event->has_digest = has_digest;
	event->error = error;
	event->foreign = inode && inode->i_sb->s_user_ns->level != 0;
	event->cookie = v->cookie;
	__builtin_memcpy(event->digest, v->digest.bytes, sizeof(event->digest));
	event->path[0] = 0;
	if (file && (!path || bpf_d_path(&file->f_path, event->path, sizeof(event->path)) < 0))
		report_name(event, file);
	report_cgroup(event, (void *)bpf_get_current_task());
	bpf_ringbuf_submit(event, 0);
	return true;
}

#endif

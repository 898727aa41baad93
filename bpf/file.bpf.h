/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which content is this? The digest of a file, from the inode's storage as long as nobody opened
 * it for writing, else from the kernel's hash. The protocol is written at struct debar_file.
 */
#ifndef DEBAR_FILE_BPF_H
#define DEBAR_FILE_BPF_H

#include "bpf/overlay.bpf.h"

#define HASH_ALGO_SHA256 4 /* include/uapi/linux/hash_info.h: what bpf_ima_file_hash returns */
#define S_IFMT 00170000
#define S_IFREG 0100000

static __always_inline bool is_regular(struct inode *inode)
{
	return (inode->i_mode & S_IFMT) == S_IFREG;
}

/* Is the current task between its old program and the new one? */
static __always_inline bool in_execve(void)
{
	struct task_struct *task = bpf_get_current_task_btf();

	return bpf_core_field_exists(task->in_execve) && BPF_CORE_READ_BITFIELD(task, in_execve);
}

/* Since 6.13 a stat of the inode leaves a mark in the nanoseconds, I_CTIME_QUERIED: no change. */
#define CTIME_NSEC 0x7fffffff

static __always_inline __s64 file_ctime(struct inode *inode)
{
	if (bpf_core_field_exists(struct inode___ctime_split, i_ctime_sec)) {
		struct inode___ctime_split *split = (void *)inode;

		return split->i_ctime_sec * 1000000000LL + (split->i_ctime_nsec & CTIME_NSEC);
	}
	if (bpf_core_field_exists(struct inode___ctime_hidden, __i_ctime)) {
		struct inode___ctime_hidden *hidden = (void *)inode;

		return hidden->__i_ctime.tv_sec * 1000000000LL + hidden->__i_ctime.tv_nsec;
	}
	struct inode___ctime *plain = (void *)inode;

	return plain->i_ctime.tv_sec * 1000000000LL + plain->i_ctime.tv_nsec;
}

/*
 * File systems on which every writer of the bytes is counted in i_writecount of this very inode, or
 * that have none. Elsewhere (network, FUSE, 9p, a memfd whose creator's descriptor is not counted) a file is
 * hashed each time.
 */
static __always_inline bool counts_writers(unsigned long magic)
{
	return magic == EXT4_SUPER_MAGIC || magic == TMPFS_MAGIC || magic == XFS_SUPER_MAGIC ||
	       magic == BTRFS_SUPER_MAGIC || magic == F2FS_SUPER_MAGIC || magic == SQUASHFS_MAGIC ||
	       magic == EROFS_SUPER_MAGIC_V1;
}

static __always_inline bool is_oversize(struct inode *inode)
{
	return (__u64)inode->i_size > DEBAR_HASH_MAX;
}

static __always_inline bool file_cacheable(struct inode *inode, struct inode *real)
{
	if (!inode->i_nlink)
		return false;
	if (real)
		return counts_writers(BPF_CORE_READ(real, i_sb, s_magic));
	return counts_writers(inode->i_sb->s_magic);
}

/* Is what @seen says still true of @inode? */
static __always_inline bool file_current(struct inode *inode, struct debar_file *seen)
{
	struct inode *real;

	if (seen->state != DEBAR_FILE_KNOWN)
		return false;
	barrier();
	if (seen->size != (__u64)inode->i_size)
		return false;
	/* An overlay's own time follows the real one when somebody reads: its epoch stands for it. */
	if (!seen->real && seen->ctime != file_ctime(inode))
		return false;
	if (inode->i_writecount.counter > 0)
		return false;
	if (!seen->real)
		return true;
	real = overlay_real(inode);
	return (__u64)real == seen->real && !overlay_busy(inode, real) &&
	       epoch_get(real, false) == seen->epoch;
}

/* What is remembered of @inode, if it still holds. */
static __always_inline struct debar_file *file_seen(struct inode *inode)
{
	struct debar_file *seen = bpf_inode_storage_get(&debar_files, inode, NULL, 0);

	return seen && file_current(inode, seen) ? seen : NULL;
}

/*
 * Puts a PENDING element on @inode, or joins the one of another who is about to hash. A writer who
 * opened before the element was there has passed the hook that deletes it: while there is one the
 * element goes, or an answer about what he has not written yet would be kept until he is gone. Until
 * that is known its state is 0, for which the controller answers nothing.
 */
static __noinline __u64 file_begin(struct inode *inode, struct inode *real)
{
	struct debar_file fresh = { .cookie = unique() }, *seen;

	if (real) {
		fresh.real = (__u64)real;
		fresh.epoch = epoch_get(real, true);
		if (!fresh.epoch) { /* ended by a writer already, and nothing would end 0 */
			count(DEBAR_COUNT_RACE);
			return 0;
		}
	}
	seen = bpf_inode_storage_get(&debar_files, inode, NULL, 0);
	if (seen && (seen->state == DEBAR_FILE_KNOWN || seen->epoch != fresh.epoch)) {
		bpf_inode_storage_delete(&debar_files, inode);
		seen = NULL;
	}
	if (!seen)
		seen = bpf_inode_storage_get(&debar_files, inode, &fresh,
					     BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!seen) /* somebody else made it just now */
		seen = bpf_inode_storage_get(&debar_files, inode, NULL, 0);
	if (!seen) {
		count(DEBAR_COUNT_FACT_STORAGE); /* open: the file is hashed each time */
		return 0;
	}
	if (inode->i_writecount.counter > 0 || (real && writers(real) > 0)) {
		bpf_inode_storage_delete(&debar_files, inode);
		return 0;
	}
	if (!seen->state)
		seen->state = DEBAR_FILE_PENDING;
	return seen->cookie;
}

/* Fills the element if it is still the one that file_begin() left: nobody wrote since. */
static __always_inline struct debar_file *file_finish(struct inode *inode, struct inode *real,
						      __u64 cookie,
						      const struct debar_digest *digest)
{
	struct debar_file *seen = bpf_inode_storage_get(&debar_files, inode, NULL, 0);

	if (!seen || seen->cookie != cookie || (real && epoch_get(real, false) != seen->epoch)) {
		count(DEBAR_COUNT_RACE);
		return NULL;
	}
	seen->size = inode->i_size;
	seen->ctime = file_ctime(inode);
	seen->digest = *digest;
	barrier();
	seen->state = DEBAR_FILE_KNOWN;
	if (real)
		bpf_map_update_elem(&debar_ovldigest, &seen->epoch, digest, BPF_ANY);
	return seen;
}

/*
 * Hashes @file. Returns 0 and the digest, and the inode's element in @ret_seen if it could be kept;
 * or the enum debar_because why there is no digest. (Not inlined, for the sake of the 512 bytes of
 * stack that a hook and all it calls share.)
 */
static __noinline int file_hash(struct file *file, struct inode *inode, struct debar_digest *digest,
				struct debar_file **ret_seen)
{
	struct inode *real = NULL;
	__u64 cookie = 0;

	if (is_oversize(inode)) {
		count(DEBAR_COUNT_FACT_OVERSIZE);
		return DEBAR_BECAUSE_OVERSIZE;
	}
	if (on_overlay(inode)) {
		real = overlay_real(inode);
		if (!real) /* open: hashed each time, a stale size is not noticed */
			count(DEBAR_COUNT_FACT_NOREAL);
		else if (overlay_busy(inode, real))
			return DEBAR_BECAUSE_BUSY;
	}
	if (file_cacheable(inode, real))
		cookie = file_begin(inode, real);
	else
		count(DEBAR_COUNT_UNCACHEABLE);
	count(DEBAR_COUNT_HASH);
	if (bpf_ima_file_hash(file, digest, sizeof(*digest)) != HASH_ALGO_SHA256) {
		count(DEBAR_COUNT_FACT_NOHASH); /* closed, where a rule could have matched */
		return DEBAR_BECAUSE_NOHASH;
	}
	if (real && overlay_busy(inode, real))
		return DEBAR_BECAUSE_BUSY;
	if (cookie)
		*ret_seen = file_finish(inode, real, cookie, digest);
	return 0;
}

/* The epoch's real inode of an overlay file; NULL for a file that has its own bytes. */
static __always_inline struct inode *file_real(struct inode *inode)
{
	return on_overlay(inode) ? overlay_real(inode) : NULL;
}

static __noinline void learn_anew(struct file *file, struct inode *inode)
{
	struct debar_digest digest = {};
	struct debar_file *seen = NULL;

	if (file_cacheable(inode, file_real(inode)))
		(void)file_hash(file, inode, &digest, &seen);
}

/*
 * Sees to it that the digest of @file is remembered, for a hook that cannot hash. Where it cannot be
 * remembered there is nothing to be done. While a program starts the kernel maps that program, which
 * the exec hook has seen, and its loader, which runs: so both are known without this.
 */
static __always_inline void learn(struct file *file, struct inode *inode)
{
	if (!in_execve() && is_regular(inode) && !file_seen(inode))
		learn_anew(file, inode);
}

/* Somebody opened @inode for writing, or cut it: what is remembered of it ends. */
static __always_inline void file_forget(struct inode *inode)
{
	struct debar_state *state = state_get();

	if (state && state->stale)
		return;
	bpf_inode_storage_delete(&debar_files, inode);
	epoch_end(inode);
}

#endif

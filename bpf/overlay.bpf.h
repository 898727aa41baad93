/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An overlay inode has no bytes of its own: they are in a real inode, in the upper or a lower
 * layer, and whoever owns the layer's directory can write to it without touching the overlay. So
 * a digest is kept in the overlay inode together with the epoch of the real inode's content, which
 * every open for writing of the real inode ends (a stamp of times and sizes was tried and is not
 * enough: tmpfs moves no ctime on stores through a mapping).
 */
#ifndef DEBAR_OVERLAY_BPF_H
#define DEBAR_OVERLAY_BPF_H

#include "bpf/maps.bpf.h"
#include "bpf/verdict.bpf.h"

#include <bpf/bpf_core_read.h>
#include <linux/magic.h>

#define OVERLAY_LAYERS_MAX 500 /* OVL_MAX_STACK of fs/overlayfs */

/* Unique in this boot: no two calls on one CPU share a nanosecond. */
static __always_inline __u64 unique(void)
{
	return bpf_ktime_get_ns() << 10 | bpf_get_smp_processor_id();
}

static __always_inline int writers(const struct inode *inode)
{
	return BPF_CORE_READ(inode, i_writecount.counter);
}

static __always_inline bool on_overlay(struct inode *inode)
{
	return inode->i_sb->s_magic == OVERLAYFS_SUPER_MAGIC;
}

static __always_inline struct inode *dentry_inode(struct dentry *dentry)
{
	return dentry ? BPF_CORE_READ(dentry, d_inode) : NULL;
}

/* The layout up to 6.4: one lower path in the inode. */
static __always_inline struct inode *overlay_real_inline(struct inode *inode)
{
	struct ovl_inode___inline *ovl =
		(void *)inode - bpf_core_field_offset(struct ovl_inode___inline, vfs_inode);
	struct dentry *upper = BPF_CORE_READ(ovl, __upperdentry);
	struct inode *lower;

	if (upper && BPF_CORE_READ(ovl, flags) & 1 << OVL_UPPERDATA)
		return dentry_inode(upper);
	lower = BPF_CORE_READ(ovl, lowerdata);
	return lower ? lower : dentry_inode(BPF_CORE_READ(ovl, lowerpath.dentry));
}

/* The layout since 6.5: a stack of lower paths, the last of which holds the data. */
static __always_inline struct inode *overlay_real_entry(struct inode *inode)
{
	struct ovl_inode___entry *ovl =
		(void *)inode - bpf_core_field_offset(struct ovl_inode___entry, vfs_inode);
	struct dentry *upper = BPF_CORE_READ(ovl, __upperdentry);
	struct ovl_entry *entry;
	struct ovl_path *path;
	__u32 layers;

	if (upper && BPF_CORE_READ(ovl, flags) & 1 << OVL_UPPERDATA)
		return dentry_inode(upper);
	entry = BPF_CORE_READ(ovl, oe);
	if (!entry)
		return NULL;
	layers = BPF_CORE_READ(entry, __numlower);
	if (!layers || layers > OVERLAY_LAYERS_MAX)
		return NULL;
	path = (void *)entry + bpf_core_field_offset(struct ovl_entry, __lowerstack) +
	       (layers - 1) * bpf_core_type_size(struct ovl_path);
	return dentry_inode(BPF_CORE_READ(path, dentry));
}

/*
 * The inode that holds the data of overlay inode @inode, as a bare address; NULL when it cannot be
 * told. Known only when the overlay module was there when these programs were loaded (its types
 * come from the module's BTF), so the controller loads it first.
 */
static __always_inline struct inode *overlay_real(struct inode *inode)
{
	if (bpf_core_field_exists(struct ovl_inode___inline, lowerpath))
		return overlay_real_inline(inode);
	if (bpf_core_field_exists(struct ovl_inode___entry, oe))
		return overlay_real_entry(inode);
	return NULL;
}

/* The epoch of @real's content; 0 when there is none and @create is false, or no room. */
static __always_inline __u64 epoch_get(struct inode *real, bool create)
{
	__u64 address = (__u64)real, fresh;
	__u64 *epoch = bpf_map_lookup_elem(&debar_epochs, &address);

	if (!epoch && create) {
		fresh = unique();
		bpf_map_update_elem(&debar_epochs, &address, &fresh, BPF_NOEXIST);
		epoch = bpf_map_lookup_elem(&debar_epochs, &address);
	}
	return epoch ? *epoch : 0;
}

static __always_inline void epoch_end(struct inode *real)
{
	__u64 address = (__u64)real;

	bpf_map_delete_elem(&debar_epochs, &address);
}

/*
 * Is somebody writing beneath the overlay, or has the overlay not noticed that somebody did? Then
 * no digest can be trusted: the kernel hashes up to the overlay's stale size. A writer through the
 * overlay is counted in both inodes and is none beneath.
 */
static __always_inline bool overlay_busy(struct inode *inode, struct inode *real)
{
	int above = writers(inode);

	return writers(real) > (above > 0 ? above : 0) ||
	       BPF_CORE_READ(real, i_size) != inode->i_size;
}

#endif

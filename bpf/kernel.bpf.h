/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel types that debar reads, and only the fields it reads: this page is the whole of what
 * the programs depend on inside the kernel. libbpf relocates every access against the running
 * kernel's BTF, so order and offsets here mean nothing. Fields that moved between versions have a
 * flavour each (the part of a name after ___ is not part of the type's name).
 */
#ifndef DEBAR_KERNEL_BPF_H
#define DEBAR_KERNEL_BPF_H

#include <linux/types.h>
#include <stdbool.h>

/* libbpf's headers name these as the kernel does. */
typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s64 s64;

#ifndef NULL
#define NULL ((void *)0)
#endif

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

typedef struct {
	int counter;
} atomic_t;

typedef struct {
	unsigned int val;
} kuid_t;

struct qstr {
	const unsigned char *name;
};

struct user_namespace {
	int level; /* 0: the first */
};

struct super_block {
	unsigned long s_magic;
	struct user_namespace *s_user_ns;
	__u32 s_dev;
};

struct inode {
	unsigned short i_mode;
	struct super_block *i_sb;
	unsigned long i_ino;
	unsigned int i_nlink;
	__s64 i_size;
	atomic_t i_writecount;
};

struct timespec64 {
	__s64 tv_sec;
	long tv_nsec;
};

/* i_ctime until 6.6, __i_ctime until 6.11, then two fields. */
struct inode___ctime {
	struct timespec64 i_ctime;
};

struct inode___ctime_hidden {
	struct timespec64 __i_ctime;
};

struct inode___ctime_split {
	__s64 i_ctime_sec;
	__u32 i_ctime_nsec;
};

struct dentry {
	struct qstr d_name;
	struct inode *d_inode;
};

struct vfsmount {
	int mnt_flags;
};

struct mount {
	struct vfsmount mnt;
	int mnt_id;
};

struct path {
	struct vfsmount *mnt;
	struct dentry *dentry;
};

struct file {
	struct inode *f_inode;
	struct path f_path;
	unsigned int f_flags;
	unsigned int f_mode;
};

struct linux_binprm {
	struct file *file;
	unsigned int unsafe;
};

/* 6.14: AT_EXECVE_CHECK. */
struct linux_binprm___check {
	unsigned int is_check : 1;
};

struct bpf_map {
	__u32 id;
};

struct bpf_prog_aux {
	__u32 id;
};

struct bpf_prog {
	struct bpf_prog_aux *aux;
};

struct vm_area_struct {
	struct file *vm_file;
	unsigned long vm_flags;
};

struct kernfs_node {
	const char *name;
	__u64 id;
};

struct cgroup_subsys_state {
	struct cgroup_subsys_state *parent;
};

struct cgroup {
	struct cgroup_subsys_state self; /* first: a css of this kind is its cgroup */
	struct kernfs_node *kn;
};

struct css_set {
	struct cgroup *dfl_cgrp;
};

struct cred {
	kuid_t uid;
};

struct ns_common {
	unsigned int inum;
};

struct mnt_namespace {
	struct ns_common ns;
};

struct nsproxy {
	struct mnt_namespace *mnt_ns;
};

struct task_struct {
	unsigned int in_execve : 1;
	int tgid;
	struct nsproxy *nsproxy;
	struct task_struct *real_parent;
	const struct cred *cred;
	struct css_set *cgroups;
};

/* Kinds of files the kernel reads for itself; values are relocated, they differ by version. */
enum kernel_read_file_id {
	READING_FIRMWARE = 1,
	READING_MODULE = 2,
	READING_KEXEC_IMAGE = 3,
	READING_KEXEC_INITRAMFS = 4,
};

enum kernel_read_file_id___compressed {
	READING_MODULE_COMPRESSED = 3,
};

enum kernel_load_data_id {
	LOADING_FIRMWARE = 1,
	LOADING_MODULE = 2,
	LOADING_KEXEC_IMAGE = 3,
	LOADING_KEXEC_INITRAMFS = 4,
};

/* include/linux/security.h: up to INTEGRITY_MAX, what lets root change the running kernel. */
enum lockdown_reason {
	LOCKDOWN_DEV_MEM = 2,
	LOCKDOWN_KEXEC = 4,
	LOCKDOWN_INTEGRITY_MAX = 20,
	LOCKDOWN_KCORE = 21,
};

/* Overlayfs, from the module's BTF. 6.1 keeps the lower path in the inode, 6.5 and later an entry. */
struct ovl_path {
	struct dentry *dentry;
};

struct ovl_inode___inline {
	unsigned long flags;
	struct inode vfs_inode;
	struct dentry *__upperdentry;
	struct inode *lowerdata;
	struct ovl_path lowerpath;
};

struct ovl_entry {
	unsigned int __numlower;
	struct ovl_path __lowerstack[];
};

struct ovl_inode___entry {
	unsigned long flags;
	struct inode vfs_inode;
	struct dentry *__upperdentry;
	struct ovl_entry *oe;
};

#pragma clang attribute pop

/* Not in any header of the kernel's user API. include/linux/fs.h: */
#define FMODE_WRITE 0x2
#define FMODE_EXEC 0x20 /* found in f_flags, not in f_mode */

/* include/linux/mm.h */
#define VM_SHARED 0x8

/* fs/overlayfs/ovl_entry.h, enum ovl_inode_flag: the upper file holds the data. */
#define OVL_UPPERDATA 3

#endif

// SPDX-License-Identifier: GPL-2.0-only
/*
 * --guard: keeps others, root included, off debar's own maps, links, pins and controller, and off
 * nothing else. What is debar's is known by number, which the controller fills in before it arms.
 *
 * Who is trusted: a task whose program has the controller's digest, was not run under a debugger,
 * and has mapped no code but its own and that of the libraries it was armed with. So LD_PRELOAD
 * makes an impostor of it, and a restart of the real controller is admitted.
 *
 *   debar_g_exec, debar_g_mmap, debar_g_fork   who is trusted
 *   debar_g_map, debar_g_bpf                   maps and links by number
 *   debar_g_perm, debar_g_unlink, debar_g_rmdir, debar_g_rename   pins
 *   debar_g_umount, debar_g_move, debar_g_mount                   the mounts they are reached by
 *   debar_g_kill, debar_g_ptrace               the controller
 *   debar_g_sysctl                             kernel.ftrace_enabled, which stops LSM programs
 */
#include "bpf/kernel.bpf.h"

#include <linux/bpf.h>
#include <linux/errno.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "bpf/abi.h"

#define BPFFS_MAGIC 0xcafe4a11 /* include/uapi/linux/magic.h has it for user space only */
#define PROT_EXEC 0x4
#define MS_MOVE 8192
#define PTRACE_MODE_ATTACH 0x2
#define MAY_WRITE 0x2
#define S_IFMT 0170000
#define S_IFREG 0100000

/* include/linux/security.h: who shares or traces what execs is not alone with it. */
#define LSM_UNSAFE_SHARE 1
#define LSM_UNSAFE_PTRACE 2

struct kernel_siginfo;

/* What is debar's -> 1. Written by the controller, and for new maps by debar_g_map. */
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

static __always_inline bool is_init(void)
{
	return bpf_get_current_pid_tgid() >> 32 == 1;
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

/* Clang makes `refuse ? -EPERM : 0` a negation, of which 6.12's verifier loses the range. */
static __always_inline int answer(bool refuse)
{
	long ret = 0;

	if (refuse) {
		ret = -EPERM;
		asm volatile("" : "+r"(ret));
	}
	return ret;
}

/* ---- who is trusted ----------------------------------------------------------------------- */

static __always_inline __u32 file_trust(struct file *file)
{
	struct debar_digest digest = {};
	__u32 *trust;

	if (bpf_ima_file_hash(file, digest.bytes, sizeof(digest.bytes)) < 0)
		return 0;
	trust = bpf_map_lookup_elem(&debar_g_trust, &digest);
	return trust ? *trust : 0;
}

/* Only what is as large as the controller is hashed: this is asked at every exec. */
SEC("lsm.s/bprm_committed_creds")
int BPF_PROG(debar_g_exec, struct linux_binprm *bprm)
{
	struct debar_guard *guard = armed();
	struct task_struct *task = bpf_get_current_task_btf();
	__u32 *mark = bpf_task_storage_get(&debar_g_tasks, task, 0, 0);

	if (mark)
		*mark = 0;
	if (!guard || BPF_CORE_READ(bprm, file, f_inode, i_size) != guard->size)
		return 0;
	if (bprm->unsafe & (LSM_UNSAFE_SHARE | LSM_UNSAFE_PTRACE))
		return 0;
	if (file_trust(bprm->file) != DEBAR_TRUST_CONTROLLER)
		return 0;
	mark = bpf_task_storage_get(&debar_g_tasks, task, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (mark)
		*mark = 1;
	return 0;
}

SEC("lsm.s/mmap_file")
int BPF_PROG(debar_g_mmap, struct file *file, unsigned long reqprot, unsigned long prot,
	     unsigned long flags, int ret)
{
	__u32 *mark;

	if (ret || !file || !((reqprot | prot) & PROT_EXEC))
		return ret;
	mark = bpf_task_storage_get(&debar_g_tasks, bpf_get_current_task_btf(), 0, 0);
	if (mark && *mark && armed() && !file_trust(file))
		*mark = 0;
	return 0;
}

/* Its threads, and the process that keeps the time for it. */
SEC("lsm/task_alloc")
int BPF_PROG(debar_g_fork, struct task_struct *task, unsigned long flags, int ret)
{
	__u32 *mark;

	if (ret || !trusted())
		return ret;
	mark = bpf_task_storage_get(&debar_g_tasks, task, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (mark)
		*mark = 1;
	return 0;
}

/* ---- maps and links by number ------------------------------------------------------------- */

/* "There is none" rather than "not permitted": who lists all maps goes on to the next. */
SEC("lsm/bpf_map")
int BPF_PROG(debar_g_map, struct bpf_map *map, unsigned int mode, int ret)
{
	struct debar_own own = { .kind = DEBAR_OWN_MAP, .id = map->id };
	__u32 one = 1;

	if (ret || !armed())
		return ret;
	if (trusted()) {
		bpf_map_update_elem(&debar_g_own, &own, &one, BPF_ANY);
		return 0;
	}
	if (mode & FMODE_WRITE && bpf_map_lookup_elem(&debar_g_own, &own))
		return -ENOENT;
	return 0;
}

SEC("lsm/bpf")
int BPF_PROG(debar_g_bpf, int cmd, union bpf_attr *attr, unsigned int size)
{
	if (!armed() || cmd != BPF_LINK_GET_FD_BY_ID || trusted())
		return 0;
	if (owns(DEBAR_OWN_LINK, 0, attr->link_id))
		return -ENOENT;
	return 0;
}

/* ---- pins --------------------------------------------------------------------------------- */

/* Opening a pinned link has no hook but this one. The directory may be listed. */
SEC("lsm/inode_permission")
int BPF_PROG(debar_g_perm, struct inode *inode, int mask, int ret)
{
	if (ret || !armed() || !owns_inode(inode))
		return ret;
	if ((inode->i_mode & S_IFMT) != S_IFREG && !(mask & MAY_WRITE))
		return 0;
	return answer(!trusted());
}

SEC("lsm/inode_unlink")
int BPF_PROG(debar_g_unlink, struct inode *dir, struct dentry *dentry, int ret)
{
	if (ret || !armed())
		return ret;
	return answer(owns_inode(BPF_CORE_READ(dentry, d_inode)) && !trusted());
}

SEC("lsm/inode_rmdir")
int BPF_PROG(debar_g_rmdir, struct inode *dir, struct dentry *dentry, int ret)
{
	if (ret || !armed())
		return ret;
	return answer(owns_inode(BPF_CORE_READ(dentry, d_inode)) && !trusted());
}

SEC("lsm/inode_rename")
int BPF_PROG(debar_g_rename, struct inode *from, struct dentry *old, struct inode *to,
	     struct dentry *new)
{
	if (!armed())
		return 0;
	return answer((owns_inode(BPF_CORE_READ(old, d_inode)) ||
		       owns_inode(BPF_CORE_READ(new, d_inode))) &&
		      !trusted());
}

/* ---- the mounts they are reached by ------------------------------------------------------- */

static __always_inline bool owns_mount(struct vfsmount *mnt)
{
	struct mount *mount = (void *)mnt - bpf_core_field_offset(struct mount, mnt);

	return owns(DEBAR_OWN_MOUNT, 0, BPF_CORE_READ(mount, mnt_id));
}

SEC("lsm/sb_umount")
int BPF_PROG(debar_g_umount, struct vfsmount *mnt, int flags, int ret)
{
	if (ret || !armed())
		return ret;
	return answer(owns_mount(mnt) && !is_init() && !trusted());
}

SEC("lsm/move_mount")
int BPF_PROG(debar_g_move, struct path *from, struct path *to, int ret)
{
	if (ret || !armed())
		return ret;
	return answer(owns_mount(BPF_CORE_READ(from, mnt)) && !is_init() && !trusted());
}

/* mount --move names what it moves by a path, not by its mount: refused on the host for all. */
SEC("lsm/sb_mount")
int BPF_PROG(debar_g_mount, const char *device, struct path *path, const char *type,
	     unsigned long flags, void *data)
{
	struct debar_guard *guard = armed();
	struct task_struct *task = bpf_get_current_task_btf();

	if (!guard || !(flags & MS_MOVE) || is_init())
		return 0;
	return answer(BPF_CORE_READ(task, nsproxy, mnt_ns, ns.inum) == guard->mount_namespace &&
		      !trusted());
}

/* ---- the controller ----------------------------------------------------------------------- */

/* Init may: it stops services. What is in force needs no controller. */
SEC("lsm/task_kill")
int BPF_PROG(debar_g_kill, struct task_struct *task, struct kernel_siginfo *info, int signal,
	     const struct cred *cred)
{
	if (!armed() || !signal || is_init())
		return 0;
	return answer(task_trusted(task) && !trusted());
}

SEC("lsm/ptrace_access_check")
int BPF_PROG(debar_g_ptrace, struct task_struct *task, unsigned int mode, int ret)
{
	if (ret || !armed() || !(mode & PTRACE_MODE_ATTACH))
		return ret;
	return answer(task_trusted(task) && !trusted());
}

/* ---- what would stop the programs --------------------------------------------------------- */

/* By words of eight bytes: clang makes something of a loop that the verifier does not follow. */
SEC("cgroup/sysctl")
int debar_g_sysctl(struct bpf_sysctl *ctx)
{
	__u64 is[4] = {};

	if (!armed() || !ctx->write)
		return 1;
	bpf_sysctl_get_name(ctx, (char *)is, sizeof(is), 0);
	is[0] ^= 0x662f6c656e72656bULL; /* kernel/f */
	is[1] ^= 0x6e655f6563617274ULL; /* trace_en */
	is[2] ^= 0x64656c6261ULL;	/* abled */
	return (is[0] | is[1] | is[2]) != 0;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * --guard: keeps others, root included, off debar's own maps, links, pins and controller, and off
 * nothing else. What is debar's is known by number, which the controller fills in before it arms.
 *
 * Who is trusted: a task whose program has the controller's digest, was not run under a debugger,
 * and has mapped no code but its own and that of the libraries it was armed with. It is run as
 * set-user-id programs are, so that the environment of who runs it says nothing to it. A restart of
 * the real controller is thus admitted, and an impostor is not. Even who is trusted takes no pin
 * away and moves no mount: whoever runs the controller chooses what it sees under a path.
 *
 *   debar_g_exec, debar_g_mmap, debar_g_fork   who is trusted
 *   debar_g_map, debar_g_prog, debar_g_bpf     maps, programs and links by number
 *   debar_g_perm, debar_g_unlink, debar_g_rmdir, debar_g_rename   pins
 *   debar_g_umount, debar_g_move, debar_g_mount                   the mounts they are reached by
 *   debar_g_kill, debar_g_rlimit, debar_g_sched, debar_g_nice, debar_g_ptrace   the controller
 *   debar_g_open                               the files its code is in
 *   debar_g_sysctl                             kernel.ftrace_enabled, which stops LSM programs
 *   debar_g_read, debar_g_data, debar_g_locked what was named in --guard=...
 */
#include "bpf/kernel.bpf.h"

#include <linux/bpf.h>
#include <linux/errno.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "bpf/guard.bpf.h"
#include "bpf/module.bpf.h"

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

/*
 * Only what is as large as the controller is hashed: this is asked at every exec. The loader has not
 * been told yet whether it is to look at the environment.
 */
SEC("lsm.s/bprm_committed_creds")
int BPF_PROG(debar_g_exec, struct linux_binprm *bprm)
{
	struct debar_guard *guard = armed();
	struct task_struct *task = bpf_get_current_task_btf();
	__u32 *mark = bpf_task_storage_get(&debar_g_tasks, task, 0, 0);

	if (mark)
		*mark = 0;
	if (!guard || !owns(DEBAR_OWN_SIZE, 0, BPF_CORE_READ(bprm, file, f_inode, i_size)))
		return 0;
	if (bprm->unsafe & (LSM_UNSAFE_SHARE | LSM_UNSAFE_PTRACE))
		return 0;
	if (file_trust(bprm->file) != DEBAR_TRUST_CONTROLLER)
		return 0;
	mark = bpf_task_storage_get(&debar_g_tasks, task, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (mark && !bpf_bprm_opts_set(bprm, BPF_F_BPRM_SECUREEXEC))
		*mark = 1;
	return 0;
}

/*
 * What is written into a file appears in who has mapped it: from here on nobody opens it for writing,
 * and whoever has it open already makes it no code of debar's. First the one, then the other.
 */
static __always_inline bool keep_code(struct file *file)
{
	struct inode *inode = file->f_inode;
	struct debar_own own = { .kind = DEBAR_OWN_CODE,
				 .device = inode->i_sb->s_dev,
				 .id = inode->i_ino };
	bool known = bpf_map_lookup_elem(&debar_g_own, &own);
	__u32 one = 1;

	if (!known && bpf_map_update_elem(&debar_g_own, &own, &one, BPF_ANY))
		return false;
	if (inode->i_writecount.counter <= 0 && file_trust(file))
		return true;
	if (!known)
		bpf_map_delete_elem(&debar_g_own, &own);
	return false;
}

/* Also of who is about to arm it: that it keeps its trust says that its code is kept. */
SEC("lsm.s/mmap_file")
int BPF_PROG(debar_g_mmap, struct file *file, unsigned long reqprot, unsigned long prot,
	     unsigned long flags, int ret)
{
	__u32 *mark;

	if (ret || !file || !((reqprot | prot) & PROT_EXEC))
		return ret;
	mark = bpf_task_storage_get(&debar_g_tasks, bpf_get_current_task_btf(), 0, 0);
	if (mark && *mark && !keep_code(file))
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

/* ---- maps, programs and links by number --------------------------------------------------- */

/* What the controller makes or opens is debar's from then on. */
SEC("lsm/bpf_map")
int BPF_PROG(debar_g_map, struct bpf_map *map, unsigned int mode, int ret)
{
	struct debar_own own = { .kind = DEBAR_OWN_MAP, .id = map->id };
	__u32 one = 1;

	if (ret || !armed())
		return ret;
	if (trusted()) {
		bpf_map_update_elem(&debar_g_own, &own, &one, BPF_NOEXIST);
		return 0;
	}
	return absent(bpf_map_lookup_elem(&debar_g_own, &own), DEBAR_ACT_MAP);
}

/* Who has a program can put another in the place of one of its functions (BPF_PROG_TYPE_EXT). */
SEC("lsm/bpf_prog")
int BPF_PROG(debar_g_prog, struct bpf_prog *prog, int ret)
{
	if (ret || !armed())
		return ret;
	return absent(owns(DEBAR_OWN_PROGRAM, 0, BPF_CORE_READ(prog, aux, id)) && !trusted(),
		      DEBAR_ACT_PROGRAM);
}

SEC("lsm/bpf")
int BPF_PROG(debar_g_bpf, int cmd, union bpf_attr *attr, unsigned int size)
{
	if (cmd != BPF_LINK_GET_FD_BY_ID || !armed())
		return 0;
	return absent(owns(DEBAR_OWN_LINK, 0, attr->link_id) && !trusted(), DEBAR_ACT_LINK);
}

/* ---- pins --------------------------------------------------------------------------------- */

/*
 * Opening a pinned link has no hook but this one. The directory may be listed. Who is trusted opens
 * nobody else's pins: they could have been laid where it looks for its own.
 */
SEC("lsm/inode_permission")
int BPF_PROG(debar_g_perm, struct inode *inode, int mask, int ret)
{
	if (ret || inode->i_sb->s_magic != BPFFS_MAGIC || !armed())
		return ret;
	if ((inode->i_mode & S_IFMT) == S_IFREG)
		return answer(owns_inode(inode) != trusted(), DEBAR_ACT_PIN, NULL);
	return answer(mask & MAY_WRITE && owns_inode(inode) && !trusted(), DEBAR_ACT_PIN, NULL);
}

static __always_inline int keep_pin(struct dentry *dentry)
{
	bool refuse = armed() && owns_inode(BPF_CORE_READ(dentry, d_inode));

	return answer_dentry(refuse, DEBAR_ACT_PIN, dentry);
}

SEC("lsm/inode_unlink")
int BPF_PROG(debar_g_unlink, struct inode *dir, struct dentry *dentry, int ret)
{
	return ret ? ret : keep_pin(dentry);
}

SEC("lsm/inode_rmdir")
int BPF_PROG(debar_g_rmdir, struct inode *dir, struct dentry *dentry, int ret)
{
	return ret ? ret : keep_pin(dentry);
}

SEC("lsm/inode_rename")
int BPF_PROG(debar_g_rename, struct inode *from, struct dentry *old, struct inode *to,
	     struct dentry *new)
{
	int ret = keep_pin(old);

	return ret ? ret : keep_pin(new);
}

/* ---- the mounts they are reached by ------------------------------------------------------- */

static __always_inline bool owns_mount(struct vfsmount *mnt)
{
	struct mount *mount = (void *)mnt - bpf_core_field_offset(struct mount, mnt);

	return owns(DEBAR_OWN_MOUNT, 0, BPF_CORE_READ(mount, mnt_id));
}

/* Not even for init: it leaves these alone at a shutdown, and can be made to execute another. */
SEC("lsm/sb_umount")
int BPF_PROG(debar_g_umount, struct vfsmount *mnt, int flags, int ret)
{
	if (ret || !armed())
		return ret;
	return answer(owns_mount(mnt), DEBAR_ACT_MOUNT, NULL);
}

SEC("lsm/move_mount")
int BPF_PROG(debar_g_move, struct path *from, struct path *to, int ret)
{
	if (ret || !armed())
		return ret;
	return answer(owns_mount(BPF_CORE_READ(from, mnt)), DEBAR_ACT_MOUNT, NULL);
}

/* mount --move names what it moves by a path, not by its mount: refused on the host for all. */
SEC("lsm/sb_mount")
int BPF_PROG(debar_g_mount, const char *device, struct path *path, const char *type,
	     unsigned long flags, void *data)
{
	struct debar_guard *guard = flags & MS_MOVE ? armed() : NULL;
	struct task_struct *task = bpf_get_current_task_btf();

	if (!guard)
		return 0;
	return answer(BPF_CORE_READ(task, nsproxy, mnt_ns, ns.inum) == guard->mount_namespace,
		      DEBAR_ACT_MOUNT, NULL);
}

/* ---- the controller ----------------------------------------------------------------------- */

/* Init may: it stops services. What is in force needs no controller. */
SEC("lsm/task_kill")
int BPF_PROG(debar_g_kill, struct task_struct *task, struct kernel_siginfo *info, int signal,
	     const struct cred *cred)
{
	if (!armed() || !signal || bpf_get_current_pid_tgid() >> 32 == 1)
		return 0;
	return answer(task_trusted(task) && !trusted(), DEBAR_ACT_SIGNAL, NULL);
}

/* Limits that leave it alive and blind. Init moves services to other processors, which asks here, too. */
static __always_inline int keep_able(struct task_struct *task)
{
	if (!armed() || bpf_get_current_pid_tgid() >> 32 == 1)
		return 0;
	return answer(task_trusted(task) && !trusted(), DEBAR_ACT_LIMIT, NULL);
}

SEC("lsm/task_setrlimit")
int BPF_PROG(debar_g_rlimit, struct task_struct *task, unsigned int resource, void *limit, int ret)
{
	return ret ? ret : keep_able(task);
}

SEC("lsm/task_setscheduler")
int BPF_PROG(debar_g_sched, struct task_struct *task, int ret)
{
	return ret ? ret : keep_able(task);
}

SEC("lsm/task_setnice")
int BPF_PROG(debar_g_nice, struct task_struct *task, int nice, int ret)
{
	return ret ? ret : keep_able(task);
}

/* Nor init, which may do the above. */
SEC("lsm/ptrace_access_check")
int BPF_PROG(debar_g_ptrace, struct task_struct *task, unsigned int mode, int ret)
{
	if (ret || !(mode & PTRACE_MODE_ATTACH) || !armed())
		return ret;
	return answer((task_trusted(task) || task->tgid == 1) && !trusted(), DEBAR_ACT_TRACE, NULL);
}

/* What debar's code is mapped from. Packages put a new file in its place. */
SEC("lsm/file_open")
int BPF_PROG(debar_g_open, struct file *file, int ret)
{
	struct inode *inode = file->f_inode;
	bool refuse;

	if (ret || !(file->f_mode & FMODE_WRITE) || !armed())
		return ret;
	refuse = owns(DEBAR_OWN_CODE, inode->i_sb->s_dev, inode->i_ino);
	return answer_dentry(refuse, DEBAR_ACT_CODE, BPF_CORE_READ(file, f_path.dentry));
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
	if (is[0] | is[1] | is[2])
		return 1;
	tell(DEBAR_ACT_SWITCH, EPERM, NULL, 0);
	return 0;
}

/* ---- what lets root change the running kernel: each only where it was named --------------- */

static __always_inline bool switched(__u32 which)
{
	struct debar_guard *guard = armed();

	return guard && guard->switches & which;
}

SEC("lsm/kernel_read_file")
int BPF_PROG(debar_g_read, struct file *file, int id, bool contents, int ret)
{
	if (ret)
		return ret;
	if (id == (int)bpf_core_enum_value(enum kernel_read_file_id, READING_KEXEC_IMAGE) ||
	    id == (int)bpf_core_enum_value(enum kernel_read_file_id, READING_KEXEC_INITRAMFS))
		return answer(switched(DEBAR_GUARD_KEXEC), DEBAR_ACT_KEXEC, NULL);
	return answer(reads_module(id) && switched(DEBAR_GUARD_MODULES), DEBAR_ACT_MODULE, NULL);
}

SEC("lsm/kernel_load_data")
int BPF_PROG(debar_g_data, int id, bool contents, int ret)
{
	if (ret)
		return ret;
	if (id == (int)bpf_core_enum_value(enum kernel_load_data_id, LOADING_KEXEC_IMAGE))
		return answer(switched(DEBAR_GUARD_KEXEC), DEBAR_ACT_KEXEC, NULL);
	return answer(id == (int)bpf_core_enum_value(enum kernel_load_data_id, LOADING_MODULE) &&
			      switched(DEBAR_GUARD_MODULES),
		      DEBAR_ACT_MODULE, NULL);
}

/* Asked only where the kernel was about to do it. Reading by BPF or perf is no change of the kernel. */
SEC("lsm/locked_down")
int BPF_PROG(debar_g_locked, unsigned int what, int ret)
{
	if (ret || !armed())
		return ret;
	if (what == bpf_core_enum_value(enum lockdown_reason, LOCKDOWN_DEV_MEM) ||
	    what == bpf_core_enum_value(enum lockdown_reason, LOCKDOWN_KCORE))
		return answer(switched(DEBAR_GUARD_MEM | DEBAR_GUARD_LOCKDOWN), DEBAR_ACT_MEM,
			      NULL);
	if (what == bpf_core_enum_value(enum lockdown_reason, LOCKDOWN_KEXEC) &&
	    switched(DEBAR_GUARD_KEXEC))
		return answer(true, DEBAR_ACT_KEXEC, NULL);
	return answer(what < bpf_core_enum_value(enum lockdown_reason, LOCKDOWN_INTEGRITY_MAX) &&
			      switched(DEBAR_GUARD_LOCKDOWN),
		      DEBAR_ACT_LOCKDOWN, NULL);
}

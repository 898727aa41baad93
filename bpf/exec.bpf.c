// SPDX-License-Identifier: GPL-2.0-only
/*
 * What becomes code: exec, executable mappings, memory made executable, modules and firmware.
 * Every hook finds the digest of its file and asks for one verdict. Writers end what is remembered
 * of a file's content.
 *
 *   debar_exec      the program of an exec, a script, its interpreter
 *   debar_check     whether an exec would be allowed (AT_EXECVE_CHECK, since 6.14)
 *   debar_mmap      libraries, ld.so, and what ld.so is told to run
 *   debar_mprotect  mapped first, made executable later: cannot hash, uses what is remembered
 *   debar_kread     modules and firmware read from files
 *   debar_kload     modules and firmware handed over in memory
 *   debar_open, debar_ptrunc, debar_ftrunc   the content is about to change
 *   debar_rename, debar_link                 the path is
 */
#include "bpf/kernel.bpf.h"

#include <bpf/bpf_tracing.h>

#include "bpf/decide.bpf.h"
#include "bpf/module.bpf.h"

/* include/uapi/asm-generic/mman-common.h and linux/mman.h */
#define PROT_WRITE 0x2
#define PROT_EXEC 0x4
#define MAP_PRIVATE 0x02
#define MAP_TYPE 0x0f

#define S_IXUGO 0111

char LICENSE[] SEC("license") = "GPL";

SEC("lsm.s/bprm_check_security")
int BPF_PROG(debar_exec, struct linux_binprm *bprm)
{
	struct file *file = bprm->file;

	return answer(decide(file, file->f_inode, DEBAR_HOOK_EXEC));
}

/* An exec that is only asked about ends before the hook above, so that it is answered here. */
SEC("lsm.s/bprm_creds_for_exec")
int BPF_PROG(debar_check, struct linux_binprm *bprm)
{
	struct linux_binprm___check *asked = (void *)bprm;
	struct file *file = bprm->file;

	if (!bpf_core_field_exists(asked->is_check) || !BPF_CORE_READ_BITFIELD(asked, is_check))
		return 0;
	return answer(decide(file, file->f_inode, DEBAR_HOOK_EXEC));
}

/*
 * Memory that is a file by name only: the kernel's own shared memory, memfd and unlinked tmpfs
 * files, mapped shared, and huge pages. Whoever holds another mapping or a descriptor can change it
 * at any time, just-in-time compilers do, and a digest of it would prove as little as one of
 * anonymous memory.
 */
static __always_inline bool is_memory(struct inode *inode, bool shared)
{
	unsigned long magic = inode->i_sb->s_magic;

	return magic == HUGETLBFS_MAGIC || (shared && magic == TMPFS_MAGIC && !inode->i_nlink);
}

/*
 * Executable mappings; and private ones that can be made executable by mprotect, which cannot hash:
 * writable ones (wine loads programs so) and those of files with an execute bit. What is private,
 * read-only and without one is refused there when it was never seen as code.
 */
SEC("lsm.s/mmap_file")
int BPF_PROG(debar_mmap, struct file *file, unsigned long reqprot, unsigned long prot,
	     unsigned long flags)
{
	bool private = (flags & MAP_TYPE) == MAP_PRIVATE;
	struct inode *inode;

	if (!file)
		return 0;
	inode = file->f_inode;
	if (prot & PROT_EXEC) {
		if (is_memory(inode, !private) && is_oversize(inode))
			return 0;
		return answer(decide(file, inode, DEBAR_HOOK_MMAP));
	}
	if (private && (prot & PROT_WRITE || inode->i_mode & S_IXUGO))
		learn(file, inode);
	return 0;
}

/*
 * Judges what is mapped by what is remembered. Up to 6.x the mapping of an overlay file names the
 * real inode, whose digest is found by its epoch.
 */
static __noinline __u32 decide_known(struct vm_area_struct *vma, struct file *file)
{
	struct debar_state *state = state_get();
	struct inode *inode = file->f_inode;
	struct debar_digest *digest;
	struct debar_file *seen;
	struct verdict v = { .placed = PLACED_NEVER };
	int because = 0;
	__u64 epoch;

	if (!state || !state->generation)
		return 0;
	if (!is_regular(inode) || is_memory(inode, vma->vm_flags & VM_SHARED))
		return 0;
	seen = bpf_inode_storage_get(&debar_files, inode, NULL, 0);
	if (seen && seen->state == DEBAR_FILE_KNOWN) {
		if (seen->memo == memo_of(state->generation, DEBAR_MEMO_CLEAN))
			return 0;
		v.digest = seen->digest;
		place(&v, seen);
	} else {
		epoch = epoch_get(inode, false);
		digest = bpf_map_lookup_elem(&debar_ovldigest, &epoch);
		if (digest) {
			v.digest = *digest;
		} else {
			count(DEBAR_COUNT_FACT_NOSTATE);
			because = DEBAR_BECAUSE_NOSTATE;
		}
	}
	weigh(&v, because);
	return judge(&v, file, DEBAR_HOOK_MPROTECT, true, false);
}

/* Memory made executable. */
SEC("lsm/file_mprotect")
int BPF_PROG(debar_mprotect, struct vm_area_struct *vma, unsigned long reqprot, unsigned long prot)
{
	struct file *file;

	/* Nearly every call is the loader's, which makes memory read-only. */
	if (!(prot & PROT_EXEC))
		return 0;
	file = vma->vm_file;
	return file ? answer(decide_known(vma, file)) : 0;
}

SEC("lsm.s/kernel_read_file")
int BPF_PROG(debar_kread, struct file *file, int id)
{
	if (!file)
		return 0;
	if (reads_module(id))
		return answer(decide(file, file->f_inode, DEBAR_HOOK_MODULE));
	if (id == (int)bpf_core_enum_value(enum kernel_read_file_id, READING_FIRMWARE))
		return answer(decide(file, file->f_inode, DEBAR_HOOK_FIRMWARE));
	return 0;
}

/*
 * init_module hands bytes over, not a file, and no helper hashes bytes. Open unless a ban says
 * `unclassified: deny`: module tools fall back on this call for compressed modules.
 */
SEC("lsm/kernel_load_data")
int BPF_PROG(debar_kload, int id)
{
	struct debar_state *state = state_get();
	struct verdict v = {};
	__u8 hook;

	if (!state || !state->generation)
		return 0;
	if (id == (int)bpf_core_enum_value(enum kernel_load_data_id, LOADING_MODULE))
		hook = DEBAR_HOOK_MODULE;
	else if (id == (int)bpf_core_enum_value(enum kernel_load_data_id, LOADING_FIRMWARE))
		hook = DEBAR_HOOK_FIRMWARE;
	else
		return 0;
	count(DEBAR_COUNT_FACT_BUFFER);
	weigh(&v, DEBAR_BECAUSE_BUFFER);
	return answer(judge(&v, NULL, hook, false, false));
}

/*
 * An exec open comes here before fanotify asks the controller: the element has to be there for its
 * answer. Content that is known, by inode or by what it turns out to be, needs none.
 */
static __always_inline void prepare(struct inode *inode)
{
	struct debar_state *state = state_get();
	struct inode *real = file_real(inode);

	if (!state || !state->generation || !(state->flags & DEBAR_POLICY_DERIVED))
		return;
	if (is_regular(inode) && file_cacheable(inode, real) && !file_seen(inode))
		(void)file_begin(inode, real);
}

SEC("lsm/file_open")
int BPF_PROG(debar_open, struct file *file)
{
	if (file->f_mode & FMODE_WRITE)
		file_forget(file->f_inode);
	else if (file->f_flags & FMODE_EXEC)
		prepare(file->f_inode);
	return 0;
}

SEC("lsm/path_truncate")
int BPF_PROG(debar_ptrunc, const struct path *path)
{
	struct inode *inode = path->dentry->d_inode;

	if (inode)
		file_forget(inode);
	return 0;
}

static __always_inline void moved(struct dentry *dentry)
{
	struct debar_state *state = state_get();
	struct inode *inode = dentry->d_inode;

	if (inode && state && state->flags & DEBAR_POLICY_PLACES)
		file_forget(inode);
}

/* Another name: what was said about the file's place ends. */
SEC("lsm/inode_rename")
int BPF_PROG(debar_rename, struct inode *old_dir, struct dentry *old_dentry)
{
	moved(old_dentry);
	return 0;
}

SEC("lsm/inode_link")
int BPF_PROG(debar_link, struct dentry *old_dentry)
{
	moved(old_dentry);
	return 0;
}

/* 6.2 and later: ftruncate, and open with O_TRUNC, which needs no mode to write. */
SEC("?lsm/file_truncate")
int BPF_PROG(debar_ftrunc, struct file *file)
{
	file_forget(file->f_inode);
	return 0;
}

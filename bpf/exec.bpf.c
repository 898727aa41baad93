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

#include "bpf/file.bpf.h"
#include "bpf/module.bpf.h"
#include "bpf/report.bpf.h"

/* include/uapi/asm-generic/mman-common.h and linux/mman.h */
#define PROT_WRITE 0x2
#define PROT_EXEC 0x4
#define MAP_PRIVATE 0x02
#define MAP_TYPE 0x0f

#define S_IXUGO 0111

char LICENSE[] SEC("license") = "GPL";

/* Does @ban refuse what has no digest, for this reason? */
static __always_inline bool ban_minds(const struct debar_ban *ban, int because, bool lost)
{
	if (!(ban->flags & DEBAR_BAN_FILES))
		return false;
	if (because == DEBAR_BECAUSE_OVERSIZE)
		return ban->flags & DEBAR_BAN_OVERSIZE_DENY;
	if (because == DEBAR_BECAUSE_BUFFER)
		return ban->flags & DEBAR_BAN_UNCLASSIFIED_DENY;
	if (because == DEBAR_BECAUSE_OVERFLOW)
		return ban->flags & DEBAR_BAN_DERIVED;
	if (because == DEBAR_BECAUSE_UNCLASSIFIED)
		return ban->flags & DEBAR_BAN_DERIVED &&
		       ban->flags & (lost ? DEBAR_BAN_LOSS_DENY : DEBAR_BAN_UNCLASSIFIED_DENY);
	return true;
}

struct ban_walk {
	struct verdict *v;
	__u64 lost; /* the controller is */
};

static long ban_at(__u32 i, struct ban_walk *walk)
{
	struct verdict *v = walk->v;
	struct debar_ban *ban = ban_get(v->slot, i);
	__u8 said;

	if (!ban || !ban->phase_count)
		return 1;
	if (!ban_minds(ban, v->because, walk->lost))
		return 0;
	said = ban_says(v->slot, i, DEBAR_INHERIT, 0, v->now);
	if (said <= v->action || said < DEBAR_AUDIT || act_excepted(v, i))
		return 0;
	v->action = said;
	v->match.ban = i;
	return 0;
}

/* Of content whose digest is known, some keys are not: what its other keys met counts as well. */
static __always_inline bool partly(const struct verdict *v)
{
	return v->because == DEBAR_BECAUSE_UNCLASSIFIED || v->because == DEBAR_BECAUSE_OVERFLOW;
}

/*
 * There is no digest, for the reason in @v: what is banned could be what was not seen, so every ban
 * in force that has rules about files speaks. `oversize` and `unclassified` choose otherwise. A rule
 * that was met and says as much is the reason then.
 */
checked int verdict_without(struct verdict *v)
{
	struct debar_state *state = state_get();
	struct ban_walk walk = {};

	if (!state || !v)
		return 0;
	if (!partly(v)) {
		v->action = DEBAR_INHERIT;
		v->now = now_utc(state);
		v->generation = state->generation;
		v->slot = v->generation & 1;
	}
	if (!v->generation) /* unloaded meanwhile */
		return 0;
	v->found = v->action;
	walk.v = v;
	walk.lost = (__s64)bpf_ktime_get_boot_ns() - state->heartbeat > DEBAR_GRACE;
	bpf_loop(DEBAR_BANS_MAX, ban_at, &walk, 0);
	if (v->found >= DEBAR_AUDIT && v->action == v->found)
		v->because = DEBAR_BECAUSE_RULE;
	return 0;
}

/*
 * The answer to @seen's cookie becomes the keys of its content and the place of its inode. The
 * element has to be in the inode still, looked at after the answer: a writer ends it before he
 * writes, so that the controller has read the bytes that were hashed and no others.
 */
static __always_inline void bind(struct inode *inode, struct debar_file *seen)
{
	struct debar_answer *answer = bpf_map_lookup_elem(&debar_answers, &seen->cookie);
	struct debar_file *now;

	if (!answer || answer->keys.count == DEBAR_ANSWER_LATE)
		return;
	barrier();
	now = file_seen(inode);
	if (!now || now->cookie != seen->cookie) {
		count(DEBAR_COUNT_RACE);
		return;
	}
	bpf_map_update_elem(&debar_contents, &seen->digest, &answer->keys, BPF_ANY);
	seen->place = answer->place;
	barrier();
	seen->placed = answer->generation;
}

static __always_inline void place(struct verdict *v, const struct debar_file *seen)
{
	v->placed = seen ? seen->placed : PLACED_NEVER;
	if (seen)
		v->place = seen->place;
}

/* The verdict on @v, whose digest is known unless @because says why not. */
static __always_inline void weigh(struct verdict *v, int because)
{
	v->because = because;
	if (!because && verdict_content(v)) {
		count(DEBAR_COUNT_FACT_TORN); /* closed: which policy holds is not known */
		v->because = DEBAR_BECAUSE_TORN;
	}
	if (!v->because && v->unknown && v->action != DEBAR_DENY)
		v->because = DEBAR_BECAUSE_UNCLASSIFIED;
	if (!v->because && v->overflow && v->action != DEBAR_DENY) {
		count(DEBAR_COUNT_FACT_OVERFLOW); /* closed: nobody signs a file so often */
		v->because = DEBAR_BECAUSE_OVERFLOW;
	}
	if (v->because)
		verdict_without(v);
}

/*
 * Can the machine not do without this content? Then what would refuse it is told and refuses
 * nothing, but for a rule by its own sha256.
 */
static __always_inline bool is_needed(struct verdict *v)
{
	if (!v->because && v->key.kind == DEBAR_KEY_SHA256)
		return false;
	return bpf_map_lookup_elem(&debar_never, &v->digest);
}

/*
 * The end of every hook: refuse if enforcing, and report. Returns the errno for the caller, 0 to
 * let it go on. @tell: content whose keys are not known is told although it goes on.
 */
static __always_inline __u32 judge(struct verdict *v, struct file *file, __u8 hook, bool tell,
				   bool path)
{
	struct debar_state *state = state_get();
	bool digest = !v->because || v->because == DEBAR_BECAUSE_UNCLASSIFIED;
	__u32 error = 0;

	if (!state)
		return 0;
	if (v->match.rule == DEBAR_RULE_CANARY)
		return EPERM;
	if (v->excepted)
		count(DEBAR_COUNT_EXCEPTED);
	if (v->because == DEBAR_BECAUSE_UNCLASSIFIED)
		count(DEBAR_COUNT_FACT_UNCLASSIFIED); /* `unclassified` decides */
	if (v->action < DEBAR_AUDIT) {
		if (tell && v->because == DEBAR_BECAUSE_UNCLASSIFIED)
			report_file(v, file, hook, DEBAR_OUTCOME_UNKNOWN, 0, digest, path);
		return 0;
	}
	if (!task_in_scope(state->scope))
		return 0;
	if (mode_cap(state, v->action) == DEBAR_DENY && !is_needed(v))
		error = v->because == DEBAR_BECAUSE_BUSY ? ETXTBSY : EPERM;
	count(error ? DEBAR_COUNT_DENY : DEBAR_COUNT_AUDIT);
	report_file(v, file, hook, error ? DEBAR_OUTCOME_DENIED : DEBAR_OUTCOME_AUDITED, error,
		    digest, path);
	return error;
}

static __always_inline __u64 memo_of(__u32 generation, enum debar_memo memo)
{
	return (__u64)generation << 32 | memo;
}

/* What may be said without looking again, until the content, its keys or the policy change. */
static __always_inline void remember(struct debar_file *seen, const struct verdict *v)
{
	if (v->because == DEBAR_BECAUSE_UNCLASSIFIED)
		seen->memo = memo_of(v->generation, DEBAR_MEMO_UNCLASSIFIED);
	else if (!v->because && !v->matched)
		seen->memo = memo_of(v->generation, DEBAR_MEMO_CLEAN);
}

/* Waiting for an answer that comes through the ring and a map. */
struct wait {
	__u64 cookie;
	__s64 until; /* boot clock */
	__u32 generation;
	__u32 known;
};

static long wait_at(__u32 i, struct wait *wait)
{
	struct debar_answer *answer = bpf_map_lookup_elem(&debar_answers, &wait->cookie);
	char nothing;

	if (answer && answer->generation >= wait->generation) {
		wait->known = answer->keys.count != DEBAR_ANSWER_LATE;
		return 1;
	}
	/*
	 * There is no helper that sleeps. This one takes a lock that may, which lets others run: the
	 * controller must come to its turn on one processor, too. (bpf_copy_from_user does not do
	 * that on 6.12.)
	 */
	bpf_copy_from_user_task(&nothing, sizeof(nothing), NULL, bpf_get_current_task_btf(), 0);
	return (__s64)bpf_ktime_get_boot_ns() > wait->until;
}

static __always_inline bool has_controller(struct debar_state *state)
{
	return state->controller &&
	       (__s64)bpf_ktime_get_boot_ns() - state->heartbeat < DEBAR_HEARTBEAT_MAX;
}

/*
 * Who was not held by fanotify asks through the ring and waits here: libraries, modules, programs
 * on file systems without a mark, and files that fanotify passes by or that changed while they were
 * held. (Writers cannot change a program any more at this hook, so that what is read now is what
 * will run.) Not the controller itself, which would wait for itself.
 */
static __noinline bool ask(struct verdict *v, struct file *file, struct debar_file *seen, __u8 hook)
{
	struct inode *inode = file->f_inode;
	bool told;

	struct wait wait = { .until = (__s64)bpf_ktime_get_boot_ns() + DEBAR_ASK_LIMIT };
	struct debar_state *state = state_get();

	if (!state || !has_controller(state) ||
	    state->controller == bpf_get_current_pid_tgid() >> 32)
		return false;
	v->cookie = wait.cookie = seen ? seen->cookie : unique();
	wait.generation = v->generation;
	told = report_file(v, file, hook, DEBAR_OUTCOME_UNKNOWN, 0, true, true);
	v->cookie = 0;
	if (!told)
		return false; /* the ring is full: nobody would answer */
	bpf_loop(DEBAR_ASK_ROUNDS, wait_at, &wait, 0);
	if (wait.known && seen) {
		bind(inode, seen);
		place(v, seen);
	}
	return wait.known;
}

/* Could keys that are not known make it worse? */
static __always_inline bool asks(const struct verdict *v)
{
	return v->because == DEBAR_BECAUSE_UNCLASSIFIED ||
	       (!v->because && v->unknown && v->action != DEBAR_DENY);
}

/*
 * Judges content that the policy in force has not been asked about, or that it matches. Not inlined:
 * what is known to be clean, nearly everything, does not pay for the room that this needs.
 */
static __noinline __u32 decide_anew(struct file *file, struct inode *inode, __u32 hook)
{
	struct debar_state *state = state_get();
	struct debar_file *seen;
	struct verdict v = {};
	int because = 0;
	bool tell = true;

	if (!state)
		return 0;
	seen = file_seen(inode);
	if (seen) {
		tell = seen->memo != memo_of(state->generation, DEBAR_MEMO_UNCLASSIFIED);
		v.digest = seen->digest;
	} else {
		because = file_hash(file, inode, &v.digest, &seen);
	}
	if (seen && state->flags & DEBAR_POLICY_DERIVED)
		bind(inode, seen);
	place(&v, seen);
	weigh(&v, because);
	if (asks(&v) && ask(&v, file, seen, hook)) {
		weigh(&v, 0);
		tell = false;
		if (asks(&v)) { /* it changed after it was read */
			v.because = DEBAR_BECAUSE_BUSY;
			verdict_without(&v);
		}
	}
	if (seen)
		remember(seen, &v);
	return judge(&v, file, hook, tell, true);
}

/* Judges the content of @file at a hook that may sleep. */
static __always_inline __u32 decide(struct file *file, struct inode *inode, __u8 hook)
{
	struct debar_state *state = state_get();
	struct debar_file *seen;

	if (!state || !state->generation || !is_regular(inode))
		return 0;
	seen = file_seen(inode);
	if (seen) {
		count(DEBAR_COUNT_HIT);
		if (seen->memo == memo_of(state->generation, DEBAR_MEMO_CLEAN))
			return 0;
	}
	return decide_anew(file, inode, hook);
}

/* A negative errno in the one shape that 6.12 can see is in range: clang would negate a flag. */
static __always_inline int answer(__u32 error)
{
	long ret = 0;

	if (error == ETXTBSY)
		ret = -ETXTBSY;
	else if (error)
		ret = -EPERM;
	asm volatile("" : "+r"(ret));
	return ret;
}

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

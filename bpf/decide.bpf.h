/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The decision about one file, for every hook that makes code of files: the digest, what is known of it,
 * the controller's answer where it is not known, and what the bans say of what could not be found out.
 * Ends in one errno for the hook to return; the verdict has been told by then.
 */
#ifndef DEBAR_DECIDE_BPF_H
#define DEBAR_DECIDE_BPF_H

#include "bpf/file.bpf.h"
#include "bpf/report.bpf.h"

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

#endif

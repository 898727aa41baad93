/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One verdict for every hook: which rules do these keys meet, what do their bans say at this
 * instant, does an exception speak for the actor; then refuse if enforcing, and report. The mode
 * is read here and nowhere else. A verdict stands before anything is reported, so that a full ring
 * changes none.
 */
#ifndef DEBAR_VERDICT_BPF_H
#define DEBAR_VERDICT_BPF_H

#include "bpf/maps.bpf.h"

#include <linux/errno.h>

#define CGROUP_DEPTH_MAX 32
#define RETRIES_MAX 4
#define PLACED_NEVER 0xffffffffu /* there is no element that could keep an inode's place */
/* Digest, keys and place, each with all its matches; nearly always the walk ends after one. */
#define DEBAR_STEPS_MAX (DEBAR_MATCHES_MAX * (DEBAR_FILE_KEYS_MAX + 2))

/* Orders the stores of this CPU as the compiler sees them; x86 keeps that order. */
#define barrier() asm volatile("" ::: "memory")

static __always_inline void count(enum debar_counter which)
{
	__u32 key = which;
	__u64 *n = bpf_map_lookup_elem(&debar_counters, &key);

	if (n)
		__sync_fetch_and_add(n, 1);
}

static __always_inline struct debar_state *state_get(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&debar_state, &zero);
}

static __always_inline __s64 now_utc(const struct debar_state *state)
{
	return (__s64)bpf_ktime_get_tai_ns() + state->utc_offset;
}

/* What is being judged; the strictest match so far is its result. */
struct verdict {
	struct debar_key key;	  /* that matched */
	struct debar_match match; /* of the rule that decided */
	__s64 now;		  /* UTC nanoseconds */
	__u32 generation;
	__u32 slot;
	__u8 action;  /* enum debar_action; INHERIT: nothing matched */
	__u8 network; /* 1: the network's half of phases and overrides */
	__u8 because; /* enum debar_because */
	__u8 excepted;
	__u8 matched;		    /* 1: some key met a rule, whatever its ban says now */
	__u8 unknown;		    /* 1: rules ask for keys of this content that are not known */
	__u8 found;		    /* action of the rules that were met, where `because` decides */
	__u8 overflow;		    /* 1: the content has more keys than are known */
	__u64 cookie;		    /* that an answer is waited for under; 0: nobody waits */
	__u32 placed;		    /* generation that `place` is true of */
	struct debar_key place;	    /* path or package of the inode; kind NONE: no rule names it */
	struct debar_digest digest; /* of the file; exceptions may name it */
};

static __always_inline struct debar_ban *ban_get(__u32 slot, __u32 which)
{
	__u32 at = slot * DEBAR_BANS_MAX + which;

	return bpf_map_lookup_elem(&debar_bans, &at);
}

/*
 * Functions marked `checked` are verified once, for any argument, and not again for every way that
 * leads to a call of theirs: without that, 6.1 takes minutes over the product of all branches.
 */
#define checked __weak __noinline

struct phase_walk {
	struct debar_ban *ban;
	__s64 now;
	__u32 entered;
};

static long phase_at(__u32 i, struct phase_walk *walk)
{
	if (i >= DEBAR_PHASES_MAX || i >= walk->ban->phase_count)
		return 1;
	if (i >= walk->entered && walk->ban->phases[i].from <= walk->now)
		walk->entered = i + 1;
	return 0;
}

/*
 * What ban @which says at @now about a rule whose own word is @own: the rule's word under the
 * phase's. A phase once entered is not left when the clock is set back, so `entered` only rises.
 */
checked int ban_says(__u32 slot, __u32 which, __u32 own, __u32 network, __s64 now)
{
	struct phase_walk walk = { .ban = ban_get(slot, which), .now = now };
	struct debar_phase *phase;
	__u32 at;
	__u8 said;

	if (!walk.ban)
		return DEBAR_OFF;
	walk.entered = walk.ban->entered;
	bpf_loop(DEBAR_PHASES_MAX, phase_at, &walk, 0);
	if (walk.entered > walk.ban->entered)
		walk.ban->entered = walk.entered;
	at = walk.entered - 1;
	if (at >= DEBAR_PHASES_MAX)
		return DEBAR_OFF; /* before the first phase */
	phase = &walk.ban->phases[at];
	said = network ? phase->network : phase->exec;
	return own == DEBAR_INHERIT || said == DEBAR_OFF ? said : own;
}

static __always_inline bool except_holds(__u32 slot, struct debar_key *key, __u8 ban, __s64 now)
{
	void *excepts = bpf_map_lookup_elem(&debar_excepts, &slot);
	struct debar_except *except;
	__u8 nth = key->nth;

	if (!excepts)
		return false;
	key->nth = ban;
	except = bpf_map_lookup_elem(excepts, key);
	key->nth = nth;
	return except && now < except->until;
}

struct cgroup_walk {
	struct debar_key key;
	__s64 now;
	__u32 slot;
	__u8 ban;
	__u8 found;
};

static long cgroup_excepted_at(__u32 level, struct cgroup_walk *walk)
{
	__u64 id = bpf_get_current_ancestor_cgroup_id(level);

	if (!id)
		return 1;
	__builtin_memcpy(walk->key.value, &id, sizeof(id));
	if (!except_holds(walk->slot, &walk->key, walk->ban, walk->now))
		return 0;
	walk->found = 1;
	return 1;
}

/* Does an exception of @ban name the current task's real uid, or a cgroup it is in? */
checked int task_excepted(__u32 slot, __u32 ban, __s64 now)
{
	struct cgroup_walk walk = {
		.key = { .kind = DEBAR_KEY_UID }, .now = now, .slot = slot, .ban = ban
	};
	__u32 uid = (__u32)bpf_get_current_uid_gid();

	__builtin_memcpy(walk.key.value, &uid, sizeof(uid));
	if (except_holds(slot, &walk.key, ban, now))
		return true;
	walk.key.kind = DEBAR_KEY_CGROUP;
	bpf_loop(CGROUP_DEPTH_MAX, cgroup_excepted_at, &walk, 0);
	return walk.found;
}

struct scope_walk {
	__u64 scope;
	__u32 found;
	__u32 pad;
};

static long cgroup_scope_at(__u32 level, struct scope_walk *walk)
{
	__u64 id = bpf_get_current_ancestor_cgroup_id(level);

	walk->found = id == walk->scope;
	return !id || walk->found;
}

/* --cgroup: is the current task inside it? Without the option everybody is. */
checked int task_in_scope(__u64 scope)
{
	struct scope_walk walk = { .scope = scope };

	if (!scope)
		return true;
	bpf_loop(CGROUP_DEPTH_MAX, cgroup_scope_at, &walk, 0);
	return walk.found;
}

/* Is the content of @v excepted from ban @which, by its digest? */
checked int digest_excepted(struct verdict *v, __u32 which)
{
	struct debar_key digest = { .kind = DEBAR_KEY_SHA256 };

	if (!v)
		return 0;
	__builtin_memcpy(digest.value, v->digest.bytes, sizeof(digest.value));
	return except_holds(v->slot, &digest, which, v->now);
}

/* Does an exception of ban @which speak for the content of @v, or for who acts? */
static __always_inline bool act_excepted(struct verdict *v, __u32 which)
{
	struct debar_ban *ban = ban_get(v->slot, which);
	__u32 flags = ban ? ban->flags : 0;

	if (flags & DEBAR_BAN_EXCEPTS_KEY && digest_excepted(v, which))
		return true;
	return flags & DEBAR_BAN_EXCEPTS_TASK && task_excepted(v->slot, which, v->now);
}

/* Makes @match the verdict, if it is stricter than what was found before, or as strict and first. */
static __always_inline bool match_weigh(struct verdict *v, const struct debar_match *match)
{
	__u8 action;

	if (match->rule == DEBAR_RULE_CANARY) {
		v->action = DEBAR_DENY;
		return true;
	}
	action = ban_says(v->slot, match->ban, v->network ? match->network : match->exec,
			  v->network, v->now);
	if (action < v->action || action < DEBAR_AUDIT)
		return false;
	if (action == v->action && match->rule > v->match.rule)
		return false;
	if (act_excepted(v, match->ban)) {
		v->excepted = 1;
		return false;
	}
	v->action = action;
	return true;
}

/* All keys of one file, one look-up a step: the digest, what contents says, then its place. */
struct key_walk {
	struct debar_key key;
	__u32 at; /* 0: the digest; else one more than the index into keys */
	struct verdict *v;
	struct debar_file_keys *keys; /* NULL: the digest only */
};

static __always_inline long key_next(struct key_walk *walk)
{
	__u32 at = walk->at;

	if (at > DEBAR_FILE_KEYS_MAX)
		return 1;
	if (walk->keys && at < DEBAR_FILE_KEYS_MAX && at < walk->keys->count) {
		walk->key = walk->keys->keys[at];
		walk->at = at + 1;
	} else {
		if (!walk->v->place.kind || walk->v->placed != walk->v->generation)
			return 1;
		walk->key = walk->v->place;
		walk->at = DEBAR_FILE_KEYS_MAX + 1;
	}
	walk->key.nth = 0;
	return 0;
}

static long key_at(__u32 step, struct key_walk *walk)
{
	struct verdict *v = walk->v;
	__u32 slot = v->slot;
	void *keys = bpf_map_lookup_elem(&debar_keys, &slot);
	struct debar_match *match;

	if (!keys)
		return 1;
	match = bpf_map_lookup_elem(keys, &walk->key);
	if (!match)
		return key_next(walk);
	v->matched = 1;
	if (match_weigh(v, match)) {
		v->match = *match;
		v->key = walk->key;
	}
	if (!match->more)
		return key_next(walk);
	walk->key.nth++;
	return 0;
}

/*
 * Does the policy in force match the content in @v? Sets v->action and what decided it. A swap may
 * rewrite the slot that is being read; then `filling` says so and the look-up is done again. An
 * element of contents may be given to another content while it is read; it is read again, too.
 * Returns 0, or 1 when every try was overtaken.
 */
checked int verdict_content(struct verdict *v)
{
	struct key_walk walk = {};
	struct debar_state *state = state_get();
	struct debar_digest digest; /* 6.1 takes no key of a map from a caller's memory */
	int try;

	if (!state || !v)
		return 1;
	digest = v->digest;
	walk.v = v;
	v->now = now_utc(state);
	for (try = 0; try < RETRIES_MAX; try++) {
		v->generation = *(volatile __u32 *)&state->generation;
		v->slot = v->generation & 1;
		v->action = DEBAR_INHERIT;
		v->excepted = v->matched = v->unknown = v->overflow = 0;
		if (!v->generation) /* unloaded meanwhile */
			return 0;
		walk.at = 0;
		walk.key = (struct debar_key){ .kind = DEBAR_KEY_SHA256 };
		__builtin_memcpy(walk.key.value, digest.bytes, sizeof(walk.key.value));
		walk.keys = NULL;
		if (state->flags & DEBAR_POLICY_DERIVED)
			walk.keys = bpf_map_lookup_elem(&debar_contents, &digest);
		v->unknown = (!walk.keys && state->flags & DEBAR_POLICY_DERIVED) ||
			     (v->placed != v->generation && v->placed != PLACED_NEVER &&
			      state->flags & DEBAR_POLICY_PLACES);
		v->overflow = walk.keys && walk.keys->overflow;
		barrier();
		bpf_loop(DEBAR_STEPS_MAX, key_at, &walk, 0);
		barrier();
		if (walk.keys && walk.keys != bpf_map_lookup_elem(&debar_contents, &digest))
			continue;
		if (*(volatile __u32 *)&state->filling - v->generation < 2)
			return 0;
		count(DEBAR_COUNT_RETRY);
	}
	return 1;
}

/* deny as far as the mode allows: --audit, and the end of --for, make it audit. */
static __always_inline __u8 mode_cap(const struct debar_state *state, __u8 action)
{
	if (action != DEBAR_DENY)
		return action;
	if (state->mode != DEBAR_MODE_ENFORCE)
		return DEBAR_AUDIT;
	if (state->deny_until && (__s64)bpf_ktime_get_boot_ns() >= state->deny_until)
		return DEBAR_AUDIT;
	return DEBAR_DENY;
}

#endif

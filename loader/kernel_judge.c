// SPDX-License-Identifier: MIT
/*
 * The verdict of bpf/verdict.bpf.h once more, over the same maps: for what the hooks were not asked
 * about, because it ran before there was a policy.
 */
#include <errno.h>
#include <string.h>

#include <bpf/bpf.h>

#include "loader/clock.h"
#include "loader/kernel.h"
#include "loader/kernel_internal.h"
#include "policy/cleanup.h"

struct look {
	struct kernel *kernel;
	int keys, excepts; /* inner maps of the generation */
	const struct debar_key *digest;
	const struct kernel_task *task;
	__s64 now; /* UTC nanoseconds */
	struct kernel_verdict verdict;
};

/* A phase once entered is not left. */
static __u32 phases_begun(const struct debar_ban *ban, __s64 now)
{
	__u32 count = ban->phase_count < DEBAR_PHASES_MAX ? ban->phase_count : DEBAR_PHASES_MAX;
	__u32 begun = ban->entered < count ? ban->entered : count;

	while (begun < count && ban->phases[begun].from <= now)
		begun++;
	return begun;
}

static __s64 now_utc(const struct kernel *kernel)
{
	return clock_ns(CLOCK_TAI) + kernel->state->utc_offset;
}

unsigned int kernel_phases_begun(struct kernel *kernel)
{
	unsigned int begun = 0;
	struct debar_ban ban;

	for (unsigned int i = 0; i < DEBAR_BANS_MAX; i++) {
		if (kernel_ban(kernel, i, &ban) || !ban.phase_count)
			break;
		begun += phases_begun(&ban, now_utc(kernel));
	}
	return begun;
}

/* What the ban says now about a rule whose own word is @own. */
static enum debar_action ban_says(const struct look *look, const struct debar_ban *ban, __u8 own)
{
	__u32 begun = phases_begun(ban, look->now);
	enum debar_action said;

	if (!begun)
		return DEBAR_OFF;
	said = ban->phases[begun - 1].exec;
	return own == DEBAR_INHERIT || said == DEBAR_OFF ? said : own;
}

static bool except_holds(const struct look *look, const struct debar_key *key, __u8 ban)
{
	struct debar_key mine = *key;
	struct debar_except except;

	mine.nth = ban;
	return !bpf_map_lookup_elem(look->excepts, &mine, &except) && look->now < except.until;
}

static bool task_excepted(const struct look *look, __u8 ban)
{
	struct debar_key key = { .kind = DEBAR_KEY_UID };

	memcpy(key.value, &look->task->uid, sizeof(look->task->uid));
	if (except_holds(look, &key, ban))
		return true;
	key = (struct debar_key){ .kind = DEBAR_KEY_CGROUP };
	for (size_t i = 0; i < look->task->cgroup_count; i++) {
		memcpy(key.value, &look->task->cgroups[i], sizeof(look->task->cgroups[i]));
		if (except_holds(look, &key, ban))
			return true;
	}
	return false;
}

static void weigh(struct look *look, const struct debar_key *key, const struct debar_match *match)
{
	struct kernel_verdict *v = &look->verdict;
	enum debar_action action;
	struct debar_ban ban;

	if (kernel_ban(look->kernel, match->ban, &ban))
		return;
	action = ban_says(look, &ban, match->exec);
	if (action < DEBAR_AUDIT)
		return;
	if (ban.flags & DEBAR_BAN_EXCEPTS_KEY && except_holds(look, look->digest, match->ban))
		return;
	if (ban.flags & DEBAR_BAN_EXCEPTS_TASK && task_excepted(look, match->ban))
		return;
	if (action == DEBAR_DENY && ban.flags & DEBAR_BAN_KILL)
		v->kill = true;
	if (action < v->action || (action == v->action && match->rule > v->match.rule))
		return;
	v->action = action;
	v->key = *key;
	v->match = *match;
}

static void weigh_all(struct look *look, const struct debar_key *key)
{
	struct debar_key at = *key;
	struct debar_match match = { .more = 1 };

	for (at.nth = 0; match.more && at.nth < DEBAR_MATCHES_MAX; at.nth++) {
		if (bpf_map_lookup_elem(look->keys, &at, &match))
			return;
		if (match.rule != DEBAR_RULE_CANARY)
			weigh(look, key, &match);
	}
}

static bool in_scope(const struct debar_state *state, const struct kernel_task *task)
{
	for (size_t i = 0; i < task->cgroup_count; i++)
		if (task->cgroups[i] == state->scope)
			return true;
	return !state->scope;
}

/* The mode above every phase, and what is never denied below it, as at the end of every hook. */
static void cap(struct look *look)
{
	const struct debar_state *state = look->kernel->state;
	struct kernel_verdict *v = &look->verdict;
	bool over = state->deny_until && clock_ns(CLOCK_BOOTTIME) >= state->deny_until;

	if (v->action < DEBAR_AUDIT || !in_scope(state, look->task))
		v->action = DEBAR_OFF;
	if (v->action == DEBAR_DENY && (state->mode != DEBAR_MODE_ENFORCE || over ||
					(v->key.kind != DEBAR_KEY_SHA256 &&
					 kernel_never_has(look->kernel, look->digest->value))))
		v->action = DEBAR_AUDIT;
	v->kill = v->kill && v->action == DEBAR_DENY;
}

int kernel_judge(struct kernel *kernel, const struct debar_key *keys, size_t count,
		 const struct kernel_task *task, struct kernel_verdict *ret_verdict)
{
	__u32 generation = __atomic_load_n(&kernel->state->generation, __ATOMIC_SEQ_CST);
	cleanup(cleanup_fd) int keys_map = kernel_inner(kernel, "debar_keys");
	cleanup(cleanup_fd) int excepts_map = kernel_inner(kernel, "debar_excepts");
	struct look look = { .kernel = kernel,
			     .keys = keys_map,
			     .excepts = excepts_map,
			     .digest = keys,
			     .task = task,
			     .now = now_utc(kernel),
			     .verdict.generation = generation };

	for (size_t i = 0; generation && i < count; i++)
		weigh_all(&look, &keys[i]);
	cap(&look);
	if (keys_map < 0 || excepts_map < 0 || kernel->state->generation != generation ||
	    __atomic_load_n(&kernel->state->filling, __ATOMIC_SEQ_CST) - generation >= 2)
		return -EAGAIN;
	*ret_verdict = look.verdict;
	return 0;
}

bool kernel_has_keys(struct kernel *kernel, const struct debar_key *keys, size_t count)
{
	cleanup(cleanup_fd) int map = kernel_inner(kernel, "debar_keys");
	struct debar_match match;

	for (size_t i = 0; map >= 0 && i < count; i++)
		if (!bpf_map_lookup_elem(map, &keys[i], &match))
			return true;
	return false;
}

int kernel_never_add(struct kernel *kernel, const __u8 digest[32])
{
	const __u8 yes = 1;

	if (bpf_map_update_elem(kernel_map(kernel, "debar_never"), digest, &yes, BPF_ANY))
		return -errno;
	return 0;
}

bool kernel_never_has(struct kernel *kernel, const __u8 digest[32])
{
	__u8 yes;

	return !bpf_map_lookup_elem(kernel_map(kernel, "debar_never"), digest, &yes);
}

size_t kernel_never_count(struct kernel *kernel)
{
	int map = kernel_map(kernel, "debar_never");
	struct debar_digest digest;
	size_t count = 0;

	for (void *at = NULL; !bpf_map_get_next_key(map, at, &digest); at = &digest)
		count++;
	return count;
}

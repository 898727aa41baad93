/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "loader/coverage.h"
#include "loader/enforce.h"
#include "loader/health.h"
#include "loader/lock.h"
#include "loader/message.h"
#include "loader/store.h"
#include "policy/cleanup.h"
#include "policy/policy.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))
#define FTRACE_SWITCH "/proc/sys/kernel/ftrace_enabled"
#define DAY (86400 * 1000000000LL)
#define SOON (14 * DAY)

static const struct {
	const char *name;
	const char *words;
} counters[] = {
	[DEBAR_COUNT_HIT] = { "hit", "digests from the cache" },
	[DEBAR_COUNT_HASH] = { "hash", "files hashed" },
	[DEBAR_COUNT_RACE] = { "race", "files that changed while they were hashed" },
	[DEBAR_COUNT_UNCACHEABLE] = { "uncacheable",
				      "hashed each time: writers are not seen there" },
	[DEBAR_COUNT_DENY] = { "deny", "acts refused" },
	[DEBAR_COUNT_AUDIT] = { "audit", "acts only reported" },
	[DEBAR_COUNT_EXCEPTED] = { "excepted", "acts that an exception let pass" },
	[DEBAR_COUNT_LOST] = { "lost", "events lost: the ring was full" },
	[DEBAR_COUNT_RETRY] = { "retry", "decisions taken again: a policy came in between" },
	[DEBAR_COUNT_BUSY] = { "busy", "refused: somebody writes to it" },
	[DEBAR_COUNT_ASKED] = { "asked", "acts that waited for the controller" },
	[DEBAR_COUNT_FACT_NOHASH] = { "nohash", "the kernel could not hash" },
	[DEBAR_COUNT_FACT_OVERSIZE] = { "oversize", "too large to hash" },
	[DEBAR_COUNT_FACT_NOSTATE] = { "nostate", "made executable without a known digest" },
	[DEBAR_COUNT_FACT_NOREAL] = { "noreal", "overlay files whose real file was not found" },
	[DEBAR_COUNT_FACT_BUFFER] = { "buffer", "modules or firmware from memory" },
	[DEBAR_COUNT_FACT_TORN] = { "torn", "refused: new policies overtook the decision" },
	[DEBAR_COUNT_FACT_UNCLASSIFIED] = { "unclassified", "not classified in time" },
	[DEBAR_COUNT_FACT_OVERFLOW] = { "overflow", "files with more keys than are kept" },
	[DEBAR_COUNT_FACT_STORAGE] = { "storage", "no memory to remember a digest" },
};
_Static_assert(COUNT(counters) == DEBAR_COUNTER_MAX, "a counter has no words");

const char *health_counter_name(enum debar_counter counter)
{
	return counter < COUNT(counters) ? counters[counter].name : NULL;
}

const char *health_counter_words(enum debar_counter counter)
{
	return counter < COUNT(counters) ? counters[counter].words : NULL;
}

/* ---- reasons and notes -------------------------------------------------------------------- */

void health_reason(struct health *health, const char *format, ...)
{
	va_list args;

	if (health->reason_count == HEALTH_REASONS_MAX)
		return;
	va_start(args, format);
	vsnprintf(health->reasons[health->reason_count++], sizeof(health->reasons[0]), format,
		  args);
	va_end(args);
}

void health_note(struct health *health, const char *format, ...)
{
	va_list args;

	if (health->note_count == HEALTH_REASONS_MAX)
		return;
	va_start(args, format);
	vsnprintf(health->notes[health->note_count++], sizeof(health->notes[0]), format, args);
	va_end(args);
}

/* In gate mode only the network's programs run, and they are called by their cgroup. */
static void judge_gate(struct health *health)
{
	if (!health->controller)
		health_reason(health,
			      "in gate mode the controller enforces, and it is gone: debar run");
	else if (health->canary == HEALTH_CANARY_RAN)
		health_reason(health, "the canary ran: the controller does not answer for it");
}

static void judge_machine(struct health *health)
{
	const struct kernel_offer *offer = &health->offer;

	if (health_gated(health)) {
		if (!offer->bpffs)
			health_reason(health, "no bpf file system at /sys/fs/bpf: mount -t bpf bpf "
					      "/sys/fs/bpf");
		return;
	}
	if (offer->lsm_known && !offer->lsm_bpf)
		health_reason(
			health,
			"bpf is not among this kernel's security modules: boot with lsm=%s,bpf",
			offer->lsm);
	if (!offer->btf)
		health_reason(health, "this kernel has no BTF (/sys/kernel/btf/vmlinux)");
	if (!offer->bpffs)
		health_reason(health,
			      "no bpf file system at /sys/fs/bpf: mount -t bpf bpf /sys/fs/bpf");
	if (health->ftrace == 0)
		health_reason(health,
			      "kernel.ftrace_enabled is 0, which stops BPF LSM programs on kernels "
			      "up to 6.18: sysctl kernel.ftrace_enabled=1");
	if (offer->ima)
		health_note(
			health,
			"an IMA policy is loaded: digests of files that changed under an overlay "
			"may be stale");
}

static void judge_loaded(struct health *health)
{
	const struct debar_state *state = &health->state;

	if (!state->generation)
		health_reason(health, "no policy has been published yet");
	if (health_gated(health))
		judge_gate(health);
	else if (health->canary == HEALTH_CANARY_RAN)
		health_reason(
			health,
			"the canary ran: the programs are loaded, but the kernel does not call "
			"them");
	if (health->canary == HEALTH_CANARY_FAILED)
		health_reason(health, "the canary could not be tried");
	if (!health_gated(health) && !kernel_hook(health->kernel, 0))
		health_reason(health, "no program is attached");
	if (state->mode == DEBAR_MODE_OFF)
		health_reason(health, "it is switched off");
	if (health->head.flags & DEBAR_POLICY_DERIVED && !health->controller &&
	    !health_gated(health))
		health_note(health,
			    "no controller runs: of files, only digests and content that is "
			    "classified already are refused");
	if (state->controller && !health->controller && !health_gated(health))
		health_note(health, "the controller (pid %u) is gone; what is in force stays so",
			    state->controller);
	if (state->stale)
		health_reason(health,
			      "the test switch `stale` is on: changed files keep their old digest");
	if (health->counters[DEBAR_COUNT_LOST])
		health_note(health,
			    "%llu events found the ring full: acts were decided, but are not told",
			    (unsigned long long)health->counters[DEBAR_COUNT_LOST]);
	if (!health->book)
		health_note(health, "the rule book is missing: events name rules by number only");
	if (health->changed)
		health_note(health,
			    "the policy files have changed since: debar reload puts them in force");
}

static void judge_clock(struct health *health)
{
	for (size_t i = 0; i < health->head.ban_count; i++) {
		const struct debar_ban *ban = &health->bans[i];

		if (ban->entered && ban->entered <= ban->phase_count &&
		    ban->phases[ban->entered - 1].from > health->now) {
			health_note(
				health,
				"the clock was set back before a phase that has begun; the phase "
				"stays");
			return;
		}
	}
}

static void judge_exceptions(struct health *health)
{
	char until[32], value[POLICY_VALUE_MAX];

	for (size_t i = 0; health->policy && i < policy_exception_count(health->policy); i++) {
		const struct policy_exception *e = policy_exception_get(health->policy, i);

		if (e->until == DEBAR_FOREVER || e->until - SOON > health->now)
			continue;
		health_note(health, "the exception of %s for %s %.128s %s %s",
			    policy_ban_get(health->policy, e->ban)->id,
			    policy_matcher_name(e->matcher),
			    policy_exception_value(health->policy, e, value, sizeof(value)),
			    e->until <= health->now ? "ended" : "ends",
			    policy_instant_format(e->until, until, sizeof(until)));
	}
}

/* ---- phases ------------------------------------------------------------------------------- */

/* How many phases have begun: by the clock, or by what the kernel has entered already. */
static size_t phases_begun(const struct health *health, size_t i)
{
	const struct debar_ban *ban = &health->bans[i];
	size_t begun = ban->entered <= ban->phase_count ? ban->entered : ban->phase_count;

	while (begun < ban->phase_count && begun < DEBAR_PHASES_MAX &&
	       ban->phases[begun].from <= health->now)
		begun++;
	return begun;
}

struct debar_phase health_phase(const struct health *health, size_t i)
{
	size_t begun = phases_begun(health, i);

	if (!begun)
		return (struct debar_phase){ .exec = DEBAR_OFF, .network = DEBAR_OFF };
	return health->bans[i].phases[begun - 1];
}

const struct debar_phase *health_phase_next(const struct health *health, size_t i)
{
	size_t begun = phases_begun(health, i);

	return begun < health->bans[i].phase_count ? &health->bans[i].phases[begun] : NULL;
}

/* ---- reading ------------------------------------------------------------------------------ */

bool health_gated(const struct health *health)
{
	return health->loaded && health->state.parts & KERNEL_GATE;
}

static int ftrace_read(void)
{
	cleanup(cleanup_fd) int fd = open(FTRACE_SWITCH, O_RDONLY | O_CLOEXEC);
	char value;

	if (fd < 0 || read(fd, &value, 1) != 1)
		return -1;
	return value != '0';
}

/* The policy as its files have it now: for what the tables do not keep, and to see it changed. */
static void files_read(struct health *health)
{
	const struct policy_checks checks = { .now = health->now,
					      .force = true,
					      .expired_passes = true };
	cleanup(enforce_options_free) struct enforce_options options = {};
	uint8_t digest[32];

	if (store_options(&options))
		return;
	if (read_policy(&options.policies, &checks, &health->policy)) {
		health_note(health,
			    "the policy files cannot be read any more; what is in force stays so");
		return;
	}
	health->changed = !policy_digest(health->policy, digest) &&
			  memcmp(digest, health->head.digest, sizeof(digest)) != 0;
}

static void canary_try(struct health *health)
{
	struct kernel_error error = {};
	int err;

	if (!health->state.generation)
		return;
	err = kernel_canary(health->kernel, &error);
	health->canary = !err		      ? HEALTH_CANARY_REFUSED :
			 err == -EKEYREJECTED ? HEALTH_CANARY_RAN :
						HEALTH_CANARY_FAILED;
}

static int kernel_read_back(struct health *health)
{
	__u64 all = 0, keys = 0, sums[DEBAR_COUNTER_MAX];
	int err = kernel_head(health->kernel, &health->head);

	health->state = *kernel_state(health->kernel);
	if (!err)
		err = kernel_counters(health->kernel, sums);
	for (unsigned int i = 0; !err && i < health->head.ban_count && i < DEBAR_BANS_MAX; i++)
		err = kernel_ban(health->kernel, i, &health->bans[i]);
	if (!err)
		err = kernel_memory(health->kernel, &all, &keys);
	if (err)
		return message_error(err, "cannot read back what is loaded: %s", strerror(-err));
	if (health->head.ban_count > DEBAR_BANS_MAX)
		health->head.ban_count = DEBAR_BANS_MAX;
	for (size_t i = 0; i < DEBAR_COUNTER_MAX; i++)
		health->counters[i] = sums[i];
	health->memory = all;
	health->key_memory = keys;
	return 0;
}

static int loaded_read(struct health *health)
{
	struct kernel_error error = {};
	int err = kernel_open(&health->kernel, &error);

	if (err == -ENOENT) {
		health_reason(health, "nothing is loaded");
		return 0;
	}
	if (err == -EPROTO) {
		health_reason(health, "%s", error.text);
		return 0;
	}
	if (err)
		return message_kernel(err, &error);
	err = kernel_read_back(health);
	if (err)
		return err;
	health->loaded = true;
	health->controller = lock_controller_pid();
	(void)store_book(health->state.generation, &health->book);
	health->gap_count = coverage_gaps(health->state.parts, health->book, health->gaps);
	files_read(health);
	canary_try(health);
	judge_loaded(health);
	judge_clock(health);
	judge_exceptions(health);
	health_parts_read(health);
	return 0;
}

int health_read(struct health *ret_health)
{
	cleanup(health_release) struct health health = {};
	struct timespec now;
	int err;

	clock_gettime(CLOCK_REALTIME, &now);
	health.now = now.tv_sec * 1000000000LL + now.tv_nsec;
	kernel_probe(&health.offer);
	health.ftrace = ftrace_read();
	err = loaded_read(&health);
	if (err)
		return err;
	judge_machine(&health);
	*ret_health = health;
	health = (struct health){};
	return 0;
}

void health_release(struct health *health)
{
	health_parts_release(health);
	kernel_free(health->kernel);
	policy_book_free(health->book);
	policy_free(health->policy);
	health->kernel = NULL;
	health->book = NULL;
	health->policy = NULL;
}

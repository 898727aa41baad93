// SPDX-License-Identifier: MIT
/*
 * One act that waits: what is the file, what does the policy say, who acts, and then the answer. The
 * file is read under a read lease, which is had only while nobody may write to it and makes writers
 * wait: so the bytes that were judged are those that run, or are mapped, and what is kept from being
 * asked about again is clean as it lies there.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/limits.h>
#include <linux/magic.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "loader/actor.h"
#include "loader/clock.h"
#include "loader/container.h"
#include "loader/gate.h"
#include "loader/identify.h"
#include "loader/identity/identity.h"
#include "loader/kernel.h"
#include "loader/opinion.h"
#include "loader/system.h"
#include "loader/tidings.h"
#include "loader/waiters.h"
#include "policy/cleanup.h"

/* Above the time that hashing the largest file takes, below what a user takes for a hang. */
#define ANSWER_LIMIT 5000000000LL

#define READ_TRIES 3
#define WRITER_TRIES 3 /* of 2 ms each: a compiler that is just closing its output */
#define SMALL 4096     /* bytes: hashed whatever rules there are, for the canary */
#define KEYS_MAX (DEBAR_FILE_KEYS_MAX + ACTOR_CGROUPS_MAX + 3)
#define RECENT 64

/* An exec that was told and let go: its open follows, by the same process, and is told no more. */
struct recent {
	pid_t pid;
	dev_t device;
	ino_t inode;
};

struct gate {
	struct kernel *kernel;
	struct waiters *waiters;
	struct tidings *tidings;
	struct opinion *opinion;
	int proc, cgroups;
	pthread_mutex_t lock; /* of what was executed */
	struct recent recent[RECENT];
	unsigned int recent_next;
	__u64 counters[DEBAR_COUNTER_MAX];
};

/* What is known of one act. */
struct look {
	struct gate *gate;
	struct waiter *waiter;
	unsigned int policy; /* the number of the one that it was judged by */
	enum debar_hook hook;
	struct stat st;
	bool leased;
	bool has_digest;
	bool overflow;
	enum debar_because because; /* RULE: keys are known */
	__u8 digest[32];
	struct debar_key keys[KEYS_MAX];
	size_t key_count;
};

static void count(struct gate *gate, enum debar_counter counter)
{
	__atomic_add_fetch(&gate->counters[counter], 1, __ATOMIC_RELAXED);
}

static void add_key(struct look *look, const struct debar_key *key)
{
	if (look->key_count < KEYS_MAX)
		look->keys[look->key_count++] = *key;
}

/* ---- what is it? -------------------------------------------------------------------------- */

/* 0, or why there is no lease: -EAGAIN is a writer. */
static int lease(struct look *look)
{
	int tries = look->waiter->mask & FAN_OPEN_EXEC_PERM ? WRITER_TRIES : 1;

	for (;;) {
		if (!fcntl(look->waiter->fd, F_SETLEASE, F_RDLCK)) {
			look->leased = true;
			return 0;
		}
		if (errno != EAGAIN || !--tries)
			return -errno;
		usleep(2000);
	}
}

/* Programs and scripts are whatever is executed; of what is opened, what could become code. */
static enum debar_hook hook_of(const struct waiter *waiter)
{
	Elf64_Ehdr head = {};

	if (waiter->mask & FAN_OPEN_EXEC_PERM)
		return DEBAR_HOOK_EXEC;
	if (pread(waiter->fd, &head, sizeof(head), 0) < (ssize_t)sizeof(head))
		return DEBAR_HOOK_NONE; /* smaller than any program */
	if (!memcmp(head.e_ident, ELFMAG, SELFMAG))
		return head.e_type == ET_REL ? DEBAR_HOOK_MODULE : DEBAR_HOOK_MMAP;
	return !memcmp(&head, "MZ", 2) ? DEBAR_HOOK_MMAP : DEBAR_HOOK_NONE;
}

static void set_digest(struct look *look, const struct identity *identity)
{
	memcpy(look->digest, identity->sha256, sizeof(look->digest));
	look->has_digest = true;
}

static void identify(struct gate *gate, struct look *look)
{
	struct debar_key digest = { .kind = DEBAR_KEY_SHA256 };
	struct identity *identity;
	unsigned int tries = 0, flags = 0;
	int ret;

	if (look->st.st_size <= SMALL || opinion_wants_digest(gate->opinion))
		flags = IDENTITY_SHA256;
	if ((__u64)look->st.st_size > DEBAR_HASH_MAX) {
		count(gate, DEBAR_COUNT_FACT_OVERSIZE);
		look->because = DEBAR_BECAUSE_OVERSIZE;
		return;
	}
	do
		ret = identify_fd(&identity, look->waiter->fd, flags);
	while (ret == -EAGAIN && ++tries < READ_TRIES);
	if (ret) {
		look->because = ret == -EAGAIN ? DEBAR_BECAUSE_UNCLASSIFIED : DEBAR_BECAUSE_NOHASH;
		count(gate,
		      ret == -EAGAIN ? DEBAR_COUNT_FACT_UNCLASSIFIED : DEBAR_COUNT_FACT_NOHASH);
		return;
	}
	count(gate, DEBAR_COUNT_HASH);
	if (identity->has_sha256) {
		set_digest(look, identity);
		memcpy(digest.value, look->digest, sizeof(digest.value));
		add_key(look, &digest);
	}
	for (__u32 i = 0; i < identity->keys.count; i++)
		add_key(look, &identity->keys.keys[i]);
	look->overflow = identity->keys.overflow;
	if (opinion_learn(gate->opinion, identity))
		look->overflow = true;
}

/* ---- what does the policy say? ------------------------------------------------------------ */

static struct verdict judge(struct look *look)
{
	return opinion_of(look->gate->opinion, look->keys, look->key_count, look->overflow,
			  &look->because, &look->policy);
}

/* Exceptions by uid and cgroup are keys of who acts. */
static void add_actor(struct look *look, const struct actor *actor)
{
	struct debar_key key = { .kind = DEBAR_KEY_UID };

	memcpy(key.value, &actor->who.uid, sizeof(actor->who.uid));
	add_key(look, &key);
	key = (struct debar_key){ .kind = DEBAR_KEY_CGROUP };
	for (size_t i = 0; i < actor->cgroup_count; i++) {
		memcpy(key.value, &actor->cgroups[i], sizeof(actor->cgroups[i]));
		add_key(look, &key);
	}
}

static bool in_scope(const struct gate *gate, const struct actor *actor)
{
	__u64 scope = kernel_state(gate->kernel)->scope;

	for (size_t i = 0; scope && i < actor->cgroup_count; i++)
		if (actor->cgroups[i] == scope)
			return true;
	return !scope;
}

/* ---- what is told ------------------------------------------------------------------------- */

static void name_file(int fd, char path[DEBAR_PATH_LEN])
{
	char link[32], full[PATH_MAX];
	ssize_t len;

	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	len = readlink(link, full, sizeof(full));
	if (len > 0)
		memcpy(path, full, len < DEBAR_PATH_LEN ? len : DEBAR_PATH_LEN - 1);
}

/* Rules may be of signers alone; who reads an event wants the digest all the same. */
static void add_digest(struct look *look)
{
	struct identity *identity;

	if (look->has_digest || look->because != DEBAR_BECAUSE_RULE ||
	    identify_fd(&identity, look->waiter->fd, IDENTITY_SHA256))
		return;
	set_digest(look, identity);
	identity_free(identity);
}

static void tell(struct gate *gate, struct look *look, const struct actor *actor,
		 const struct verdict *verdict, bool denied)
{
	struct debar_event event = {
		.size = sizeof(event),
		.generation = kernel_state(gate->kernel)->generation,
		.when = clock_ns(CLOCK_REALTIME),
		.actor = actor->who,
		.key = verdict->key,
		.match = { .rule = verdict->rule, .ban = verdict->ban },
		.device = major(look->st.st_dev) << 20 | minor(look->st.st_dev),
		.inode = look->st.st_ino,
		.file_size = look->st.st_size,
		.hook = look->hook,
		.outcome = denied ? DEBAR_OUTCOME_DENIED : DEBAR_OUTCOME_AUDITED,
		.because = look->because,
		.error = denied ? EPERM : 0,
	};

	add_digest(look);
	event.has_digest = look->has_digest;
	memcpy(event.digest, look->digest, sizeof(event.digest));
	memcpy(event.cgroup, actor->cgroup, sizeof(event.cgroup));
	name_file(look->waiter->fd, event.path);
	if (!tidings_add(gate->tidings, &event))
		count(gate, DEBAR_COUNT_LOST);
}

/* ---- the answer --------------------------------------------------------------------------- */

static bool same_act(const struct recent *recent, const struct look *look)
{
	return recent->pid == look->waiter->pid && recent->device == look->st.st_dev &&
	       recent->inode == look->st.st_ino;
}

/* The open that is part of an exec comes as an event of its own, after that of the exec. */
static bool was_executed(struct gate *gate, const struct look *look)
{
	bool was = false;

	pthread_mutex_lock(&gate->lock);
	for (unsigned int i = 0; !was && i < RECENT; i++) {
		was = same_act(&gate->recent[i], look);
		if (was)
			gate->recent[i] = (struct recent){};
	}
	pthread_mutex_unlock(&gate->lock);
	return was;
}

static void remember(struct gate *gate, const struct look *look)
{
	pthread_mutex_lock(&gate->lock);
	gate->recent[gate->recent_next++ % RECENT] = (struct recent){
		.pid = look->waiter->pid,
		.device = look->st.st_dev,
		.inode = look->st.st_ino,
	};
	pthread_mutex_unlock(&gate->lock);
}

/*
 * Writers beneath an overlay are not seen in its inode, and a rename into a banned path not at all:
 * there only what root alone may write is left alone.
 */
static bool may_ignore(struct gate *gate, const struct look *look)
{
	bool guarded = look->st.st_uid == 0 && !(look->st.st_mode & (S_IWGRP | S_IWOTH));
	struct statfs fs;

	if (!look->leased || look->because != DEBAR_BECAUSE_RULE)
		return false;
	if (guarded)
		return true;
	return !opinion_has_places(gate->opinion) && !fstatfs(look->waiter->fd, &fs) &&
	       fs.f_type != OVERLAYFS_SUPER_MAGIC;
}

/* What is no code may still be run as a script: then it is asked about again. */
static void ignore(void *ctx)
{
	const struct look *look = ctx;
	uint64_t mask = FAN_OPEN_PERM;

	if (look->hook != DEBAR_HOOK_NONE)
		mask |= FAN_OPEN_EXEC_PERM;
	waiters_ignore(look->gate->waiters, look->waiter->fd, mask);
}

/* A swap takes ignore marks away, so that none may be set for a policy that is not in force. */
static bool let(struct gate *gate, struct look *look, bool clean)
{
	bool ignored = clean && may_ignore(gate, look);

	if (ignored && look->hook == DEBAR_HOOK_NONE)
		ignore(look);
	else if (ignored)
		opinion_while(gate->opinion, look->policy, ignore, look);
	else if (look->hook != DEBAR_HOOK_NONE)
		count(gate, DEBAR_COUNT_UNCACHEABLE);
	return true;
}

/*
 * Can the machine not do without it? Then only a rule by its own sha256 refuses it. What is too large
 * to be hashed is nothing of the kind, and to hash it here would outlast who waits.
 */
static bool is_needed(struct gate *gate, struct look *look, const struct verdict *verdict)
{
	char path[32];

	if (look->because == DEBAR_BECAUSE_OVERSIZE ||
	    (look->because == DEBAR_BECAUSE_RULE && verdict->key.kind == DEBAR_KEY_SHA256))
		return false;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", look->waiter->fd);
	if (!look->has_digest && system_digest(path, look->digest))
		return false;
	look->has_digest = true;
	return kernel_never_has(gate->kernel, look->digest);
}

/* A match: who acts, and is it meant in earnest? */
static bool weigh(struct gate *gate, struct look *look)
{
	struct verdict verdict;
	struct actor actor;
	bool deny;

	actor_read(gate->proc, gate->cgroups, look->waiter->pid, &actor);
	add_actor(look, &actor);
	verdict = judge(look);
	if (verdict.excepted)
		count(gate, DEBAR_COUNT_EXCEPTED);
	if (verdict.action < DEBAR_AUDIT || !in_scope(gate, &actor))
		return true;
	deny = verdict.action == DEBAR_DENY && opinion_earnest(gate->opinion);
	deny = deny && !is_needed(gate, look, &verdict);
	/* It went already, when its time was over: what was found is told all the same. */
	if (__atomic_load_n(&look->waiter->answered, __ATOMIC_RELAXED))
		deny = deny && opinion_late_denies(gate->opinion);
	if (!deny && look->hook != DEBAR_HOOK_EXEC && was_executed(gate, look))
		return true;
	count(gate, deny ? DEBAR_COUNT_DENY : DEBAR_COUNT_AUDIT);
	tell(gate, look, &actor, &verdict, deny);
	if (!deny && look->hook == DEBAR_HOOK_EXEC)
		remember(gate, look);
	return !deny;
}

static bool answer(void *ctx, struct waiter *waiter)
{
	struct gate *gate = ctx;
	struct look look = { .gate = gate, .waiter = waiter };
	struct debar_key place;
	struct verdict verdict;
	int ret;

	count(gate, DEBAR_COUNT_ASKED);
	if (!kernel_state(gate->kernel)->generation)
		return true; /* debar unload */
	ret = lease(&look);
	look.hook = hook_of(waiter);
	if (fstat(waiter->fd, &look.st) || look.hook == DEBAR_HOOK_NONE)
		return let(gate, &look, true);
	/* The kernel itself refuses to run what somebody may write to, unless he ends in between. */
	if (look.hook == DEBAR_HOOK_EXEC && ret == -EAGAIN) {
		count(gate, DEBAR_COUNT_BUSY);
		look.because = DEBAR_BECAUSE_BUSY;
	} else {
		identify(gate, &look);
	}
	if (look.has_digest && opinion_is_canary(gate->opinion, look.digest))
		return false;
	place = opinion_place(gate->opinion, waiter->fd);
	if (place.kind != DEBAR_KEY_NONE)
		add_key(&look, &place);
	verdict = judge(&look);
	if (look.because == DEBAR_BECAUSE_OVERFLOW)
		count(gate, DEBAR_COUNT_FACT_OVERFLOW);
	if (verdict.excepted || verdict.action >= DEBAR_AUDIT)
		return weigh(gate, &look);
	return let(gate, &look, !verdict.matched);
}

/* By the thread that keeps the time: nothing here may wait. */
static bool late(void *ctx, struct waiter *waiter)
{
	struct gate *gate = ctx;

	(void)waiter;
	count(gate, DEBAR_COUNT_FACT_UNCLASSIFIED);
	return !opinion_late_denies(gate->opinion);
}

/* A writer who waits for the end of the lease must not be there before the exec is. */
static void after(void *ctx, struct waiter *waiter)
{
	(void)ctx;
	if (waiter->mask & FAN_OPEN_EXEC_PERM && fcntl(waiter->fd, F_GETLEASE) == F_UNLCK)
		usleep(20000);
}

/* ---- for the controller ------------------------------------------------------------------- */

static int start(struct gate *gate, const struct policy *policy, struct watchdog *watchdog)
{
	static const char *const cgroups[] = { "/sys/fs/cgroup", "/sys/fs/cgroup/unified", NULL };
	const struct waiters_owner owner = {
		.ctx = gate,
		.mask = FAN_OPEN_EXEC_PERM | FAN_OPEN_PERM | FAN_CLOSE_WRITE,
		.limit = ANSWER_LIMIT,
		.everywhere = true,
		.answer = answer,
		.late = late,
		.after = after,
	};
	int ret = opinion_new(&gate->opinion, gate->kernel, policy);

	gate->proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	gate->cgroups = container_open_cgroups(cgroups);
	if (!ret)
		ret = tidings_new(&gate->tidings);
	if (ret)
		return ret;
	signal(SIGIO, SIG_IGN); /* a writer waits for a lease: it ends in a moment anyhow */
	return waiters_start(&gate->waiters, &owner, gate->kernel, watchdog);
}

int gate_start(struct gate **ret_gate, struct kernel *kernel, const struct policy *policy,
	       struct watchdog *watchdog)
{
	struct gate *gate = calloc(1, sizeof(*gate));
	int ret;

	if (!gate)
		return -ENOMEM;
	*gate = (struct gate){ .kernel = kernel, .proc = -1, .cgroups = -1 };
	pthread_mutex_init(&gate->lock, NULL);
	ret = start(gate, policy, watchdog);
	if (ret) {
		gate_stop(gate);
		return ret;
	}
	*ret_gate = gate;
	return 0;
}

void gate_stop(struct gate *gate)
{
	if (!gate)
		return;
	waiters_stop(gate->waiters);
	tidings_free(gate->tidings);
	cleanup_fd(&gate->proc);
	cleanup_fd(&gate->cgroups);
	opinion_free(gate->opinion);
	free(gate);
}

void gate_lock(struct gate *gate, struct policy_facts *ret_facts)
{
	opinion_lock(gate->opinion, ret_facts);
}

int gate_unlock(struct gate *gate, const struct policy *policy)
{
	int ret = opinion_unlock(gate->opinion, policy);

	if (policy)
		waiters_unignore_all(gate->waiters);
	return ret;
}

bool gate_refresh(struct gate *gate)
{
	return opinion_refresh(gate->opinion);
}

int gate_fd(const struct gate *gate)
{
	return tidings_fd(gate->tidings);
}

bool gate_take(struct gate *gate, struct debar_event *ret_event)
{
	return tidings_take(gate->tidings, ret_event);
}

void gate_counters(struct gate *gate, __u64 ret_counters[DEBAR_COUNTER_MAX])
{
	for (unsigned int i = 0; i < DEBAR_COUNTER_MAX; i++)
		ret_counters[i] = __atomic_load_n(&gate->counters[i], __ATOMIC_RELAXED);
}

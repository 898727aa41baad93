// SPDX-License-Identifier: MIT
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "loader/askers.h"
#include "loader/certificates.h"
#include "loader/classify.h"
#include "loader/clock.h"
#include "loader/commands.h"
#include "loader/copies.h"
#include "loader/hold.h"
#include "loader/identify.h"
#include "loader/identity/identity.h"
#include "loader/kernel.h"
#include "loader/message.h"
#include "loader/place.h"
#include "loader/system.h"
#include "loader/told.h"
#include "loader/waiters.h"
#include "policy/cleanup.h"
#include "policy/policy.h"

/* Below the watchdog's limit: an answer that says "not in time" is better than none. */
#define ANSWER_LIMIT 1500000000LL

struct hold {
	struct kernel *kernel;
	struct waiters *waiters;
	struct askers *askers;
	pthread_mutex_t rules_lock; /* policy and certificates */
	const struct policy *policy;
	struct certificates *certificates;
	struct places *places;	      /* NULL: no rule speaks of paths or packages */
	struct copies *copies;	      /* of the files of banned packages */
	void (*tell_late)(void *ctx); /* or NULL */
	void *late_ctx;
};

/* ---- what is it? -------------------------------------------------------------------------- */

/* New certificates are evaluated before anybody who waits on them is answered. */
static int judge_certificates(struct hold *hold, struct identity *identity)
{
	cleanup(policy_tables_freep) struct policy_tables *tables = NULL;
	struct policy_facts fresh;
	int ret;

	pthread_mutex_lock(&hold->rules_lock);
	ret = certificates_add(hold->certificates, identity, &fresh);
	if (!ret && fresh.cert_count)
		ret = policy_compile_certificates(hold->policy, &fresh, &tables);
	if (!ret && tables)
		ret = kernel_add_keys(hold->kernel, tables);
	pthread_mutex_unlock(&hold->rules_lock);
	return ret;
}

/*
 * The keys of the file behind @fd. What cannot be judged by its certificates is marked as having
 * more keys than are known.
 */
static int classify(struct hold *hold, int fd, struct debar_file_keys *ret_keys)
{
	struct identity *identity;
	struct stat st;
	int ret;

	if (fstat(fd, &st))
		return -errno;
	/* The hook does not hash it either, and a sparse file could keep a worker for hours. */
	if ((__u64)st.st_size > DEBAR_HASH_MAX)
		return -EFBIG;
	ret = identify_fd(&identity, fd, 0);
	if (ret)
		return ret;
	*ret_keys = identity->keys;
	if (judge_certificates(hold, identity))
		ret_keys->overflow = 1;
	return 0;
}

/*
 * No element vouches for these bytes: digest and keys have to come from one copy, or somebody who
 * changes the file between two reads could put the keys of one content under the digest of another.
 */
static int classify_whole(struct hold *hold, int fd, struct debar_file_keys *ret_keys,
			  __u8 ret_digest[32])
{
	struct identity *identity;
	int ret = classify_copy(&identity, fd);

	if (ret)
		return ret;
	*ret_keys = identity->keys;
	memcpy(ret_digest, identity->sha256, sizeof(identity->sha256));
	if (judge_certificates(hold, identity))
		ret_keys->overflow = 1;
	return 0;
}

/* Where is it, as far as rules ask? Under the lock: the tables change with the packages. */
static void locate(struct hold *hold, int fd, struct debar_answer *answer)
{
	pthread_mutex_lock(&hold->rules_lock);
	answer->generation = kernel_state(hold->kernel)->generation;
	answer->place = (struct debar_key){};
	if (hold->places)
		answer->place = places_find(hold->places, fd);
	pthread_mutex_unlock(&hold->rules_lock);
}

/* It runs already: nobody waits for what was found any more. */
static void found_late(struct hold *hold, const struct debar_answer *found)
{
	bool named = found->place.kind ||
		     kernel_has_keys(hold->kernel, found->keys.keys, found->keys.count);

	if (named && hold->tell_late)
		hold->tell_late(hold->late_ctx);
}

/* ---- answers ------------------------------------------------------------------------------ */

/*
 * Nobody waits any more. What was found is kept all the same if the hook has hashed these very bytes,
 * or a file made so large that it is never read in time would never be known.
 */
static void keep_late(struct hold *hold, int fd, const struct debar_file *before,
		      const struct debar_file_keys *keys)
{
	struct debar_file now;

	if (!kernel_file(hold->kernel, fd, &now) && now.cookie == before->cookie &&
	    now.state == DEBAR_FILE_KNOWN)
		kernel_content(hold->kernel, now.digest.bytes, keys);
}

/* The cookie is read before the content: if the content changes after that, the cookie is gone. */
static bool answer(void *ctx, struct waiter *waiter)
{
	struct hold *hold = ctx;
	struct debar_answer found;
	struct debar_file file;
	int ret = -ENOENT;
	bool gone;

	if (kernel_file(hold->kernel, waiter->fd, &file) || file.state == DEBAR_FILE_NONE)
		return true; /* no rule needs more than the digest, or it is hashed each time */
	if (file.state == DEBAR_FILE_KNOWN)
		ret = kernel_content_get(hold->kernel, &file.digest, &found.keys);
	if (ret)
		ret = classify(hold, waiter->fd, &found.keys);
	if (ret == -EAGAIN)
		return true; /* it changes while it is read: the hook asks again, when nobody can */
	locate(hold, waiter->fd, &found);
	waiters_lock(hold->waiters);
	gone = waiter->answered;
	if (!gone)
		ret = kernel_answer(hold->kernel, file.cookie, ret ? NULL : &found);
	else if (!ret)
		keep_late(hold, waiter->fd, &file, &found.keys);
	waiters_unlock(hold->waiters);
	/* After a store through a mapping the hook finds content it does not know, and asks. */
	if (!ret)
		waiters_ignore(hold->waiters, waiter->fd, FAN_OPEN_EXEC_PERM);
	if (!ret && gone)
		found_late(hold, &found);
	return true;
}

/* The hook is told that nobody could say, and `unclassified` decides. */
static bool late(void *ctx, struct waiter *waiter)
{
	struct hold *hold = ctx;
	struct debar_file file;

	if (!kernel_file(hold->kernel, waiter->fd, &file))
		kernel_answer(hold->kernel, file.cookie, NULL);
	return true;
}

/* ---- start and stop ----------------------------------------------------------------------- */

static void answer_event(void *ctx, const struct debar_event *event);

static int start(struct hold *hold, bool places, struct watchdog *watchdog)
{
	const struct waiters_owner owner = { .ctx = hold,
					     .mask = FAN_OPEN_EXEC_PERM,
					     .limit = ANSWER_LIMIT,
					     .answer = answer,
					     .late = late };
	int ret = certificates_new(&hold->certificates);

	if (!ret && places)
		ret = places_new(&hold->places, hold->kernel);
	if (ret)
		return ret;
	if (places)
		(void)places_refresh(hold->places);
	ret = waiters_start(&hold->waiters, &owner, hold->kernel, watchdog);
	return ret ? ret : askers_start(&hold->askers, answer_event, hold);
}

int hold_start(struct hold **ret_hold, struct kernel *kernel, const struct policy *policy,
	       bool places, struct watchdog *watchdog)
{
	struct hold *hold = calloc(1, sizeof(*hold));
	int ret;

	if (!hold)
		return -ENOMEM;
	*hold = (struct hold){ .kernel = kernel, .policy = policy };
	pthread_mutex_init(&hold->rules_lock, NULL);
	ret = start(hold, places, watchdog);
	if (ret) {
		hold_stop(hold);
		return ret;
	}
	*ret_hold = hold;
	return 0;
}

void hold_stop(struct hold *hold)
{
	if (!hold)
		return;
	if (askers_stop(hold->askers)) {
		message_error(ETIMEDOUT,
			      "a file cannot be read to its end: this controller ends now");
		_exit(EXIT_ERROR); /* what is pinned goes on, and nobody is held any more */
	}
	waiters_stop(hold->waiters);
	certificates_free(hold->certificates);
	places_free(hold->places);
	copies_free(hold->copies);
	free(hold);
}

/* ---- for the controller ------------------------------------------------------------------- */

void hold_lock(struct hold *hold, struct policy_facts *ret_facts)
{
	pthread_mutex_lock(&hold->rules_lock);
	*ret_facts = certificates_facts(hold->certificates);
	if (hold->places)
		places_facts(hold->places, ret_facts);
	copies_facts(hold->copies, ret_facts);
}

/*
 * Files that fanotify passes by would not be asked about again: their places, and contents whose
 * certificates were forgotten.
 */
void hold_unlock(struct hold *hold, const struct policy *policy)
{
	bool forgot = policy && certificates_forgot(hold->certificates);

	if (policy)
		hold->policy = policy;
	if (forgot)
		kernel_contents_forget(hold->kernel);
	if (forgot || (policy && hold->places))
		waiters_unignore_all(hold->waiters);
	pthread_mutex_unlock(&hold->rules_lock);
}

bool hold_refresh(struct hold *hold)
{
	bool changed;

	pthread_mutex_lock(&hold->rules_lock);
	changed = hold->places && places_refresh(hold->places);
	pthread_mutex_unlock(&hold->rules_lock);
	return changed;
}

/* Nobody but the caller changes the table of packages: it may be read while others are answered. */
int hold_find_copies(struct hold *hold, const struct policy *policy)
{
	struct copies *copies = NULL, *old;
	int ret = 0;

	if (hold->places)
		ret = places_copies(hold->places, policy, &copies);
	if (ret)
		return ret;
	pthread_mutex_lock(&hold->rules_lock);
	old = hold->copies;
	hold->copies = copies;
	pthread_mutex_unlock(&hold->rules_lock);
	copies_free(old);
	return 0;
}

/* What the file is, if it still has the event's digest: an element vouches for that, or a hash. */
static int find_out(struct hold *hold, int fd, const struct debar_event *event,
		    struct debar_answer *ret_answer)
{
	struct debar_file file;
	__u8 digest[32];
	int ret;

	waiters_unignore(hold->waiters, fd);
	/*
	 * What a user mounted in a namespace of their own is asked about each time: an overlay of theirs
	 * can have a layer whose server does not answer, and who reads the marks' events would wait.
	 */
	if (event->hook == DEBAR_HOOK_EXEC && !event->foreign)
		waiters_mark(hold->waiters, fd);
	if (!kernel_file(hold->kernel, fd, &file) && file.cookie == event->cookie) {
		ret = kernel_content_get(hold->kernel, &file.digest, &ret_answer->keys);
		if (ret)
			ret = classify(hold, fd, &ret_answer->keys);
	} else {
		ret = classify_whole(hold, fd, &ret_answer->keys, digest);
		if (!ret && memcmp(digest, event->digest, sizeof(digest)))
			ret = -ESTALE;
		if (!ret)
			ret = kernel_content(hold->kernel, digest, &ret_answer->keys);
	}
	locate(hold, fd, ret_answer);
	return ret;
}

static void answer_event(void *ctx, const struct debar_event *event)
{
	struct hold *hold = ctx;
	cleanup(cleanup_fd) int fd = told_open(event);
	struct debar_answer answer;
	int ret = fd < 0 ? fd : find_out(hold, fd, event, &answer);

	if (event->cookie)
		kernel_answer(hold->kernel, event->cookie, ret ? NULL : &answer);
	if (!ret && (!event->cookie || clock_ns(CLOCK_REALTIME) - event->when > DEBAR_ASK_LIMIT))
		found_late(hold, &answer);
}

void hold_learn(struct hold *hold, int fd, struct identity *identity, struct debar_key *ret_place)
{
	if (identity)
		(void)judge_certificates(hold, identity);
	pthread_mutex_lock(&hold->rules_lock);
	if (hold->places)
		*ret_place = places_find(hold->places, fd);
	pthread_mutex_unlock(&hold->rules_lock);
}

void hold_watch_late(struct hold *hold, void (*tell)(void *ctx), void *ctx)
{
	hold->late_ctx = ctx;
	__atomic_store_n(&hold->tell_late, tell, __ATOMIC_RELEASE);
}

void hold_answer(struct hold *hold, const struct debar_event *event)
{
	if (!askers_add(hold->askers, event) && event->cookie)
		kernel_answer(hold->kernel, event->cookie, NULL);
}

/* What cannot be read is what is refused later, and told then. */
static int know(void *ctx, int fd, const char *path)
{
	struct hold *hold = ctx;
	struct debar_file_keys keys;
	__u8 digest[32];

	(void)path;
	if (!classify_whole(hold, fd, &keys, digest))
		(void)kernel_content(hold->kernel, digest, &keys);
	return 0;
}

static void know_path(struct hold *hold, const char *path)
{
	cleanup(cleanup_fd) int fd = -1;

	if (!identify_open(path, &fd))
		(void)know(hold, fd, path);
}

int hold_prepare(struct hold *hold)
{
	/* To get in, look about and start again when there is no controller, as far as what they
	 * need is mapped by somebody. */
	static const char *const rescue[] = {
		"/bin/cat",	  "/bin/ls",
		"/bin/ps",	  "/bin/kill",
		"/bin/login",	  "/bin/su",
		"/bin/mount",	  "/bin/umount",
		"/bin/systemctl", "/bin/dmesg",
		"/bin/sync",	  "/usr/bin/sudo",
		"/usr/bin/env",	  "/usr/bin/id",
		"/usr/bin/tail",  "/usr/bin/less",
		"/sbin/reboot",	  "/sbin/agetty",
		"/sbin/sulogin",  "/sbin/shutdown",
		"/usr/sbin/sshd", "/usr/lib/openssh/sshd-session",
	};
	cleanup(system_release) struct system_files files = {};
	size_t i;

	system_read(&files);
	for (i = 0; i < files.count; i++)
		know_path(hold, files.files[i].path);
	for (i = 0; i < sizeof(rescue) / sizeof(rescue[0]); i++)
		know_path(hold, rescue[i]);
	return classify_mapped(know, hold);
}

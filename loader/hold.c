// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/fanotify.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "loader/certificates.h"
#include "loader/hold.h"
#include "loader/identify.h"
#include "loader/identity/identity.h"
#include "loader/kernel.h"
#include "loader/marks.h"
#include "loader/place.h"
#include "loader/watchdog.h"
#include "policy/cleanup.h"
#include "policy/policy.h"

#define WORKERS 2
#define STACK_SIZE (512 << 10)
#define ROUND_MS 100

/* Below the watchdog's limit: an answer that says "not in time" is better than none. */
#define ANSWER_LIMIT 1500000000LL

/* One exec that waits. */
struct waiter {
	struct waiter *next;
	int fd; /* the file, as fanotify opened it */
	int64_t since;
	bool taken;    /* a worker is at it */
	bool answered; /* the dispatcher let it go */
};

struct hold {
	struct kernel *kernel;
	struct watchdog *watchdog;
	struct marks *marks;
	int fan;
	int stop; /* eventfd */
	pthread_t dispatcher, workers[WORKERS];
	pthread_mutex_t queue_lock;
	pthread_cond_t queued;
	struct waiter *waiters;
	bool stopping;
	pthread_mutex_t rules_lock; /* policy and certificates */
	const struct policy *policy;
	struct certificates *certificates;
	struct places *places; /* NULL: no rule speaks of paths or packages */
	unsigned long answered, late;
};

static int64_t now_boot(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static void tables_freep(struct policy_tables **tables)
{
	policy_tables_free(*tables);
}

/* ---- what is it? -------------------------------------------------------------------------- */

/* New certificates are evaluated before anybody who waits on them is answered. */
static int judge_certificates(struct hold *hold, struct identity *identity)
{
	cleanup(tables_freep) struct policy_tables *tables = NULL;
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
 * The keys of the file behind @fd; with @ret_digest its sha256 of the same read. What cannot be
 * judged by its certificates is marked as having more keys than are known.
 */
static int classify(struct hold *hold, int fd, struct debar_file_keys *ret_keys,
		    __u8 *ret_digest)
{
	struct identity *identity;
	int ret = identify_fd(&identity, fd, ret_digest ? IDENTITY_SHA256 : 0);

	if (ret)
		return ret;
	*ret_keys = identity->keys;
	if (ret_digest)
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

/* ---- answers ------------------------------------------------------------------------------ */

static void let_go(struct hold *hold, int fd)
{
	struct fanotify_response response = { .fd = fd, .response = FAN_ALLOW };

	if (write(hold->fan, &response, sizeof(response)) != sizeof(response))
		return; /* the exec was killed while it waited */
}

/*
 * Ask no more about this inode until somebody writes to it. The kernel's note of the mark comes
 * first: without it a mark that outlives a change would hide the change.
 */
static void ignore(struct hold *hold, int fd)
{
	if (kernel_ignored(hold->kernel, fd, true))
		return;
	if (fanotify_mark(hold->fan,
			  FAN_MARK_ADD | FAN_MARK_IGNORED_MASK | FAN_MARK_EVICTABLE,
			  FAN_OPEN_EXEC_PERM, fd, NULL))
		kernel_ignored(hold->kernel, fd, false);
}

static void unignore(struct hold *hold, int fd)
{
	fanotify_mark(hold->fan, FAN_MARK_REMOVE | FAN_MARK_IGNORED_MASK, FAN_OPEN_EXEC_PERM, fd,
		      NULL);
	kernel_ignored(hold->kernel, fd, false);
}

/* The cookie is read before the content: if the content changes after that, the cookie is gone. */
static void answer(struct hold *hold, struct waiter *waiter)
{
	struct debar_answer found;
	struct debar_file file;
	int ret = -ENOENT;

	if (kernel_file(hold->kernel, waiter->fd, &file))
		return; /* no rule needs more than the digest, or the file is hashed each time */
	if (file.state == DEBAR_FILE_KNOWN)
		ret = kernel_content_get(hold->kernel, &file.digest, &found.keys);
	if (ret)
		ret = classify(hold, waiter->fd, &found.keys, NULL);
	if (ret == -EAGAIN)
		return; /* it changes while it is read: the kernel refuses it as busy */
	locate(hold, waiter->fd, &found);
	pthread_mutex_lock(&hold->queue_lock);
	if (!waiter->answered)
		ret = kernel_answer(hold->kernel, file.cookie, ret ? NULL : &found);
	pthread_mutex_unlock(&hold->queue_lock);
	if (!ret)
		ignore(hold, waiter->fd);
}

/* ---- the threads -------------------------------------------------------------------------- */

static struct waiter *take_waiter(struct hold *hold)
{
	struct waiter *waiter;

	pthread_mutex_lock(&hold->queue_lock);
	for (;;) {
		for (waiter = hold->waiters; waiter && waiter->taken;)
			waiter = waiter->next;
		if (waiter || hold->stopping)
			break;
		pthread_cond_wait(&hold->queued, &hold->queue_lock);
	}
	if (waiter)
		waiter->taken = true;
	pthread_mutex_unlock(&hold->queue_lock);
	return waiter;
}

static void finish_waiter(struct hold *hold, struct waiter *waiter)
{
	struct waiter **at;

	pthread_mutex_lock(&hold->queue_lock);
	for (at = &hold->waiters; *at != waiter;)
		at = &(*at)->next;
	*at = waiter->next;
	if (!waiter->answered) {
		let_go(hold, waiter->fd);
		hold->answered++;
	}
	pthread_mutex_unlock(&hold->queue_lock);
	close(waiter->fd);
	free(waiter);
}

static void *work(void *arg)
{
	struct hold *hold = arg;
	struct waiter *waiter;

	while ((waiter = take_waiter(hold))) {
		if (!waiter->answered)
			answer(hold, waiter);
		finish_waiter(hold, waiter);
	}
	return NULL;
}

/* Who has waited too long is told so, and goes; a worker may still be reading. */
static void let_late_go(struct hold *hold)
{
	struct debar_file file;
	struct waiter *waiter;
	int64_t now = now_boot();

	pthread_mutex_lock(&hold->queue_lock);
	for (waiter = hold->waiters; waiter; waiter = waiter->next) {
		if (waiter->answered || now - waiter->since < ANSWER_LIMIT)
			continue;
		if (!kernel_file(hold->kernel, waiter->fd, &file))
			kernel_answer(hold->kernel, file.cookie, NULL);
		let_go(hold, waiter->fd);
		waiter->answered = true;
		hold->late++;
	}
	pthread_mutex_unlock(&hold->queue_lock);
}

static void enqueue(struct hold *hold, int fd)
{
	struct waiter *waiter = calloc(1, sizeof(*waiter)), **at;

	if (!waiter) { /* unclassified decides */
		let_go(hold, fd);
		close(fd);
		return;
	}
	waiter->fd = fd;
	waiter->since = now_boot();
	pthread_mutex_lock(&hold->queue_lock);
	for (at = &hold->waiters; *at;)
		at = &(*at)->next;
	*at = waiter;
	pthread_cond_signal(&hold->queued);
	pthread_mutex_unlock(&hold->queue_lock);
}

static void read_events(struct hold *hold)
{
	char buffer[8192] __attribute__((aligned(8)));
	struct fanotify_event_metadata *event = (void *)buffer;
	ssize_t len = read(hold->fan, buffer, sizeof(buffer));

	for (; len > 0 && FAN_EVENT_OK(event, len); event = FAN_EVENT_NEXT(event, len))
		if (event->fd >= 0)
			enqueue(hold, event->fd);
}

static void *dispatch(void *arg)
{
	struct hold *hold = arg;
	struct pollfd polled[] = {
		{ .fd = hold->fan, .events = POLLIN },
		{ .fd = hold->stop, .events = POLLIN },
		{ .fd = marks_fd(hold->marks), .events = POLLPRI },
	};
	struct debar_state *state = kernel_state(hold->kernel);

	for (;;) {
		poll(polled, 3, ROUND_MS);
		watchdog_beat(hold->watchdog);
		__atomic_store_n(&state->heartbeat, now_boot(), __ATOMIC_RELAXED);
		if (polled[1].revents)
			return NULL;
		if (polled[0].revents)
			read_events(hold);
		if (polled[2].revents)
			marks_follow(hold->marks);
		let_late_go(hold);
	}
}

static int start_thread(pthread_t *ret_thread, void *(*run)(void *), struct hold *hold)
{
	pthread_attr_t attributes;
	int ret;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_SIZE);
	ret = pthread_create(ret_thread, &attributes, run, hold);
	pthread_attr_destroy(&attributes);
	return -ret;
}

int hold_start(struct hold **ret_hold, struct kernel *kernel, const struct policy *policy,
	       bool places, struct watchdog *watchdog)
{
	struct hold *hold = calloc(1, sizeof(*hold));
	int ret, i;

	if (!hold)
		return -ENOMEM;
	*hold = (struct hold){ .kernel = kernel, .policy = policy, .watchdog = watchdog };
	pthread_mutex_init(&hold->queue_lock, NULL);
	pthread_mutex_init(&hold->rules_lock, NULL);
	pthread_cond_init(&hold->queued, NULL);
	ret = certificates_new(&hold->certificates);
	if (ret)
		return ret;
	hold->fan = fanotify_init(FAN_CLASS_CONTENT | FAN_CLOEXEC | FAN_NONBLOCK |
					  FAN_UNLIMITED_QUEUE | FAN_UNLIMITED_MARKS,
				  O_RDONLY | O_LARGEFILE | O_CLOEXEC | O_NOATIME);
	hold->stop = eventfd(0, EFD_CLOEXEC);
	if (hold->fan < 0 || hold->stop < 0)
		return -errno;
	OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CONFIG, NULL); /* reads a file: not while one waits */
	mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT); /* nobody waits for our pages */
	watchdog_beat(watchdog);
	kernel_state(kernel)->heartbeat = now_boot();
	if (places) {
		ret = places_new(&hold->places, kernel);
		if (ret)
			return ret;
		(void)places_refresh(hold->places);
	}
	ret = marks_new(&hold->marks, kernel, hold->fan);
	for (i = 0; !ret && i < WORKERS; i++)
		ret = start_thread(&hold->workers[i], work, hold);
	if (!ret)
		ret = start_thread(&hold->dispatcher, dispatch, hold);
	if (ret)
		return ret;
	*ret_hold = hold;
	return 0;
}

void hold_stop(struct hold *hold)
{
	uint64_t one = 1;
	int i;

	if (!hold)
		return;
	if (write(hold->stop, &one, sizeof(one)) == sizeof(one))
		pthread_join(hold->dispatcher, NULL);
	marks_free(hold->marks); /* nothing is held from here on */
	pthread_mutex_lock(&hold->queue_lock);
	hold->stopping = true;
	pthread_cond_broadcast(&hold->queued);
	pthread_mutex_unlock(&hold->queue_lock);
	for (i = 0; i < WORKERS; i++)
		pthread_join(hold->workers[i], NULL);
	close(hold->fan);
	close(hold->stop);
	certificates_free(hold->certificates);
	places_free(hold->places);
	free(hold);
}

/* ---- for the controller ------------------------------------------------------------------- */

void hold_lock(struct hold *hold, struct policy_facts *ret_facts)
{
	pthread_mutex_lock(&hold->rules_lock);
	*ret_facts = certificates_facts(hold->certificates);
	if (hold->places)
		places_facts(hold->places, ret_facts);
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
		fanotify_mark(hold->fan, FAN_MARK_FLUSH, 0, AT_FDCWD, "/");
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

/* The file an event speaks of, by the actor's own view of its path; no other one of that name. */
static int open_told(const struct debar_event *event)
{
	char path[DEBAR_PATH_LEN + 64];
	cleanup(cleanup_fd) int fd = -1;
	struct stat st;
	int ret;

	snprintf(path, sizeof(path), "/proc/%u/root%s", event->actor.pid, event->path);
	ret = identify_open(path, &fd);
	if (ret) {
		snprintf(path, sizeof(path), "/proc/%u/exe", event->actor.pid);
		ret = identify_open(path, &fd);
	}
	if (ret)
		return ret;
	if (fstat(fd, &st) || st.st_ino != event->inode)
		return -ESTALE;
	return take_fd(fd);
}

/* An element with the event's digest vouches for the bytes; without one they are hashed. */
int hold_catch_up(struct hold *hold, const struct debar_event *event)
{
	cleanup(cleanup_fd) int fd = open_told(event);
	struct debar_answer found;
	struct debar_file file;
	__u8 digest[32];

	if (fd < 0 || !event->has_digest)
		return 0;
	unignore(hold, fd);
	if (event->hook == DEBAR_HOOK_EXEC)
		marks_add(hold->marks, fd, event->device);
	if (kernel_file(hold->kernel, fd, &file) || file.state != DEBAR_FILE_KNOWN ||
	    memcmp(file.digest.bytes, event->digest, sizeof(digest)))
		return !classify(hold, fd, &found.keys, digest) &&
		       !memcmp(digest, event->digest, sizeof(digest)) &&
		       !kernel_content(hold->kernel, digest, &found.keys);
	if (kernel_content_get(hold->kernel, &file.digest, &found.keys) &&
	    classify(hold, fd, &found.keys, NULL))
		return 0;
	locate(hold, fd, &found);
	return !kernel_answer(hold->kernel, file.cookie, &found);
}

void hold_counts(const struct hold *hold, unsigned long *ret_answered, unsigned long *ret_late)
{
	*ret_answered = __atomic_load_n(&hold->answered, __ATOMIC_RELAXED);
	*ret_late = __atomic_load_n(&hold->late, __ATOMIC_RELAXED);
}

// SPDX-License-Identifier: MIT
#include <dirent.h>
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
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "loader/certificates.h"
#include "loader/clock.h"
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
#define COPY_MAX (128LL << 20) /* of a file whose writers are not counted; above: unclassified */

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
	int ret = identify_fd(&identity, fd, 0);

	if (ret)
		return ret;
	*ret_keys = identity->keys;
	if (judge_certificates(hold, identity))
		ret_keys->overflow = 1;
	return 0;
}

/* Reads the whole of @fd, up to COPY_MAX. */
static int copy_file(int fd, uint8_t **ret_data, size_t *ret_len)
{
	cleanup(cleanup_free) uint8_t *data = NULL;
	size_t len = 0;
	struct stat st;
	ssize_t n;

	if (fstat(fd, &st))
		return -errno;
	if (st.st_size > COPY_MAX)
		return -EFBIG;
	data = malloc(st.st_size + 1);
	if (!data)
		return -ENOMEM;
	while (len < (size_t)st.st_size) {
		n = pread(fd, data + len, st.st_size - len, len);
		if (n < 0)
			return -errno;
		if (!n)
			break;
		len += n;
	}
	*ret_data = take(data);
	*ret_len = len;
	return 0;
}

/*
 * No element vouches for these bytes: digest and keys have to come from one copy, or somebody who
 * changes the file between two reads could put the keys of one content under the digest of another.
 */
static int classify_copy(struct hold *hold, int fd, struct debar_file_keys *ret_keys,
			 __u8 ret_digest[32])
{
	cleanup(cleanup_free) uint8_t *data = NULL;
	struct identity_memory memory = {};
	struct identity_reader reader;
	struct identity *identity;
	int ret = copy_file(fd, &data, &memory.len);

	if (ret)
		return ret;
	memory.data = data;
	reader = identity_memory_reader(&memory);
	ret = identity_read(&identity, &reader, IDENTITY_SHA256);
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

/* ---- answers ------------------------------------------------------------------------------ */

static void let_go(struct hold *hold, int fd)
{
	struct fanotify_response response = { .fd = fd, .response = FAN_ALLOW };

	if (write(hold->fan, &response, sizeof(response)) != sizeof(response))
		return; /* the exec was killed while it waited */
}

/*
 * Ask no more about this inode until somebody writes to it. A store through a mapping leaves such a
 * mark where it is; then the hook finds content it does not know, asks, and the mark goes.
 */
static void ignore(struct hold *hold, int fd)
{
	fanotify_mark(hold->fan, FAN_MARK_ADD | FAN_MARK_IGNORED_MASK | FAN_MARK_EVICTABLE,
		      FAN_OPEN_EXEC_PERM, fd, NULL);
}

static void unignore(struct hold *hold, int fd)
{
	fanotify_mark(hold->fan, FAN_MARK_REMOVE | FAN_MARK_IGNORED_MASK, FAN_OPEN_EXEC_PERM, fd,
		      NULL);
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
		ret = classify(hold, waiter->fd, &found.keys);
	if (ret == -EAGAIN)
		return; /* it changes while it is read: the hook asks again, when nobody can */
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
	int64_t now = clock_ns(CLOCK_BOOTTIME);

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
	waiter->since = clock_ns(CLOCK_BOOTTIME);
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
		__atomic_store_n(&state->heartbeat, clock_ns(CLOCK_BOOTTIME), __ATOMIC_RELAXED);
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
	mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT);    /* nobody waits for our pages */
	setpriority(PRIO_PROCESS, 0,
		    -20); /* nor behind the programs that wait for us; for threads too */
	watchdog_beat(watchdog);
	kernel_state(kernel)->heartbeat = clock_ns(CLOCK_BOOTTIME);
	if (places) {
		ret = places_new(&hold->places, kernel);
		if (ret)
			return ret;
		(void)places_refresh(hold->places);
	}
	ret = marks_new(&hold->marks, hold->fan);
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

static int open_same(const char *path, const struct debar_event *event)
{
	cleanup(cleanup_fd) int fd = -1;
	struct stat st;
	int ret = identify_open(path, &fd);

	if (ret)
		return ret;
	if (fstat(fd, &st) || st.st_ino != event->inode)
		return -ESTALE;
	return take_fd(fd);
}

/* A file without a name, as of memfd_create: one of the actor's descriptors is it. */
static int open_descriptor(const struct debar_event *event)
{
	char path[64];
	DIR *list;
	struct dirent *entry;
	int fd = -ENOENT;

	snprintf(path, sizeof(path), "/proc/%u/fd", event->actor.pid);
	list = opendir(path);
	while (list && fd < 0 && (entry = readdir(list))) {
		snprintf(path, sizeof(path), "/proc/%u/fd/%.16s", event->actor.pid, entry->d_name);
		fd = open_same(path, event);
	}
	if (list)
		closedir(list);
	return fd;
}

/* The file an event speaks of, by the actor's own view of its path; no other one of that name. */
static int open_told(const struct debar_event *event)
{
	char path[DEBAR_PATH_LEN + 64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%u/root%s", event->actor.pid, event->path);
	fd = open_same(path, event);
	return fd < 0 ? open_descriptor(event) : fd;
}

/* What the file is, if it still has the event's digest: an element vouches for that, or a hash. */
static int find_out(struct hold *hold, int fd, const struct debar_event *event,
		    struct debar_answer *ret_answer)
{
	struct debar_file file;
	__u8 digest[32];
	int ret;

	unignore(hold, fd);
	if (event->hook == DEBAR_HOOK_EXEC)
		marks_add(hold->marks, fd);
	if (!kernel_file(hold->kernel, fd, &file) && file.cookie == event->cookie) {
		ret = kernel_content_get(hold->kernel, &file.digest, &ret_answer->keys);
		if (ret)
			ret = classify(hold, fd, &ret_answer->keys);
	} else {
		ret = classify_copy(hold, fd, &ret_answer->keys, digest);
		if (!ret && memcmp(digest, event->digest, sizeof(digest)))
			ret = -ESTALE;
		if (!ret)
			ret = kernel_content(hold->kernel, digest, &ret_answer->keys);
	}
	locate(hold, fd, ret_answer);
	return ret;
}

void hold_answer(struct hold *hold, const struct debar_event *event)
{
	cleanup(cleanup_fd) int fd = open_told(event);
	struct debar_answer answer;
	int ret = fd < 0 ? fd : find_out(hold, fd, event, &answer);

	if (event->cookie)
		kernel_answer(hold->kernel, event->cookie, ret ? NULL : &answer);
}

void hold_counts(const struct hold *hold, unsigned long *ret_answered, unsigned long *ret_late)
{
	*ret_answered = __atomic_load_n(&hold->answered, __ATOMIC_RELAXED);
	*ret_late = __atomic_load_n(&hold->late, __ATOMIC_RELAXED);
}

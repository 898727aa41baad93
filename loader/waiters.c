// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/fanotify.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "loader/clock.h"
#include "loader/kernel.h"
#include "loader/marks.h"
#include "loader/waiters.h"
#include "loader/watchdog.h"

#define WORKERS 2
#define WORKERS_MAX 32 /* when the others are stuck in a file system, or slow */
#define STACK_SIZE (512 << 10)
#define ROUND_MS 100
#define OTHERS_MS 1000
#define SLOW 200000000LL /* a waiter that no worker took: one more is needed */
#define ASKED (FAN_OPEN_EXEC_PERM | FAN_OPEN_PERM)

/* Each has a descriptor, and no event is read that none could be made for: that refuses the act. */
#define WAITING_MAX 2048

struct waiters {
	struct waiters_owner owner;
	struct kernel *kernel;
	struct watchdog *watchdog;
	struct marks *marks;
	int fan;
	int stop; /* eventfd */
	pid_t self;
	pthread_t dispatcher, follower, workers[WORKERS_MAX];
	unsigned int worker_count;
	bool dispatching, following;
	pthread_mutex_t lock;
	pthread_cond_t queued;
	struct waiter *first;
	unsigned int waiting;
	bool stopping;
};

static int start_thread(struct waiters *waiters, pthread_t *ret_thread, void *(*run)(void *))
{
	pthread_attr_t attributes;
	int ret;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_SIZE);
	ret = pthread_create(ret_thread, &attributes, run, waiters);
	pthread_attr_destroy(&attributes);
	return -ret;
}

/* ---- answers ------------------------------------------------------------------------------ */

static void let_go(struct waiters *waiters, int fd, bool allow)
{
	struct fanotify_response response = { .fd = fd, .response = allow ? FAN_ALLOW : FAN_DENY };

	if (write(waiters->fan, &response, sizeof(response)) != sizeof(response))
		return; /* it was killed while it waited */
}

void waiters_ignore(struct waiters *waiters, int fd, uint64_t mask)
{
	fanotify_mark(waiters->fan, FAN_MARK_ADD | FAN_MARK_IGNORED_MASK | FAN_MARK_EVICTABLE, mask,
		      fd, NULL);
}

void waiters_unignore(struct waiters *waiters, int fd)
{
	fanotify_mark(waiters->fan, FAN_MARK_REMOVE | FAN_MARK_IGNORED_MASK,
		      waiters->owner.mask & ASKED, fd, NULL);
}

void waiters_unignore_all(struct waiters *waiters)
{
	fanotify_mark(waiters->fan, FAN_MARK_FLUSH, 0, AT_FDCWD, "/");
}

void waiters_mark(struct waiters *waiters, int fd)
{
	marks_add(waiters->marks, fd);
}

void waiters_lock(struct waiters *waiters)
{
	pthread_mutex_lock(&waiters->lock);
}

void waiters_unlock(struct waiters *waiters)
{
	pthread_mutex_unlock(&waiters->lock);
}

/* ---- workers ------------------------------------------------------------------------------ */

static struct waiter *take_waiter(struct waiters *waiters)
{
	struct waiter *waiter;

	pthread_mutex_lock(&waiters->lock);
	for (;;) {
		for (waiter = waiters->first; waiter && waiter->taken;)
			waiter = waiter->next;
		if (waiter || waiters->stopping)
			break;
		pthread_cond_wait(&waiters->queued, &waiters->lock);
	}
	if (waiter)
		waiter->taken = true;
	pthread_mutex_unlock(&waiters->lock);
	return waiter;
}

static void finish_waiter(struct waiters *waiters, struct waiter *waiter, bool allow)
{
	struct waiter **at;

	pthread_mutex_lock(&waiters->lock);
	for (at = &waiters->first; *at != waiter;)
		at = &(*at)->next;
	*at = waiter->next;
	waiters->waiting--;
	if (!waiter->answered) {
		let_go(waiters, waiter->fd, allow);
	}
	pthread_mutex_unlock(&waiters->lock);
	if (waiters->owner.after)
		waiters->owner.after(waiters->owner.ctx, waiter);
	close(waiter->fd);
	free(waiter);
}

static void *work(void *arg)
{
	struct waiters *waiters = arg;
	struct waiter *waiter;
	bool allow;

	while ((waiter = take_waiter(waiters))) {
		allow = true;
		if (!__atomic_load_n(&waiter->answered, __ATOMIC_RELAXED))
			allow = waiters->owner.answer(waiters->owner.ctx, waiter);
		finish_waiter(waiters, waiter, allow);
	}
	return NULL;
}

static int add_worker(struct waiters *waiters)
{
	int ret;

	if (waiters->worker_count == WORKERS_MAX)
		return -EAGAIN;
	ret = start_thread(waiters, &waiters->workers[waiters->worker_count], work);
	if (!ret)
		waiters->worker_count++;
	return ret;
}

/* ---- the thread that reads the events and keeps the time ---------------------------------- */

/* Who has waited too long goes; a worker may still be reading. */
static void let_late_go(struct waiters *waiters)
{
	int64_t now = clock_ns(CLOCK_MONOTONIC);
	struct waiter *waiter;
	bool slow = false;

	pthread_mutex_lock(&waiters->lock);
	for (waiter = waiters->first; waiter; waiter = waiter->next) {
		slow |= !waiter->taken && now - waiter->since > SLOW;
		if (waiter->answered || now - waiter->since < waiters->owner.limit)
			continue;
		let_go(waiters, waiter->fd, waiters->owner.late(waiters->owner.ctx, waiter));
		waiter->answered = true;
	}
	if (slow)
		(void)add_worker(waiters);
	pthread_mutex_unlock(&waiters->lock);
}

static void enqueue(struct waiters *waiters, const struct fanotify_event_metadata *event)
{
	struct waiter now = { .fd = event->fd,
			      .pid = event->pid,
			      .mask = event->mask,
			      .since = clock_ns(CLOCK_MONOTONIC) };
	struct waiter *waiter = malloc(sizeof(*waiter)), **at;

	if (!waiter) {
		let_go(waiters, event->fd, waiters->owner.late(waiters->owner.ctx, &now));
		close(event->fd);
		return;
	}
	*waiter = now;
	pthread_mutex_lock(&waiters->lock);
	for (at = &waiters->first; *at;)
		at = &(*at)->next;
	*at = waiter;
	waiters->waiting++;
	pthread_cond_signal(&waiters->queued);
	pthread_mutex_unlock(&waiters->lock);
}

/* The controller waits for nobody: least of all for itself, with its log or its policy. */
static void take_event(struct waiters *waiters, const struct fanotify_event_metadata *event)
{
	if (event->fd < 0)
		return;
	if (event->mask & ASKED && event->pid != waiters->self) {
		enqueue(waiters, event);
		return;
	}
	if (event->mask & ASKED)
		let_go(waiters, event->fd, true);
	else
		waiters_unignore(waiters, event->fd);
	close(event->fd);
}

static void read_events(struct waiters *waiters)
{
	char buffer[8192] __attribute__((aligned(8)));
	struct fanotify_event_metadata *event = (void *)buffer;
	ssize_t len = read(waiters->fan, buffer, sizeof(buffer));

	if (len < 0 && errno != EAGAIN && errno != EINTR)
		waiters_unignore_all(waiters); /* somebody's writing may have gone by */
	for (; len > 0 && FAN_EVENT_OK(event, len); event = FAN_EVENT_NEXT(event, len))
		take_event(waiters, event);
}

static unsigned int count_waiting(struct waiters *waiters)
{
	return __atomic_load_n(&waiters->waiting, __ATOMIC_RELAXED);
}

static void *dispatch(void *arg)
{
	struct waiters *waiters = arg;
	struct pollfd polled[] = {
		{ .fd = waiters->stop, .events = POLLIN },
		{ .fd = waiters->fan, .events = POLLIN },
	};
	struct debar_state *state = kernel_state(waiters->kernel);

	for (;;) {
		poll(polled, count_waiting(waiters) < WAITING_MAX ? 2 : 1, ROUND_MS);
		watchdog_beat(waiters->watchdog);
		__atomic_store_n(&state->heartbeat, clock_ns(CLOCK_BOOTTIME), __ATOMIC_RELAXED);
		if (polled[0].revents)
			return NULL;
		if (polled[1].revents && count_waiting(waiters) < WAITING_MAX)
			read_events(waiters);
		let_late_go(waiters);
	}
}

/* New mounts, by a thread of its own: a path may lead through a server that does not answer. */
static void *follow(void *arg)
{
	struct waiters *waiters = arg;
	struct pollfd polled[] = {
		{ .fd = waiters->stop, .events = POLLIN },
		{ .fd = marks_fd(waiters->marks), .events = POLLPRI },
	};

	for (;;) {
		if (waiters->owner.everywhere)
			marks_follow_others(waiters->marks);
		poll(polled, 2, waiters->owner.everywhere ? OTHERS_MS : -1);
		if (polled[0].revents)
			return NULL;
		if (polled[1].revents)
			marks_follow(waiters->marks);
	}
}

/* ---- start and stop ----------------------------------------------------------------------- */

/* Nobody waits for what this process could have done before. */
static void prepare_process(void)
{
	struct rlimit limit;

	OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CONFIG, NULL); /* reads a file */
	mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT);    /* no waiting for our pages */
	setpriority(PRIO_PROCESS, 0, -20); /* nor behind who waits for us; for threads too */
	if (!getrlimit(RLIMIT_NOFILE, &limit) && limit.rlim_cur < WATCHDOG_DESCRIPTORS) {
		limit.rlim_cur = limit.rlim_max < WATCHDOG_DESCRIPTORS ? limit.rlim_max :
									 WATCHDOG_DESCRIPTORS;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

static int start(struct waiters *waiters)
{
	int ret = 0, i;

	/*
	 * The kernel opens the file of each event while it is read, and nothing may make that wait:
	 * somebody's lease would for 45 seconds, a FIFO without a writer for ever.
	 */
	waiters->fan = fanotify_init(FAN_CLASS_CONTENT | FAN_CLOEXEC | FAN_NONBLOCK |
					     FAN_UNLIMITED_QUEUE | FAN_UNLIMITED_MARKS,
				     O_RDONLY | O_LARGEFILE | O_CLOEXEC | O_NOATIME | O_NONBLOCK);
	waiters->stop = eventfd(0, EFD_CLOEXEC);
	if (waiters->fan < 0 || waiters->stop < 0)
		return -errno;
	prepare_process();
	ret = watchdog_guard(waiters->watchdog, waiters->fan);
	if (ret)
		return ret;
	watchdog_beat(waiters->watchdog);
	kernel_state(waiters->kernel)->heartbeat = clock_ns(CLOCK_BOOTTIME);
	for (i = 0; !ret && i < WORKERS; i++)
		ret = add_worker(waiters);
	if (!ret)
		ret = start_thread(waiters, &waiters->dispatcher, dispatch);
	if (ret)
		return ret;
	waiters->dispatching = true;
	ret = marks_new(&waiters->marks, waiters->fan, waiters->owner.mask);
	if (!ret)
		ret = start_thread(waiters, &waiters->follower, follow);
	waiters->following = !ret;
	return ret;
}

int waiters_start(struct waiters **ret_waiters, const struct waiters_owner *owner,
		  struct kernel *kernel, struct watchdog *watchdog)
{
	struct waiters *waiters = calloc(1, sizeof(*waiters));
	int ret;

	if (!waiters)
		return -ENOMEM;
	*waiters = (struct waiters){
		.owner = *owner, .kernel = kernel, .watchdog = watchdog, .self = getpid()
	};
	pthread_mutex_init(&waiters->lock, NULL);
	pthread_cond_init(&waiters->queued, NULL);
	*ret_waiters = waiters; /* the first question may come before the last mark is set */
	ret = start(waiters);
	if (ret) {
		*ret_waiters = NULL;
		waiters_stop(waiters);
	}
	return ret;
}

void waiters_stop(struct waiters *waiters)
{
	uint64_t one = 1;
	unsigned int i;

	if (!waiters)
		return;
	if (waiters->marks)
		marks_clear(waiters->marks); /* nobody is held from here on */
	if (waiters->stop >= 0 && write(waiters->stop, &one, sizeof(one)) != sizeof(one))
		return;
	if (waiters->dispatching)
		pthread_join(waiters->dispatcher, NULL);
	if (waiters->following)
		pthread_join(waiters->follower, NULL);
	marks_free(waiters->marks);
	pthread_mutex_lock(&waiters->lock);
	waiters->stopping = true;
	pthread_cond_broadcast(&waiters->queued);
	pthread_mutex_unlock(&waiters->lock);
	for (i = 0; i < waiters->worker_count; i++)
		pthread_join(waiters->workers[i], NULL);
	if (waiters->fan >= 0) {
		(void)watchdog_guard(waiters->watchdog, -1);
		close(waiters->fan);
	}
	if (waiters->stop >= 0)
		close(waiters->stop);
	free(waiters);
}

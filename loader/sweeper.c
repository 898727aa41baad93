// SPDX-License-Identifier: MIT
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "loader/message.h"
#include "loader/sweeper.h"
#include "policy/cleanup.h"

#define QUEUE_MAX 64
#define PAUSE_SECONDS 1 /* between two sweeps: what is found late comes in crowds */
#define STOP_SECONDS 3

struct sweeper {
	struct sweep *sweep;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t woken; /* asked, stopping, or there is room in the queue */
	int ready;	      /* eventfd: the queue holds something */
	bool asked, afresh, stop;
	size_t count;
	struct debar_event queue[QUEUE_MAX];
};

/* Waits while nobody takes what is told: it is told late, and never lost. */
static void enqueue(void *ctx, const struct debar_event *event)
{
	struct sweeper *sweeper = ctx;
	const uint64_t one = 1;

	pthread_mutex_lock(&sweeper->lock);
	while (sweeper->count == QUEUE_MAX && !sweeper->stop)
		pthread_cond_wait(&sweeper->woken, &sweeper->lock);
	if (sweeper->count < QUEUE_MAX)
		sweeper->queue[sweeper->count++] = *event;
	pthread_mutex_unlock(&sweeper->lock);
	(void)!write(sweeper->ready, &one, sizeof(one));
}

/* True with what is asked for; false to end. */
static bool await(struct sweeper *sweeper, bool *ret_afresh)
{
	bool stop;

	pthread_mutex_lock(&sweeper->lock);
	while (!sweeper->asked && !sweeper->stop)
		pthread_cond_wait(&sweeper->woken, &sweeper->lock);
	*ret_afresh = sweeper->afresh;
	sweeper->asked = sweeper->afresh = false;
	stop = sweeper->stop;
	pthread_mutex_unlock(&sweeper->lock);
	return !stop;
}

static void rest(struct sweeper *sweeper)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += PAUSE_SECONDS;
	pthread_mutex_lock(&sweeper->lock);
	while (!sweeper->stop && !sweeper->afresh &&
	       !pthread_cond_timedwait(&sweeper->woken, &sweeper->lock, &until))
		;
	pthread_mutex_unlock(&sweeper->lock);
}

static void *work(void *arg)
{
	struct sweeper *sweeper = arg;
	struct sweep_tally tally;
	bool afresh;
	int err;

	while (await(sweeper, &afresh)) {
		if (afresh)
			sweep_afresh(sweeper->sweep);
		err = sweep_through(sweeper->sweep, &sweeper->stop, &tally);
		if (!err)
			sweep_conclude(sweeper->sweep, &tally);
		else if (err != -EAGAIN && err != -ECANCELED)
			message_warning("cannot look through what runs: %s", strerror(-err));
		rest(sweeper);
	}
	return NULL;
}

int sweeper_start(struct sweeper **ret_sweeper, const struct sweep_options *options)
{
	struct sweep_options mine = *options;
	struct sweeper *sweeper = calloc(1, sizeof(*sweeper));
	int err;

	if (!sweeper)
		return -ENOMEM;
	pthread_mutex_init(&sweeper->lock, NULL);
	pthread_cond_init(&sweeper->woken, NULL);
	mine.tell = enqueue;
	mine.tell_ctx = sweeper;
	sweeper->ready = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	err = sweeper->ready < 0 ? -errno : sweep_new(&sweeper->sweep, &mine);
	if (!err)
		err = -pthread_create(&sweeper->thread, NULL, work, sweeper);
	if (err) {
		sweep_free(sweeper->sweep);
		cleanup_fd(&sweeper->ready);
		free(sweeper);
		return err;
	}
	*ret_sweeper = sweeper;
	return 0;
}

void sweeper_ask(struct sweeper *sweeper, bool afresh)
{
	pthread_mutex_lock(&sweeper->lock);
	sweeper->asked = true;
	sweeper->afresh |= afresh;
	pthread_cond_broadcast(&sweeper->woken);
	pthread_mutex_unlock(&sweeper->lock);
}

int sweeper_fd(const struct sweeper *sweeper)
{
	return sweeper->ready;
}

void sweeper_pass(struct sweeper *sweeper, sweep_tell_fn *tell, void *ctx)
{
	struct debar_event *events = malloc(sizeof(sweeper->queue));
	size_t count, i;
	uint64_t n;

	if (!events)
		return; /* the next time */
	(void)!read(sweeper->ready, &n, sizeof(n));
	pthread_mutex_lock(&sweeper->lock);
	count = sweeper->count;
	memcpy(events, sweeper->queue, count * sizeof(*events));
	sweeper->count = 0;
	pthread_cond_broadcast(&sweeper->woken);
	pthread_mutex_unlock(&sweeper->lock);
	for (i = 0; i < count; i++)
		tell(ctx, &events[i]);
	free(events);
}

void sweeper_stop(struct sweeper *sweeper)
{
	struct timespec until;

	if (!sweeper)
		return;
	pthread_mutex_lock(&sweeper->lock);
	__atomic_store_n(&sweeper->stop, true, __ATOMIC_RELAXED);
	pthread_cond_broadcast(&sweeper->woken);
	pthread_mutex_unlock(&sweeper->lock);
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += STOP_SECONDS;
	if (pthread_timedjoin_np(sweeper->thread, NULL, &until))
		return; /* it reads from what does not answer, and still uses all of this */
	sweep_free(sweeper->sweep);
	close(sweeper->ready);
	free(sweeper);
}

// SPDX-License-Identifier: MIT
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "bpf/abi.h"
#include "loader/askers.h"

#define THREADS_MAX 8 /* so many servers may hang */
#define WAITING_MAX 256
#define STACK_SIZE (512 << 10)
#define STOP_SECONDS 1

struct asker {
	struct asker *next;
	struct debar_event event;
};

struct askers {
	askers_fn *answer;
	void *ctx;
	pthread_mutex_t lock;
	pthread_cond_t queued, ended;
	struct asker *first, **last;
	unsigned int waiting, threads, idle;
	bool stopping;
};

static void *work(void *arg)
{
	struct askers *askers = arg;
	struct asker *asker;

	pthread_mutex_lock(&askers->lock);
	while (!askers->stopping) {
		asker = askers->first;
		if (!asker) {
			askers->idle++;
			pthread_cond_wait(&askers->queued, &askers->lock);
			askers->idle--;
			continue;
		}
		askers->first = asker->next;
		if (!askers->first)
			askers->last = &askers->first;
		askers->waiting--;
		pthread_mutex_unlock(&askers->lock);
		askers->answer(askers->ctx, &asker->event);
		free(asker);
		pthread_mutex_lock(&askers->lock);
	}
	askers->threads--;
	pthread_cond_signal(&askers->ended);
	pthread_mutex_unlock(&askers->lock);
	return NULL;
}

/* Under the lock. Detached: one that is stuck can be waited for by nobody. */
static int add_thread(struct askers *askers)
{
	pthread_attr_t attributes;
	pthread_t thread;
	int ret;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_SIZE);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	ret = pthread_create(&thread, &attributes, work, askers);
	pthread_attr_destroy(&attributes);
	askers->threads += !ret;
	return -ret;
}

int askers_start(struct askers **ret_askers, askers_fn *answer, void *ctx)
{
	struct askers *askers = calloc(1, sizeof(*askers));
	int ret;

	if (!askers)
		return -ENOMEM;
	askers->answer = answer;
	askers->ctx = ctx;
	askers->last = &askers->first;
	pthread_mutex_init(&askers->lock, NULL);
	pthread_cond_init(&askers->queued, NULL);
	pthread_cond_init(&askers->ended, NULL);
	pthread_mutex_lock(&askers->lock);
	ret = add_thread(askers);
	pthread_mutex_unlock(&askers->lock);
	if (ret)
		free(askers);
	else
		*ret_askers = askers;
	return ret;
}

bool askers_add(struct askers *askers, const struct debar_event *event)
{
	struct asker *asker = malloc(sizeof(*asker));
	bool room;

	if (!asker)
		return false;
	*asker = (struct asker){ .event = *event };
	pthread_mutex_lock(&askers->lock);
	room = askers->waiting < WAITING_MAX;
	if (room) {
		*askers->last = asker;
		askers->last = &asker->next;
		askers->waiting++;
		if (askers->waiting > askers->idle && askers->threads < THREADS_MAX)
			(void)add_thread(askers);
		pthread_cond_signal(&askers->queued);
	}
	pthread_mutex_unlock(&askers->lock);
	if (!room)
		free(asker);
	return room;
}

int askers_stop(struct askers *askers)
{
	struct timespec end;
	struct asker *asker;
	unsigned int left;

	if (!askers)
		return 0;
	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += STOP_SECONDS;
	pthread_mutex_lock(&askers->lock);
	askers->stopping = true;
	pthread_cond_broadcast(&askers->queued);
	while (askers->threads &&
	       !pthread_cond_clockwait(&askers->ended, &askers->lock, CLOCK_MONOTONIC, &end))
		;
	left = askers->threads;
	while ((asker = askers->first)) {
		askers->first = asker->next;
		free(asker);
	}
	askers->last = &askers->first;
	pthread_mutex_unlock(&askers->lock);
	if (left)
		return -ETIMEDOUT;
	free(askers);
	return 0;
}

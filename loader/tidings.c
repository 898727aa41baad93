// SPDX-License-Identifier: MIT
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "loader/tidings.h"

#define EVENTS_MAX 1024

struct tidings {
	pthread_mutex_t lock;
	int ready; /* eventfd */
	unsigned int first, count;
	struct debar_event events[EVENTS_MAX];
};

int tidings_new(struct tidings **ret_tidings)
{
	struct tidings *tidings = calloc(1, sizeof(*tidings));

	if (!tidings)
		return -ENOMEM;
	pthread_mutex_init(&tidings->lock, NULL);
	tidings->ready = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (tidings->ready < 0) {
		free(tidings);
		return -errno;
	}
	*ret_tidings = tidings;
	return 0;
}

void tidings_free(struct tidings *tidings)
{
	if (!tidings)
		return;
	close(tidings->ready);
	free(tidings);
}

bool tidings_add(struct tidings *tidings, const struct debar_event *event)
{
	uint64_t one = 1;
	bool room;

	pthread_mutex_lock(&tidings->lock);
	room = tidings->count < EVENTS_MAX;
	if (room)
		tidings->events[(tidings->first + tidings->count++) % EVENTS_MAX] = *event;
	pthread_mutex_unlock(&tidings->lock);
	(void)!write(tidings->ready, &one, sizeof(one));
	return room;
}

int tidings_fd(const struct tidings *tidings)
{
	return tidings->ready;
}

bool tidings_take(struct tidings *tidings, struct debar_event *ret_event)
{
	uint64_t all;
	bool some;

	pthread_mutex_lock(&tidings->lock);
	some = tidings->count > 0;
	if (some) {
		*ret_event = tidings->events[tidings->first];
		tidings->first = (tidings->first + 1) % EVENTS_MAX;
		tidings->count--;
	} else {
		(void)!read(tidings->ready, &all, sizeof(all));
	}
	pthread_mutex_unlock(&tidings->lock);
	return some;
}

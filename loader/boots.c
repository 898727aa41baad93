// SPDX-License-Identifier: MIT
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "loader/boots.h"
#include "loader/clock.h"
#include "loader/message.h"
#include "loader/notify.h"
#include "policy/cleanup.h"

/* Asking the service manager is left to a thread: where that one hangs, we do not. */
struct boots_watch {
	struct boots boots;
	bool asking, started; /* the thread's; and what it found: the system has started up */
	int64_t since, asked; /* boot clock */
	int64_t good_after;
};

#define SECOND 1000000000LL
#define ASK_EVERY (5 * SECOND)

static long setting(const char *name, long usual)
{
	const char *text = secure_getenv(name);
	char *end;
	long value = text ? strtol(text, &end, 10) : usual;

	if (text && (end == text || *end || value < 0 || value > 100000)) {
		message_warning("%s=%s is no number that makes sense: %ld it is", name, text,
				usual);
		return usual;
	}
	return value;
}

static int boot_id(char ret_id[40])
{
	cleanup(cleanup_file) FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");

	return file && fscanf(file, "%39s", ret_id) == 1 ? 0 : -EIO;
}

static void keep(const struct boots *boots)
{
	int err = mkdir("/var/lib/debar", 0755) && errno != EEXIST ? -errno : 0;

	if (!err)
		err = boots_write(BOOTS_FILE, boots);
	if (err)
		message_warning("cannot write %s, so that boots which fail are not counted: %s",
				BOOTS_FILE, strerror(-err));
}

bool boots_start(struct boots_watch **ret_watch)
{
	unsigned int limit = (unsigned int)setting("DEBAR_FAILED_BOOTS", BOOTS_FAILED);
	cleanup(cleanup_free) struct boots_watch *watch = calloc(1, sizeof(*watch));
	char id[40];

	*ret_watch = NULL;
	if (!watch || !limit || boot_id(id))
		return false;
	watch->since = clock_ns(CLOCK_BOOTTIME);
	watch->good_after = setting("DEBAR_GOOD_AFTER", BOOTS_GOOD_AFTER) * SECOND;
	boots_read(BOOTS_FILE, &watch->boots);
	if (boots_begin(&watch->boots, id, limit))
		keep(&watch->boots);
	*ret_watch = watch;
	if (!take(watch)->boots.audit)
		return false;
	message_warning("%u boots under enforcement were not found good: this one only reports",
			(*ret_watch)->boots.failed);
	message_hint("to enforce at once: rm %s, and start debar again", BOOTS_FILE);
	return true;
}

static void *ask(void *arg)
{
	struct boots_watch *watch = arg;

	if (notify_started_up())
		__atomic_store_n(&watch->started, true, __ATOMIC_RELAXED);
	__atomic_store_n(&watch->asking, false, __ATOMIC_RELEASE);
	return NULL;
}

static void start_asking(struct boots_watch *watch)
{
	pthread_attr_t detached;
	pthread_t thread;

	pthread_attr_init(&detached);
	pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
	watch->asking = true;
	if (pthread_create(&thread, &detached, ask, watch))
		watch->asking = false;
	pthread_attr_destroy(&detached);
}

static void found_good(struct boots_watch *watch)
{
	watch->boots.good = true;
	keep(&watch->boots);
}

void boots_tick(struct boots_watch *watch)
{
	int64_t now = clock_ns(CLOCK_BOOTTIME);

	if (!watch || watch->boots.good || __atomic_load_n(&watch->asking, __ATOMIC_ACQUIRE))
		return;
	if (!watch->started && now - watch->asked >= ASK_EVERY) {
		watch->asked = now;
		start_asking(watch);
	} else if (watch->started && now - watch->since >= watch->good_after) {
		found_good(watch);
	}
}

void boots_end(struct boots_watch *watch)
{
	if (!watch || __atomic_load_n(&watch->asking, __ATOMIC_ACQUIRE))
		return; /* the thread still uses it; the process ends */
	if (watch->started && !watch->boots.good)
		found_good(watch);
	free(watch);
}

/* SPDX-License-Identifier: MIT */
/*
 * debar events: the history, and with --follow what comes after it. Where no controller reads the
 * kernel's ring, this does, so that nothing waits there until it is full.
 */
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "loader/colour.h"
#include "loader/commands.h"
#include "loader/kernel.h"
#include "loader/lock.h"
#include "loader/message.h"
#include "loader/recorder.h"
#include "loader/report.h"
#include "loader/spool.h"
#include "policy/cleanup.h"

/* How soon a new line is seen, and a controller, or a load, that came or went. */
#define FOLLOW_MS 200

struct events {
	bool follow;
	bool json;
	bool colour;
	size_t damaged;		   /* lines of the history that are no events */
	struct kernel *kernel;	   /* NULL: nothing is loaded, or another version */
	ino_t pins;		   /* which load that is */
	struct recorder *recorder; /* NULL: somebody else reads the ring, or nobody can */
	struct spool_reader *reader;
};

static volatile sig_atomic_t stopped;

static void stop(int number)
{
	(void)number;
	stopped = 1;
}

static void events_detach(struct events *events)
{
	recorder_free(events->recorder);
	kernel_free(events->kernel);
	events->recorder = NULL;
	events->kernel = NULL;
}

static void events_release(struct events *events)
{
	events_detach(events);
	spool_reader_close(events->reader);
}

static int options_read(struct events *events, int argc, char **argv)
{
	static const struct option options[] = {
		{ "follow", no_argument, NULL, 'f' },
		{ "json", no_argument, NULL, 'j' },
		{},
	};
	int option;

	optind = 1;
	opterr = 0;
	while ((option = getopt_long(argc, argv, ":", options, NULL)) != -1) {
		bool *flag = option == 'f' ? &events->follow : &events->json;

		if (option != 'f' && option != 'j')
			return message_error(EINVAL, "debar events does not take %s",
					     argv[optind - 1]);
		if (*flag)
			return message_error(EINVAL, "%s is given twice", argv[optind - 1]);
		*flag = true;
	}
	if (optind < argc)
		return message_error(EINVAL, "debar events does not take %s", argv[optind]);
	events->colour = !events->json && colour_wanted(stdout);
	return 0;
}

/* ---- printing ----------------------------------------------------------------------------- */

/* A line that a crash or a full disk cut is no event; it is counted and told at the end. */
static void line_print(struct events *events, const char *line)
{
	cleanup(json_decrefp) json_t *event = json_loads(line, 0, NULL);
	cleanup(cleanup_free) char *text = NULL;

	if (report_text(event, events->colour, &text))
		events->damaged += *line != '\0';
	else
		puts(events->json ? line : text);
}

/* Of the recorder: what is in the history is read from there, and only the rest printed here. */
static int line_take(void *ctx, const char *line)
{
	struct events *events = ctx;

	if (!recorder_kept(events->recorder))
		line_print(events, line);
	return 0;
}

static int history_print(struct events *events)
{
	int got;

	do {
		cleanup(cleanup_free) char *line = NULL;

		got = spool_reader_next(events->reader, &line);
		if (got > 0)
			line_print(events, line);
	} while (got > 0 && !ferror(stdout));
	return got < 0 ? message_error(got, "cannot read the events in %s: %s", RUN_DIR,
				       strerror(-got)) :
			 0;
}

/* ---- who reads the ring ------------------------------------------------------------------- */

static ino_t pins_now(void)
{
	struct stat st;

	return stat(KERNEL_PIN_DIR, &st) < 0 ? 0 : st.st_ino;
}

/* Become the reader of the ring if nobody is. */
static int events_attach(struct events *events)
{
	struct kernel_error error = {};
	int err = 0;

	if (!events->kernel) {
		events->pins = pins_now();
		if (!events->pins)
			return 0;
		err = kernel_open(&events->kernel, &error);
	}
	if (err && err != -ENOENT)
		return message_kernel(err, &error);
	if (err || events->recorder || lock_controller_pid())
		return 0;
	err = recorder_new(&events->recorder, events->kernel, line_take, events);
	if (err && err != -EBUSY)
		return message_error(err, "cannot keep events in %s: %s", RUN_DIR, strerror(-err));
	return 0;
}

static int ring_read(struct events *events, int timeout_ms)
{
	int err;

	if (!events->recorder)
		return 0;
	err = recorder_read(events->recorder, timeout_ms);
	if (err == -EINTR)
		err = 0;
	if (err >= 0)
		err = recorder_tick(events->recorder);
	return err < 0 ? message_error(err, "cannot read events from the kernel: %s",
				       strerror(-err)) :
			 0;
}

/* A controller has come, or what was loaded is gone: then the ring is not ours to read. */
static void events_yield(struct events *events)
{
	if (events->kernel && pins_now() != events->pins)
		events_detach(events);
	if (events->recorder && lock_controller_pid()) {
		recorder_free(events->recorder);
		events->recorder = NULL;
	}
}

static int wait_ms(const struct events *events)
{
	int wait = recorder_wait(events->recorder);

	return wait < 0 || wait > FOLLOW_MS ? FOLLOW_MS : wait;
}

/* ---- the verb ----------------------------------------------------------------------------- */

static int once(struct events *events)
{
	int err = events_attach(events), broken;

	broken = ring_read(events, 0);
	events_detach(events); /* what is folded goes to the history now */
	if (!err)
		err = broken;
	broken = history_print(events);
	return err ? err : broken;
}

static int follow(struct events *events)
{
	const struct sigaction action = { .sa_handler = stop };
	int err = 0;

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	while (!err && !stopped) {
		events_yield(events);
		err = events_attach(events);
		if (!err && events->recorder)
			err = ring_read(events, wait_ms(events));
		else if (!err)
			poll(NULL, 0, FOLLOW_MS);
		if (!err)
			err = history_print(events);
		if (fflush(stdout))
			break; /* whoever read has gone; main() says so */
	}
	events_detach(events);
	return err ? err : history_print(events);
}

int cmd_events(int argc, char **argv)
{
	cleanup(events_release) struct events events = {};
	bool pinned;
	int err;

	if (options_read(&events, argc, argv))
		return EXIT_ERROR;
	if (geteuid()) {
		message_error(EPERM, "only root may read events");
		return EXIT_ERROR;
	}
	pinned = kernel_pinned();
	if (!pinned && !events.follow)
		message_info("nothing is loaded now");
	err = pinned || events.follow ? lock_dir() : 0;
	if (!err)
		err = spool_reader_open(&events.reader, RUN_DIR);
	if (err == -ENOENT && !pinned)
		return EXIT_DONE; /* nor was it since the machine was started */
	if (err) {
		message_error(err, "cannot read the events in %s: %s", RUN_DIR, strerror(-err));
		return EXIT_ERROR;
	}
	err = events.follow ? follow(&events) : once(&events);
	if (events.damaged)
		message_warning("%zu lines of the history in %s are damaged", events.damaged,
				RUN_DIR);
	return err ? EXIT_ERROR : EXIT_DONE;
}

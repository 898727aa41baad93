/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <linux/limits.h>
#include <string.h>
#include <time.h>

#include "loader/answer.h"
#include "loader/clock.h"
#include "loader/destroy.h"
#include "loader/fold.h"
#include "loader/kernel.h"
#include "loader/lock.h"
#include "loader/message.h"
#include "loader/recorder.h"
#include "loader/report.h"
#include "loader/spool.h"
#include "loader/store.h"
#include "loader/witness.h"
#include "policy/cleanup.h"

#define SUBJECT_MAX 1024 /* bytes of a certificate's name in an event */

struct recorder {
	struct kernel *kernel;
	struct spool *spool;
	recorder_line_fn *line;
	void *ctx;
	recorder_watch_fn *watch;
	void *watch_ctx;
	recorder_name_fn *name;
	void *name_ctx;
	int proc;
	int cgroups;
	uint64_t lost;
	bool kept; /* the last line is in the history; else it was complained of */
	/* Rules are numbered by generation; two are in use while one takes the other's place. */
	struct {
		uint32_t generation;	  /* 0: none yet */
		struct policy_book *book; /* NULL: none is stored */
	} books[2];
	struct fold fold;
};

/* Asked again where there was none: it is stored a moment after its generation is in force. */
static const struct policy_book *book_of(struct recorder *recorder, uint32_t generation)
{
	unsigned int slot = generation & 1;

	if (recorder->books[slot].generation != generation) {
		policy_book_free(recorder->books[slot].book);
		recorder->books[slot].book = NULL;
		recorder->books[slot].generation = generation;
	}
	if (!recorder->books[slot].book)
		(void)store_book(generation, &recorder->books[slot].book);
	return recorder->books[slot].book;
}

/* An event that cannot be kept is still handed on. */
static int line_keep(struct recorder *recorder, const char *line)
{
	int err = spool_append(recorder->spool, line);

	if (err && recorder->kept)
		message_warning("cannot keep events in %s: %s", RUN_DIR, strerror(-err));
	recorder->kept = !err;
	return recorder->line ? recorder->line(recorder->ctx, line) : 0;
}

/* The ring has two kinds of records, told apart by their size. */
union record {
	struct debar_event file;
	struct debar_net_event net;
};

_Static_assert(sizeof(struct debar_event) != sizeof(struct debar_net_event), "one size, two kinds");

/* Of a socket's owner only the id of the cgroup is kept, not its names. */
static const char no_names[2][DEBAR_CGROUP_LEN];

static int event_tell(struct recorder *recorder, const void *record, size_t size,
		      unsigned int count)
{
	const struct debar_state *state = kernel_state(recorder->kernel);
	struct report_context context = { .lost = recorder->lost, .count = count };
	const struct debar_net_event *net = record;
	const struct debar_event *file = record;
	bool is_net = size == sizeof(*net);
	const struct debar_actor *actor = is_net ? &net->actor : &file->actor;
	char executable[PATH_MAX], container[CONTAINER_ID_MAX + 1], subject[SUBJECT_MAX];
	cleanup(cleanup_free) char *line = NULL;
	int err;

	context.mode = state->mode == DEBAR_MODE_ENFORCE ? "enforce" : "audit";
	context.gate = !is_net && kernel_parts(recorder->kernel) & KERNEL_GATE;
	context.book = book_of(recorder, is_net ? net->generation : file->generation);
	if (witness_executable(recorder->proc, actor, executable, sizeof(executable)))
		context.executable = executable;
	if (witness_container(recorder->cgroups, actor, is_net ? no_names : file->cgroup,
			      container))
		context.container = container;
	if (!is_net && recorder->name &&
	    recorder->name(recorder->name_ctx, &file->key, subject, sizeof(subject)))
		context.subject = subject;
	err = is_net ? report_net_json(net, &context, &line) : report_json(file, &context, &line);
	return err ? err : line_keep(recorder, line);
}

static int pass(void *ctx, const void *record, size_t size, unsigned int count)
{
	return event_tell(ctx, record, size, count);
}

/* Nothing was decided: the kernel asks for keys. */
static bool is_question(const struct debar_event *event)
{
	return event->because == DEBAR_BECAUSE_UNCLASSIFIED &&
	       event->outcome == DEBAR_OUTCOME_UNKNOWN;
}

/* A record of a kind this version does not know cannot be told; its act was decided all the same. */
static int receive(void *ctx, const void *record, size_t size)
{
	struct recorder *recorder = ctx;
	union record essence;
	int err = -EPROTO;

	if (size == sizeof(essence.file)) {
		if (recorder->watch)
			recorder->watch(recorder->watch_ctx, record);
		if (is_question(record))
			return 0;
		report_essence(record, &essence.file);
	} else if (size == sizeof(essence.net)) {
		/* First of all: its program waits for an answer that it will not get. */
		if (((const struct debar_net_event *)record)->flags & DEBAR_NETEV_REFUSED)
			(void)destroy_socket(record);
		if (((const struct debar_net_event *)record)->flags & DEBAR_NETEV_ANSWER)
			(void)answer_question(record);
		report_net_essence(record, &essence.net);
	} else {
		size = 0;
	}
	if (size)
		err = fold_add(&recorder->fold, record, &essence, size, clock_ns(CLOCK_BOOTTIME));
	if (err == -EPROTO)
		message_warning("an event of another version cannot be told");
	return err == -EPROTO ? 0 : err;
}

static void lost_read(struct recorder *recorder)
{
	__u64 counters[DEBAR_COUNTER_MAX];

	if (!kernel_counters(recorder->kernel, counters))
		recorder->lost = counters[DEBAR_COUNT_LOST];
}

int recorder_new(struct recorder **ret_recorder, struct kernel *kernel, recorder_line_fn *line,
		 void *ctx)
{
	static const char *const cgroups[] = { "/sys/fs/cgroup", "/sys/fs/cgroup/unified", NULL };
	cleanup(recorder_freep) struct recorder *recorder = calloc(1, sizeof(*recorder));
	int err = lock_dir();

	if (!recorder)
		return -ENOMEM;
	recorder->kernel = kernel;
	recorder->line = line;
	recorder->kept = true;
	recorder->ctx = ctx;
	recorder->fold.pass = pass;
	recorder->fold.ctx = recorder;
	recorder->proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	recorder->cgroups = container_open_cgroups(cgroups);
	if (!err)
		err = spool_open(&recorder->spool, RUN_DIR, SPOOL_FILE_MAX);
	if (err)
		return err;
	*ret_recorder = take(recorder);
	return 0;
}

void recorder_watch(struct recorder *recorder, recorder_watch_fn *watch, void *ctx)
{
	recorder->watch = watch;
	recorder->watch_ctx = ctx;
}

void recorder_name(struct recorder *recorder, recorder_name_fn *name, void *ctx)
{
	recorder->name = name;
	recorder->name_ctx = ctx;
}

void recorder_free(struct recorder *recorder)
{
	if (!recorder)
		return;
	(void)fold_flush(&recorder->fold, clock_ns(CLOCK_BOOTTIME), true);
	spool_close(recorder->spool);
	cleanup_fd(&recorder->proc);
	cleanup_fd(&recorder->cgroups);
	policy_book_free(recorder->books[0].book);
	policy_book_free(recorder->books[1].book);
	free(recorder);
}

int recorder_read(struct recorder *recorder, int timeout_ms)
{
	lost_read(recorder);
	return kernel_events(recorder->kernel, timeout_ms, receive, recorder);
}

int recorder_take(struct recorder *recorder, const struct debar_event *event)
{
	return receive(recorder, event, sizeof(*event));
}

int recorder_tick(struct recorder *recorder)
{
	return fold_flush(&recorder->fold, clock_ns(CLOCK_BOOTTIME), false);
}

int recorder_wait(const struct recorder *recorder)
{
	int64_t wait = fold_wait(&recorder->fold, clock_ns(CLOCK_BOOTTIME));

	return wait < 0 ? -1 : (int)((wait + 999999) / 1000000);
}

bool recorder_kept(const struct recorder *recorder)
{
	return recorder->kept;
}

int recorder_note(struct recorder *recorder, const struct debar_event *event)
{
	return event_tell(recorder, event, sizeof(*event), 1);
}

// SPDX-License-Identifier: MIT
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include <jansson.h>

#include "loader/clock.h"
#include "loader/container.h"
#include "loader/kernel.h"
#include "loader/kills.h"
#include "loader/lock.h"
#include "loader/message.h"
#include "loader/process.h"
#include "loader/sweep.h"
#include "loader/sweep_files.h"
#include "policy/cleanup.h"

#define KILLS_FILE RUN_DIR "/kills"

struct sweep {
	struct sweep_options options;
	int proc, cgroups;
	struct stat self; /* our own program: whoever runs it is debar */
	void *told;	  /* tree of struct finding */
};

/* What is told once: this process has that file. */
struct finding {
	uint64_t started;
	ino_t inode;
	dev_t device;
	pid_t pid;
	__u32 generation;
};

/* One way through, and where it is. */
struct walk {
	struct sweep *sweep;
	struct sweep_files *files;
	struct sweep_tally tally;
	const bool *stop;
	struct process process;
	bool asked;  /* who and actor are filled in */
	bool needed; /* the machine, or debar, cannot do without the process */
	struct debar_actor who;
	struct kernel_task task;
	char cgroup[4096];
};

int sweep_new(struct sweep **ret_sweep, const struct sweep_options *options)
{
	static const char *const cgroups[] = { "/sys/fs/cgroup", "/sys/fs/cgroup/unified", NULL };
	struct sweep *sweep = calloc(1, sizeof(*sweep));

	if (!sweep)
		return -ENOMEM;
	sweep->options = *options;
	sweep->cgroups = container_open_cgroups(cgroups);
	sweep->proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (sweep->proc < 0 || fstatat(sweep->proc, "self/exe", &sweep->self, 0)) {
		int err = -errno;

		sweep_free(sweep);
		return err;
	}
	*ret_sweep = sweep;
	return 0;
}

void sweep_afresh(struct sweep *sweep)
{
	tdestroy(sweep->told, free);
	sweep->told = NULL;
}

void sweep_free(struct sweep *sweep)
{
	if (!sweep)
		return;
	sweep_afresh(sweep);
	cleanup_fd(&sweep->proc);
	cleanup_fd(&sweep->cgroups);
	free(sweep);
}

static void sweep_files_freep(struct sweep_files **files)
{
	sweep_files_free(*files);
}

/* ---- who is it? --------------------------------------------------------------------------- */

static void add_cgroup(struct walk *walk, const char *path)
{
	struct stat st;

	if (walk->task.cgroup_count < KERNEL_CGROUPS_MAX &&
	    !fstatat(walk->sweep->cgroups, path, &st, 0))
		walk->task.cgroups[walk->task.cgroup_count++] = st.st_ino; /* is the cgroup's id */
}

/* From "/a/b": the ids of /, /a and /a/b. */
static void find_cgroups(struct walk *walk)
{
	char *path = walk->cgroup, *slash;

	add_cgroup(walk, ".");
	for (slash = path; slash && slash[1]; slash = strchr(slash + 1, '/')) {
		if (slash == path)
			continue;
		*slash = '\0';
		add_cgroup(walk, path + 1);
		*slash = '/';
	}
	if (path[0] && path[1])
		add_cgroup(walk, path + 1);
	if (walk->task.cgroup_count)
		walk->who.cgroup = walk->task.cgroups[walk->task.cgroup_count - 1];
}

/* Only of a process that something is found in: nearly all have nothing. */
static int ask(struct walk *walk)
{
	int err = 0;

	if (!walk->asked)
		err = process_actor(&walk->process, &walk->who, walk->cgroup, sizeof(walk->cgroup));
	if (err || walk->asked)
		return err;
	walk->task = (struct kernel_task){ .uid = walk->who.uid };
	find_cgroups(walk);
	walk->asked = true;
	return 0;
}

/* ---- tell --------------------------------------------------------------------------------- */

static int compare(const void *one, const void *two)
{
	return memcmp(one, two, sizeof(struct finding));
}

static bool is_new(struct walk *walk, const struct sweep_file *file, __u32 generation)
{
	struct finding *fresh = calloc(1, sizeof(*fresh)), **found;

	if (!fresh)
		return true;
	fresh->started = process_started(&walk->process);
	fresh->inode = file->st.st_ino;
	fresh->device = file->st.st_dev;
	fresh->pid = walk->process.pid;
	fresh->generation = generation;
	found = tsearch(fresh, &walk->sweep->told, compare);
	if (found && *found == fresh)
		return true;
	free(fresh);
	return !found;
}

/* The last two names of its cgroup's path, from which a container is told. */
static void name_cgroups(const struct walk *walk, struct debar_event *event)
{
	const char *last = strrchr(walk->cgroup, '/'), *before = last;

	if (!last || !last[1])
		return;
	while (before > walk->cgroup && before[-1] != '/')
		before--;
	snprintf(event->cgroup[0], DEBAR_CGROUP_LEN, "%s", last + 1);
	snprintf(event->cgroup[1], DEBAR_CGROUP_LEN, "%.*s", (int)(last - before), before);
}

static struct debar_event describe(const struct walk *walk, const char *link,
				   const struct sweep_file *file, const struct kernel_verdict *v)
{
	struct debar_event event = { .size = sizeof(event),
				     .generation = v->generation,
				     .when = clock_ns(CLOCK_REALTIME),
				     .actor = walk->who,
				     .key = v->key,
				     .match = v->match,
				     .device = major(file->st.st_dev) << 20 |
					       minor(file->st.st_dev),
				     .inode = file->st.st_ino,
				     .file_size = (__u64)file->st.st_size,
				     .hook = DEBAR_HOOK_RUNNING,
				     .has_digest = 1 };
	ssize_t len = readlinkat(walk->process.dir, link, event.path, sizeof(event.path) - 1);

	if (len < 0)
		event.path[0] = '\0';
	memcpy(event.digest, file->keys[0].value, sizeof(event.digest));
	name_cgroups(walk, &event);
	return event;
}

static void tell(const struct walk *walk, struct debar_event *event, enum debar_hook hook,
		 enum debar_outcome outcome)
{
	event->hook = hook;
	event->outcome = outcome;
	walk->sweep->options.tell(walk->sweep->options.tell_ctx, event);
}

/* ---- end ---------------------------------------------------------------------------------- */

/*
 * The process is the same as long as its directory is; that it still is what was judged, and no
 * program that it has run since, is looked at last, right before the signal.
 */
static void end(struct walk *walk, const struct sweep_file *file, struct debar_event *event)
{
	if (walk->needed) {
		walk->tally.spared++;
		return;
	}
	if (!process_has(&walk->process, &file->st))
		return;
	if (!kills_take(KILLS_FILE, clock_ns(CLOCK_BOOTTIME))) {
		walk->tally.over++;
		return;
	}
	if (process_kill(&walk->process))
		return;
	walk->tally.killed++;
	tell(walk, event, DEBAR_HOOK_KILL, DEBAR_OUTCOME_DENIED);
}

/* ---- look --------------------------------------------------------------------------------- */

/* Its own program is met first: whom not to end, whatever else it has mapped. */
static void weigh_program(struct walk *walk, const struct sweep_file *file)
{
	const struct stat *self = &walk->sweep->self;

	walk->needed = walk->process.pid == 1 || !file->known ||
		       (file->st.st_ino == self->st_ino && file->st.st_dev == self->st_dev) ||
		       kernel_never_has(walk->sweep->options.kernel, file->keys[0].value);
}

static int look_file(void *ctx, const char *link, const struct stat *st)
{
	struct walk *walk = ctx;
	struct sweep_file *file = sweep_files_get(walk->files, &walk->process, link, st);
	struct kernel_verdict v;
	struct debar_event event;
	int err;

	if (walk->stop && __atomic_load_n(walk->stop, __ATOMIC_RELAXED))
		return -ECANCELED;
	if (!file)
		return -ENOMEM;
	if (strcmp(link, "exe") == 0)
		weigh_program(walk, file);
	if (!file->named || file->seen == walk->process.pid)
		return 0;
	file->seen = walk->process.pid;
	if (ask(walk))
		return -ESRCH;
	err = kernel_judge(walk->sweep->options.kernel, file->keys, file->key_count, &walk->task,
			   &v);
	if (err || v.action < DEBAR_AUDIT)
		return err;
	walk->tally.found++;
	event = describe(walk, link, file, &v);
	if (is_new(walk, file, v.generation))
		tell(walk, &event, DEBAR_HOOK_RUNNING, DEBAR_OUTCOME_UNKNOWN);
	if (v.kill)
		end(walk, file, &event);
	return 0;
}

static int look_process(struct walk *walk, const char *name)
{
	int err = process_open(&walk->process, walk->sweep->proc, name);

	if (err)
		return 0;
	walk->asked = false;
	walk->needed = true; /* until its program is known */
	err = process_files(&walk->process, look_file, walk);
	process_close(&walk->process);
	walk->tally.processes++;
	return err == -ESRCH ? 0 : err; /* it has gone */
}

/* As long as the last process took: who runs programs does not have to share more than half. */
static void pause_for(int64_t used)
{
	struct timespec time = { used / 1000000000, used % 1000000000 };

	nanosleep(&time, NULL);
}

static void closedirp(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

int sweep_through(struct sweep *sweep, const bool *stop, struct sweep_tally *ret_tally)
{
	bool about_files = kernel_state(sweep->options.kernel)->flags & DEBAR_POLICY_EXEC;
	struct walk walk = { .sweep = sweep, .stop = stop };
	cleanup(sweep_files_freep) struct sweep_files *files = NULL;
	cleanup(closedirp) DIR *list = opendir("/proc");
	struct dirent *entry;
	int err = list ? sweep_files_new(&files, &sweep->options, &walk.tally) : -errno;
	int64_t since;

	walk.files = files;
	while (!err && list && about_files && (entry = readdir(list))) {
		since = clock_ns(CLOCK_THREAD_CPUTIME_ID);
		err = look_process(&walk, entry->d_name);
		pause_for(clock_ns(CLOCK_THREAD_CPUTIME_ID) - since);
	}
	*ret_tally = walk.tally;
	return err;
}

void sweep_conclude(const struct sweep *sweep, const struct sweep_tally *tally)
{
	json_t *json = json_pack("{s:I, s:I, s:i, s:i, s:i, s:i, s:i, s:i, s:i}", "at",
				 (json_int_t)clock_ns(CLOCK_REALTIME), "generation",
				 (json_int_t)kernel_state(sweep->options.kernel)->generation,
				 "processes", (int)tally->processes, "files", (int)tally->files,
				 "unread", (int)tally->unread, "found", (int)tally->found, "killed",
				 (int)tally->killed, "spared", (int)tally->spared, "over",
				 (int)tally->over);

	if (json)
		(void)json_dump_file(json, SWEEP_FILE, JSON_COMPACT);
	json_decref(json);
	if (tally->over)
		message_warning(
			"%u banned processes were not ended: %d were in this minute, and no "
			"more are; debar reload goes on",
			tally->over, KILLS_MAX);
	if (tally->spared)
		message_warning("%u processes with something banned in them were not ended: the "
				"machine, or debar, cannot do without them",
				tally->spared);
}

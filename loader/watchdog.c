// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "loader/clock.h"
#include "loader/watchdog.h"

#define ROUND_MS 200
#define KEPT_AT 3 /* above the standard ones */

struct watchdog {
	int64_t beat; /* boot clock, nanoseconds; 0: nobody can be waiting yet */
	pid_t watcher;
	int life; /* write end of a pipe that the watcher reads: it ends with the controller */
	int fan;  /* -1: there is none */
};

static void write_word(const char *path, const char *word)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd >= 0) {
		(void)!write(fd, word, strlen(word));
		close(fd);
	}
}

/*
 * Out of reach of what may befall the controller: the root cgroup has no limit and cannot be frozen,
 * as a whole service can. Where it may not be written, the watcher shares the controller's fate.
 */
static void step_aside(void)
{
	write_word("/sys/fs/cgroup/cgroup.procs", "0");
	write_word("/proc/self/oom_score_adj", "-1000");
	setpriority(PRIO_PROCESS, 0, -20);
}

/* Onto the lowest numbers, so that all above them can be closed. Closed: -1. */
static void keep_only(int *fds, int count)
{
	for (int i = 0; i < count; i++)
		fds[i] = fds[i] < 0 ? -1 : fcntl(fds[i], F_DUPFD_CLOEXEC, KEPT_AT + count);
	for (int i = 0; i < count; i++)
		fds[i] = fds[i] < 0 ? -1 : dup2(fds[i], KEPT_AT + i);
	close_range(KEPT_AT + count, ~0U, 0);
}

static void allow(int fan, int fd)
{
	struct fanotify_response response = { .fd = fd, .response = FAN_ALLOW };

	(void)!write(fan, &response, sizeof(response));
}

/*
 * The marks go first, so that nobody comes to wait. Then go those whose questions the controller has
 * read, each known by a descriptor of the controller's, and those of whom it has not.
 */
static void let_all_go(int fan)
{
	char buffer[4096] __attribute__((aligned(8)));
	ssize_t len;

	fanotify_mark(fan, FAN_MARK_FLUSH | FAN_MARK_FILESYSTEM, 0, AT_FDCWD, "/");
	for (int fd = 0; fd < WATCHDOG_DESCRIPTORS; fd++)
		allow(fan, fd);
	while ((len = read(fan, buffer, sizeof(buffer))) > 0) {
		struct fanotify_event_metadata *event = (void *)buffer;

		for (; FAN_EVENT_OK(event, len); event = FAN_EVENT_NEXT(event, len)) {
			allow(fan, event->fd);
			close(event->fd);
		}
	}
}

/*
 * Silence is counted in rounds of its own: a machine that slept, or a guest that was not run for a
 * while, was silent as a whole, and its clock says nothing about the controller.
 */
static _Noreturn void watch(const struct watchdog *watchdog, int controller, int life, int fan)
{
	int kept[] = { controller, life, fan };
	int64_t beat, last = 0;
	unsigned int silent = 0;

	prctl(PR_SET_NAME, "debar-watchdog");
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	keep_only(kept, 3);
	step_aside();
	mlockall(MCL_CURRENT);
	for (;;) {
		struct pollfd end = { .fd = kept[1] };

		if (poll(&end, 1, ROUND_MS) > 0)
			_exit(0); /* the controller closed its end, or died */
		beat = __atomic_load_n(&watchdog->beat, __ATOMIC_RELAXED);
		silent = beat == last && beat ? silent + 1 : 0;
		last = beat;
		if (silent < WATCHDOG_LIMIT / (ROUND_MS * 1000000LL))
			continue;
		syscall(SYS_pidfd_send_signal, kept[0], SIGKILL, NULL, 0);
		if (kept[2] >= 0)
			let_all_go(kept[2]);
		_exit(1);
	}
}

/* Also from a process with threads: the child calls nothing that takes a lock. */
static int fork_watcher(struct watchdog *watchdog)
{
	int life[2], self = syscall(SYS_pidfd_open, getpid(), 0), ret;
	pid_t child;

	if (self < 0)
		return -errno;
	if (pipe2(life, O_CLOEXEC)) {
		ret = -errno;
		close(self);
		return ret;
	}
	child = fork();
	if (!child) { /* which shares *watchdog: its own 0 there would be taken for the watcher's */
		close(life[1]);
		watch(watchdog, self, life[0], watchdog->fan);
	}
	ret = child < 0 ? -errno : 0;
	watchdog->watcher = child;
	close(life[0]);
	close(self);
	if (watchdog->life >= 0)
		close(watchdog->life);
	watchdog->life = life[1];
	return ret;
}

int watchdog_start(struct watchdog **ret_watchdog)
{
	struct watchdog *watchdog = mmap(NULL, sizeof(*watchdog), PROT_READ | PROT_WRITE,
					 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int ret;

	if (watchdog == MAP_FAILED)
		return -errno;
	watchdog->life = watchdog->fan = -1;
	ret = fork_watcher(watchdog);
	if (ret)
		return ret;
	*ret_watchdog = watchdog;
	return 0;
}

int watchdog_guard(struct watchdog *watchdog, int fan)
{
	pid_t before = watchdog->watcher;
	int ret;

	watchdog->fan = fan;
	if (fan < 0)
		__atomic_store_n(&watchdog->beat, 0, __ATOMIC_RELAXED);
	ret = fork_watcher(watchdog); /* which ends the one before */
	if (!ret && before > 0)
		waitpid(before, NULL, 0);
	return ret;
}

void watchdog_beat(struct watchdog *watchdog)
{
	__atomic_store_n(&watchdog->beat, clock_ns(CLOCK_BOOTTIME), __ATOMIC_RELAXED);
	if (watchdog->watcher < 0 || waitpid(watchdog->watcher, NULL, WNOHANG) == watchdog->watcher)
		(void)fork_watcher(
			watchdog); /* it was killed; where that fails, the next beat tries */
}

void watchdog_stop(struct watchdog *watchdog)
{
	if (!watchdog)
		return;
	close(watchdog->life);
	if (watchdog->watcher > 0)
		waitpid(watchdog->watcher, NULL, 0);
	munmap(watchdog, sizeof(*watchdog));
}

// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "loader/watchdog.h"

#define ROUND_MS 200

struct watchdog {
	int64_t beat; /* boot clock, nanoseconds; 0: nobody can be waiting yet */
	pid_t watcher;
	int life; /* write end of a pipe that the watcher reads: it ends with the controller */
};

static int64_t now_boot(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static _Noreturn void watch(const struct watchdog *watchdog, int controller, int life)
{
	struct pollfd end = { .fd = life };
	int64_t beat;

	prctl(PR_SET_NAME, "debar-watchdog");
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	setpriority(PRIO_PROCESS, 0, -20);
	mlockall(MCL_CURRENT);
	for (;;) {
		if (poll(&end, 1, ROUND_MS) > 0)
			_exit(0); /* the controller closed its end, or died */
		beat = __atomic_load_n(&watchdog->beat, __ATOMIC_RELAXED);
		if (!beat || now_boot() - beat < WATCHDOG_LIMIT)
			continue;
		syscall(SYS_pidfd_send_signal, controller, SIGKILL, NULL, 0);
		_exit(1);
	}
}

int watchdog_start(struct watchdog **ret_watchdog)
{
	struct watchdog *watchdog = mmap(NULL, sizeof(*watchdog), PROT_READ | PROT_WRITE,
					 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int life[2], self;

	if (watchdog == MAP_FAILED)
		return -errno;
	self = syscall(SYS_pidfd_open, getpid(), 0);
	if (self < 0 || pipe2(life, O_CLOEXEC))
		return -errno;
	watchdog->watcher = fork();
	if (watchdog->watcher < 0)
		return -errno;
	if (!watchdog->watcher) {
		close(life[1]);
		watch(watchdog, self, life[0]);
	}
	close(life[0]);
	close(self);
	watchdog->life = life[1];
	*ret_watchdog = watchdog;
	return 0;
}

void watchdog_beat(struct watchdog *watchdog)
{
	__atomic_store_n(&watchdog->beat, now_boot(), __ATOMIC_RELAXED);
}

void watchdog_stop(struct watchdog *watchdog)
{
	if (!watchdog)
		return;
	close(watchdog->life);
	waitpid(watchdog->watcher, NULL, 0);
	munmap(watchdog, sizeof(*watchdog));
}

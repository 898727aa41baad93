/* SPDX-License-Identifier: MIT */
/* One process and no other of its number. */
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "loader/process.h"

#include "tests/unit/tap.h"

static pid_t child(void)
{
	pid_t pid = fork();

	if (!pid)
		for (;;)
			pause();
	return pid;
}

/* One more child, of this number. */
static pid_t child_of_number(pid_t number)
{
	struct clone_args args = { .exit_signal = SIGCHLD,
				   .set_tid = (uintptr_t)&number,
				   .set_tid_size = 1 };
	pid_t pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));

	if (!pid)
		for (;;)
			pause();
	return pid;
}

static int open_pid(struct process *process, pid_t pid)
{
	int proc = open("/proc", O_RDONLY | O_DIRECTORY), ret;
	char name[16];

	snprintf(name, sizeof(name), "%d", pid);
	ret = process_open(process, proc, name);
	close(proc);
	return ret;
}

static bool alive(pid_t pid)
{
	return waitpid(pid, NULL, WNOHANG) == 0;
}

static void end_child(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static int count(void *ctx, const char *link, const struct stat *st)
{
	int *files = ctx;

	(void)st;
	if (!*files)
		tap_str(link, "exe", "the program comes first");
	++*files;
	return 0;
}

static void recycled(void)
{
	struct process process;
	pid_t first = child(), second;

	tap_ok(!open_pid(&process, first), "a process is opened");
	end_child(first);
	tap_ok(process_kill(&process) == -ESRCH, "one that has gone cannot be ended");
	second = child_of_number(first);
	if (second == first) {
		tap_ok(process_kill(&process) == -ESRCH, "nor another one of its number");
		tap_ok(alive(second), "which lives on");
		end_child(second);
	} else {
		tap_skip("another one of its number lives on", "only root may choose numbers");
	}
	process_close(&process);
}

static void looked_at(void)
{
	struct debar_actor actor;
	struct process process;
	struct stat self, other;
	pid_t pid = child();
	char cgroup[4096];
	int files = 0;

	tap_ok(!open_pid(&process, pid), "a process is opened");
	tap_ok(!process_files(&process, count, &files) && files > 3, "it has files");
	tap_ok(!stat("/proc/self/exe", &self) && process_has(&process, &self),
	       "its program is one");
	tap_ok(!stat("/etc/passwd", &other) && !process_has(&process, &other),
	       "and not what is none");
	tap_ok(!process_actor(&process, &actor, cgroup, sizeof(cgroup)), "it says who it is");
	tap_ok(actor.pid == (__u32)pid && actor.ppid == (__u32)getpid() && actor.uid == getuid(),
	       "by number, parent and user");
	tap_str(actor.comm, "process_test", "and name");
	tap_ok(process_started(&process) > 0, "and since when");
	tap_ok(!process_kill(&process), "and can be ended");
	tap_ok(waitpid(pid, NULL, 0) == pid, "which ends it");
	tap_ok(process_actor(&process, &actor, cgroup, sizeof(cgroup)) == -ESRCH,
	       "then it says nothing");
	tap_ok(!process_started(&process) && !process_has(&process, &self), "and has nothing");
	process_close(&process);
}

static void none(void)
{
	static const char *const names[] = { "self", "..", "sys", "0", "-1", "4194305", "" };
	int proc = open("/proc", O_RDONLY | O_DIRECTORY);
	struct process process;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		tap_ok(process_open(&process, proc, names[i]) == -ENOENT, "\"%s\" is no process",
		       names[i]);
	close(proc);
}

int main(void)
{
	recycled();
	looked_at();
	none();
	return tap_done();
}

/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "loader/identify.h"
#include "loader/process.h"
#include "policy/cleanup.h"

int process_open(struct process *ret_process, int proc, const char *name)
{
	struct process process = { .dir = -1, .pid = atoi(name) };

	if (process.pid <= 0 || !isdigit((unsigned char)name[0]))
		return -ENOENT;
	process.dir = openat(proc, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (process.dir < 0)
		return -errno;
	*ret_process = process;
	return 0;
}

void process_close(struct process *process)
{
	cleanup_fd(&process->dir);
	process->dir = -1;
}

static FILE *open_text(const struct process *process, const char *name)
{
	cleanup(cleanup_fd) int fd = openat(process->dir, name, O_RDONLY | O_CLOEXEC);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "r");

	if (file)
		(void)take_fd(fd);
	return file;
}

static int tell_file(const struct process *process, const char *link, process_file_fn *fn,
		     void *ctx)
{
	struct stat st;

	if (fstatat(process->dir, link, &st, 0))
		return 0; /* unmapped meanwhile, or a kernel thread's program: there is none */
	return S_ISREG(st.st_mode) ? fn(ctx, link, &st) : 0;
}

/* "7f00-7f01 r-xp ...": the range as map_files names it, if what is there can be run. */
static bool line_link(const char *line, char ret_link[64])
{
	unsigned long long from, to, inode;
	char rights[5];

	if (sscanf(line, "%llx-%llx %4s %*s %*s %llu", &from, &to, rights, &inode) != 4 ||
	    rights[2] != 'x' || !inode)
		return false;
	snprintf(ret_link, 64, "map_files/%llx-%llx", from, to);
	return true;
}

int process_files(const struct process *process, process_file_fn *fn, void *ctx)
{
	int ret = tell_file(process, "exe", fn, ctx);
	cleanup(cleanup_file) FILE *maps = open_text(process, "maps");
	cleanup(cleanup_free) char *line = NULL;
	size_t size = 0;
	char link[64];

	while (!ret && maps && getline(&line, &size, maps) > 0)
		if (line_link(line, link))
			ret = tell_file(process, link, fn, ctx);
	return ret;
}

static int same_file(void *ctx, const char *link, const struct stat *st)
{
	const struct stat *wanted = ctx;

	(void)link;
	return st->st_dev == wanted->st_dev && st->st_ino == wanted->st_ino ? -EEXIST : 0;
}

bool process_has(const struct process *process, const struct stat *st)
{
	return process_files(process, same_file, (void *)st) == -EEXIST;
}

int process_file_open(const struct process *process, const char *link)
{
	char path[96];
	int fd, ret;

	snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", process->dir, link);
	ret = identify_open(path, &fd);
	return ret ? ret : fd;
}

/* "Uid:\t0\t0\t0\t0": of a line of /proc/PID/status. */
static void read_status(const struct process *process, struct debar_actor *actor)
{
	cleanup(cleanup_file) FILE *file = open_text(process, "status");
	char line[256];

	while (file && fgets(line, sizeof(line), file)) {
		(void)sscanf(line, "PPid: %u", &actor->ppid);
		(void)sscanf(line, "Uid: %u", &actor->uid);
	}
}

static bool read_line(const struct process *process, const char *name, char *buf, size_t size)
{
	cleanup(cleanup_file) FILE *file = open_text(process, name);

	if (!file || !fgets(buf, (int)size, file))
		return false;
	buf[strcspn(buf, "\n")] = '\0';
	return true;
}

/* The line of cgroup v2 is "0::/path"; behind others of v1, where both are in use. */
static void read_cgroup(const struct process *process, char *path, size_t size)
{
	cleanup(cleanup_file) FILE *file = open_text(process, "cgroup");
	cleanup(cleanup_free) char *line = NULL;
	size_t room = 0;

	path[0] = '\0';
	while (file && getline(&line, &room, file) > 0) {
		if (strncmp(line, "0::", 3) != 0)
			continue;
		line[strcspn(line, "\n")] = '\0';
		snprintf(path, size, "%s", line + 3);
	}
}

int process_actor(const struct process *process, struct debar_actor *ret_actor, char *ret_cgroup,
		  size_t size)
{
	struct debar_actor actor = { .pid = (__u32)process->pid };
	char comm[64];

	if (!read_line(process, "comm", comm, sizeof(comm)))
		return -ESRCH;
	snprintf(actor.comm, sizeof(actor.comm), "%.15s", comm);
	read_status(process, &actor);
	read_cgroup(process, ret_cgroup, size);
	*ret_actor = actor;
	return 0;
}

/* Field 22; the second is the name in brackets, which may hold brackets and blanks. */
uint64_t process_started(const struct process *process)
{
	char line[1024], *at;
	unsigned int field;

	if (!read_line(process, "stat", line, sizeof(line)))
		return 0;
	at = strrchr(line, ')');
	for (field = 2; at && field < 22; field++)
		at = strchr(at + 1, ' ');
	return at ? strtoull(at, NULL, 10) : 0;
}

int process_kill(const struct process *process)
{
	return syscall(SYS_pidfd_send_signal, process->dir, SIGKILL, NULL, 0) ? -errno : 0;
}

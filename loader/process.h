/* SPDX-License-Identifier: MIT */
/*
 * One process, through its directory in /proc: what it runs, who it is, and its end. The directory
 * stays that of this process, whatever becomes of its number, and is a pidfd, too.
 */
#ifndef DEBAR_LOADER_PROCESS_H
#define DEBAR_LOADER_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "bpf/abi.h"

struct process {
	int dir;
	pid_t pid;
};

/* @name: of the directory in @proc. -ENOENT: it has gone, or is no process. */
int process_open(struct process *ret_process, int proc, const char *name);
void process_close(struct process *process);

/*
 * A file that the process runs or has mapped executable. @link: below its directory, where the file
 * itself can be opened, also when its name is gone or belongs to another file. Negative: stop.
 */
typedef int process_file_fn(void *ctx, const char *link, const struct stat *st);

/* Its program first; a file may be met more than once. 0, what @fn returned, or -errno. */
int process_files(const struct process *process, process_file_fn *fn, void *ctx);

/* Does it run or map this file still? */
bool process_has(const struct process *process, const struct stat *st);

/* Opens the file behind @link for reading. -ENODEV: it is no regular file. */
int process_file_open(const struct process *process, const char *link);

/* Who it is, and its cgroup's path from the root of cgroup v2. */
int process_actor(const struct process *process, struct debar_actor *ret_actor, char *ret_cgroup,
		  size_t size);

/* When it began, in ticks since boot: with the pid, that is one process for ever. */
uint64_t process_started(const struct process *process);

/* SIGKILL, to this process and no other of its number. 0 or -errno. */
int process_kill(const struct process *process);

#endif

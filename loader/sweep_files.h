/* SPDX-License-Identifier: MIT */
/* The files that a sweep meets, each looked at once, however many processes map it. */
#ifndef DEBAR_LOADER_SWEEP_FILES_H
#define DEBAR_LOADER_SWEEP_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "bpf/abi.h"
#include "loader/sweep.h"

struct process;
struct sweep_files;

/* The digest, the keys of the content, and its place. */
#define SWEEP_KEYS_MAX (1 + DEBAR_FILE_KEYS_MAX + 1)

struct sweep_file {
	struct stat st;
	bool known; /* what is below could be found out */
	bool named; /* some rule names one of its keys: else nobody has to look further */
	pid_t seen; /* the process it was met in last */
	size_t key_count;
	struct debar_key keys[SWEEP_KEYS_MAX]; /* the sha256 first */
};

/* @tally is counted up. */
int sweep_files_new(struct sweep_files **ret_files, const struct sweep_options *options,
		    struct sweep_tally *tally);
void sweep_files_free(struct sweep_files *files);

/* What is behind @link of @process; read only where it was not met yet. NULL: no memory. */
struct sweep_file *sweep_files_get(struct sweep_files *files, const struct process *process,
				   const char *link, const struct stat *st);

#endif

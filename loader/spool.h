/* SPDX-License-Identifier: MIT */
/*
 * The history of events: lines of JSON in DIR/events.json, and the older ones in events.json.1. One
 * process at a time writes it, whoever reads the kernel's ring; any number read.
 */
#ifndef DEBAR_LOADER_SPOOL_H
#define DEBAR_LOADER_SPOOL_H

#include <stdint.h>

/* A file this large becomes events.json.1; so there are never more than two of these. */
#define SPOOL_FILE_MAX (16LL << 20)

struct spool;
struct spool_reader;

/* Become the writer. -EBUSY: somebody is. */
int spool_open(struct spool **ret_spool, const char *dir, int64_t file_max);
void spool_close(struct spool *spool);

/* One line, without its end. -ENOSPC and the like: it is not in the history, not even in part. */
int spool_append(struct spool *spool, const char *line);

/* From the oldest line on. It is no error that there are none yet. */
int spool_reader_open(struct spool_reader **ret_reader, const char *dir);
void spool_reader_close(struct spool_reader *reader);

/* 1 and the next line, which the caller frees; 0: no further line yet; -errno. */
int spool_reader_next(struct spool_reader *reader, char **ret_line);

#endif

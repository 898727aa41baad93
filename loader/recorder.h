/* SPDX-License-Identifier: MIT */
/*
 * From the kernel's ring to the history: takes records, folds those that repeat, adds what /proc
 * still knows of the actor, and keeps each as a line of JSON. The controller has one for as long as
 * it runs; without a controller `debar events` has one for as long as it reads.
 */
#ifndef DEBAR_LOADER_RECORDER_H
#define DEBAR_LOADER_RECORDER_H

#include <stdbool.h>
#include <stdint.h>

#include "bpf/abi.h"

struct kernel;
struct recorder;

/* Gets every line, once the history has it or cannot take it. Negative: stop reading. */
typedef int recorder_line_fn(void *ctx, const char *line);

/*
 * @kernel is borrowed. @line may be NULL. -EBUSY: another process reads the ring. Messages about
 * lines that could not be kept are printed; reading goes on.
 */
int recorder_new(struct recorder **ret_recorder, struct kernel *kernel, recorder_line_fn *line,
		 void *ctx);

/*
 * @watch gets every event before it is kept. Content that could not be classified in time is shown
 * to it only: whoever watches classifies it, and what comes of that is kept.
 */
typedef void recorder_watch_fn(void *ctx, const struct debar_event *event);
void recorder_watch(struct recorder *recorder, recorder_watch_fn *watch, void *ctx);

/* @name says whose certificate has a key that matched: into @ret_name, or false. */
typedef bool recorder_name_fn(void *ctx, const struct debar_key *key, char *ret_name, size_t size);
void recorder_name(struct recorder *recorder, recorder_name_fn *name, void *ctx);

/* Passes on what is folded, too. */
void recorder_free(struct recorder *recorder);

static inline void recorder_freep(struct recorder **recorder)
{
	recorder_free(*recorder);
}

/* Take what is in the ring; waits up to @timeout_ms for the first. How many, or -errno. */
int recorder_read(struct recorder *recorder, int timeout_ms);

/* The same with an event that did not come through the ring: of gate mode. */
int recorder_take(struct recorder *recorder, const struct debar_event *event);

/* Pass on what was folded for long enough. 0 or what @line said. */
int recorder_tick(struct recorder *recorder);

/* Milliseconds until recorder_tick() has something to do; -1: nothing is folded. */
int recorder_wait(const struct recorder *recorder);

/* Is the last line in the history? The disk may be full. */
bool recorder_kept(const struct recorder *recorder);

/* An event of debar itself (policy, phase, running, kill, ...), kept without being folded. */
int recorder_note(struct recorder *recorder, const struct debar_event *event);

#endif

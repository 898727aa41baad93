/* SPDX-License-Identifier: MIT */
/*
 * Those who ask through the ring for what a file is: threads that read it, beside the controller,
 * since a file server may take as long as it likes. Who waits for an answer is let go by the hook.
 */
#ifndef DEBAR_ASKERS_H
#define DEBAR_ASKERS_H

#include <stdbool.h>

struct askers;
struct debar_event;

/* By one of the threads. */
typedef void askers_fn(void *ctx, const struct debar_event *event);

int askers_start(struct askers **ret_askers, askers_fn *answer, void *ctx);

/* Copies @event. False: too many wait. */
bool askers_add(struct askers *askers, const struct debar_event *event);

/*
 * Forgets who waits and ends the threads. -ETIMEDOUT: one of them is stuck in a file system, and what
 * it was given has to stay. NULL is fine.
 */
int askers_stop(struct askers *askers);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Events of gate mode on their way from those who answer to the controller, who tells them: as the
 * kernel's ring, of a fixed size, so that who answers never waits for who tells.
 */
#ifndef DEBAR_TIDINGS_H
#define DEBAR_TIDINGS_H

#include <stdbool.h>

#include "bpf/abi.h"

struct tidings;

int tidings_new(struct tidings **ret_tidings);
void tidings_free(struct tidings *tidings);

/* By any thread. False: it is full, and the event lost. */
bool tidings_add(struct tidings *tidings, const struct debar_event *event);

/* Polls readable while there is something to take. */
int tidings_fd(const struct tidings *tidings);
bool tidings_take(struct tidings *tidings, struct debar_event *ret_event);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Programs wait for the controller, so something has to watch it: a small process of its own, in
 * locked memory and in the root cgroup, that opens no file once it watches. It ends a controller whose heart has stopped, whatever stopped
 * it; the kernel then lets go of whoever was waiting.
 */
#ifndef DEBAR_WATCHDOG_H
#define DEBAR_WATCHDOG_H

#include <stdint.h>

/* Longest silence, and so the longest wait of a program, in nanoseconds. */
#define WATCHDOG_LIMIT 2000000000LL

struct watchdog;

/* Forks the watcher. */
int watchdog_start(struct watchdog **ret_watchdog);

/* A sign of life; and a new watcher if somebody killed the one there was. By one thread at a time. */
void watchdog_beat(struct watchdog *watchdog);

/* No more programs wait: the watcher goes. */
void watchdog_stop(struct watchdog *watchdog);

#endif

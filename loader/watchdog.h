/* SPDX-License-Identifier: MIT */
/*
 * Programs wait for the controller, so something has to watch it: a small process of its own, in
 * locked memory and in the root cgroup, that opens no file once it watches. It ends a controller whose
 * heart has stopped, whatever stopped it, and lets go of whoever was waiting: a thread that waits for
 * a server in the kernel outlives any signal, and fanotify's descriptor with it.
 */
#ifndef DEBAR_WATCHDOG_H
#define DEBAR_WATCHDOG_H

#include <stdint.h>

/* Longest silence, and so the longest wait of a program, in nanoseconds. */
#define WATCHDOG_LIMIT 2000000000LL

/* What the controller reads from fanotify has descriptors below this. */
#define WATCHDOG_DESCRIPTORS 16384

struct watchdog;

/* Forks the watcher. */
int watchdog_start(struct watchdog **ret_watchdog);

/* From now on programs wait for what is read from @fan, of fanotify; -1: nobody does any more. */
int watchdog_guard(struct watchdog *watchdog, int fan);

/* A sign of life; and a new watcher if somebody killed the one there was. By one thread at a time. */
void watchdog_beat(struct watchdog *watchdog);

/* No more programs wait: the watcher goes. */
void watchdog_stop(struct watchdog *watchdog);

#endif

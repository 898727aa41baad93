/* SPDX-License-Identifier: MIT */
/* What the service manager is told; nothing happens where there is none. */
#ifndef DEBAR_NOTIFY_H
#define DEBAR_NOTIFY_H

#include <stdbool.h>
#include <stdint.h>

struct notify_clock {
	uint64_t told; /* monotonic microseconds of the last sign of life */
};

/* From now on what comes after this service may start. @status: a line for `systemctl status`. */
void notify_ready(const char *status);
void notify_status(const char *status);
void notify_stopping(void);

/*
 * A sign of life, to be given from the loop itself, so that a loop that hangs gives none. It may be
 * called as often as one likes: the manager is told three times in the time that it waits.
 */
void notify_alive(struct notify_clock *clock);

/*
 * Has the system started up, no job of the boot being left? True where systemd does not run. May wait
 * for long when the manager hangs.
 */
bool notify_started_up(void);

#endif

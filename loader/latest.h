/* SPDX-License-Identifier: MIT */
/*
 * The latest instant that debar knows has passed. A clock that was set back, or that is not set yet at
 * boot, says less; then phases that had begun by that instant stay.
 */
#ifndef DEBAR_LATEST_H
#define DEBAR_LATEST_H

#include <stdint.h>

struct kernel;
struct policy_tables;

#define LATEST_DIR "/var/lib/debar"
#define LATEST_FILE LATEST_DIR "/clock" /* or $DEBAR_CLOCK; the time it was changed */

/* Remembers what the clock says, if it is later than what was remembered. */
void latest_note(void);

/* The phases of @tables that had begun by that instant are entered. Warns where the clock says less. */
void latest_enter(struct kernel *kernel, struct policy_tables *tables);

#endif

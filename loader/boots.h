/* SPDX-License-Identifier: MIT */
/*
 * A way back for who cannot reach the machine: a boot that was not found good is a failed one, and
 * after two of them the next comes up in audit. What was begun is written before anything is
 * enforced, because a boot that fails does not come to write anything.
 *
 * A boot is good when the system has started up (systemd: no job of the boot is left; else: at
 * once) and the controller has lived for two minutes; or when it is stopped in order after the
 * start-up. Not merely when it is stopped in order: so is it by who presses ctrl-alt-del because
 * nobody can log in. A boot in audit that was good makes the next one enforce again: a machine is
 * never left open for good, and never out of reach for more than two boots.
 */
#ifndef DEBAR_LOADER_BOOTS_H
#define DEBAR_LOADER_BOOTS_H

#include <stdbool.h>

#define BOOTS_FILE "/var/lib/debar/boots"
#define BOOTS_FAILED 2	     /* or $DEBAR_FAILED_BOOTS, 0: never */
#define BOOTS_GOOD_AFTER 120 /* seconds, or $DEBAR_GOOD_AFTER */

/* What the file holds of the last boot in which something was to be enforced. */
struct boots {
	char id[40];	     /* "": there was none */
	unsigned int failed; /* before it, in a row */
	bool audit;	     /* it only reports, because of them */
	bool good;
};

/* A damaged file, or none, is that of no boot. */
void boots_read(const char *path, struct boots *ret_boots);

/* Whole and on the disk, or as it was. 0 or -errno. */
int boots_write(const char *path, const struct boots *boots);

/* The boot @id begins, or goes on. True: it differs from what was written. @limit 0: never audit. */
bool boots_begin(struct boots *boots, const char *id, unsigned int limit);

/* ---- for the controller ------------------------------------------------------------------- */

struct boots_watch;

/*
 * Begins to watch this boot; *ret_watch is NULL where that is not wanted or cannot be. True, after a
 * message: it has to come up in audit.
 */
bool boots_start(struct boots_watch **ret_watch);

/* Once in a while. NULL is fine, also below. */
void boots_tick(struct boots_watch *watch);

/* Stopped in order; and what is there is freed. */
void boots_end(struct boots_watch *watch);

#endif

/* SPDX-License-Identifier: MIT */
/* Who may change what is in force, and who is the controller: one process each. */
#ifndef DEBAR_LOCK_H
#define DEBAR_LOCK_H

#include <sys/types.h>

#define RUN_DIR "/run/debar"

/* Makes RUN_DIR. 0 or -errno. */
int lock_dir(void);

/*
 * Waits for the right to change what is in force. Returns a descriptor; closing it gives the right
 * back, as does the end of the process. -errno.
 */
int lock_change(void);

/*
 * Becomes the controller: returns a descriptor to keep, or -EBUSY with the pid of the one there is
 * (0: not known) in *ret_pid.
 */
int lock_controller(pid_t *ret_pid);

/* The pid of the running controller, 0: there is none. */
pid_t lock_controller_pid(void);

#endif

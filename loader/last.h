/* SPDX-License-Identifier: MIT */
/*
 * The last good policy: a copy of what was put into force from the configured directory, whole,
 * with its includes and lists. It is used when that directory cannot be read at a start: a host
 * whose policy was broken by an edit must not come up with none.
 */
#ifndef DEBAR_LAST_H
#define DEBAR_LAST_H

#include "policy/policy.h"

#define LAST_DIR "/var/lib/debar/last" /* or $DEBAR_LAST */

/* Replace the copy, unless it is the same policy already. 0 or -errno. */
int last_save(const struct policy *policy);

/* The copy; -ENOENT: there is none. Messages have been printed for other errors. */
int last_read(const struct policy_checks *checks, struct policy **ret_policy);

#endif

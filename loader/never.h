/* SPDX-License-Identifier: MIT */
/* What this machine cannot do without, kept across upgrades and made known to the hooks. */
#ifndef DEBAR_LOADER_NEVER_H
#define DEBAR_LOADER_NEVER_H

#include <stdbool.h>

struct kernel;

#define NEVER_DIR "/var/lib/debar"
#define NEVER_FILE NEVER_DIR "/never-deny"

/*
 * Looks at the files again, takes what may be taken, keeps it, and gives all of it to the kernel.
 * @any: the administrator vouches for what is there. Nothing of this stands in the way of enforcing:
 * what goes wrong is a warning, and what cannot be kept is never refused all the same until the next start.
 */
void never_update(struct kernel *kernel, bool any);

#endif

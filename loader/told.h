/* SPDX-License-Identifier: MIT */
/* The file that an event tells of, as long as its actor can still be asked for it. */
#ifndef DEBAR_LOADER_TOLD_H
#define DEBAR_LOADER_TOLD_H

#include "bpf/abi.h"

/*
 * Opens it for reading: by the path as its actor sees it, or as one of the actor's descriptors or
 * mappings; another file that has the name now is not opened. -errno when it is not found.
 */
int told_open(const struct debar_event *event);

#endif

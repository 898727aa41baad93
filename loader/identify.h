/* SPDX-License-Identifier: MIT */
/* What is this file? All the reading that loader/identity/ leaves to its caller. */
#ifndef DEBAR_LOADER_IDENTIFY_H
#define DEBAR_LOADER_IDENTIFY_H

struct identity;

/*
 * Open a regular file to look at it: leaves no access time, and never touches anything that is not
 * a regular file. -EISDIR: a directory; -ENODEV: a FIFO, socket or device.
 */
int identify_open(const char *path, int *ret_fd);

/*
 * Everything about the file behind @fd, what the kernel keeps beside it included. @flags: enum
 * identity_flags. -EAGAIN: it changed while it was read. Where it is at in @fd does not matter.
 */
int identify_fd(struct identity **ret_identity, int fd, unsigned int flags);

#endif

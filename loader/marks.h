/* SPDX-License-Identifier: MIT */
/* Which super blocks are asked about: those of local file systems, as they are mounted. */
#ifndef DEBAR_MARKS_H
#define DEBAR_MARKS_H

#include <stdint.h>

struct marks;

/* Marks what is mounted now, for the events of @mask. @fan stays the caller's. */
int marks_new(struct marks **ret_marks, int fan, uint64_t mask);

/* Takes every mark away. */
void marks_clear(struct marks *marks);

/* The same, for good. NULL is fine. */
void marks_free(struct marks *marks);

/* A descriptor that polls POLLPRI when mounts change, and what to call then. */
int marks_fd(const struct marks *marks);
void marks_follow(struct marks *marks);

/* The same for every other mount namespace that some process is in; to be called now and then. */
void marks_follow_others(struct marks *marks);

/* Mark the super block of the file behind @fd: one that only another mount namespace has. */
void marks_add(struct marks *marks, int fd);

#endif

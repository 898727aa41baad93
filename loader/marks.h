/* SPDX-License-Identifier: MIT */
/* Which super blocks are asked about: those of local file systems, as they are mounted. */
#ifndef DEBAR_MARKS_H
#define DEBAR_MARKS_H

struct marks;

/* Marks what is mounted now. @fan stays the caller's. */
int marks_new(struct marks **ret_marks, int fan);

/* Takes every mark away. NULL is fine. */
void marks_free(struct marks *marks);

/* A descriptor that polls POLLPRI when mounts change, and what to call then. */
int marks_fd(const struct marks *marks);
void marks_follow(struct marks *marks);

/* Mark the super block of the file behind @fd: one that only another mount namespace has. */
void marks_add(struct marks *marks, int fd);

#endif

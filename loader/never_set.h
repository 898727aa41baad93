/* SPDX-License-Identifier: MIT */
/*
 * The contents that are never refused by what is derived from them, across upgrades: a file that only
 * root may write. It is taken when there is none, which is at the installation. Later a content
 * gets in by the package manager only: it has to be of the package that the file belonged to, as that
 * package's own list of digests has it. So who puts a program in the place of /bin/sh gains nothing,
 * and an upgrade keeps the old content, which runs still, and the new one.
 */
#ifndef DEBAR_LOADER_NEVER_SET_H
#define DEBAR_LOADER_NEVER_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

/* Contents that are kept of one name; the oldest go. */
#define NEVER_EACH_MAX 8

struct never_entry {
	uint8_t digest[32];
	char *stamp;   /* inode, size and times of the file that had it, as text */
	char *package; /* that owned it; "-": none */
	char *name;    /* of the file, the same across upgrades */
};

struct never_set {
	bool fresh; /* there was no file: what is offered is taken */
	bool changed;
	size_t count;
	struct never_entry *entries; /* the oldest first */
};

/* A file that is there now. */
struct never_offer {
	const char *name, *path;
	const char *package; /* the owner, or "-" */
	const char *stamp;
	uint8_t digest[32];
};

enum never_answer {
	NEVER_KNOWN,   /* is in the set */
	NEVER_TAKEN,   /* is from now on */
	NEVER_STRANGE, /* another file than the one of that name, and nobody vouches for it */
	NEVER_IGNORED  /* of a name that the set does not have */
};

/* -EINVAL: the file is damaged. No file is an empty set, and fresh. */
int never_set_read(struct never_set *ret_set, const char *path);
int never_set_write(const struct never_set *set, const char *path);
void never_set_release(struct never_set *set);

/*
 * The entry of that name (NULL: of any) and stamp: its digest need not be computed again. NULL: there
 * is none.
 */
const struct never_entry *never_set_find(const struct never_set *set, const char *name,
					 const char *stamp);

void never_stamp(const struct stat *st, char *ret_stamp, size_t size);

/*
 * @any: take it whatever it is. @dpkg: where dpkg keeps its lists, /var/lib/dpkg/info. -ENOMEM.
 */
int never_set_offer(struct never_set *set, const struct never_offer *offer, bool any,
		    const char *dpkg, enum never_answer *ret_answer);

#endif

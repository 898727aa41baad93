/* SPDX-License-Identifier: MIT */
/* The package databases below one root directory, the host's or a container's, kept up to date. */
#ifndef DEBAR_LOADER_PACKAGES_H
#define DEBAR_LOADER_PACKAGES_H

#include <stdbool.h>

struct package_table;
struct packages;

/* @root_fd: the root directory, which stays the caller's. Reads nothing yet. */
int packages_new(struct packages **ret_packages, int root_fd);
void packages_free(struct packages *packages);

/*
 * Build the table anew if a database changed since. Takes tens of milliseconds then: not for who
 * has somebody waiting. *ret_changed: the table is another one, and the names of the old one are
 * gone. On an error the table that was there stays.
 */
int packages_refresh(struct packages *packages, bool *ret_changed);

/* NULL until the first refresh; an empty table where there is no package database. */
const struct package_table *packages_table(const struct packages *packages);

/* A database that is there and is not read, in words, or NULL. */
const char *packages_problem(const struct packages *packages);

#endif

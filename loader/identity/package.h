/* SPDX-License-Identifier: MIT */
/*
 * Which package owns a path: a table built once out of a package database's own files, which the
 * caller reads. The database of a container is hostile input like any other file.
 *
 *	package_new -> package_alias, package_diversions -> package_add_* -> package_seal -> owners
 */
#ifndef DEBAR_LOADER_IDENTITY_PACKAGE_H
#define DEBAR_LOADER_IDENTITY_PACKAGE_H

#include <stddef.h>
#include <stdint.h>

struct debar_key;
struct package_table;

#define PACKAGE_PATHS_MAX 8000000u /* paths in one table; more is -E2BIG */
#define PACKAGE_NAMES_MAX 200000u

int package_new(struct package_table **ret_table);
void package_free(struct package_table *table);

/*
 * Directory @from is a link to @to, both absolute: /bin to /usr/bin. Databases name files by
 * either, the kernel by the second alone. Before anything is added.
 */
int package_alias(struct package_table *table, const char *from, const char *to);

/* The text of dpkg's diversions: three lines each. Before lists are added. */
int package_diversions(struct package_table *table, const char *text, size_t len);

/* One NAME.list of dpkg, NAME with or without ":arch": a path on each line. */
int package_add_list(struct package_table *table, const char *name, const char *text, size_t len);

/* All packages of an rpmdb.sqlite. The bytes are changed in place. -EINVAL: not such a database. */
int package_add_rpmdb(struct package_table *table, uint8_t *bytes, size_t len);

/* One package of an RPM database: its header as stored there. -EINVAL when it makes no sense. */
int package_add_header(struct package_table *table, const uint8_t *header, size_t len);

/* One file, for who reads a database of another kind. */
int package_add_file(struct package_table *table, const char *name, const char *path);

/* Sort. Owners can be asked for from now on, and nothing can be added. */
int package_seal(struct package_table *table);

/*
 * The owners of @path, which is absolute and without links, as the kernel names files. Names live
 * as long as the table. Returns how many there are, of which at most @max are in @ret_names.
 */
size_t package_owners(const struct package_table *table, const char *path, const char **ret_names,
		      size_t max);

/* Every package that owns a file, in the order it was added; NULL behind the last. */
const char *package_name(const struct package_table *table, size_t i);

/* Called with every file of every package. What is not 0 ends it, and is returned. */
typedef int package_fn(void *ctx, const char *name, const char *path);
int package_each(const struct package_table *table, package_fn *fn, void *ctx);

/* DEBAR_KEY_PACKAGE: sha256 of the name. */
int package_key(const char *name, struct debar_key *ret_key);

#endif

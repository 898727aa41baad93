/* SPDX-License-Identifier: MIT */
/*
 * RPM's database as SQLite keeps it (rpm 4.16 and later): one table, one header a package. The
 * older formats, Berkeley DB and ndb, are not read.
 */
#include "loader/identity/package.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "loader/identity/reader.h"
#include "loader/identity/rpm_header.h"
#include "policy/cleanup.h"

/* Of a file in the database: rpm put it there and it is this package's. */
#define FILE_STATE_NORMAL 0

/* A database can be made to keep SQLite busy for years: steps of its machine in thousands. */
#define STEPS_MAX 100000

/* Where SQLite's file header says that there is a log beside the file; 1: there is none. */
#define VERSION_OFF 18
#define SQLITE_HEADER_SIZE 100

static void cleanup_db(sqlite3 **db)
{
	sqlite3_close_v2(*db);
}

static void cleanup_statement(sqlite3_stmt **statement)
{
	sqlite3_finalize(*statement);
}

/* Directory names as an array, to be indexed by the files. */
static const char **dirs_read(struct rpm_values values, uint32_t *ret_count)
{
	const char **dirs;
	uint32_t n = 0;

	/* a string is a byte at least: no header makes this large */
	if (values.count > values.len)
		values.count = (uint32_t)values.len;
	dirs = calloc((size_t)values.count + 1, sizeof(*dirs));
	while (dirs && rpm_values_string(&values, &dirs[n]))
		n++;
	*ret_count = n;
	return dirs;
}

int package_add_header(struct package_table *table, const uint8_t *header, size_t len)
{
	struct rpm_values names, dir_names, indexes, states = {}, name;
	cleanup(cleanup_free) const char **dirs = NULL;
	const char *package, *base;
	struct rpm_header at;
	uint32_t dir_count, i;
	int err = 0;

	if (len < 8 || rpm_header_size(header) != len - 8)
		return -EINVAL;
	at = rpm_header_at(header, header + 8);
	if (!rpm_header_find(&at, RPM_TAG_NAME, RPM_TYPE_STRING, &name) ||
	    !rpm_values_string(&name, &package))
		return -EINVAL;
	/* keys and packages without files */
	if (!rpm_header_find(&at, RPM_TAG_BASE_NAMES, RPM_TYPE_STRINGS, &names))
		return 0;
	if (!rpm_header_find(&at, RPM_TAG_DIR_NAMES, RPM_TYPE_STRINGS, &dir_names) ||
	    !rpm_header_find(&at, RPM_TAG_DIR_INDEXES, RPM_TYPE_INT32, &indexes))
		return -EINVAL;
	rpm_header_find(&at, RPM_TAG_FILE_STATES, RPM_TYPE_CHAR, &states);
	dirs = dirs_read(dir_names, &dir_count);
	if (!dirs)
		return -ENOMEM;
	for (i = 0; !err && rpm_values_string(&names, &base); i++) {
		char path[4096];
		uint32_t dir;

		if (i >= indexes.count || indexes.len / 4 <= i)
			return -EINVAL;
		dir = be32(indexes.at + (size_t)4 * i);
		if (dir >= dir_count)
			return -EINVAL;
		if (i < states.count && i < states.len && states.at[i] != FILE_STATE_NORMAL)
			continue;
		if (snprintf(path, sizeof(path), "%s%s", dirs[dir], base) < (int)sizeof(path))
			err = package_add_file(table, package, path);
	}
	return err;
}

static int steps_count(void *steps)
{
	return --*(int *)steps < 0;
}

static int db_open(uint8_t *bytes, size_t len, int *steps, sqlite3 **ret_db)
{
	sqlite3 *db = NULL;
	int ret =
		sqlite3_open_v2(":memory:", &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);

	*ret_db = db;
	if (ret != SQLITE_OK)
		return -ENOMEM;
	/* Nothing that the file brings along is run: no functions, no virtual tables. */
	sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
	sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
	sqlite3_limit(db, SQLITE_LIMIT_LENGTH, RPM_HEADER_MAX);
	sqlite3_progress_handler(db, 1000, steps_count, steps);
	return sqlite3_deserialize(db, "main", bytes, (sqlite3_int64)len, (sqlite3_int64)len,
				   SQLITE_DESERIALIZE_READONLY) == SQLITE_OK ?
		       0 :
		       -EINVAL;
}

int package_add_rpmdb(struct package_table *table, uint8_t *bytes, size_t len)
{
	cleanup(cleanup_db) sqlite3 *db = NULL;
	cleanup(cleanup_statement) sqlite3_stmt *statement = NULL;
	int steps = STEPS_MAX, err, ret;

	if (len < SQLITE_HEADER_SIZE || memcmp(bytes, "SQLite format 3", 16))
		return -EINVAL;
	/*
	 * RPM writes through a log (WAL), which it folds into the file when it closes it. A database
	 * in memory has no log beside it, and SQLite would refuse to look for one.
	 */
	bytes[VERSION_OFF] = bytes[VERSION_OFF + 1] = 1;
	err = db_open(bytes, len, &steps, &db);
	if (err)
		return err;
	if (sqlite3_prepare_v2(db, "SELECT blob FROM Packages", -1, &statement, NULL) != SQLITE_OK)
		return -EINVAL;
	while ((ret = sqlite3_step(statement)) == SQLITE_ROW) {
		const uint8_t *blob = sqlite3_column_blob(statement, 0);
		int size = sqlite3_column_bytes(statement, 0);

		/* One package that makes no sense does not hide the others. */
		err = blob ? package_add_header(table, blob, (size_t)size) : 0;
		if (err && err != -EINVAL)
			return err;
	}
	return ret == SQLITE_DONE ? 0 : -EINVAL;
}

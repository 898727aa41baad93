/* SPDX-License-Identifier: MIT */
/* Who owns a path: lists, links, diversions, and RPM's database. */
#include <endian.h>
#include <sqlite3.h>

#include "loader/identity/package.h"
#include "tests/unit/identity_sample.h"
#include "tests/unit/tap.h"

static int list_add(struct package_table *table, const char *name, const char *text)
{
	return package_add_list(table, name, text, strlen(text));
}

/* The owners of a path, with blanks between, in *ret_buf. */
static const char *owners(const struct package_table *table, const char *path, char buf[256])
{
	const char *names[4];
	size_t count = package_owners(table, path, names, 4), i;

	*buf = '\0';
	for (i = 0; i < count && i < 4; i++) {
		strcat(buf, i ? " " : "");
		strcat(buf, names[i]);
	}
	return buf;
}

static void test_dpkg(void)
{
	static const char diversions[] = "/bin/sh\n/bin/sh.distrib\ndash\n"
					 "/opt/tool\n/opt/tool.real\n:\n"
					 "/usr/bin/perf\n/usr/bin/perf.linux\nlinux-perf\n"
					 "/cut/short\n/cut";
	struct package_table *table;
	char buf[256];

	package_new(&table);
	package_alias(table, "/bin", "/usr/bin");
	package_alias(table, "/lib", "/usr/lib");
	package_alias(table, "/opt/current", "/opt/v2");
	package_alias(table, "/loop", "/loop/loop");
	tap_ok(!package_diversions(table, diversions, strlen(diversions)), "diversions are read");
	list_add(table, "coreutils", "/.\n/bin\n/bin/ls\n/usr/share/doc\n");
	list_add(table, "dash", "/bin/dash\n/bin/sh\n");
	list_add(table, "bash", "/bin/bash\n/bin/sh\n");
	list_add(table, "libc6:amd64", "/lib/x86_64-linux-gnu/libc.so.6\n/usr/share/doc/libc6\n");
	list_add(table, "libc6:i386", "/usr/share/doc/libc6\n");
	list_add(table, "tool", "/opt/tool\n/opt/current/bin/x\n/loop/a\n");
	list_add(table, "evil", "relative\n\n/nul\n/binary/ls\n/usr/share/doc");
	tap_str(owners(table, "/usr/bin/ls", buf), "", "before it is sealed nothing is found");
	package_seal(table);
	tap_str(owners(table, "/usr/bin/ls", buf), "coreutils", "/bin/ls is /usr/bin/ls");
	tap_str(owners(table, "/bin/ls", buf), "", "and the kernel never says /bin/ls");
	tap_str(owners(table, "/usr/lib/x86_64-linux-gnu/libc.so.6", buf), "libc6",
		"an architecture is no part of the name");
	tap_str(owners(table, "/usr/share/doc/libc6", buf), "libc6",
		"two architectures are one owner");
	tap_str(owners(table, "/usr/share/doc", buf), "coreutils evil",
		"a path may have two owners");
	tap_str(owners(table, "/usr/bin/sh", buf), "dash", "who diverted a file has its own there");
	tap_str(owners(table, "/usr/bin/sh.distrib", buf), "bash",
		"another's is where it was moved");
	tap_str(owners(table, "/opt/tool.real", buf), "tool",
		"the administrator moves everybody's");
	tap_str(owners(table, "/opt/tool", buf), "", "and nobody owns what he put there");
	tap_str(owners(table, "/opt/v2/bin/x", buf), "tool", "a link further down is followed");
	tap_str(owners(table, "/binary/ls", buf), "evil", "a link is a whole name, not a prefix");
	tap_str(owners(table, "/", buf), "", "the root has no owner");
	tap_str(owners(table, "", buf), "", "no path has no owner");
	tap_str(owners(table, "relative", buf), "", "a relative path is none");
	tap_int(list_add(table, "late", "/x"), -EINVAL, "nothing is added to a sealed table");
	tap_str(package_name(table, 0), "coreutils", "packages are listed in order");
	tap_ok(!package_name(table, 99), "and end");
	package_free(table);
	package_free(NULL);
}

struct header {
	uint8_t bytes[4096];
	uint32_t count;
	uint8_t data[2048];
	uint32_t data_len;
};

static void tag_add(struct header *h, uint32_t tag, uint32_t type, uint32_t count, const void *data,
		    uint32_t len)
{
	uint32_t entry[4] = { htobe32(tag), htobe32(type), htobe32(h->data_len), htobe32(count) };

	memcpy(h->bytes + 8 + 16 * (size_t)h->count++, entry, 16);
	memcpy(h->data + h->data_len, data, len);
	h->data_len += len;
}

static size_t header_finish(struct header *h)
{
	uint32_t sizes[2] = { htobe32(h->count), htobe32(h->data_len) };

	memcpy(h->bytes, sizes, 8);
	memcpy(h->bytes + 8 + 16 * (size_t)h->count, h->data, h->data_len);
	return 8 + 16 * (size_t)h->count + h->data_len;
}

/* /opt/acme/{a,b,c}, of which c was not installed, and /usr/bin/d. */
static size_t header_make(struct header *h, uint32_t third_dir)
{
	uint32_t dirs[4] = { 0, 0, htobe32(third_dir), htobe32(1) };

	*h = (struct header){};
	tag_add(h, 1000, 6, 1, "acme", 5);
	tag_add(h, 1116, 4, 4, dirs, sizeof(dirs));
	tag_add(h, 1117, 8, 4, "a\0b\0c\0d", 8);
	tag_add(h, 1118, 8, 2, "/opt/acme/\0/usr/bin/", 21);
	tag_add(h, 1029, 1, 4, "\0\0\2\0", 4);
	return header_finish(h);
}

static void test_header(void)
{
	struct package_table *table;
	static struct header h;
	size_t len = header_make(&h, 0), cut;
	char buf[256];

	package_new(&table);
	tap_int(package_add_header(table, h.bytes, len), 0, "an RPM header is read");
	tap_int(package_add_header(table, h.bytes, len - 1), -EINVAL, "a cut one is not");
	header_make(&h, 2);
	tap_int(package_add_header(table, h.bytes, len), -EINVAL,
		"nor one whose directory is none");
	for (cut = 0; cut < len; cut++) {
		uint8_t *copy = malloc(cut ? cut : 1);

		memcpy(copy, h.bytes, cut);
		if (package_add_header(table, copy, cut) != -EINVAL) {
			free(copy);
			break;
		}
		free(copy);
	}
	tap_ok(cut == len, "cut at each byte it is refused");
	package_seal(table);
	tap_str(owners(table, "/opt/acme/a", buf), "acme", "a file is its package's");
	tap_str(owners(table, "/usr/bin/d", buf), "acme", "also in another directory");
	tap_str(owners(table, "/opt/acme/c", buf), "", "one that was not installed is not");
	package_free(table);
}

static uint8_t *database_make(const char *sql, const void *blob, size_t len, size_t *ret_len)
{
	sqlite3_stmt *statement = NULL;
	sqlite3_int64 size;
	sqlite3 *db;
	uint8_t *bytes, *copy;

	sqlite3_open(":memory:", &db);
	sqlite3_exec(db, sql, NULL, NULL, NULL);
	sqlite3_prepare_v2(db, "INSERT INTO Packages(blob) VALUES (?)", -1, &statement, NULL);
	if (statement) {
		sqlite3_bind_blob(statement, 1, blob, (int)len, SQLITE_STATIC);
		sqlite3_step(statement);
		sqlite3_finalize(statement);
	}
	bytes = sqlite3_serialize(db, "main", &size, 0);
	copy = malloc((size_t)size);
	memcpy(copy, bytes, (size_t)size);
	sqlite3_free(bytes);
	sqlite3_close(db);
	*ret_len = (size_t)size;
	return copy;
}

static int database_add(const uint8_t *bytes, size_t len, struct package_table **ret_table)
{
	/* The parser may write into what it is given. */
	uint8_t *copy = malloc(len ? len : 1);
	int err;

	memcpy(copy, bytes, len);
	package_new(ret_table);
	err = package_add_rpmdb(*ret_table, copy, len);
	package_seal(*ret_table);
	free(copy);
	return err;
}

static void test_database(void)
{
	static const char packages[] =
		"CREATE TABLE Packages (hnum INTEGER PRIMARY KEY, blob BLOB NOT NULL)";
	static const char endless[] =
		"CREATE VIEW Packages AS WITH RECURSIVE n(x) AS (VALUES(1) UNION ALL SELECT x + 1 "
		"FROM n) SELECT x AS blob FROM n";
	struct package_table *table;
	static struct header h;
	size_t len = header_make(&h, 0), size, at;
	uint8_t *db = database_make(packages, h.bytes, len, &size);
	char buf[256];

	tap_int(database_add(db, size, &table), 0, "RPM's database is read");
	tap_str(owners(table, "/opt/acme/b", buf), "acme", "and its packages have their files");
	package_free(table);
	db[18] = db[19] = 2;
	tap_int(database_add(db, size, &table), 0, "also one that says it has a log");
	package_free(table);
	tap_int(database_add(db, 50, &table), -EINVAL, "a cut one is refused");
	package_free(table);
	for (at = 0; at < size; at += 97) {
		db[at] ^= 0x5a;
		(void)database_add(db, size, &table);
		package_free(table);
		db[at] ^= 0x5a;
	}
	tap_ok(true, "a damaged one ends, wherever the damage is");
	free(db);
	db = database_make("CREATE TABLE Other (x)", "", 0, &size);
	tap_int(database_add(db, size, &table), -EINVAL, "one without packages is refused");
	package_free(table);
	free(db);
	db = database_make(endless, "", 0, &size);
	tap_int(database_add(db, size, &table), -EINVAL,
		"one that would be read for ever is refused");
	package_free(table);
	free(db);
	db = database_make(packages, "nonsense", 8, &size);
	tap_int(database_add(db, size, &table), 0, "a package that makes no sense is left out");
	package_free(table);
	free(db);
}

static void test_key(void)
{
	struct debar_key key;
	static const uint8_t want[4] = { 0x2c, 0xf2, 0x4d, 0xba }; /* sha256 of "hello" */

	package_key("hello", &key);
	tap_ok(key.kind == DEBAR_KEY_PACKAGE && !memcmp(key.value, want, sizeof(want)),
	       "a package's key is the sha256 of its name");
}

int main(void)
{
	test_dpkg();
	test_header();
	test_database();
	test_key();
	return tap_done();
}

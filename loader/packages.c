/* SPDX-License-Identifier: MIT */
/*
 * Every open is below the root, with links resolved as a chroot would: a container's database may
 * consist of links to the host's files, of FIFOs, or of files without end.
 */
#include "loader/packages.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>

#include "loader/identity/package.h"
#include "policy/cleanup.h"

#define DPKG_INFO "/var/lib/dpkg/info"
#define DPKG_DIVERSIONS "/var/lib/dpkg/diversions"
#define FILE_SIZE_MAX (512u << 20)   /* bytes of one file of a database */
#define TOTAL_SIZE_MAX (1024u << 20) /* and of all of them */
#define SETTLE_SECONDS 2
#define DIRECTORY_ENTRIES_MAX 65536 /* entries of one directory looked at for links */

/* clang-format off */
static const char *const rpm_databases[] = {
	"/usr/lib/sysimage/rpm/rpmdb.sqlite",
	"/var/lib/rpm/rpmdb.sqlite",
};

/* Formats that only rpm itself reads. */
static const char *const other_databases[] = {
	"/var/lib/rpm/Packages",
	"/usr/lib/sysimage/rpm/Packages",
	"/var/lib/rpm/Packages.db",
	"/usr/lib/sysimage/rpm/Packages.db",
};
/* clang-format on */

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/* What changes when a database does: of its directory or file, all zero where it is absent. */
struct stamp {
	uint64_t device;
	uint64_t inode;
	uint64_t size;
	struct timespec mtime;
	struct timespec ctime;
};

struct stamps {
	struct stamp stamp[2 + COUNT(rpm_databases)];
};

struct packages {
	int root;
	struct package_table *table;
	struct stamps stamps;
	bool unsettled; /* a stamp was so young that a further change might have the same */
	const char *problem;
};

static void cleanup_table(struct package_table **table)
{
	package_free(*table);
}

static void cleanup_dir(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

static int open_below(int root, const char *path, int flags)
{
	/* openat2 refuses what O_PATH has no use for */
	int careful = flags & O_PATH ? 0 : O_NONBLOCK | O_NOCTTY;
	struct open_how how = {
		.flags = (uint64_t)(flags | careful | O_CLOEXEC),
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};
	long fd = syscall(SYS_openat2, root, path, &how, sizeof(how));

	return fd < 0 ? -errno : (int)fd;
}

/* *ret_bytes is NULL where there is no such file; what is no regular file is an error. */
static int file_read(int root, const char *path, size_t *budget, uint8_t **ret_bytes,
		     size_t *ret_len)
{
	cleanup(cleanup_fd) int fd = open_below(root, path, O_RDONLY);
	cleanup(cleanup_free) uint8_t *bytes = NULL;
	struct stat st;
	size_t at = 0;

	*ret_bytes = NULL;
	*ret_len = 0;
	if (fd < 0)
		return fd == -ENOENT || fd == -ENOTDIR ? 0 : fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	if (st.st_size > FILE_SIZE_MAX || (size_t)st.st_size > *budget)
		return -EFBIG;
	*budget -= (size_t)st.st_size;
	bytes = malloc((size_t)st.st_size + 1);
	if (!bytes)
		return -ENOMEM;
	while (at < (size_t)st.st_size) {
		ssize_t n = pread(fd, bytes + at, (size_t)st.st_size - at, (off_t)at);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (!n)
			break;
		at += n > 0 ? (size_t)n : 0;
	}
	*ret_bytes = take(bytes);
	*ret_len = at;
	return 0;
}

static struct stamp stamp_of(int root, const char *path)
{
	cleanup(cleanup_fd) int fd = open_below(root, path, O_PATH);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return (struct stamp){};
	return (struct stamp){ st.st_dev, st.st_ino, (uint64_t)st.st_size, st.st_mtim, st.st_ctim };
}

static struct stamps stamps_take(int root)
{
	struct stamps stamps = {};
	size_t i;

	stamps.stamp[0] = stamp_of(root, DPKG_INFO);
	stamps.stamp[1] = stamp_of(root, DPKG_DIVERSIONS);
	for (i = 0; i < COUNT(rpm_databases); i++)
		stamps.stamp[2 + i] = stamp_of(root, rpm_databases[i]);
	return stamps;
}

/* Times of files advance in ticks: a change in the tick of the one before looks like it. */
static bool is_young(const struct stamps *stamps)
{
	struct timespec now;
	size_t i;

	clock_gettime(CLOCK_REALTIME, &now);
	for (i = 0; i < COUNT(stamps->stamp); i++)
		if (stamps->stamp[i].ctime.tv_sec >= now.tv_sec - SETTLE_SECONDS)
			return true;
	return false;
}

/*
 * The target of a link in @dir as an absolute path without dots: "usr/bin" in "" is "/usr/bin".
 * False where that takes more than words: what is left out is a link that no package is found by.
 */
static bool target_resolve(const char *dir, const char *target, char *buf, size_t size)
{
	int len;

	if (*target == '/')
		len = snprintf(buf, size, "%s", target);
	else
		len = snprintf(buf, size, "%s/%s", dir, target);
	if (len <= 0 || (size_t)len >= size || strstr(buf, "/.") || strstr(buf, "//"))
		return false;
	while (len > 1 && buf[len - 1] == '/')
		buf[--len] = '\0';
	return true;
}

/* Where packages put no files, and where there is no end of entries. */
static bool is_pseudo(const char *dir, const char *name)
{
	return !*dir && (!strcmp(name, "proc") || !strcmp(name, "sys") || !strcmp(name, "dev") ||
			 !strcmp(name, "run"));
}

/* Links to directories in @dir ("" is the root), and with @deeper in each directory below it. */
static int aliases_add(struct package_table *table, int root, const char *dir, bool deeper)
{
	size_t left = DIRECTORY_ENTRIES_MAX;
	cleanup(cleanup_dir) DIR *stream = NULL;
	struct dirent *entry;
	int fd = open_below(root, *dir ? dir : "/", O_RDONLY | O_DIRECTORY), err = 0;

	if (fd < 0)
		return 0;
	stream = fdopendir(fd);
	if (!stream) {
		close(fd);
		return -ENOMEM;
	}
	while (!err && left-- && (entry = readdir(stream))) {
		char path[512], target[512], real[1024];
		ssize_t len;

		if (*entry->d_name == '.' || (size_t)snprintf(path, sizeof(path), "%s/%s", dir,
							      entry->d_name) >= sizeof(path))
			continue;
		if (deeper && entry->d_type == DT_DIR && !is_pseudo(dir, entry->d_name))
			err = aliases_add(table, root, path, false);
		if (entry->d_type != DT_LNK)
			continue;
		len = readlinkat(dirfd(stream), entry->d_name, target, sizeof(target) - 1);
		if (len <= 0)
			continue;
		target[len] = '\0';
		if (target_resolve(dir, target, real, sizeof(real)))
			err = package_alias(table, path, real);
	}
	return err;
}

static int dpkg_add(struct package_table *table, int root, size_t *budget)
{
	cleanup(cleanup_free) uint8_t *diversions = NULL;
	cleanup(cleanup_dir) DIR *stream = NULL;
	struct dirent *entry;
	size_t len;
	int fd, err = file_read(root, DPKG_DIVERSIONS, budget, &diversions, &len);

	if (!err && diversions)
		err = package_diversions(table, (const char *)diversions, len);
	if (err)
		return err;
	fd = open_below(root, DPKG_INFO, O_RDONLY | O_DIRECTORY);
	if (fd < 0)
		return fd == -ENOENT || fd == -ENOTDIR ? 0 : fd;
	stream = fdopendir(fd);
	if (!stream) {
		close(fd);
		return -ENOMEM;
	}
	while (!err && (entry = readdir(stream))) {
		cleanup(cleanup_free) uint8_t *list = NULL;
		char path[sizeof(DPKG_INFO) + 1 + sizeof(entry->d_name)];
		size_t name_len = strlen(entry->d_name);

		if (name_len <= 5 || strcmp(entry->d_name + name_len - 5, ".list"))
			continue;
		(void)snprintf(path, sizeof(path), "%s/%s", DPKG_INFO, entry->d_name);
		err = file_read(root, path, budget, &list, &len);
		entry->d_name[name_len - 5] = '\0';
		if (!err && list)
			err = package_add_list(table, entry->d_name, (const char *)list, len);
	}
	return err;
}

static int rpm_add(struct packages *packages, struct package_table *table, size_t *budget)
{
	size_t i;

	packages->problem = NULL;
	for (i = 0; i < COUNT(rpm_databases); i++) {
		cleanup(cleanup_free) uint8_t *bytes = NULL;
		size_t len;
		int err = file_read(packages->root, rpm_databases[i], budget, &bytes, &len);

		if (!err && bytes)
			err = package_add_rpmdb(table, bytes, len);
		if (err == -EINVAL)
			packages->problem = "the RPM database is damaged";
		else if (err)
			return err;
		if (bytes)
			return 0;
	}
	for (i = 0; i < COUNT(other_databases); i++)
		if (stamp_of(packages->root, other_databases[i]).inode)
			packages->problem = "the RPM database is of an older format, not SQLite";
	return 0;
}

int packages_new(struct packages **ret_packages, int root_fd)
{
	*ret_packages = calloc(1, sizeof(**ret_packages));
	if (!*ret_packages)
		return -ENOMEM;
	(*ret_packages)->root = root_fd;
	return 0;
}

void packages_free(struct packages *packages)
{
	if (packages)
		package_free(packages->table);
	free(packages);
}

int packages_refresh(struct packages *packages, bool *ret_changed)
{
	cleanup(cleanup_table) struct package_table *table = NULL;
	/* Taken before anything is read: what changes meanwhile is seen the next time. */
	struct stamps stamps = stamps_take(packages->root);
	size_t budget = TOTAL_SIZE_MAX;
	int err;

	*ret_changed = false;
	if (packages->table && !packages->unsettled &&
	    !memcmp(&stamps, &packages->stamps, sizeof(stamps)))
		return 0;
	err = package_new(&table);
	if (!err)
		err = aliases_add(table, packages->root, "", true);
	if (!err)
		err = dpkg_add(table, packages->root, &budget);
	if (!err)
		err = rpm_add(packages, table, &budget);
	if (!err)
		err = package_seal(table);
	if (err)
		return err;
	package_free(packages->table);
	packages->table = take(table);
	packages->stamps = stamps;
	packages->unsettled = is_young(&stamps);
	*ret_changed = true;
	return 0;
}

const struct package_table *packages_table(const struct packages *packages)
{
	return packages->table;
}

const char *packages_problem(const struct packages *packages)
{
	return packages->problem;
}

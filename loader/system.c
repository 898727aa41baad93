/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "loader/identity/package.h"
#include "loader/never.h"
#include "loader/never_set.h"
#include "loader/packages.h"
#include "loader/system.h"
#include "policy/cleanup.h"

static void cleanup_md(EVP_MD_CTX **md)
{
	EVP_MD_CTX_free(*md);
}

int system_digest(const char *path, __u8 ret_digest[32])
{
	cleanup(cleanup_file) FILE *file = fopen(path, "re");
	cleanup(cleanup_md) EVP_MD_CTX *md = EVP_MD_CTX_new();
	char buf[65536];
	size_t n;

	if (!file || !md || !EVP_DigestInit_ex(md, EVP_sha256(), NULL))
		return -EIO;
	while ((n = fread(buf, 1, sizeof(buf), file)) > 0)
		if (!EVP_DigestUpdate(md, buf, n))
			return -EIO;
	if (ferror(file) || !EVP_DigestFinal_ex(md, ret_digest, NULL))
		return -EIO;
	return 0;
}

/* What is never refused was read before, and is most of these: twenty megabytes are not read again. */
static int digest_of(const struct never_set *known, const char *path, __u8 ret_digest[32])
{
	const struct never_entry *entry;
	char stamp[128];
	struct stat st;

	if (stat(path, &st))
		return -errno;
	never_stamp(&st, stamp, sizeof(stamp));
	entry = never_set_find(known, NULL, stamp);
	if (!entry)
		return system_digest(path, ret_digest);
	memcpy(ret_digest, entry->digest, sizeof(entry->digest));
	return 0;
}

/* A file that is not there, or cannot be read, is simply not among those protected. */
static void add(struct system_files *files, const struct never_set *known, const char *path)
{
	cleanup(cleanup_free) char *real = realpath(path, NULL);
	struct policy_system_file file = { .key.kind = DEBAR_KEY_SHA256 };

	if (!real || files->count == SYSTEM_FILES_MAX)
		return;
	for (size_t i = 0; i < files->count; i++)
		if (strcmp(files->paths[i], real) == 0)
			return;
	if (digest_of(known, real, file.key.value))
		return;
	files->paths[files->count] = take(real);
	file.path = files->paths[files->count];
	files->files[files->count++] = file;
}

/* The loader, the C library and every other library that a program like this one needs. */
static void add_mapped(struct system_files *files, const struct never_set *known)
{
	cleanup(cleanup_file) FILE *maps = fopen("/proc/self/maps", "re");
	char line[PATH_MAX + 128];

	while (maps && fgets(line, sizeof(line), maps)) {
		char *path = strchr(line, '/');

		if (!path || !strstr(line, " r-xp "))
			continue;
		path[strcspn(path, "\n")] = '\0';
		add(files, known, path);
	}
}

void system_read(struct system_files *ret_files)
{
	static const char *const names[] = { "/proc/1/exe", "/sbin/init",     "/bin/sh",
					     "/bin/bash",   "/proc/self/exe", "/bin/mount" };
	cleanup(never_set_release) struct never_set known = {};

	*ret_files = (struct system_files){};
	(void)never_set_read(&known,
			     NEVER_FILE); /* a damaged one is empty, and told of elsewhere */
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		add(ret_files, &known, names[i]);
	add_mapped(ret_files, &known);
}

/* Where no database can be read, no rule of a package bans anything either. */
void system_find_packages(void *ctx)
{
	cleanup(cleanup_fd) int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	const struct package_table *table;
	struct system_files *files = ctx;
	bool changed;

	if (root < 0 || files->packages || packages_new(&files->packages, root) ||
	    packages_refresh(files->packages, &changed))
		return;
	table = packages_table(files->packages);
	for (size_t i = 0; table && i < files->count; i++)
		package_owners(table, files->files[i].path, &files->files[i].package, 1);
}

void system_release(struct system_files *files)
{
	packages_free(files->packages);
	files->packages = NULL;
	for (size_t i = 0; i < files->count; i++)
		free(files->paths[i]);
	files->count = 0;
}

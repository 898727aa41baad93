/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "loader/last.h"
#include "loader/read.h"
#include "policy/cleanup.h"

static const char *last_dir(void)
{
	const char *dir = secure_getenv("DEBAR_LAST");

	return dir ? dir : LAST_DIR;
}

static int write_file(void *ctx, const char *name, const char *text, size_t len)
{
	cleanup(cleanup_file) FILE *file = NULL;
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s/%s", (const char *)ctx, name) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	file = fopen(path, "wxe");
	if (!file)
		return -errno;
	if (fwrite(text, 1, len, file) != len || fflush(file) || fsync(fileno(file)))
		return -EIO;
	return 0;
}

static int save_ban(const struct policy *policy, size_t ban, const char *dir)
{
	char path[PATH_MAX];
	const struct policy_writer writer = { path, write_file };

	/* The number keeps the order of the policy. */
	if (snprintf(path, sizeof(path), "%s/%02zu", dir, ban) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	if (mkdir(path, 0755))
		return -errno;
	return policy_save(policy, ban, &writer);
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void remove_tree(const char *dir)
{
	(void)nftw(dir, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

static void digest_text(const struct policy *policy, char buf[65])
{
	uint8_t digest[32];

	buf[0] = '\0';
	if (policy_digest(policy, digest))
		return;
	for (size_t i = 0; i < sizeof(digest); i++)
		(void)snprintf(buf + 2 * i, 3, "%02x", digest[i]);
}

/* Is the copy of this policy already? */
static bool same(const char *dir, const char *digest)
{
	char path[PATH_MAX], have[65] = "";
	cleanup(cleanup_file) FILE *file = NULL;

	(void)snprintf(path, sizeof(path), "%s/digest", dir);
	file = fopen(path, "re");
	return file && fread(have, 1, 64, file) == 64 && strcmp(have, digest) == 0;
}

/* "/a/b" from "/a/b/c": made when it is missing. */
static void make_parent(const char *dir)
{
	char parent[PATH_MAX], *slash;

	(void)snprintf(parent, sizeof(parent), "%s", dir);
	slash = strrchr(parent, '/');
	if (slash && slash > parent) {
		*slash = '\0';
		(void)mkdir(parent, 0755);
	}
}

int last_save(const struct policy *policy)
{
	char fresh[PATH_MAX], digest[65];
	const char *dir = last_dir();
	int err = 0;

	digest_text(policy, digest);
	if (same(dir, digest))
		return 0;
	make_parent(dir);
	(void)snprintf(fresh, sizeof(fresh), "%s.new", dir);
	remove_tree(fresh);
	if (mkdir(fresh, 0755))
		return -errno;
	for (size_t i = 0; !err && i < policy_ban_count(policy); i++)
		err = save_ban(policy, i, fresh);
	if (!err)
		err = write_file(fresh, "digest", digest, strlen(digest));
	if (!err) {
		/* A crash between the two leaves no copy, never half of one. */
		remove_tree(dir);
		err = rename(fresh, dir) ? -errno : 0;
	}
	if (err)
		remove_tree(fresh);
	return err;
}

static int is_ban(const struct dirent *entry)
{
	return entry->d_name[0] >= '0' && entry->d_name[0] <= '9';
}

int last_read(const struct policy_checks *checks, struct policy **ret_policy)
{
	struct read_names names = {};
	struct dirent **entries;
	int n = scandir(last_dir(), &entries, is_ban, alphasort), err = 0;
	char path[PATH_MAX];

	if (n < 0)
		return -errno;
	for (int i = 0; i < n; i++) {
		(void)snprintf(path, sizeof(path), "%s/%s/ban.yaml", last_dir(),
			       entries[i]->d_name);
		if (names.count < DEBAR_BANS_MAX)
			names.names[names.count] = strdup(path);
		names.count += names.count < DEBAR_BANS_MAX && names.names[names.count];
		free(entries[i]);
	}
	free(entries);
	err = names.count ? read_policy(&names, checks, ret_policy) : -ENOENT;
	for (size_t i = 0; i < names.count; i++)
		free(names.names[i]);
	return err;
}

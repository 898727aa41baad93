/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "loader/message.h"
#include "loader/read.h"
#include "loader/trust.h"
#include "policy/cleanup.h"

static int fail(struct policy_error *reterr, int error, const char *words)
{
	snprintf(reterr->text, sizeof(reterr->text), "%s", words);
	return -error;
}

/* The time of the inode's change cannot be set back as that of the content can. */
static bool changed(const struct stat *before, const struct stat *after)
{
	return after->st_size != before->st_size ||
	       after->st_ctim.tv_sec != before->st_ctim.tv_sec ||
	       after->st_ctim.tv_nsec != before->st_ctim.tv_nsec;
}

/* The whole of an open file; it must not change meanwhile, or nobody knows what was read. */
static int read_whole(int fd, const struct stat *before, char **ret_text, size_t *ret_len,
		      struct policy_error *reterr)
{
	cleanup(cleanup_free) char *text = malloc(before->st_size + 1);
	struct stat after;
	size_t len = 0;
	ssize_t n;

	if (!text)
		return fail(reterr, ENOMEM, "out of memory");
	while (len < (size_t)before->st_size) {
		n = read(fd, text + len, before->st_size - len);
		if (n < 0)
			return fail(reterr, errno, strerror(errno));
		if (!n)
			break;
		len += n;
	}
	if (fstat(fd, &after) || len != (size_t)before->st_size || changed(before, &after))
		return fail(reterr, EBUSY, "changed while it was read; try again");
	text[len] = 0;
	*ret_text = take(text);
	*ret_len = len;
	return 0;
}

/* A FIFO would hang and a device would never end, so only regular files are read. */
static int read_file(void *ctx, const char *path, size_t max, char **ret_text, size_t *ret_len,
		     struct policy_error *reterr)
{
	cleanup(cleanup_fd) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;
	int err;

	if (fd < 0 || fstat(fd, &st))
		return fail(reterr, errno, strerror(errno));
	if (S_ISDIR(st.st_mode))
		return fail(reterr, EISDIR, "is a directory");
	if (!S_ISREG(st.st_mode))
		return fail(reterr, EINVAL, "is not a regular file");
	if ((size_t)st.st_size > max) {
		snprintf(reterr->text, sizeof(reterr->text), "is %lld bytes; at most %zu are read",
			 (long long)st.st_size, max);
		return -EFBIG;
	}
	err = read_whole(fd, &st, ret_text, ret_len, reterr);
	if (!err)
		err = trust_manifest_add(ctx, path, *ret_text, *ret_len);
	return err;
}

int read_one(struct policy *policy, const char *path, struct trust_manifest *manifest)
{
	const struct policy_reader reader = { .ctx = manifest, .read = read_file };
	struct policy_error error = {};
	int ret = policy_add(policy, &reader, path, &error);

	if (ret)
		message_policy(&error);
	return ret;
}

/* @trusted: a signature is asked for where an anchor is configured. */
static int add_file(struct policy *policy, const char *path, bool trusted)
{
	cleanup(trust_manifest_release) struct trust_manifest manifest = {};
	/* A ban is enabled by a link to it: what it includes lies beside the file, not the link. */
	cleanup(cleanup_free) char *real = realpath(path, NULL);
	struct policy_error error = {};
	int ret = read_one(policy, real ? real : path, &manifest);

	if (ret || !trusted)
		return ret;
	ret = trust_required(&error);
	if (ret > 0)
		ret = trust_verify(&manifest, &error);
	if (ret)
		message_policy(&error);
	return ret;
}

static int is_policy_name(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	return entry->d_name[0] != '.' && len > 5 && !strcmp(entry->d_name + len - 5, ".yaml");
}

/* Every file of the directory, in name order. Returns how many, or -errno. */
static int add_dir(struct policy *policy, const char *dir, bool trusted)
{
	struct dirent **entries;
	char path[PATH_MAX];
	int n = scandir(dir, &entries, is_policy_name, alphasort), i, ret = 0;

	if (n < 0)
		return -errno;
	for (i = 0; i < n; i++) {
		if (!ret && snprintf(path, sizeof(path), "%s/%s", dir, entries[i]->d_name) <
				    (int)sizeof(path))
			ret = add_file(policy, path, trusted);
		free(entries[i]);
	}
	free(entries);
	return ret ? ret : n;
}

const char *read_policy_dir(void)
{
	const char *dir = secure_getenv("DEBAR_POLICY_DIR");

	return dir ? dir : READ_POLICY_DIR;
}

const char *read_bans_dir(void)
{
	const char *dir = secure_getenv("DEBAR_BANS");

	return dir ? dir : DEBAR_DATADIR "/bans";
}

static bool is_ban_id(const char *name)
{
	return name[0] && !name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-")];
}

/*
 * A word that is the id of a shipped ban is that ban, whatever lies in the working directory: /opt
 * may well have a directory of the vendor's name. A file of that name is ./name.
 */
char *read_resolve(const char *name)
{
	char path[PATH_MAX], *real = NULL;

	if (is_ban_id(name) &&
	    snprintf(path, sizeof(path), "%s/%s.yaml", read_bans_dir(), name) < (int)sizeof(path))
		real = realpath(path, NULL);
	if (!real)
		real = realpath(name, NULL);
	return real ? real : strdup(name);
}

static int add_named(struct policy *policy, const char *name, bool trusted)
{
	cleanup(cleanup_free) char *path = read_resolve(name);
	struct stat st;
	int ret;

	if (!path)
		return message_error(ENOMEM, "out of memory");
	if (stat(path, &st)) {
		ret = -errno;
		message_error(ret, "cannot read policy %s: %s", name, strerror(-ret));
		if (is_ban_id(name))
			message_hint("no file of that name, and no shipped ban in %s; "
				     "DEBAR_BANS names another directory",
				     read_bans_dir());
		return ret;
	}
	if (!S_ISDIR(st.st_mode))
		return add_file(policy, path, trusted);
	ret = add_dir(policy, path, trusted);
	if (!ret)
		return message_error(ENODATA, "no policy (*.yaml) in directory %s", path);
	return ret < 0 ? ret : 0;
}

static int check(struct policy *policy, const struct policy_checks *checks)
{
	struct policy_error error = {};
	int ret = policy_check(policy, checks, &error);

	if (ret)
		message_policy(&error);
	return ret;
}

/* Where signatures are asked for, an expired or older edition is refused as an unsigned one is. */
static int check_fresh(const struct policy *policy, int64_t now)
{
	struct policy_error error = {};
	int ret = trust_required(&error);

	if (ret > 0)
		ret = trust_fresh(policy, now, &error);
	if (ret)
		message_policy(&error);
	return ret;
}

int read_policy(const struct read_names *names, const struct policy_checks *checks,
		struct policy **ret_policy)
{
	cleanup(policy_freep) struct policy *policy = NULL;
	int ret = policy_new(&policy);
	size_t i;

	if (ret)
		return message_error(ret, "out of memory");
	for (i = 0; !ret && i < names->count; i++)
		ret = add_named(policy, names->names[i], names->trusted);
	if (!names->count) {
		ret = add_dir(policy, read_policy_dir(), names->trusted);
		if (!ret || ret == -ENOENT)
			return -ENODATA;
	}
	if (ret >= 0)
		ret = check(policy, checks);
	if (ret >= 0 && names->trusted)
		ret = check_fresh(policy, checks->now);
	if (ret < 0)
		return ret;
	*ret_policy = take(policy);
	return 0;
}

int read_shipped(const struct policy_checks *checks, struct policy **ret_policy)
{
	cleanup(policy_freep) struct policy *policy = NULL;
	int ret = policy_new(&policy);

	if (ret)
		return message_error(ret, "out of memory");
	ret = add_dir(policy, read_bans_dir(), false);
	if (ret <= 0)
		return message_error(ret ? ret : -ENODATA, "no shipped bans in %s",
				     read_bans_dir());
	ret = check(policy, checks);
	if (ret)
		return ret;
	*ret_policy = take(policy);
	return 0;
}

/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "loader/examine.h"
#include "loader/identify.h"
#include "loader/identity/identity.h"
#include "loader/identity/package.h"
#include "loader/packages.h"
#include "policy/cleanup.h"
#include "policy/digest.h"

static int fail(int err, const char *words, const char **reterr_words)
{
	*reterr_words = words ? words : strerror(err);
	return -err;
}

static const char *open_words(int err)
{
	switch (err) {
	case -EISDIR:
		return "is a directory; debar scan takes trees";
	case -ENODEV:
		return "is a FIFO, a socket or a device, not a file";
	default:
		return NULL;
	}
}

static void key_add(struct examined *examined, const struct debar_key *key)
{
	if (examined->key_count < EXAMINE_KEYS_MAX)
		examined->keys[examined->key_count++] = *key;
}

/* A rule names a path, or with "/" at its end what is below: "/opt/x" meets /opt/x, /opt/ and /. */
static int path_keys(struct examined *examined)
{
	const char *real = examined->real;
	size_t len = strlen(real);

	while (len) {
		struct debar_key key = { .kind = DEBAR_KEY_PATH };
		int err = digest_sha256(real, len, key.value);

		if (err)
			return err;
		key_add(examined, &key);
		do
			len--;
		while (len && real[len - 1] != '/');
	}
	return 0;
}

static int package_add(struct examined *examined, const char *name)
{
	struct debar_key key;
	int err = package_key(name, &key);

	if (!err)
		key_add(examined, &key);
	return err;
}

/* Who owns the file here, and the name that an installer or a note in it gives. */
static int package_keys(struct examined *examined, const struct packages *packages)
{
	const struct package_table *table = packages ? packages_table(packages) : NULL;
	const char *owners[EXAMINE_OWNERS_MAX];
	size_t count = 0, i;
	int err = 0;

	if (table)
		count = package_owners(table, examined->real, owners, EXAMINE_OWNERS_MAX);
	for (i = 0; !err && i < count && i < EXAMINE_OWNERS_MAX; i++) {
		examined->owners[examined->owner_count++] = owners[i];
		err = package_add(examined, owners[i]);
	}
	if (!err && examined->identity->package)
		err = package_add(examined, examined->identity->package);
	return err;
}

const char *examine_package(const struct examined *examined)
{
	return examined->owner_count ? examined->owners[0] : examined->identity->package;
}

static int keys_fill(struct examined *examined, const struct packages *packages)
{
	const struct identity *identity = examined->identity;
	struct debar_key sha256 = { .kind = DEBAR_KEY_SHA256 };
	int err;

	if (identity->has_sha256) {
		memcpy(sha256.value, identity->sha256, sizeof(sha256.value));
		key_add(examined, &sha256);
	}
	for (size_t i = 0; i < identity->keys.count; i++)
		key_add(examined, &identity->keys.keys[i]);
	err = package_keys(examined, packages);
	return err ? err : path_keys(examined);
}

static void examine_freep(struct examined **examined)
{
	examine_free(*examined);
}

int examine_file(struct examined **ret_examined, const struct packages *packages, const char *path,
		 const char **reterr_words)
{
	cleanup(examine_freep) struct examined *examined = calloc(1, sizeof(*examined));
	cleanup(cleanup_fd) int fd = -1;
	unsigned int flags = IDENTITY_VERIFY;
	struct stat st;
	int err;

	if (!examined)
		return fail(ENOMEM, NULL, reterr_words);
	err = identify_open(path, &fd);
	if (err)
		return fail(-err, open_words(err), reterr_words);
	examined->real = realpath(path, NULL);
	if (!examined->real)
		return fail(errno, NULL, reterr_words);
	if (fstat(fd, &st))
		return fail(errno, NULL, reterr_words);
	if (st.st_size <= EXAMINE_DIGEST_MAX)
		flags |= IDENTITY_SHA256;
	err = identify_fd(&examined->identity, fd, flags);
	if (!err)
		err = keys_fill(examined, packages);
	if (err)
		return fail(-err, err == -EAGAIN ? "changed while it was read" : NULL,
			    reterr_words);
	*ret_examined = take(examined);
	return 0;
}

void examine_free(struct examined *examined)
{
	if (!examined)
		return;
	identity_free(examined->identity);
	free(examined->real);
	free(examined);
}

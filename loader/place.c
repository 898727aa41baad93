// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "loader/copies.h"
#include "loader/identity/package.h"
#include "loader/kernel.h"
#include "loader/packages.h"
#include "loader/place.h"
#include "policy/cleanup.h"
#include "policy/policy.h"

#define OWNERS_MAX 8

struct places {
	struct kernel *kernel;
	struct packages *packages;
	int root;
	size_t name_count;
	const char **names; /* of packages; strings belong to the table */
};

int places_new(struct places **ret_places, struct kernel *kernel)
{
	struct places *places = calloc(1, sizeof(*places));
	int ret;

	if (!places)
		return -ENOMEM;
	places->kernel = kernel;
	places->root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	ret = places->root < 0 ? -errno : packages_new(&places->packages, places->root);
	if (ret) {
		places_free(places);
		return ret;
	}
	*ret_places = places;
	return 0;
}

void places_free(struct places *places)
{
	if (!places)
		return;
	packages_free(places->packages);
	if (places->root >= 0)
		close(places->root);
	free(places->names);
	free(places);
}

static void name_packages(struct places *places)
{
	const struct package_table *table = packages_table(places->packages);
	size_t count = 0;

	while (table && package_name(table, count))
		count++;
	free(places->names);
	places->names = calloc(count + 1, sizeof(*places->names));
	places->name_count = places->names ? count : 0;
	for (count = 0; count < places->name_count; count++)
		places->names[count] = package_name(table, count);
}

bool places_refresh(struct places *places)
{
	bool changed = false;

	if (packages_refresh(places->packages, &changed) || !changed)
		return false;
	name_packages(places);
	return true;
}

void places_facts(const struct places *places, struct policy_facts *facts)
{
	facts->package_count = places->name_count;
	facts->packages = places->names;
}

int places_copies(const struct places *places, const struct policy *policy,
		  struct copies **ret_copies)
{
	const struct package_table *table = packages_table(places->packages);

	return table ? copies_find(ret_copies, table, policy) : 0;
}

static bool path_named(struct places *places, const char *path, size_t len, struct debar_key *key)
{
	*key = (struct debar_key){ .kind = DEBAR_KEY_PATH };
	return EVP_Digest(path, len, key->value, NULL, EVP_sha256(), NULL) &&
	       kernel_has_key(places->kernel, key);
}

/* The path itself, and every directory above it, each with its slash as rules write it. */
static bool find_path(struct places *places, const char *path, struct debar_key *key)
{
	const char *slash;

	if (path_named(places, path, strlen(path), key))
		return true;
	for (slash = path; slash; slash = strchr(slash + 1, '/'))
		if (path_named(places, path, slash + 1 - path, key))
			return true;
	return false;
}

static bool find_package(struct places *places, const char *path, struct debar_key *key)
{
	const struct package_table *table = packages_table(places->packages);
	const char *owners[OWNERS_MAX];
	size_t i, count = table ? package_owners(table, path, owners, OWNERS_MAX) : 0;

	for (i = 0; i < count && i < OWNERS_MAX; i++)
		if (!package_key(owners[i], key) && kernel_has_key(places->kernel, key))
			return true;
	return false;
}

struct debar_key places_find(struct places *places, int fd)
{
	char link[32], path[PATH_MAX];
	struct debar_key key;
	ssize_t len;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	len = readlink(link, path, sizeof(path) - 1);
	if (len <= 0 || path[0] != '/')
		return (struct debar_key){};
	path[len] = 0;
	if (find_path(places, path, &key) || find_package(places, path, &key))
		return key;
	return (struct debar_key){};
}

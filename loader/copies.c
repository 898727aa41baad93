/* SPDX-License-Identifier: MIT */
#include "loader/copies.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "loader/identify.h"
#include "loader/identity/package.h"
#include "loader/system.h"
#include "policy/cleanup.h"
#include "policy/policy.h"

#define FILE_MAX (512LL << 20) /* bytes; the kernel hashes no more */
#define COPIES_MAX 65536

struct copy {
	off_t size;
	char *package;
	uint8_t sha256[32];
};

struct copies {
	const struct policy *policy;
	size_t count, room;
	struct copy *copies;
	struct policy_content *facts;
};

void copies_free(struct copies *copies)
{
	size_t i;

	if (!copies)
		return;
	for (i = 0; i < copies->count; i++)
		free(copies->copies[i].package);
	free(copies->copies);
	free(copies->facts);
	free(copies);
}

static void copies_freep(struct copies **copies)
{
	copies_free(*copies);
}

static void cleanup_md(EVP_MD_CTX **md)
{
	EVP_MD_CTX_free(*md);
}

/* An empty file, a text or a picture is no code of anybody's. */
static bool is_code(const char *head, ssize_t len)
{
	return (len >= 4 && !memcmp(head, "\177ELF", 4)) || (len >= 2 && !memcmp(head, "MZ", 2)) ||
	       (len >= 2 && !memcmp(head, "#!", 2));
}

/* -ENOEXEC: no code. */
static int hash_code(const char *path, uint8_t ret_sha256[32])
{
	cleanup(cleanup_md) EVP_MD_CTX *md = EVP_MD_CTX_new();
	cleanup(cleanup_free) char *buf = malloc(65536);
	cleanup(cleanup_fd) int fd = -1;
	bool first = true;
	int ret = identify_open(path, &fd);
	ssize_t n;

	if (ret)
		return ret;
	if (!md || !buf || EVP_DigestInit_ex(md, EVP_sha256(), NULL) != 1)
		return -ENOMEM;
	while ((n = read(fd, buf, 65536)) > 0) {
		if (first && !is_code(buf, n))
			return -ENOEXEC;
		first = false;
		if (EVP_DigestUpdate(md, buf, n) != 1)
			return -EIO;
	}
	if (n < 0 || first)
		return n < 0 ? -errno : -ENOEXEC;
	return EVP_DigestFinal_ex(md, ret_sha256, NULL) == 1 ? 0 : -EIO;
}

/* What the database says is there need not be. */
static bool is_file(const char *path, struct stat *st)
{
	return !lstat(path, st) && S_ISREG(st->st_mode) && st->st_size > 0 &&
	       st->st_size <= FILE_MAX;
}

static int collect(void *ctx, const char *package, const char *path)
{
	struct copies *copies = ctx;
	size_t room = copies->room ? copies->room * 2 : 64;
	struct copy copy, *grown;
	struct stat st;

	if (!policy_names_package(copies->policy, package) || !is_file(path, &st) ||
	    hash_code(path, copy.sha256))
		return 0;
	if (copies->count == COPIES_MAX)
		return -E2BIG;
	if (copies->count == copies->room) {
		grown = reallocarray(copies->copies, room, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		copies->copies = grown;
		copies->room = room;
	}
	copy.size = st.st_size;
	copy.package = strdup(package);
	if (!copy.package)
		return -ENOMEM;
	copies->copies[copies->count++] = copy;
	return 0;
}

static int by_size(const void *a, const void *b)
{
	const struct copy *x = a, *y = b;

	return (x->size > y->size) - (x->size < y->size);
}

static void forget(struct copies *copies, const uint8_t sha256[32])
{
	size_t i, kept = 0;

	for (i = 0; i < copies->count; i++) {
		if (memcmp(copies->copies[i].sha256, sha256, 32))
			copies->copies[kept++] = copies->copies[i];
		else
			free(copies->copies[i].package);
	}
	copies->count = kept;
}

/* Another package that owns the same bytes: they are not the banned one's alone. */
static int compare(void *ctx, const char *package, const char *path)
{
	struct copies *copies = ctx;
	struct copy wanted = {};
	uint8_t sha256[32];
	struct stat st;

	if (!copies->count || policy_names_package(copies->policy, package) || !is_file(path, &st))
		return 0;
	wanted.size = st.st_size;
	if (bsearch(&wanted, copies->copies, copies->count, sizeof(wanted), by_size) &&
	    !hash_code(path, sha256))
		forget(copies, sha256);
	return 0;
}

static void forget_system(struct copies *copies)
{
	cleanup(system_release) struct system_files files = {};
	size_t i;

	system_read(&files);
	for (i = 0; i < files.count; i++)
		forget(copies, files.files[i].key.value);
}

int copies_find(struct copies **ret_copies, const struct package_table *table,
		const struct policy *policy)
{
	cleanup(copies_freep) struct copies *copies = calloc(1, sizeof(*copies));
	size_t i;
	int ret;

	if (!copies)
		return -ENOMEM;
	copies->policy = policy;
	ret = package_each(table, collect, copies);
	if (ret)
		return ret;
	if (copies->count) {
		qsort(copies->copies, copies->count, sizeof(*copies->copies), by_size);
		forget_system(copies);
		ret = package_each(table, compare, copies);
		if (ret)
			return ret;
	}
	copies->facts = calloc(copies->count + 1, sizeof(*copies->facts));
	if (!copies->facts)
		return -ENOMEM;
	for (i = 0; i < copies->count; i++) {
		copies->facts[i].package = copies->copies[i].package;
		memcpy(copies->facts[i].sha256, copies->copies[i].sha256, 32);
	}
	*ret_copies = take(copies);
	return 0;
}

void copies_facts(const struct copies *copies, struct policy_facts *facts)
{
	facts->content_count = copies ? copies->count : 0;
	facts->contents = copies ? copies->facts : NULL;
}

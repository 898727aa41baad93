/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "loader/never_set.h"
#include "policy/cleanup.h"
#include "policy/digest.h"

#define HEADER                                                                                     \
	"# Contents that debar refuses by none but a rule of their sha256: THE WAY BACK in "       \
	"debar(8).\n# sha256 stamp package name\n"

static void entry_release(struct never_entry *entry)
{
	free(entry->stamp);
	free(entry->package);
	free(entry->name);
}

void never_set_release(struct never_set *set)
{
	for (size_t i = 0; i < set->count; i++)
		entry_release(&set->entries[i]);
	free(set->entries);
	*set = (struct never_set){};
}

static int entry_add(struct never_set *set, const uint8_t digest[32], const char *stamp,
		     const char *package, const char *name)
{
	struct never_entry *entries =
		reallocarray(set->entries, set->count + 1, sizeof(*set->entries));
	struct never_entry *entry;

	if (!entries)
		return -ENOMEM;
	set->entries = entries;
	entry = &entries[set->count];
	*entry = (struct never_entry){ .stamp = strdup(stamp),
				       .package = strdup(package),
				       .name = strdup(name) };
	memcpy(entry->digest, digest, sizeof(entry->digest));
	if (!entry->stamp || !entry->package || !entry->name) {
		entry_release(entry);
		return -ENOMEM;
	}
	set->count++;
	return 0;
}

/* ---- the file ----------------------------------------------------------------------------- */

static int read_entry(struct never_set *set, char *line)
{
	char *digest = strsep(&line, " "), *stamp = strsep(&line, " ");
	char *package = strsep(&line, " "), *name = line;
	uint8_t value[32];

	if (!name || !name[0] || strlen(digest) != 64 || !digest_decode(digest, 64, value))
		return -EINVAL;
	return entry_add(set, value, stamp, package, name);
}

int never_set_read(struct never_set *ret_set, const char *path)
{
	cleanup(never_set_release) struct never_set set = {};
	cleanup(cleanup_file) FILE *file = fopen(path, "re");
	cleanup(cleanup_free) char *line = NULL;
	size_t size = 0;
	int err = 0;

	if (!file && errno != ENOENT)
		return -errno;
	set.fresh = !file;
	while (!err && file && getline(&line, &size, file) > 0) {
		line[strcspn(line, "\n")] = '\0';
		if (line[0] && line[0] != '#')
			err = read_entry(&set, line);
	}
	if (err)
		return err;
	*ret_set = set;
	set = (struct never_set){};
	return 0;
}

static int write_entries(const struct never_set *set, FILE *file)
{
	char hex[65];

	fputs(HEADER, file);
	for (size_t i = 0; i < set->count; i++)
		fprintf(file, "%s %s %s %s\n",
			digest_encode(set->entries[i].digest, sizeof(set->entries[i].digest), hex),
			set->entries[i].stamp, set->entries[i].package, set->entries[i].name);
	if (fflush(file) || ferror(file) || fsync(fileno(file)))
		return -EIO;
	return 0;
}

/* Whole, or as it was: a boot may depend on it. */
int never_set_write(const struct never_set *set, const char *path)
{
	cleanup(cleanup_file) FILE *file = NULL;
	char fresh[PATH_MAX];
	int fd, err;

	snprintf(fresh, sizeof(fresh), "%s.new", path);
	unlink(fresh);
	fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	file = fdopen(fd, "w");
	if (!file) {
		close(fd);
		return -ENOMEM;
	}
	err = write_entries(set, file);
	if (!err && rename(fresh, path))
		err = -errno;
	if (err)
		unlink(fresh);
	return err;
}

/* ---- who vouches -------------------------------------------------------------------------- */

static int file_md5(const char *path, char ret_hex[33])
{
	cleanup(cleanup_file) FILE *file = fopen(path, "re");
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	uint8_t digest[EVP_MAX_MD_SIZE];
	char buf[65536];
	int good = file && md && EVP_DigestInit_ex(md, EVP_md5(), NULL);
	size_t n;

	while (good && (n = fread(buf, 1, sizeof(buf), file)) > 0)
		good = EVP_DigestUpdate(md, buf, n);
	good = good && !ferror(file) && EVP_DigestFinal_ex(md, digest, NULL);
	EVP_MD_CTX_free(md);
	if (!good)
		return -EIO;
	digest_encode(digest, 16, ret_hex);
	return 0;
}

/* dpkg may name the file by where it was before /usr took it in. */
static bool same_path(const char *listed, const char *path)
{
	if (strcmp(listed, path + 1) == 0)
		return true;
	return strncmp(path, "/usr/", 5) == 0 && strcmp(listed, path + 5) == 0;
}

/* "d41d8cd98f00b204e9800998ecf8427e  usr/bin/dash" */
static bool list_vouches(const char *list, const char *path, const char *md5)
{
	cleanup(cleanup_file) FILE *file = fopen(list, "re");
	cleanup(cleanup_free) char *line = NULL;
	size_t size = 0;

	while (file && getline(&line, &size, file) > 0) {
		line[strcspn(line, "\n")] = '\0';
		if (strlen(line) > 34 && strncmp(line, md5, 32) == 0 && line[32] == ' ' &&
		    same_path(line + 34, path))
			return true;
	}
	return false;
}

static bool package_vouches(const char *dpkg, const struct never_offer *offer)
{
	char pattern[PATH_MAX], md5[33];
	glob_t lists = {};
	bool found = false;

	if (strpbrk(offer->package, "*?[\\/") || file_md5(offer->path, md5))
		return false;
	snprintf(pattern, sizeof(pattern), "%s/%s.md5sums", dpkg, offer->package);
	found = list_vouches(pattern, offer->path, md5);
	snprintf(pattern, sizeof(pattern), "%s/%s:*.md5sums", dpkg, offer->package);
	if (!found && !glob(pattern, 0, NULL, &lists))
		for (size_t i = 0; !found && i < lists.gl_pathc; i++)
			found = list_vouches(lists.gl_pathv[i], offer->path, md5);
	globfree(&lists);
	return found;
}

/* ---- offers ------------------------------------------------------------------------------- */

void never_stamp(const struct stat *st, char *ret_stamp, size_t size)
{
	snprintf(ret_stamp, size, "%llx:%llx:%llx:%llx.%lx:%llx.%lx",
		 (unsigned long long)st->st_dev, (unsigned long long)st->st_ino,
		 (unsigned long long)st->st_size, (unsigned long long)st->st_mtim.tv_sec,
		 (unsigned long)st->st_mtim.tv_nsec, (unsigned long long)st->st_ctim.tv_sec,
		 (unsigned long)st->st_ctim.tv_nsec);
}

const struct never_entry *never_set_find(const struct never_set *set, const char *name,
					 const char *stamp)
{
	for (size_t i = 0; i < set->count; i++)
		if ((!name || strcmp(set->entries[i].name, name) == 0) &&
		    strcmp(set->entries[i].stamp, stamp) == 0)
			return &set->entries[i];
	return NULL;
}

/* Too many of one name: its oldest goes. */
static void make_room(struct never_set *set, const char *name)
{
	size_t count = 0, oldest = 0;

	for (size_t i = set->count; i > 0; i--) {
		if (strcmp(set->entries[i - 1].name, name) != 0)
			continue;
		oldest = i - 1;
		count++;
	}
	if (count < NEVER_EACH_MAX)
		return;
	entry_release(&set->entries[oldest]);
	set->count--;
	memmove(&set->entries[oldest], &set->entries[oldest + 1],
		(set->count - oldest) * sizeof(*set->entries));
}

/* What the set says of the file's name: is the content there, and which package was it of? */
static const char *package_of(const struct never_set *set, const char *name)
{
	for (size_t i = set->count; i > 0; i--)
		if (strcmp(set->entries[i - 1].name, name) == 0)
			return set->entries[i - 1].package;
	return NULL;
}

static struct never_entry *same_content(struct never_set *set, const struct never_offer *offer)
{
	for (size_t i = 0; i < set->count; i++)
		if (strcmp(set->entries[i].name, offer->name) == 0 &&
		    memcmp(set->entries[i].digest, offer->digest, sizeof(offer->digest)) == 0)
			return &set->entries[i];
	return NULL;
}

static int know_again(struct never_set *set, struct never_entry *entry, const char *stamp)
{
	char *fresh = strdup(stamp);

	if (!fresh)
		return -ENOMEM;
	free(entry->stamp);
	entry->stamp = fresh;
	set->changed = true;
	return 0;
}

int never_set_offer(struct never_set *set, const struct never_offer *offer, bool any,
		    const char *dpkg, enum never_answer *ret_answer)
{
	const char *package = package_of(set, offer->name);
	struct never_entry *known = same_content(set, offer);
	int err = 0;

	*ret_answer = NEVER_KNOWN;
	if (known)
		return strcmp(known->stamp, offer->stamp) == 0 ?
			       0 :
			       know_again(set, known, offer->stamp);
	if (!set->fresh && !any) {
		*ret_answer = package ? NEVER_STRANGE : NEVER_IGNORED;
		if (!package || strcmp(package, "-") == 0 || strcmp(package, offer->package) != 0 ||
		    !package_vouches(dpkg, offer))
			return 0;
	}
	make_room(set, offer->name);
	err = entry_add(set, offer->digest, offer->stamp, offer->package, offer->name);
	if (!err)
		*ret_answer = NEVER_TAKEN;
	set->changed |= !err;
	return err;
}

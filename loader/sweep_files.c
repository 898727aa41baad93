// SPDX-License-Identifier: MIT
#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "loader/identify.h"
#include "loader/identity/identity.h"
#include "loader/kernel.h"
#include "loader/process.h"
#include "loader/sweep_files.h"
#include "policy/cleanup.h"

struct sweep_files {
	struct sweep_options options;
	struct sweep_tally *tally;
	void *tree; /* of struct sweep_file, by inode and times */
};

static int order(unsigned long long a, unsigned long long b)
{
	return (a > b) - (a < b);
}

static int order_time(const struct timespec *a, const struct timespec *b)
{
	int ret = order((unsigned long long)a->tv_sec, (unsigned long long)b->tv_sec);

	return ret ? ret : order((unsigned long long)a->tv_nsec, (unsigned long long)b->tv_nsec);
}

static int compare(const void *one, const void *two)
{
	const struct stat *a = &((const struct sweep_file *)one)->st;
	const struct stat *b = &((const struct sweep_file *)two)->st;
	int ret = order(a->st_ino, b->st_ino);

	if (!ret)
		ret = order(a->st_dev, b->st_dev);
	if (!ret)
		ret = order((unsigned long long)a->st_size, (unsigned long long)b->st_size);
	if (!ret)
		ret = order_time(&a->st_ctim, &b->st_ctim);
	return ret ? ret : order_time(&a->st_mtim, &b->st_mtim);
}

int sweep_files_new(struct sweep_files **ret_files, const struct sweep_options *options,
		    struct sweep_tally *tally)
{
	struct sweep_files *files = calloc(1, sizeof(*files));

	if (!files)
		return -ENOMEM;
	files->options = *options;
	files->tally = tally;
	*ret_files = files;
	return 0;
}

void sweep_files_free(struct sweep_files *files)
{
	if (!files)
		return;
	tdestroy(files->tree, free);
	free(files);
}

/*
 * The hooks' own digest, as long as no writer has ended it: then nothing has to be read for it. Not
 * of an overlay, where it also takes the epoch of the real inode to be sure.
 */
static bool digest_known(struct sweep_files *files, int fd, const struct stat *st, __u8 digest[32])
{
	struct debar_file seen;

	if (kernel_file(files->options.kernel, fd, &seen) || seen.state != DEBAR_FILE_KNOWN ||
	    seen.real || seen.size != (__u64)st->st_size ||
	    seen.ctime != st->st_ctim.tv_sec * 1000000000LL + st->st_ctim.tv_nsec)
		return false;
	memcpy(digest, seen.digest.bytes, sizeof(seen.digest.bytes));
	return true;
}

static void add_key(struct sweep_file *file, const struct debar_key *key)
{
	if (file->key_count < SWEEP_KEYS_MAX)
		file->keys[file->key_count++] = *key;
}

static int identify(struct sweep_files *files, int fd, unsigned int flags, struct identity **ret)
{
	int tries = 3, err;

	do
		err = identify_fd(ret, fd, flags);
	while (err == -EAGAIN && --tries);
	files->tally->read += flags & IDENTITY_SHA256 ? 1 : 0;
	return err;
}

/* Keys from the bytes, and what else is to be known of the file that has them. */
static int find_keys(struct sweep_files *files, int fd, struct sweep_file *file)
{
	const struct sweep_options *options = &files->options;
	__u32 asked = kernel_state(options->kernel)->flags;
	struct debar_key digest = { .kind = DEBAR_KEY_SHA256 }, place = {};
	bool known = digest_known(files, fd, &file->st, digest.value);
	struct identity *identity = NULL;
	int err = 0;

	if (!known && (__u64)file->st.st_size > DEBAR_HASH_MAX)
		return -EFBIG;
	if (!known || asked & DEBAR_POLICY_DERIVED)
		err = identify(files, fd, known ? 0 : IDENTITY_SHA256, &identity);
	if (err)
		return err;
	if (!known)
		memcpy(digest.value, identity->sha256, sizeof(digest.value));
	add_key(file, &digest);
	for (size_t i = 0; identity && i < identity->keys.count; i++)
		add_key(file, &identity->keys.keys[i]);
	if (options->learn)
		options->learn(options->learn_ctx, fd, identity, &place);
	else
		identity_free(identity);
	if (place.kind)
		add_key(file, &place);
	return 0;
}

static void look(struct sweep_files *files, const struct process *process, const char *link,
		 struct sweep_file *file)
{
	cleanup(cleanup_fd) int fd = process_file_open(process, link);

	files->tally->files++;
	if (fd < 0 || find_keys(files, fd, file)) {
		files->tally->unread++;
		return;
	}
	file->known = true;
	file->named = kernel_has_keys(files->options.kernel, file->keys, file->key_count);
}

struct sweep_file *sweep_files_get(struct sweep_files *files, const struct process *process,
				   const char *link, const struct stat *st)
{
	struct sweep_file *fresh = calloc(1, sizeof(*fresh)), **found;

	if (!fresh)
		return NULL;
	fresh->st = *st;
	found = tsearch(fresh, &files->tree, compare);
	if (!found || *found != fresh) {
		free(fresh);
		return found ? *found : NULL;
	}
	look(files, process, link, fresh);
	return fresh;
}

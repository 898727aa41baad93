/* SPDX-License-Identifier: MIT */
/*
 * What a content is, from one read of it; and the files that have to be known before what is unknown
 * may be refused.
 */
#ifndef DEBAR_CLASSIFY_H
#define DEBAR_CLASSIFY_H

#include <stddef.h>

struct identity;

/*
 * Digest and keys of the file behind @fd, of the same bytes: somebody who changes the file between
 * two reads could put the keys of one content under the digest of another. -EFBIG: too large to be
 * kept in memory.
 */
int classify_copy(struct identity **ret_identity, int fd);

/* Called with each file, open for reading. A negative return ends it. */
typedef int classify_fn(void *ctx, int fd, const char *path);

/* Whatever a running process has mapped as code, each file once. */
int classify_mapped(classify_fn *fn, void *ctx);

/*
 * Every program, library, script, module and Windows program at @path and below it, on its file
 * system. Files that cannot be read are counted in *unread.
 */
int classify_tree(const char *path, classify_fn *fn, void *ctx, size_t *unread);

#endif

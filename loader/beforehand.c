// SPDX-License-Identifier: MIT
#include "loader/beforehand.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "loader/certificates.h"
#include "loader/classify.h"
#include "loader/identity/identity.h"
#include "loader/kernel.h"
#include "loader/message.h"
#include "policy/cleanup.h"

/* The kernel forgets the least recently used of 65,536; room is left for what is met later. */
#define CONTENTS_MAX 49152

struct content {
	__u8 digest[32];
	struct debar_file_keys keys;
};

struct beforehand {
	struct certificates *certificates;
	size_t count, room;
	struct content *contents;
	size_t unread; /* files that cannot be read, or are too large to be */
};

int beforehand_new(struct beforehand **ret_beforehand)
{
	cleanup(beforehand_freep) struct beforehand *beforehand = calloc(1, sizeof(*beforehand));

	if (!beforehand || certificates_new(&beforehand->certificates))
		return -ENOMEM;
	*ret_beforehand = take(beforehand);
	return 0;
}

void beforehand_free(struct beforehand *beforehand)
{
	if (!beforehand)
		return;
	certificates_free(beforehand->certificates);
	free(beforehand->contents);
	free(beforehand);
}

static struct content *content_add(struct beforehand *beforehand)
{
	size_t room = beforehand->room ? beforehand->room * 2 : 256;
	struct content *grown;

	if (beforehand->count == beforehand->room) {
		grown = reallocarray(beforehand->contents, room, sizeof(*grown));
		if (!grown)
			return NULL;
		beforehand->contents = grown;
		beforehand->room = room;
	}
	return &beforehand->contents[beforehand->count++];
}

static int add(void *ctx, int fd, const char *path)
{
	struct beforehand *beforehand = ctx;
	struct policy_facts fresh;
	struct identity *identity;
	struct content *content;
	int ret = classify_copy(&identity, fd);

	if (ret) {
		beforehand->unread++;
		return ret == -ENOMEM ? ret : 0;
	}
	if (beforehand->count == CONTENTS_MAX) {
		identity_free(identity);
		message_error(E2BIG, "%s: more than %d files to classify", path, CONTENTS_MAX);
		message_hint("name fewer trees, or let a controller stay: debar run");
		return -E2BIG;
	}
	content = content_add(beforehand);
	if (!content) {
		identity_free(identity);
		return -ENOMEM;
	}
	memcpy(content->digest, identity->sha256, sizeof(content->digest));
	content->keys = identity->keys;
	return certificates_add(beforehand->certificates, identity, &fresh);
}

int beforehand_tree(struct beforehand *beforehand, const char *path)
{
	int ret = classify_tree(path, add, beforehand, &beforehand->unread);

	if (ret && ret != -E2BIG)
		message_error(ret, "cannot classify %s: %s", path, strerror(-ret));
	return ret;
}

int beforehand_mapped(struct beforehand *beforehand)
{
	int ret = classify_mapped(add, beforehand);

	if (ret && ret != -E2BIG)
		message_error(ret, "cannot classify what runs: %s", strerror(-ret));
	return ret;
}

struct policy_facts beforehand_facts(const struct beforehand *beforehand)
{
	return certificates_facts(beforehand->certificates);
}

int beforehand_put(const struct beforehand *beforehand, struct kernel *kernel)
{
	size_t i;
	int ret = 0;

	for (i = 0; !ret && i < beforehand->count; i++)
		ret = kernel_content(kernel, beforehand->contents[i].digest,
				     &beforehand->contents[i].keys);
	if (ret)
		return message_error(ret, "cannot keep what was classified: %s", strerror(-ret));
	message_info("%zu files were classified", beforehand->count);
	if (beforehand->unread)
		message_warning("%zu files could not be read, and are not classified",
				beforehand->unread);
	return 0;
}

// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "loader/identity/package.h"
#include "loader/kernel.h"
#include "loader/message.h"
#include "loader/packages.h"
#include "loader/never.h"
#include "loader/never_set.h"
#include "loader/system.h"
#include "policy/cleanup.h"

#define DPKG_INFO "/var/lib/dpkg/info"

struct update {
	struct never_set *set;
	bool any;
	int root;
	struct packages *packages; /* NULL until somebody has to be asked: it takes a while */
	int error;
};

static void update_release(struct update *update)
{
	packages_free(update->packages);
	cleanup_fd(&update->root);
}

static const char *owner_of(struct update *update, const char *path)
{
	const struct package_table *table;
	const char *owner = "-";
	bool changed;

	if (!update->packages) {
		update->root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (packages_new(&update->packages, update->root))
			return owner;
		(void)packages_refresh(update->packages, &changed);
	}
	table = packages_table(update->packages);
	if (table)
		(void)package_owners(table, path, &owner, 1);
	return owner;
}

static void take_file(struct update *update, struct never_offer *offer)
{
	bool self = strcmp(offer->name, SYSTEM_SELF) == 0; /* whoever runs debar has its powers */
	enum never_answer answer = NEVER_IGNORED;

	if (system_digest(offer->path, offer->digest))
		return;
	offer->package = owner_of(update, offer->path);
	update->error =
		never_set_offer(update->set, offer, update->any || self, DPKG_INFO, &answer);
	if (answer == NEVER_STRANGE) {
		message_warning("%s is another file than it was, and no package vouches for it: it "
				"is refused like any other file",
				offer->path);
		message_hint("debar reload --force, if it is meant to be there");
	}
}

static void look(void *ctx, const char *name, const char *path)
{
	struct update *update = ctx;
	struct never_offer offer = { .name = name, .path = path };
	char stamp[128];
	struct stat st;

	if (update->error || stat(path, &st) || !S_ISREG(st.st_mode))
		return;
	never_stamp(&st, stamp, sizeof(stamp));
	offer.stamp = stamp;
	if (!never_set_find(update->set, name, stamp))
		take_file(update, &offer);
}

static int keep(const struct never_set *set)
{
	if (mkdir(NEVER_DIR, 0755) && errno != EEXIST)
		return -errno;
	return never_set_write(set, NEVER_FILE);
}

static int publish(struct kernel *kernel, const struct never_set *set)
{
	int err = 0;

	for (size_t i = 0; !err && i < set->count; i++)
		err = kernel_never_add(kernel, set->entries[i].digest);
	return err;
}

void never_update(struct kernel *kernel, bool any)
{
	cleanup(never_set_release) struct never_set set = {};
	cleanup(update_release) struct update update = { .set = &set, .any = any, .root = -1 };
	int err = never_set_read(&set, NEVER_FILE);

	if (err) {
		message_warning("%s cannot be used (%s): nothing is kept from being refused",
				NEVER_FILE, err == -EINVAL ? "it is damaged" : strerror(-err));
		message_hint("remove it, and it is made again of what is there then");
		return;
	}
	system_each_needed(look, &update);
	err = update.error;
	if (!err && set.changed)
		err = keep(&set);
	if (err)
		message_warning("cannot keep %s: %s", NEVER_FILE, strerror(-err));
	err = publish(kernel, &set);
	if (err)
		message_warning("cannot tell the kernel all of what is never refused: %s",
				strerror(-err));
}

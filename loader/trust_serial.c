/* SPDX-License-Identifier: MIT */
/*
 * Serials that were accepted before: "ban serial" a line. They outlive what is in force, or taking
 * debar off and putting it on again would accept last year's signed policy.
 */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "loader/trust.h"
#include "policy/cleanup.h"

#define SERIALS_MAX 256

struct serial {
	char ban[65];
	uint64_t serial;
};

struct serials {
	size_t count;
	struct serial list[SERIALS_MAX];
};

static const char *serials_path(void)
{
	const char *path = secure_getenv("DEBAR_SERIALS");

	return path ? path : TRUST_SERIALS;
}

/* A file that is not there remembers nothing. */
static int serials_read(struct serials *ret_serials)
{
	cleanup(cleanup_file) FILE *file = fopen(serials_path(), "re");
	struct serial one;

	ret_serials->count = 0;
	if (!file)
		return errno == ENOENT ? 0 : -errno;
	while (ret_serials->count < SERIALS_MAX &&
	       fscanf(file, "%64s %" SCNu64, one.ban, &one.serial) == 2)
		ret_serials->list[ret_serials->count++] = one;
	return ferror(file) ? -EIO : 0;
}

static struct serial *find(struct serials *serials, const char *ban)
{
	for (size_t i = 0; i < serials->count; i++)
		if (strcmp(serials->list[i].ban, ban) == 0)
			return &serials->list[i];
	return NULL;
}

__attribute__((format(printf, 3, 4))) static int
refuse(struct policy_error *reterr, const struct policy_place *place, const char *format, ...)
{
	va_list args;

	*reterr = (struct policy_error){ .line = place->line, .column = place->column };
	(void)snprintf(reterr->file, sizeof(reterr->file), "%s", place->file);
	va_start(args, format);
	(void)vsnprintf(reterr->text, sizeof(reterr->text), format, args);
	va_end(args);
	return -EKEYREJECTED;
}

int trust_fresh(const struct policy *policy, int64_t now, struct policy_error *reterr)
{
	cleanup(cleanup_free) struct serials *known = calloc(1, sizeof(*known));
	int err = known ? serials_read(known) : -ENOMEM;
	char instant[40];

	if (err) {
		(void)snprintf(reterr->file, sizeof(reterr->file), "%s", serials_path());
		(void)snprintf(reterr->text, sizeof(reterr->text), "%s", strerror(-err));
		return err;
	}
	for (size_t i = 0; i < policy_ban_count(policy); i++) {
		const struct policy_ban *ban = policy_ban_get(policy, i);
		const struct serial *old = find(known, ban->id);

		if (ban->expires <= now)
			return refuse(
				reterr, &ban->place, "the ban \"%s\" expired at %s", ban->id,
				policy_instant_format(ban->expires, instant, sizeof(instant)));
		if (old && ban->serial < old->serial)
			return refuse(reterr, &ban->place,
				      "the ban \"%s\" has serial %" PRIu64 ", and %" PRIu64
				      " was accepted before: an older edition",
				      ban->id, ban->serial, old->serial);
	}
	return 0;
}

static int serials_write(const struct serials *serials)
{
	char temporary[PATH_MAX], *slash;
	FILE *file;
	int bad;

	(void)snprintf(temporary, sizeof(temporary), "%s", serials_path());
	slash = strrchr(temporary, '/');
	if (slash) {
		*slash = '\0';
		(void)mkdir(temporary, 0755);
	}
	(void)snprintf(temporary, sizeof(temporary), "%s.new", serials_path());
	file = fopen(temporary, "we");
	if (!file)
		return -errno;
	for (size_t i = 0; i < serials->count; i++)
		fprintf(file, "%s %" PRIu64 "\n", serials->list[i].ban, serials->list[i].serial);
	bad = fflush(file) || ferror(file) || fsync(fileno(file));
	bad |= fclose(file);
	return bad || rename(temporary, serials_path()) ? -EIO : 0;
}

int trust_remember(const struct policy *policy)
{
	cleanup(cleanup_free) struct serials *known = calloc(1, sizeof(*known));
	struct policy_error error;
	int err = known ? serials_read(known) : -ENOMEM;

	if (trust_required(&error) <= 0)
		return 0;
	for (size_t i = 0; !err && i < policy_ban_count(policy); i++) {
		const struct policy_ban *ban = policy_ban_get(policy, i);
		struct serial *old = find(known, ban->id);

		if (old) {
			old->serial = ban->serial > old->serial ? ban->serial : old->serial;
		} else if (known->count < SERIALS_MAX) {
			(void)snprintf(known->list[known->count].ban,
				       sizeof(known->list[known->count].ban), "%s", ban->id);
			known->list[known->count++].serial = ban->serial;
		}
	}
	return err ? err : serials_write(known);
}

/* SPDX-License-Identifier: MIT */
#include "loader/identity/package.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/abi.h"
#include "loader/identity/digest.h"
#include "policy/cleanup.h"

#define ALIASES_MAX 4096
#define DIVERSIONS_MAX 65536
#define PATH_LEN_MAX 4096

struct alias {
	char *from;
	size_t from_len;
	char *to;
};

/* Files of every package but @package at @from are in fact at @to; "": of every one. */
struct diversion {
	char *from;
	char *to;
	char *package;
};

struct owned {
	size_t path; /* offset into the table's text */
	uint32_t package;
};

struct package_table {
	char *text; /* every path, each with its NUL */
	size_t text_len;
	size_t text_size;
	struct owned *owned;
	size_t owned_count;
	size_t owned_size;
	char **names;
	size_t name_count;
	struct alias *aliases;
	size_t alias_count;
	struct diversion *diversions;
	size_t diversion_count;
	bool sealed;
};

int package_new(struct package_table **ret_table)
{
	*ret_table = calloc(1, sizeof(**ret_table));
	return *ret_table ? 0 : -ENOMEM;
}

void package_free(struct package_table *table)
{
	size_t i;

	if (!table)
		return;
	for (i = 0; i < table->name_count; i++)
		free(table->names[i]);
	for (i = 0; i < table->alias_count; i++) {
		free(table->aliases[i].from);
		free(table->aliases[i].to);
	}
	for (i = 0; i < table->diversion_count; i++) {
		free(table->diversions[i].from);
		free(table->diversions[i].to);
		free(table->diversions[i].package);
	}
	free(table->names);
	free(table->aliases);
	free(table->diversions);
	free(table->owned);
	free(table->text);
	free(table);
}

int package_alias(struct package_table *table, const char *from, const char *to)
{
	struct alias *more, alias = {};

	if (table->alias_count == ALIASES_MAX)
		return -E2BIG;
	more = reallocarray(table->aliases, table->alias_count + 1, sizeof(*more));
	if (!more)
		return -ENOMEM;
	table->aliases = more;
	alias.from = strdup(from);
	alias.from_len = strlen(from);
	alias.to = strdup(!strcmp(to, "/") ? "" : to);
	more[table->alias_count++] = alias;
	return alias.from && alias.to ? 0 : -ENOMEM;
}

/* @path with its directory as the kernel would name it, into @buf; -ENAMETOOLONG. */
static int path_resolve(const struct package_table *table, const char *path, size_t len,
			char buf[PATH_LEN_MAX])
{
	size_t i, turns = 0;

	if (len >= PATH_LEN_MAX)
		return -ENAMETOOLONG;
	memcpy(buf, path, len);
	buf[len] = '\0';
	/* One link may lead below another; links that lead in circles stop somewhere. */
	for (i = 0; i < table->alias_count && turns < 8; i++) {
		const struct alias *alias = &table->aliases[i];
		size_t to_len = strlen(alias->to);

		if (strncmp(buf, alias->from, alias->from_len) || buf[alias->from_len] != '/')
			continue;
		if (len - alias->from_len + to_len >= PATH_LEN_MAX)
			return -ENAMETOOLONG;
		memmove(buf + to_len, buf + alias->from_len, len - alias->from_len + 1);
		memcpy(buf, alias->to, to_len);
		len = len - alias->from_len + to_len;
		turns++;
		i = (size_t)-1; /* from the first one again */
	}
	return 0;
}

/* The next line of [*at, end), without its newline. */
static bool line_next(const char **at, const char *end, const char **ret_line, size_t *ret_len)
{
	const char *stop;

	if (*at >= end)
		return false;
	stop = memchr(*at, '\n', (size_t)(end - *at));
	if (!stop)
		stop = end;
	*ret_line = *at;
	*ret_len = (size_t)(stop - *at);
	*at = stop + 1;
	return true;
}

static char *resolved(const struct package_table *table, const char *path, size_t len)
{
	char buf[PATH_LEN_MAX];

	return path_resolve(table, path, len, buf) ? NULL : strdup(buf);
}

static int diversion_compare(const void *a, const void *b)
{
	return strcmp(((const struct diversion *)a)->from, ((const struct diversion *)b)->from);
}

int package_diversions(struct package_table *table, const char *text, size_t len)
{
	const char *end = text + len, *from, *to, *package;
	size_t from_len, to_len, package_len;

	while (line_next(&text, end, &from, &from_len) && line_next(&text, end, &to, &to_len) &&
	       line_next(&text, end, &package, &package_len)) {
		struct diversion *more, diversion = {};

		if (table->diversion_count == DIVERSIONS_MAX)
			return -E2BIG;
		more = reallocarray(table->diversions, table->diversion_count + 1, sizeof(*more));
		if (!more)
			return -ENOMEM;
		table->diversions = more;
		diversion.from = resolved(table, from, from_len);
		diversion.to = resolved(table, to, to_len);
		/* ":" is the administrator's own, which moves everybody's file away. */
		diversion.package = package_len == 1 && *package == ':' ?
					    strdup("") :
					    strndup(package, package_len);
		more[table->diversion_count++] = diversion;
		if (!diversion.from || !diversion.to || !diversion.package)
			return -ENOMEM;
	}
	if (table->diversion_count)
		qsort(table->diversions, table->diversion_count, sizeof(*table->diversions),
		      diversion_compare);
	return 0;
}

/* Where @package's file @path really is. */
static const char *diverted(const struct package_table *table, const char *package,
			    const char *path)
{
	const struct diversion key = { .from = (char *)path };
	const struct diversion *found;

	if (!table->diversion_count)
		return path;
	found = bsearch(&key, table->diversions, table->diversion_count, sizeof(key),
			diversion_compare);
	return found && strcmp(found->package, package) ? found->to : path;
}

static int owned_append(struct package_table *table, uint32_t package, const char *path)
{
	size_t len = strlen(path) + 1;

	if (table->owned_count == PACKAGE_PATHS_MAX)
		return -E2BIG;
	if (table->owned_count == table->owned_size) {
		size_t size = table->owned_size ? table->owned_size * 2 : 4096;
		struct owned *more = reallocarray(table->owned, size, sizeof(*more));

		if (!more)
			return -ENOMEM;
		table->owned = more;
		table->owned_size = size;
	}
	if (table->text_size - table->text_len < len) {
		size_t size = (table->text_size ? table->text_size * 2 : 65536) + len;
		char *more = realloc(table->text, size);

		if (!more)
			return -ENOMEM;
		table->text = more;
		table->text_size = size;
	}
	memcpy(table->text + table->text_len, path, len);
	table->owned[table->owned_count++] = (struct owned){ table->text_len, package };
	table->text_len += len;
	return 0;
}

static int file_append(struct package_table *table, uint32_t package, const char *path, size_t len)
{
	char buf[PATH_LEN_MAX];

	if (!len || *path != '/' || memchr(path, '\0', len) || path_resolve(table, path, len, buf))
		return 0; /* no path that a file can have */
	return owned_append(table, package, diverted(table, table->names[package], buf));
}

/* A package is added once after the other: the last one's number serves as long as it is named. */
static int name_append(struct package_table *table, const char *name, size_t len,
		       uint32_t *ret_package)
{
	const char *last = table->name_count ? table->names[table->name_count - 1] : NULL;
	char **more;

	if (table->sealed)
		return -EINVAL;
	*ret_package = (uint32_t)table->name_count - 1;
	if (last && strlen(last) == len && !memcmp(last, name, len))
		return 0;
	if (table->name_count == PACKAGE_NAMES_MAX)
		return -E2BIG;
	more = reallocarray(table->names, table->name_count + 1, sizeof(*more));
	if (!more)
		return -ENOMEM;
	table->names = more;
	more[table->name_count] = strndup(name, len);
	if (!more[table->name_count])
		return -ENOMEM;
	*ret_package = (uint32_t)table->name_count++;
	return 0;
}

int package_add_list(struct package_table *table, const char *name, const char *text, size_t len)
{
	const char *end = text + len, *path;
	size_t path_len;
	uint32_t package;
	int err = name_append(table, name, strcspn(name, ":"), &package);

	while (!err && line_next(&text, end, &path, &path_len))
		err = file_append(table, package, path, path_len);
	return err;
}

int package_add_file(struct package_table *table, const char *name, const char *path)
{
	uint32_t package;
	int err = name_append(table, name, strlen(name), &package);

	return err ? err : file_append(table, package, path, strlen(path));
}

static int owned_compare(const void *a, const void *b, void *text)
{
	const struct owned *x = a, *y = b;
	int order = strcmp((char *)text + x->path, (char *)text + y->path);

	return order ? order : (x->package > y->package) - (x->package < y->package);
}

int package_seal(struct package_table *table)
{
	if (table->owned_count)
		qsort_r(table->owned, table->owned_count, sizeof(*table->owned), owned_compare,
			table->text);
	table->sealed = true;
	return 0;
}

size_t package_owners(const struct package_table *table, const char *path, const char **ret_names,
		      size_t max)
{
	size_t low = 0, high = table->owned_count, count = 0;

	if (!table->sealed)
		return 0;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(table->text + table->owned[middle].path, path) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < table->owned_count && !strcmp(table->text + table->owned[low].path, path);
	     low++) {
		const char *name = table->names[table->owned[low].package];

		/* Two architectures of one package are one owner. */
		if (count && count <= max && !strcmp(ret_names[count - 1], name))
			continue;
		if (count < max)
			ret_names[count] = name;
		count++;
	}
	return count;
}

const char *package_name(const struct package_table *table, size_t i)
{
	return i < table->name_count ? table->names[i] : NULL;
}

int package_each(const struct package_table *table, package_fn *fn, void *ctx)
{
	size_t i;
	int ret = 0;

	for (i = 0; !ret && i < table->owned_count; i++)
		ret = fn(ctx, table->names[table->owned[i].package],
			 table->text + table->owned[i].path);
	return ret;
}

int package_key(const char *name, struct debar_key *ret_key)
{
	struct debar_key key = { .kind = DEBAR_KEY_PACKAGE };
	uint8_t digest[DIGEST_SIZE_MAX];
	int err = digest_memory(DIGEST_SHA256, name, strlen(name), digest);

	if (err)
		return err;
	memcpy(key.value, digest, sizeof(key.value));
	*ret_key = key;
	return 0;
}

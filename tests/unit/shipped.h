/* SPDX-License-Identifier: MIT */
/* Shipped bans as the tests about them read them. */
#ifndef DEBAR_TESTS_SHIPPED_H
#define DEBAR_TESTS_SHIPPED_H

#include <errno.h>
#include <stdlib.h>

#include "policy/cleanup.h"
#include "policy/policy.h"
#include "tests/unit/tap.h"

#define BANS "policy/bans/"
#define SECOND 1000000000LL
#define NOW 1795392000LL /* 2026-11-23 */

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static void close_file(FILE **file)
{
	if (*file)
		(void)fclose(*file);
}

static int read_file(void *ctx, const char *path, size_t max, char **ret_text, size_t *ret_len,
		     struct policy_error *reterr)
{
	cleanup(close_file) FILE *file = fopen(path, "re");
	cleanup(cleanup_free) char *text = malloc(max + 1);
	size_t len;

	(void)ctx;
	if (!text)
		return -ENOMEM;
	if (!file) {
		(void)snprintf(reterr->text, sizeof(reterr->text), "cannot read %s", path);
		return -ENOENT;
	}
	len = fread(text, 1, max, file);
	text[len] = '\0';
	*ret_text = take(text);
	*ret_len = len;
	return 0;
}

/* Shipped bans, parsed, checked and compiled; NULL members where that failed. */
struct shipped {
	struct policy *policy;
	struct policy_tables *tables;
};

static void shipped_close(struct shipped *ban)
{
	policy_tables_free(ban->tables);
	policy_free(ban->policy);
}

static struct shipped shipped_open(size_t count, const char *const *paths)
{
	const struct policy_reader reader = { .read = read_file };
	const struct policy_checks checks = { .now = NOW * SECOND };
	struct shipped ban = {};
	struct policy_error error = {};
	char words[1024] = "";
	int err = policy_new(&ban.policy);

	for (size_t i = 0; !err && i < count; i++)
		err = policy_add(ban.policy, &reader, paths[i], &error);
	if (!err)
		err = policy_check(ban.policy, &checks, &error);
	if (!err)
		err = policy_compile(ban.policy, NULL, &ban.tables, &error);
	tap_ok(!err, "%s%s: good, unforced", paths[0], count > 1 ? " and all others" : "");
	if (err)
		printf("# %s\n", policy_error_format(&error, words, sizeof(words)));
	return ban;
}

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Tables of policies: text in, words at a place out. Files that a policy names come from memory,
 * so that a case is one row.
 */
#ifndef DEBAR_TESTS_POLICY_CASE_H
#define DEBAR_TESTS_POLICY_CASE_H

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/policy.h"
#include "tests/unit/tap.h"

struct case_file {
	const char *name; /* "*": every path */
	const char *text;
	size_t len; /* 0: strlen(text) */
};

#define CASE_FILES_MAX 4

struct policy_case {
	const char *name;
	const char *text; /* of p.yaml */
	const char *want; /* "line:column: words", NULL: it is accepted */
	struct case_file files[CASE_FILES_MAX];
	size_t len; /* of the text; 0: strlen */
	bool force;
	int64_t now;
};

/* A row of a table; more fields by name may follow. */
#define ROW(n, t, w, ...)                                                                          \
	{                                                                                          \
		.name = (n), .text = t, .want = w, __VA_ARGS__                                     \
	}

#define SHA_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define SHA_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define SHA1_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

/* The least that is a policy; what follows begins on line 4. */
#define LEAST "ban: x\nrules:\n  - sha256: " SHA_A "\n"
/* One rule; its text begins at line 3, column 5. */
#define RULE(text) "ban: x\nrules:\n  - " text "\n"
#define EXCEPT(text) LEAST "except:\n  - " text "\n"

static int case_read(void *ctx, const char *path, size_t max, char **ret_text, size_t *ret_len,
		     struct policy_error *reterr)
{
	const struct policy_case *c = ctx;
	struct case_file self = { "p.yaml", c->text, c->len };
	const struct case_file *file = strcmp(path, "p.yaml") == 0 ? &self : NULL;
	size_t len;

	for (int i = 0; !file && i < CASE_FILES_MAX && c->files[i].name; i++)
		if (strcmp(c->files[i].name, path) == 0 || strcmp(c->files[i].name, "*") == 0)
			file = &c->files[i];
	if (!file) {
		snprintf(reterr->text, sizeof(reterr->text), "No such file or directory");
		return -ENOENT;
	}
	len = file->len ? file->len : strlen(file->text);
	if (len > max) {
		snprintf(reterr->text, sizeof(reterr->text), "is too large");
		return -EFBIG;
	}
	/* Exactly as long as it is, so that a read beyond the end is seen. */
	*ret_text = malloc(len ? len : 1);
	memcpy(*ret_text, file->text, len);
	*ret_len = len;
	return 0;
}

/* Parse, check and compile. The policy is returned when @ret_policy asks for it. */
static int case_load(const struct policy_case *c, struct policy **ret_policy,
		     struct policy_error *reterr)
{
	const struct policy_reader reader = { (void *)c, case_read };
	const struct policy_checks checks = { .now = c->now, .force = c->force };
	struct policy_tables *tables = NULL;
	struct policy *policy = NULL;
	int err = policy_new(&policy);

	if (!err)
		err = policy_add(policy, &reader, "p.yaml", reterr);
	if (!err)
		err = policy_check(policy, &checks, reterr);
	if (!err)
		err = policy_compile(policy, NULL, &tables, reterr);
	policy_tables_free(tables);
	if (!err && ret_policy) {
		*ret_policy = policy;
		return 0;
	}
	policy_free(policy);
	return err;
}

__attribute__((unused)) static void case_run(const struct policy_case *c)
{
	struct policy_error error = {};
	char got[1024] = "";
	int err = case_load(c, NULL, &error);
	const char *text;

	if (!c->want) {
		tap_ok(!err, "%s: accepted", c->name);
		if (err)
			printf("# %s\n", policy_error_format(&error, got, sizeof(got)));
		return;
	}
	policy_error_format(&error, got, sizeof(got));
	text = strncmp(got, "p.yaml:", 7) == 0 ? got + 7 : got;
	/* What is expected is the beginning: the place and the first words. */
	tap_ok(err < 0 && strncmp(text, c->want, strlen(c->want)) == 0, "%s: refused", c->name);
	if (err >= 0 || strncmp(text, c->want, strlen(c->want)) != 0)
		printf("# got:  %s\n# want: %s\n", err ? text : "(accepted)", c->want);
}

#define CASES_RUN(table)                                                                           \
	for (size_t case_i = 0; case_i < sizeof(table) / sizeof((table)[0]); case_i++)             \
	case_run(&(table)[case_i])

#endif

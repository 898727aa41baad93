/* SPDX-License-Identifier: MIT */
/*
 * A path of a rule that leads through a symbolic link, such as /bin/true where /bin is /usr/bin: the
 * kernel says where a file is, not how it was reached, so the rule meets nothing.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "loader/message.h"
#include "loader/policy.h"
#include "policy/cleanup.h"
#include "policy/policy.h"

/* More paths than this no person wrote, and each costs some system calls. */
#define PATHS_MAX 10000

/* The path without links, as far as it exists here; NULL where it has none. */
static char *resolved(const char *path)
{
	char known[PATH_MAX], *real = NULL, *all = NULL;
	size_t len = strlen(path);

	if (*path != '/' || len >= sizeof(known))
		return NULL;
	memcpy(known, path, len + 1);
	while (len > 1 && known[len - 1] == '/')
		known[--len] = '\0';
	while (len > 1 && !(real = realpath(known, NULL)) && errno == ENOENT) {
		len = (size_t)(strrchr(known, '/') - known);
		known[len] = '\0';
	}
	if (real && strcmp(real, known) != 0 && asprintf(&all, "%s%s", real, path + len) < 0)
		all = NULL;
	free(real);
	return all;
}

static void tell(const char *path, const struct policy_place *at)
{
	cleanup(cleanup_free) char *real = resolved(path);
	struct policy_error warning = { .line = at->line, .column = at->column };

	if (!real)
		return;
	snprintf(warning.file, sizeof(warning.file), "%s", at->file);
	snprintf(warning.text, sizeof(warning.text),
		 "%.200s leads through a link and meets nothing; did you mean %.200s?", path, real);
	message_policy_warning(&warning);
}

void policy_tell_links(const struct policy *policy)
{
	char value[POLICY_VALUE_MAX];
	struct policy_rule_info rule;
	unsigned int paths = 0;

	if (!(policy_matchers(policy) & 1u << POLICY_PATH))
		return;
	for (uint32_t i = 0; i < policy_ordinals(policy) && paths < PATHS_MAX; i++) {
		if (policy_rule(policy, i, &rule) || rule.matcher != POLICY_PATH)
			continue;
		tell(rule.value, &rule.place);
		paths++;
	}
	for (size_t i = 0; i < policy_exception_count(policy); i++) {
		const struct policy_exception *e = policy_exception_get(policy, i);

		if (e->matcher == POLICY_PATH)
			tell(policy_exception_value(policy, e, value, sizeof(value)), &e->place);
	}
}

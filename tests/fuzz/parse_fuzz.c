/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as a policy. Those up to a line of "%%%" are the policy, those up to the next one every
 * file it includes or lists. What is accepted must print, and what is printed must be accepted and
 * print the same; tables, book and look-ups must hold for it.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/policy.h"

struct input {
	const char *parts[2];
	size_t lens[2];
};

static int read_part(void *ctx, const char *path, size_t max, char **ret_text, size_t *ret_len,
		     struct policy_error *reterr)
{
	const struct input *input = ctx;
	int part = strcmp(path, "p.yaml") != 0;

	(void)max;
	(void)reterr;
	*ret_len = input->lens[part];
	*ret_text = malloc(*ret_len ? *ret_len : 1);
	if (*ret_len)
		memcpy(*ret_text, input->parts[part], *ret_len);
	return 0;
}

static struct policy *parse(struct input *input)
{
	const struct policy_reader reader = { input, read_part };
	const struct policy_checks checks = { .force = true };
	struct policy_error error = {};
	struct policy *policy;

	if (policy_new(&policy))
		abort();
	if (policy_add(policy, &reader, "p.yaml", &error) ||
	    policy_check(policy, &checks, &error)) {
		/* Every refusal says why, and where. */
		if (!error.text[0] || !error.file[0])
			abort();
		policy_free(policy);
		return NULL;
	}
	return policy;
}

static void use(const struct policy *policy)
{
	struct policy_tables *tables = NULL;
	struct policy_book *book = NULL;
	struct policy_rule_info rule, same;
	struct policy_error error;
	char *bytes = NULL;
	size_t len = 0;

	if (policy_compile(policy, NULL, &tables, &error) && !error.text[0])
		abort();
	policy_tables_free(tables);
	if (policy_book_write(policy, &bytes, &len) || policy_book_read(bytes, len, &book))
		abort();
	for (uint32_t i = 0; i < policy_ordinals(policy) && i < 64; i++) {
		uint32_t found[4];
		size_t count;

		if (policy_rule(policy, i, &rule))
			continue;
		if (policy_book_rule(book, i, &same) || strcmp(rule.ban, same.ban) != 0 ||
		    policy_find(policy, rule.value, found, 4, &count))
			abort();
	}
	if (policy_shrunk(book, policy, &error))
		abort();
	policy_book_free(book);
	free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data, *cut = memmem(text, size, "%%%\n", 4);
	struct input input = { { text, "" }, { size, 0 } };
	char *printed = NULL, *again = NULL, *changes = NULL;
	size_t len = 0, again_len = 0;
	struct policy *policy, *second;

	if (cut) {
		input.lens[0] = (size_t)(cut - text);
		input.parts[1] = cut + 4;
		input.lens[1] = size - input.lens[0] - 4;
	}
	policy = parse(&input);
	if (!policy)
		return 0;
	use(policy);
	if (policy_print(policy, &printed, &len))
		abort();
	input.parts[0] = printed;
	input.lens[0] = len;
	second = parse(&input);
	if (!second || policy_print(second, &again, &again_len))
		abort();
	if (len != again_len || memcmp(printed, again, len) != 0)
		abort();
	if (policy_diff(policy, second, &changes) || changes[0])
		abort();
	free(changes);
	free(printed);
	free(again);
	policy_free(second);
	policy_free(policy);
	return 0;
}

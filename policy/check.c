/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "policy/check.h"

static void tell(const struct check *check, const struct policy_error *error)
{
	if (check->options->warn)
		check->options->warn(check->options->ctx, error);
}

__attribute__((format(printf, 3, 0))) static void
fill(struct policy_error *error, const struct policy_place *place, const char *format, va_list args)
{
	char text[sizeof(error->text)];

	(void)vsnprintf(text, sizeof(text), format, args);
	(void)policy_fail(error, place->file, place->line, place->column, "%s", text);
}

int check_soft(const struct check *check, const struct policy_place *place, const char *format, ...)
{
	struct policy_error error = {};
	va_list args;
	size_t len;

	va_start(args, format);
	fill(&error, place, format, args);
	va_end(args);
	if (check->options->force) {
		tell(check, &error);
		return 0;
	}
	len = strlen(error.text);
	(void)snprintf(error.text + len, sizeof(error.text) - len, " (--force accepts it)");
	*check->error = error;
	return -EINVAL;
}

void check_warn(const struct check *check, const struct policy_place *place, const char *format,
		...)
{
	struct policy_error error = {};
	va_list args;

	va_start(args, format);
	fill(&error, place, format, args);
	va_end(args);
	tell(check, &error);
}

struct policy_place check_place(const struct policy *policy, const struct rule *rule)
{
	const struct range *range = model_range(policy, rule->ordinal);

	if (!range->list)
		return range->place;
	return (struct policy_place){ range->file, rule->ordinal - range->base + 1, 1 };
}

const char *check_show(const struct policy *policy, const struct rule_value *value, char *buf,
		       size_t size)
{
	char text[POLICY_VALUE_MAX];

	model_value_format(policy, value, text, sizeof(text));
	if (strlen(text) > 64)
		memcpy(text + 61, "...", 4);
	(void)snprintf(buf, size, "%s %s", policy_matcher_name(value->matcher), text);
	return buf;
}

static int check_bans(const struct check *check)
{
	const struct policy *policy = check->policy;

	for (size_t i = 0; i < policy->ban_count; i++) {
		const struct policy_ban *ban = &policy->bans[i];

		for (size_t j = 0; j < i; j++)
			if (strcmp(policy->bans[j].id, ban->id) == 0)
				return policy_fail(check->error, ban->place.file, ban->place.line,
						   ban->place.column,
						   "the ban \"%s\" is given twice, first in %s:%u",
						   ban->id, policy->bans[j].place.file,
						   policy->bans[j].place.line);
		if (ban->expires <= check->options->now)
			check_warn(check, &ban->place, "the ban \"%s\" has expired", ban->id);
	}
	return 0;
}

static int check_exceptions(const struct check *check)
{
	const struct policy *policy = check->policy;
	int err;

	for (size_t i = 0; i < policy->exception_count; i++) {
		const struct policy_exception *exception = &policy->exceptions[i];
		char until[40];

		if (exception->until > check->options->now)
			continue;
		policy_instant_format(exception->until, until, sizeof(until));
		if (check->options->expired_passes) {
			check_warn(check, &exception->place, "the exception expired at %s", until);
			continue;
		}
		err = check_soft(check, &exception->place,
				 "the exception expired at %s; remove it or give it a later end",
				 until);
		if (err)
			return err;
	}
	return 0;
}

int policy_check(const struct policy *policy, const struct policy_checks *checks,
		 struct policy_error *reterr)
{
	struct policy_error error = {};
	const struct check check = { .policy = policy, .options = checks, .error = &error };
	int err = check_bans(&check);

	if (!err)
		err = check_exceptions(&check);
	if (!err)
		err = check_breadth(&check);
	if (!err)
		err = check_doubles(&check);
	if (err == -ENOMEM)
		(void)policy_fail(&error, NULL, 0, 0, "not enough memory to check the policy");
	if (err && reterr)
		*reterr = error;
	return err;
}

int policy_unsupported(const struct policy *policy, unsigned int supported,
		       struct policy_error *reterr)
{
	for (size_t i = 0; i < policy->range_count; i++) {
		const struct range *range = &policy->ranges[i];

		if (supported & 1u << range->matcher)
			continue;
		(void)policy_fail(reterr, range->place.file, range->place.line, range->place.column,
				  "%s rules are not supported yet",
				  policy_matcher_name(range->matcher));
		return -EOPNOTSUPP;
	}
	for (size_t i = 0; i < policy->exception_count; i++) {
		const struct policy_exception *exception = &policy->exceptions[i];

		if (supported & 1u << exception->matcher)
			continue;
		(void)policy_fail(reterr, exception->place.file, exception->place.line,
				  exception->place.column, "%s exceptions are not supported yet",
				  policy_matcher_name(exception->matcher));
		return -EOPNOTSUPP;
	}
	return 0;
}

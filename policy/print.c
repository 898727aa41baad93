/* SPDX-License-Identifier: MIT */
/*
 * Canonical text: the same policy always prints the same bytes, and what is printed parses to the
 * same policy. Includes are written out; a list stays a list, with the digest of what it holds, so
 * that the text stands for all of the policy and is short.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "policy/cleanup.h"
#include "policy/digest.h"
#include "policy/format.h"

static void print_text(FILE *out, const char *indent, const char *key, const char *text)
{
	if (!text)
		return;
	(void)fprintf(out, "%s%s: ", indent, key);
	format_scalar(out, text);
	(void)fputc('\n', out);
}

static void print_authority(FILE *out, const struct policy_authority *authority)
{
	const char *comma = "";

	print_text(out, "  - ", "id", authority->id);
	print_text(out, "    ", "title", authority->title);
	print_text(out, "    ", "citation", authority->citation);
	print_text(out, "    ", "url", authority->url);
	if (authority->acts) {
		(void)fputs("    acts: [", out);
		for (int act = 0; act < POLICY_ACT_MAX; act++) {
			if (!(authority->acts & 1u << act))
				continue;
			(void)fprintf(out, "%s%s", comma, policy_act_name(act));
			comma = ", ";
		}
		(void)fputs("]\n", out);
	}
	print_text(out, "    ", "binds", authority->binds);
	print_text(out, "    ", "note", authority->note);
}

static void print_head(FILE *out, const struct policy_ban *ban)
{
	char instant[40];

	print_text(out, "", "ban", ban->id);
	print_text(out, "", "title", ban->title);
	if (ban->serial)
		(void)fprintf(out, "serial: %" PRIu64 "\n", ban->serial);
	if (ban->expires != DEBAR_FOREVER)
		(void)fprintf(out, "expires: %s\n",
			      policy_instant_format(ban->expires, instant, sizeof(instant)));
	if (ban->authority_count)
		(void)fputs("authorities:\n", out);
	for (size_t i = 0; i < ban->authority_count; i++)
		print_authority(out, &ban->authorities[i]);
	if (ban->phase_count)
		(void)fputs("phases:\n", out);
	for (size_t i = 0; i < ban->phase_count; i++)
		(void)fprintf(out, "  - from: %s\n    exec: %s\n    network: %s\n",
			      policy_instant_format(ban->phases[i].from, instant, sizeof(instant)),
			      policy_action_name(ban->phases[i].exec),
			      policy_action_name(ban->phases[i].network));
	(void)fprintf(out, "unclassified: %s\n", ban->unclassified_deny ? "deny" : "allow");
	(void)fprintf(out, "oversize: %s\n", ban->oversize_deny ? "deny" : "allow");
	(void)fprintf(out, "on_running: %s\n", ban->kill ? "kill" : "report");
	(void)fprintf(out, "on_controller_loss: %s\n", ban->loss_deny ? "deny" : "allow");
	(void)fprintf(out, "learn: %s\n", ban->learn ? "true" : "false");
	(void)fprintf(out, "malformed: %s\n", ban->malformed_deny ? "deny" : "allow");
}

/* What a kept list is called: two rules may have read one file as lists of two kinds. */
static const char *kept_name(const struct policy *policy, const struct range *range, char *buf,
			     size_t size)
{
	(void)snprintf(buf, size, "list-%zu.txt", (size_t)(range - policy->ranges));
	return buf;
}

static void print_range(FILE *out, const struct policy *policy, const struct range *range,
			bool kept)
{
	char digest[65], name[40];

	if (range->list) {
		print_text(out, "  - ", "list",
			   kept ? kept_name(policy, range, name, sizeof(name)) : range->list);
		(void)fprintf(out, "    kind: %s # %u values, sha256 %s\n",
			      policy_matcher_name(range->matcher), range->entries,
			      digest_encode(range->digest, sizeof(range->digest), digest));
	} else {
		(void)fprintf(out, "  - %s: ", policy_matcher_name(range->matcher));
		format_value(out, policy, &policy->rules[range->first].value);
		(void)fputc('\n', out);
	}
	/* On a network rule the key `network` is the matcher, so the verdict is `action`. */
	if (range->exec && range->exec == range->network) {
		(void)fprintf(out, "    action: %s\n", policy_action_name(range->exec));
	} else {
		if (range->exec)
			(void)fprintf(out, "    exec: %s\n", policy_action_name(range->exec));
		if (range->network)
			(void)fprintf(out, "    network: %s\n", policy_action_name(range->network));
	}
	print_text(out, "    ", "note", range->note);
}

static void print_exception(FILE *out, const struct policy *policy,
			    const struct policy_exception *exception)
{
	struct rule_value value = model_exception_value(exception);
	char instant[40];

	(void)fprintf(out, "  - %s: ", policy_matcher_name(exception->matcher));
	format_value(out, policy, &value);
	(void)fputc('\n', out);
	print_text(out, "    ", "reason", exception->reason);
	print_text(out, "    ", "owner", exception->owner);
	if (exception->until != DEBAR_FOREVER)
		(void)fprintf(out, "    until: %s\n",
			      policy_instant_format(exception->until, instant, sizeof(instant)));
}

static void print_ban(FILE *out, const struct policy *policy, size_t ban, bool kept)
{
	bool any = false;

	print_head(out, &policy->bans[ban]);
	(void)fputs("rules:\n", out);
	for (size_t i = 0; i < policy->range_count; i++)
		if (policy->ranges[i].ban == ban)
			print_range(out, policy, &policy->ranges[i], kept);
	for (size_t i = 0; i < policy->exception_count; i++) {
		if (policy->exceptions[i].ban != ban)
			continue;
		if (!any)
			(void)fputs("except:\n", out);
		any = true;
		print_exception(out, policy, &policy->exceptions[i]);
	}
}

int policy_print(const struct policy *policy, char **ret_text, size_t *ret_len)
{
	cleanup(format_close) struct format format = {};
	int err = format_open(&format);

	if (err)
		return err;
	for (size_t i = 0; i < policy->ban_count; i++) {
		if (i)
			(void)fputs("---\n", format.stream);
		print_ban(format.stream, policy, i, false);
	}
	return format_done(&format, ret_text, ret_len);
}

static int save_list(const struct policy *policy, const struct range *range,
		     const struct policy_writer *writer)
{
	cleanup(format_close) struct format format = {};
	cleanup(cleanup_free) char *text = NULL;
	char name[40];
	size_t len = 0;
	int err = format_open(&format);

	if (err)
		return err;
	for (uint32_t i = 0; i < range->entries; i++) {
		format_line(format.stream, policy, &policy->rules[range->first + i].value);
		(void)fputc('\n', format.stream);
	}
	err = format_done(&format, &text, &len);
	if (err)
		return err;
	kept_name(policy, range, name, sizeof(name));
	return writer->write(writer->ctx, name, text, len);
}

int policy_save(const struct policy *policy, size_t ban, const struct policy_writer *writer)
{
	cleanup(format_close) struct format format = {};
	cleanup(cleanup_free) char *text = NULL;
	size_t len = 0;
	int err = 0;

	for (size_t i = 0; !err && i < policy->range_count; i++)
		if (policy->ranges[i].ban == ban && policy->ranges[i].list)
			err = save_list(policy, &policy->ranges[i], writer);
	if (!err)
		err = format_open(&format);
	if (err)
		return err;
	print_ban(format.stream, policy, ban, true);
	err = format_done(&format, &text, &len);
	return err ? err : writer->write(writer->ctx, "ban.yaml", text, len);
}

int policy_digest(const struct policy *policy, uint8_t ret_digest[32])
{
	cleanup(cleanup_free) char *text = NULL;
	size_t len = 0;
	int err = policy_print(policy, &text, &len);

	return err ? err : digest_sha256(text, len, ret_digest);
}

const char *policy_exception_value(const struct policy *policy,
				   const struct policy_exception *exception, char *buf, size_t size)
{
	struct rule_value value = model_exception_value(exception);

	return model_value_format(policy, &value, buf, size);
}

uint32_t policy_ordinals(const struct policy *policy)
{
	return policy->ordinals;
}

int policy_rule(const struct policy *policy, uint32_t ordinal, struct policy_rule_info *ret_rule)
{
	const struct range *range = model_range(policy, ordinal);
	uint32_t low, high;

	if (!range)
		return -ENOENT;
	low = range->first;
	high = range->first + range->entries;
	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (policy->rules[mid].ordinal < ordinal)
			low = mid + 1;
		else
			high = mid;
	}
	/* A comment's line in a list has an ordinal and no rule. */
	if (low == range->first + range->entries || policy->rules[low].ordinal != ordinal)
		return -ENOENT;
	*ret_rule = (struct policy_rule_info){
		.ordinal = ordinal,
		.ban = policy->bans[range->ban].id,
		.place = range->place,
		.matcher = range->matcher,
		.exec = range->exec,
		.network = range->network,
		.note = range->note,
		.list = range->list != NULL,
	};
	if (range->list)
		ret_rule->place =
			(struct policy_place){ range->file, ordinal - range->base + 1, 1 };
	model_value_format(policy, &policy->rules[low].value, ret_rule->value,
			   sizeof(ret_rule->value));
	return 0;
}

/* SPDX-License-Identifier: MIT */
/*
 * What changes between two policies, in words. Each side of a ban becomes a set of items, what a
 * thing is and what is said of it; sorted, the two sets are walked together.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "policy/cleanup.h"
#include "policy/diff.h"
#include "policy/format.h"

struct item {
	char *what;				  /* "rule sha256 ab12..." */
	char *said;				  /* "exec deny" or "" */
	const struct range *range;		  /* of a rule or a list, or NULL */
	const struct policy_authority *authority; /* or NULL */
};

struct items {
	size_t count, room;
	struct item *list;
};

static void items_release(struct items *items)
{
	for (size_t i = 0; i < items->count; i++) {
		free(items->list[i].what);
		free(items->list[i].said);
	}
	free(items->list);
}

/* Takes over what the two formats hold. */
static int items_add(struct items *items, struct format *what, struct format *said,
		     struct item item)
{
	int err = format_done(what, &item.what, NULL);

	if (!err)
		err = format_done(said, &item.said, NULL);
	if (!err)
		err = model_grow(&items->list, &items->room, items->count, sizeof(*items->list));
	if (err) {
		free(item.what);
		free(item.said);
		return err;
	}
	items->list[items->count++] = item;
	return 0;
}

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct item *)a)->what, ((const struct item *)b)->what);
}

/* An item is written by one of these: what it is to one stream, what is said of it to another. */
struct writer {
	const struct policy *policy;
	const struct policy_ban *ban;
	size_t index;
	struct item item; /* what is more to it than its words */
	void (*write)(struct writer *w, FILE *what, FILE *said);
};

static int write_item(struct items *items, struct writer *writer)
{
	cleanup(format_close) struct format what = {};
	cleanup(format_close) struct format said = {};
	int err = format_open(&what);

	if (!err)
		err = format_open(&said);
	if (err)
		return err;
	writer->item = (struct item){};
	writer->write(writer, what.stream, said.stream);
	return items_add(items, &what, &said, writer->item);
}

static void write_range(struct writer *w, FILE *what, FILE *said)
{
	const struct range *range = &w->policy->ranges[w->index];

	w->item.range = range;
	if (range->list) {
		(void)fprintf(what, "list %s of %s", range->list,
			      policy_matcher_name(range->matcher));
	} else {
		(void)fprintf(what, "rule %s ", policy_matcher_name(range->matcher));
		format_value(what, w->policy, &w->policy->rules[range->first].value);
	}
	if (range->exec)
		(void)fprintf(said, "exec %s", policy_action_name(range->exec));
	if (range->network)
		(void)fprintf(said, "%snetwork %s", range->exec ? ", " : "",
			      policy_action_name(range->network));
}

static void write_exception(struct writer *w, FILE *what, FILE *said)
{
	const struct policy_exception *exception = &w->policy->exceptions[w->index];
	struct rule_value value = model_exception_value(exception);
	char until[40];

	(void)fprintf(what, "exception %s ", policy_matcher_name(exception->matcher));
	format_value(what, w->policy, &value);
	if (exception->until == DEBAR_FOREVER)
		(void)fputs("without end", said);
	else
		(void)fprintf(said, "until %s",
			      policy_instant_format(exception->until, until, sizeof(until)));
	(void)fprintf(said, ", because: %s", exception->reason);
	if (exception->owner)
		(void)fprintf(said, " (%s)", exception->owner);
}

static void write_acts(FILE *out, unsigned int acts)
{
	const char *comma = "";

	for (int act = 0; act < POLICY_ACT_MAX; act++) {
		if (!(acts & 1u << act))
			continue;
		(void)fprintf(out, "%s%s", comma, policy_act_name(act));
		comma = ", ";
	}
	(void)fputs(acts ? "" : "nothing", out);
}

/* Paragraphs are left to who compares two of them. */
static void write_authority(struct writer *w, FILE *what, FILE *said)
{
	const struct policy_authority *authority = &w->ban->authorities[w->index];

	w->item.authority = authority;
	(void)fprintf(what, "authority %s", authority->id);
	(void)fprintf(said, "%s", authority->title);
	if (authority->citation)
		(void)fprintf(said, ", %s", authority->citation);
	(void)fputs(", prohibits ", said);
	write_acts(said, authority->acts);
}

static void write_phase(struct writer *w, FILE *what, FILE *said)
{
	const struct debar_phase *phase = &w->ban->phases[w->index];
	char from[40];

	(void)fprintf(what, "phase from %s",
		      policy_instant_format(phase->from, from, sizeof(from)));
	(void)fprintf(said, "exec %s, network %s", policy_action_name(phase->exec),
		      policy_action_name(phase->network));
}

static int collect(const struct policy *policy, size_t ban, struct items *items)
{
	struct writer w = { .policy = policy, .ban = &policy->bans[ban] };
	int err = 0;

	w.write = write_authority;
	for (w.index = 0; !err && w.index < w.ban->authority_count; w.index++)
		err = write_item(items, &w);
	w.write = write_phase;
	for (w.index = 0; !err && w.index < w.ban->phase_count; w.index++)
		err = write_item(items, &w);
	w.write = write_range;
	for (w.index = 0; !err && w.index < policy->range_count; w.index++)
		if (policy->ranges[w.index].ban == ban)
			err = write_item(items, &w);
	w.write = write_exception;
	for (w.index = 0; !err && w.index < policy->exception_count; w.index++)
		if (policy->exceptions[w.index].ban == ban)
			err = write_item(items, &w);
	if (!err && items->count)
		qsort(items->list, items->count, sizeof(*items->list), compare);
	return err;
}

/* One ban on both sides. */
struct sides {
	FILE *out;
	const char *id;
	const struct policy *before, *after;
};

static int tell_list(const struct sides *s, const struct item *before, const struct item *after)
{
	size_t added = 0, removed = 0;
	int err;

	if (memcmp(before->range->digest, after->range->digest, 32) == 0)
		return 0;
	err = diff_lists(s->before, before->range, s->after, after->range, &added, &removed);
	if (err)
		return err;
	if (added || removed)
		(void)fprintf(s->out, "ban %s: %s: %zu values added, %zu removed, now %u\n", s->id,
			      after->what, added, removed, after->range->entries);
	return 0;
}

static void tell_one(const struct sides *s, const struct item *item, const char *verb)
{
	(void)fprintf(s->out, "ban %s: %s %s", s->id, item->what, verb);
	if (item->range && item->range->list)
		(void)fprintf(s->out, ", %u values", item->range->entries);
	if (item->said[0])
		(void)fprintf(s->out, ": %s", item->said);
	(void)fputc('\n', s->out);
}

/* @what has a @name, both in the words of the policy: "rule sha256 ab12..." and " note". */
static void tell_text(const struct sides *s, const char *what, const char *name, const char *before,
		      const char *after)
{
	if (strcmp(before ? before : "", after ? after : "") != 0)
		(void)fprintf(s->out, "ban %s: %s%s is now \"%s\", was \"%s\"\n", s->id, what, name,
			      after ? after : "", before ? before : "");
}

static void tell_authority(const struct sides *s, const char *what,
			   const struct policy_authority *before,
			   const struct policy_authority *after)
{
	tell_text(s, what, " title", before->title, after->title);
	tell_text(s, what, " citation", before->citation, after->citation);
	tell_text(s, what, " url", before->url, after->url);
	tell_text(s, what, " binds", before->binds, after->binds);
	tell_text(s, what, " note", before->note, after->note);
	if (before->acts == after->acts)
		return;
	(void)fprintf(s->out, "ban %s: %s acts is now ", s->id, what);
	write_acts(s->out, after->acts);
	(void)fputs(", was ", s->out);
	write_acts(s->out, before->acts);
	(void)fputc('\n', s->out);
}

static void tell_change(const struct sides *s, const struct item *before, const struct item *after)
{
	if (before->authority && after->authority) {
		tell_authority(s, after->what, before->authority, after->authority);
		return;
	}
	if (before->range && after->range)
		tell_text(s, after->what, " note", before->range->note, after->range->note);
	if (strcmp(before->said, after->said) != 0)
		(void)fprintf(s->out, "ban %s: %s is now %s, was %s\n", s->id, after->what,
			      after->said[0] ? after->said : "as the phase says",
			      before->said[0] ? before->said : "as the phase says");
}

static int tell_items(const struct sides *s, const struct items *before, const struct items *after)
{
	size_t i = 0, j = 0;
	int err = 0;

	while (!err && (i < before->count || j < after->count)) {
		const struct item *a = i < before->count ? &before->list[i] : NULL;
		const struct item *b = j < after->count ? &after->list[j] : NULL;
		int order = !a ? 1 : !b ? -1 : strcmp(a->what, b->what);

		if (order < 0) {
			tell_one(s, a, "is gone");
		} else if (order > 0) {
			tell_one(s, b, "is new");
		} else {
			tell_change(s, a, b);
			if (a->range && a->range->list && b->range && b->range->list)
				err = tell_list(s, a, b);
		}
		i += order <= 0;
		j += order >= 0;
	}
	return err;
}

static void tell_switch(const struct sides *s, const char *name, bool before, bool after,
			const char *no, const char *yes)
{
	if (before != after)
		(void)fprintf(s->out, "ban %s: %s is now %s, was %s\n", s->id, name,
			      after ? yes : no, before ? yes : no);
}

static const char *expiry(int64_t expires, char *buf, size_t size)
{
	return expires == DEBAR_FOREVER ? "never" : policy_instant_format(expires, buf, size);
}

static void tell_head(const struct sides *s, const struct policy_ban *a, const struct policy_ban *b)
{
	char x[40], y[40];

	tell_text(s, "title", "", a->title, b->title);
	tell_switch(s, "unclassified", a->unclassified_deny, b->unclassified_deny, "allow", "deny");
	tell_switch(s, "oversize", a->oversize_deny, b->oversize_deny, "allow", "deny");
	tell_switch(s, "on_running", a->kill, b->kill, "report", "kill");
	tell_switch(s, "on_controller_loss", a->loss_deny, b->loss_deny, "allow", "deny");
	tell_switch(s, "learn", a->learn, b->learn, "false", "true");
	tell_switch(s, "malformed", a->malformed_deny, b->malformed_deny, "allow", "deny");
	if (a->serial != b->serial)
		(void)fprintf(s->out, "ban %s: serial is now %" PRIu64 ", was %" PRIu64 "\n", s->id,
			      b->serial, a->serial);
	if (a->expires != b->expires)
		(void)fprintf(s->out, "ban %s: expires is now %s, was %s\n", s->id,
			      expiry(b->expires, y, sizeof(y)), expiry(a->expires, x, sizeof(x)));
	if (a->phase_count && !b->phase_count)
		(void)fprintf(s->out, "ban %s: without phases it denies from the start\n", s->id);
}

static size_t find(const struct policy *policy, const char *id)
{
	size_t i = 0;

	while (i < policy->ban_count && strcmp(policy->bans[i].id, id) != 0)
		i++;
	return i;
}

static void tell_ban(FILE *out, const struct policy_ban *ban, const char *verb)
{
	const char *comma = " with ";

	(void)fprintf(out, "ban %s %s", ban->id, verb);
	for (int i = 0; i < POLICY_MATCHER_MAX; i++) {
		if (!ban->rules[i])
			continue;
		(void)fprintf(out, "%s%u %s", comma, ban->rules[i], policy_matcher_name(i));
		comma = ", ";
	}
	(void)fputs(" rules\n", out);
}

static int tell_both(FILE *out, const struct policy *before, size_t a, const struct policy *after,
		     size_t b)
{
	cleanup(items_release) struct items old = {};
	cleanup(items_release) struct items now = {};
	const struct sides sides = { out, after->bans[b].id, before, after };
	int err = collect(before, a, &old);

	if (!err)
		err = collect(after, b, &now);
	if (err)
		return err;
	tell_head(&sides, &before->bans[a], &after->bans[b]);
	return tell_items(&sides, &old, &now);
}

int policy_diff(const struct policy *before, const struct policy *after, char **ret_text)
{
	cleanup(format_close) struct format format = {};
	int err = format_open(&format);

	for (size_t i = 0; !err && i < before->ban_count; i++)
		if (find(after, before->bans[i].id) == after->ban_count)
			tell_ban(format.stream, &before->bans[i], "is gone");
	for (size_t i = 0; !err && i < after->ban_count; i++) {
		size_t old = find(before, after->bans[i].id);

		if (old == before->ban_count)
			tell_ban(format.stream, &after->bans[i], "is new");
		else
			err = tell_both(format.stream, before, old, after, i);
	}
	return err ? err : format_done(&format, ret_text, NULL);
}

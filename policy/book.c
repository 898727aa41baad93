/* SPDX-License-Identifier: MIT */
/*
 * The rule book: who said what, small enough to lie beside the pinned maps. It is text, a record a
 * line, fields split by tabs; a book may be read by a later program, or be damaged, so reading
 * trusts nothing.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/cleanup.h"
#include "policy/format.h"

#define BOOK_HEADER "debar-book\t1"
#define FIELDS_MAX 40

/* A rule or a list, as the book knows it. */
struct entry {
	uint32_t base;
	uint32_t count;
	struct policy_place place;
	const char *file; /* of a list, or NULL */
	const char *value;
	const char *note;
	uint8_t ban, matcher, exec, network;
};

struct policy_book {
	char *text; /* every string below is a part of it */
	size_t ban_count, ban_room;
	struct policy_ban *bans;
	size_t entry_count, entry_room;
	struct entry *entries;
};

/* ---- writing ------------------------------------------------------------------------------ */

/* No string of a policy has a tab or a line break in it, but a file's name may. */
static void write_field(FILE *out, const char *text)
{
	(void)fputc('\t', out);
	for (; text && *text; text++)
		(void)fputc(*text == '\t' || *text == '\n' ? '?' : *text, out);
}

static void write_ban(FILE *out, const struct policy_ban *ban)
{
	(void)fputs("ban", out);
	write_field(out, ban->id);
	write_field(out, ban->title);
	write_field(out, ban->place.file);
	(void)fprintf(out, "\t%u\t%" PRIu64 "\t%" PRId64 "\t%zu", ban->place.line, ban->serial,
		      ban->expires, ban->phase_count);
	for (int i = 0; i < POLICY_MATCHER_MAX; i++)
		(void)fprintf(out, "\t%u", ban->rules[i]);
	(void)fputc('\n', out);
	for (size_t i = 0; i < ban->phase_count; i++)
		(void)fprintf(out, "phase\t%" PRId64 "\t%u\t%u\n", (int64_t)ban->phases[i].from,
			      ban->phases[i].exec, ban->phases[i].network);
}

static void write_range(FILE *out, const struct policy *policy, const struct range *range)
{
	char value[POLICY_VALUE_MAX] = "";

	if (!range->list)
		model_value_format(policy, &policy->rules[range->first].value, value,
				   sizeof(value));
	(void)fprintf(out, "rule\t%u\t%u\t%u\t%u\t%u\t%u\t%u\t%u", range->base, range->count,
		      range->ban, range->matcher, range->exec, range->network, range->place.line,
		      range->place.column);
	write_field(out, range->place.file);
	write_field(out, range->list ? range->file : "");
	write_field(out, value);
	write_field(out, range->note);
	(void)fputc('\n', out);
}

int policy_book_write(const struct policy *policy, char **ret_bytes, size_t *ret_len)
{
	cleanup(format_close) struct format format = {};
	int err = format_open(&format);

	if (err)
		return err;
	(void)fputs(BOOK_HEADER "\n", format.stream);
	for (size_t i = 0; i < policy->ban_count; i++)
		write_ban(format.stream, &policy->bans[i]);
	for (size_t i = 0; i < policy->range_count; i++)
		write_range(format.stream, policy, &policy->ranges[i]);
	return format_done(&format, ret_bytes, ret_len);
}

/* ---- reading ------------------------------------------------------------------------------ */

/* One record, split in place. */
struct record {
	size_t count;
	char *fields[FIELDS_MAX];
	bool bad; /* a field that should be a number is none, or there are too few */
};

static struct record split(char *line)
{
	struct record record = {};

	while (line && record.count < FIELDS_MAX)
		record.fields[record.count++] = strsep(&line, "\t");
	return record;
}

static const char *text_of(struct record *record, size_t i)
{
	if (i < record->count)
		return record->fields[i][0] ? record->fields[i] : NULL;
	record->bad = true;
	return NULL;
}

static int64_t number_of(struct record *record, size_t i, int64_t least, int64_t most)
{
	const char *text = text_of(record, i);
	char *end = NULL;
	long long value = 0;

	errno = 0;
	if (text)
		value = strtoll(text, &end, 10);
	if (!text || *end || errno || value < least || value > most) {
		record->bad = true;
		return least;
	}
	return value;
}

static int read_ban(struct policy_book *book, struct record *record)
{
	struct policy_ban ban = {
		.id = text_of(record, 1),
		.title = text_of(record, 2),
		.place.file = text_of(record, 3),
		.place.line = (unsigned int)number_of(record, 4, 0, UINT32_MAX),
		.place.column = 1,
		.serial = (uint64_t)number_of(record, 5, 0, INT64_MAX),
		.expires = number_of(record, 6, 0, INT64_MAX),
	};
	int err;

	(void)number_of(record, 7, 0, DEBAR_PHASES_MAX);
	for (size_t i = 0; i < POLICY_MATCHER_MAX; i++)
		ban.rules[i] = (uint32_t)number_of(record, 8 + i, 0, POLICY_RULES_MAX);
	if (!ban.id || record->bad || book->ban_count == DEBAR_BANS_MAX)
		return -EBADMSG;
	err = model_grow(&book->bans, &book->ban_room, book->ban_count, sizeof(*book->bans));
	if (!err)
		book->bans[book->ban_count++] = ban;
	return err;
}

static int read_phase(struct policy_book *book, struct record *record)
{
	struct debar_phase phase = {
		.from = number_of(record, 1, INT64_MIN, INT64_MAX),
		.exec = (__u8)number_of(record, 2, DEBAR_OFF, DEBAR_DENY),
		.network = (__u8)number_of(record, 3, DEBAR_OFF, DEBAR_DENY),
	};
	struct policy_ban *ban;

	if (record->bad || !book->ban_count)
		return -EBADMSG;
	ban = &book->bans[book->ban_count - 1];
	if (ban->phase_count == DEBAR_PHASES_MAX)
		return -EBADMSG;
	ban->phases[ban->phase_count++] = phase;
	return 0;
}

static int read_entry(struct policy_book *book, struct record *record)
{
	struct entry entry = {
		.base = (uint32_t)number_of(record, 1, 0, POLICY_RULES_MAX),
		.count = (uint32_t)number_of(record, 2, 1, POLICY_RULES_MAX),
		.ban = (uint8_t)number_of(record, 3, 0, (int64_t)book->ban_count - 1),
		.matcher = (uint8_t)number_of(record, 4, 0, POLICY_MATCHER_MAX - 1),
		.exec = (uint8_t)number_of(record, 5, 0, DEBAR_DENY),
		.network = (uint8_t)number_of(record, 6, 0, DEBAR_DENY),
		.place.line = (unsigned int)number_of(record, 7, 0, UINT32_MAX),
		.place.column = (unsigned int)number_of(record, 8, 0, UINT32_MAX),
		.place.file = text_of(record, 9),
		.file = text_of(record, 10),
		.value = text_of(record, 11),
		.note = text_of(record, 12),
	};
	const struct entry *last = book->entry_count ? &book->entries[book->entry_count - 1] : NULL;
	int err;

	if (record->bad || !book->ban_count || (last && entry.base < last->base + last->count))
		return -EBADMSG;
	err = model_grow(&book->entries, &book->entry_room, book->entry_count,
			 sizeof(*book->entries));
	if (!err)
		book->entries[book->entry_count++] = entry;
	return err;
}

static int read_record(struct policy_book *book, char *line)
{
	struct record record = split(line);

	if (strcmp(record.fields[0], "ban") == 0)
		return read_ban(book, &record);
	if (strcmp(record.fields[0], "phase") == 0)
		return read_phase(book, &record);
	if (strcmp(record.fields[0], "rule") == 0)
		return read_entry(book, &record);
	return -EBADMSG;
}

static void release(struct policy_book **book)
{
	policy_book_free(*book);
}

int policy_book_read(const char *bytes, size_t len, struct policy_book **ret_book)
{
	cleanup(release) struct policy_book *book = calloc(1, sizeof(*book));
	char *at, *line;
	int err = 0;

	if (!book)
		return -ENOMEM;
	if (memchr(bytes, '\0', len))
		return -EBADMSG;
	book->text = at = strndup(bytes, len);
	if (!at)
		return -ENOMEM;
	line = strsep(&at, "\n");
	if (strcmp(line, BOOK_HEADER) != 0)
		return -EPROTO;
	while (!err && (line = strsep(&at, "\n")) && *line)
		err = read_record(book, line);
	if (err)
		return err;
	*ret_book = take(book);
	return 0;
}

void policy_book_free(struct policy_book *book)
{
	if (!book)
		return;
	free(book->text);
	free(book->bans);
	free(book->entries);
	free(book);
}

static const struct entry *find(const struct policy_book *book, uint32_t ordinal)
{
	size_t low = 0, high = book->entry_count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		const struct entry *entry = &book->entries[mid];

		if (ordinal < entry->base)
			high = mid;
		else if (ordinal - entry->base >= entry->count)
			low = mid + 1;
		else
			return entry;
	}
	return NULL;
}

int policy_book_rule(const struct policy_book *book, uint32_t ordinal,
		     struct policy_rule_info *ret_rule)
{
	const struct entry *entry = find(book, ordinal);

	if (!entry)
		return -ENOENT;
	*ret_rule = (struct policy_rule_info){
		.ordinal = ordinal,
		.ban = book->bans[entry->ban].id,
		.place = entry->place,
		.matcher = entry->matcher,
		.exec = entry->exec,
		.network = entry->network,
		.note = entry->note,
		.list = entry->file != NULL,
	};
	if (entry->file)
		ret_rule->place =
			(struct policy_place){ entry->file, ordinal - entry->base + 1, 1 };
	(void)snprintf(ret_rule->value, sizeof(ret_rule->value), "%s",
		       entry->value ? entry->value : "");
	return 0;
}

size_t policy_book_ban_count(const struct policy_book *book)
{
	return book->ban_count;
}

const struct policy_ban *policy_book_ban(const struct policy_book *book, size_t ban)
{
	return ban < book->ban_count ? &book->bans[ban] : NULL;
}

/* ---- swap safety -------------------------------------------------------------------------- */

static const struct policy_ban *ban_of(const struct policy *policy, const char *id)
{
	for (size_t i = 0; i < policy->ban_count; i++)
		if (strcmp(policy->bans[i].id, id) == 0)
			return &policy->bans[i];
	return NULL;
}

static size_t rules_of(const struct policy_ban *ban)
{
	size_t sum = 0;

	for (int i = 0; i < POLICY_MATCHER_MAX; i++)
		sum += ban->rules[i];
	return sum;
}

int policy_shrunk(const struct policy_book *before, const struct policy *policy,
		  struct policy_error *reterr)
{
	for (size_t i = 0; i < before->ban_count; i++) {
		const struct policy_ban *old = &before->bans[i], *now = ban_of(policy, old->id);

		if (!now) {
			(void)policy_fail(
				reterr, NULL, 0, 0,
				"the ban %s would be lost, all of its %zu rules; if that is "
				"meant: debar reload --force",
				old->id, rules_of(old));
			return -EPERM;
		}
		for (int m = 0; m < POLICY_MATCHER_MAX; m++) {
			uint32_t had = old->rules[m], has = now->rules[m];

			if (has >= had || had - has <= had / 2)
				continue;
			(void)policy_fail(reterr, now->place.file, now->place.line,
					  now->place.column,
					  "the ban %s would lose %u of its %u %s rules; if that is "
					  "meant: debar reload --force",
					  old->id, had - has, had, policy_matcher_name(m));
			return -EPERM;
		}
	}
	return 0;
}

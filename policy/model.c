/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/model.h"

#define CHUNK_SIZE (64u << 10)

/* Strings and small tables: never moved, freed together. */
struct chunk {
	struct chunk *next;
	size_t used;
	size_t room;
	max_align_t bytes[];
};

int policy_new(struct policy **ret_policy)
{
	struct policy *policy = calloc(1, sizeof(*policy));

	if (!policy)
		return -ENOMEM;
	*ret_policy = policy;
	return 0;
}

void policy_free(struct policy *policy)
{
	if (!policy)
		return;
	while (policy->chunks) {
		struct chunk *next = policy->chunks->next;

		free(policy->chunks);
		policy->chunks = next;
	}
	free(policy->bans);
	free(policy->rules);
	free(policy->ranges);
	free(policy->exceptions);
	free(policy->certs);
	free(policy->values);
	free(policy);
}

int model_grow(void *array, size_t *room, size_t count, size_t size)
{
	void **place = array;
	size_t want = *room ? *room * 2 : 8;
	void *grown;

	if (count < *room)
		return 0;
	grown = reallocarray(*place, want, size);
	if (!grown)
		return -ENOMEM;
	*place = grown;
	*room = want;
	return 0;
}

void *model_alloc(struct policy *policy, size_t size)
{
	struct chunk *chunk = policy->chunks;
	size_t room = size > CHUNK_SIZE ? size : CHUNK_SIZE;
	void *bytes;

	size = (size + sizeof(max_align_t) - 1) & ~(sizeof(max_align_t) - 1);
	if (!chunk || chunk->room - chunk->used < size) {
		room = room > size ? room : size;
		chunk = calloc(1, sizeof(*chunk) + room);
		if (!chunk)
			return NULL;
		chunk->room = room;
		chunk->next = policy->chunks;
		policy->chunks = chunk;
	}
	bytes = (char *)chunk->bytes + chunk->used;
	chunk->used += size;
	return bytes;
}

const char *model_string(struct policy *policy, const char *text, size_t len)
{
	char *copy = model_alloc(policy, len + 1);

	if (!copy)
		return NULL;
	memcpy(copy, text, len);
	copy[len] = '\0';
	return copy;
}

int model_reserve(struct policy *policy, size_t rules, size_t bytes)
{
	size_t rule_room = policy->rule_count + rules;
	size_t value_room = policy->value_len + bytes;

	if (rule_room > policy->rule_room) {
		struct rule *grown = reallocarray(policy->rules, rule_room, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		policy->rules = grown;
		policy->rule_room = rule_room;
	}
	if (value_room > policy->value_room) {
		uint8_t *grown = realloc(policy->values, value_room);

		if (!grown)
			return -ENOMEM;
		policy->values = grown;
		policy->value_room = value_room;
	}
	return 0;
}

int model_value(struct policy *policy, const void *bytes, size_t len, uint32_t *ret_offset)
{
	if (policy->value_len + len > UINT32_MAX)
		return -E2BIG;
	if (policy->value_len + len > policy->value_room) {
		int err = model_reserve(policy, 0, policy->value_len + len + 4096);

		if (err)
			return err;
	}
	memcpy(policy->values + policy->value_len, bytes, len);
	*ret_offset = (uint32_t)policy->value_len;
	policy->value_len += len;
	return 0;
}

const struct policy_certificate *model_certificate(const struct policy *policy,
						   const struct rule_value *value)
{
	uint32_t index;

	if (value->matcher != POLICY_CERTIFICATE || value->len != sizeof(index))
		return NULL;
	memcpy(&index, model_bytes(policy, value), sizeof(index));
	return &policy->certs[index];
}

const struct range *model_range(const struct policy *policy, uint32_t ordinal)
{
	size_t low = 0, high = policy->range_count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		const struct range *range = &policy->ranges[mid];

		if (ordinal < range->base)
			high = mid;
		else if (ordinal - range->base >= range->count)
			low = mid + 1;
		else
			return range;
	}
	return NULL;
}

size_t policy_ban_count(const struct policy *policy)
{
	return policy->ban_count;
}

const struct policy_ban *policy_ban_get(const struct policy *policy, size_t ban)
{
	return ban < policy->ban_count ? &policy->bans[ban] : NULL;
}

size_t policy_exception_count(const struct policy *policy)
{
	return policy->exception_count;
}

const struct policy_exception *policy_exception_get(const struct policy *policy, size_t i)
{
	return i < policy->exception_count ? &policy->exceptions[i] : NULL;
}

unsigned int policy_matchers(const struct policy *policy)
{
	unsigned int used = 0;

	for (size_t i = 0; i < policy->range_count; i++)
		used |= 1u << policy->ranges[i].matcher;
	for (size_t i = 0; i < policy->exception_count; i++)
		used |= 1u << policy->exceptions[i].matcher;
	return used;
}

unsigned int policy_own_actions(const struct policy *policy, size_t ban, bool network)
{
	unsigned int own = 0;

	for (size_t i = 0; i < policy->range_count; i++) {
		const struct range *range = &policy->ranges[i];
		bool is_network = range->matcher == POLICY_DOMAIN ||
				  range->matcher == POLICY_NETWORK;

		if (range->ban == ban && is_network == network)
			own |= 1u << (network ? range->network : range->exec);
	}
	return own;
}

struct debar_phase policy_phase_at(const struct policy_ban *ban, int64_t utc)
{
	struct debar_phase at = { .from = INT64_MIN, .exec = DEBAR_OFF, .network = DEBAR_OFF };

	if (!ban->phase_count)
		at.exec = at.network = DEBAR_DENY;
	for (size_t i = 0; i < ban->phase_count && ban->phases[i].from <= utc; i++)
		at = ban->phases[i];
	return at;
}

const struct debar_phase *policy_phase_next(const struct policy_ban *ban, int64_t utc)
{
	for (size_t i = 0; i < ban->phase_count; i++)
		if (ban->phases[i].from > utc)
			return &ban->phases[i];
	return NULL;
}

enum debar_action policy_phase_action(const struct debar_phase *phase, bool network,
				      enum debar_action own)
{
	enum debar_action said = network ? phase->network : phase->exec;

	return own == DEBAR_INHERIT || said == DEBAR_OFF ? said : own;
}

void policy_phase_span(const struct policy_ban *ban, bool network, enum debar_action own,
		       int64_t utc, int64_t *ret_since, int64_t *ret_until)
{
	struct debar_phase now = policy_phase_at(ban, utc);
	enum debar_action action = policy_phase_action(&now, network, own);

	*ret_since = INT64_MIN;
	*ret_until = DEBAR_FOREVER;
	for (size_t i = 0; i < ban->phase_count; i++) {
		const struct debar_phase *phase = &ban->phases[i];
		bool same = policy_phase_action(phase, network, own) == action;

		if (phase->from <= utc) {
			if (!same)
				*ret_since = INT64_MIN;
			else if (*ret_since == INT64_MIN)
				*ret_since = phase->from;
		} else if (!same) {
			*ret_until = phase->from;
			return;
		}
	}
}

int policy_fail(struct policy_error *error, const char *file, unsigned int line,
		unsigned int column, const char *format, ...)
{
	va_list args;

	if (!error)
		return -EINVAL;
	error->line = line;
	error->column = column;
	(void)snprintf(error->file, sizeof(error->file), "%s", file ? file : "");
	va_start(args, format);
	(void)vsnprintf(error->text, sizeof(error->text), format, args);
	va_end(args);
	return -EINVAL;
}

const char *policy_error_format(const struct policy_error *error, char *buf, size_t size)
{
	if (error->line)
		(void)snprintf(buf, size, "%s:%u:%u: %s", error->file, error->line, error->column,
			       error->text);
	else if (error->file[0])
		(void)snprintf(buf, size, "%s: %s", error->file, error->text);
	else
		(void)snprintf(buf, size, "%s", error->text);
	return buf;
}

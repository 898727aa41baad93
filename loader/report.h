/* SPDX-License-Identifier: MIT */
/*
 * Events for people and for programs. What the kernel tells becomes one JSON object in the names of
 * the Elastic Common Schema, nested; the line that a person reads is made of that object, so there
 * is one history. Nothing here reads or prints.
 */
#ifndef DEBAR_LOADER_REPORT_H
#define DEBAR_LOADER_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "bpf/abi_net.h"
#include "policy/policy.h"

#define REPORT_ECS_VERSION "8.11.0"

/* What an event itself does not tell. */
struct report_context {
	const struct policy_book *book; /* of the event's generation; NULL: rules are numbers */
	const char *executable;		/* what the actor runs; NULL: not known any more */
	const char *container;		/* id of the actor's container; NULL: none */
	const char *subject;		/* name of the certificate that matched; NULL: none did */
	const char *mode;		/* "enforce" or "audit": the ceiling above every phase */
	bool gate;			/* gate mode: fanotify asked, not a program in the kernel */
	uint64_t lost;			/* events that found the ring full, since it was made */
	unsigned int count;		/* acts that this event stands for */
};

/* The words of the contract for event.action: "exec", "mmap". NULL: out of range. */
const char *report_action_name(enum debar_hook hook);

/* "oversize", ...: why something was refused that no rule names; and the same as half a sentence. */
const char *report_because_name(enum debar_because because);
const char *report_because_words(enum debar_because because);

/* One event as a line of JSON, without its end. -EPROTO: no event of this version. */
int report_json(const struct debar_event *event, const struct report_context *context,
		char **ret_line);

/* An event without what differs between two of a row, for the folding. @ret_essence: as large. */
void report_essence(const struct debar_event *event, struct debar_event *ret_essence);

/* The same two for what the network hooks tell. */
int report_net_json(const struct debar_net_event *event, const struct report_context *context,
		    char **ret_line);
void report_net_essence(const struct debar_net_event *event, struct debar_net_event *ret_essence);

/* The line for people, without its end. -EINVAL: this is no event. */
int report_text(const json_t *event, bool colour, char **ret_line);

/* ---- parts, for other kinds of records ----------------------------------------------------- */

/*
 * Bytes of the kernel's or of a file's name as a JSON string: up to @size or to a NUL, and a byte
 * that is not UTF-8 as \xNN in four characters.
 */
json_t *report_string(const char *bytes, size_t size);

/* UTC nanoseconds as ECS wants them: "2026-11-23T21:13:17.123Z" */
json_t *report_instant(int64_t utc);

/* The parts of an event that every kind of it has; NULL when there is no memory. */
const char *report_hook_name(enum debar_hook hook); /* the kernel's word for it, or NULL */
json_t *report_event_part(enum debar_hook hook, enum debar_outcome outcome);
json_t *report_process_part(const struct debar_actor *actor, const struct report_context *context);
/* What a reader greps for: the ban and the line, "kaspersky/kaspersky.yaml:31". Returns @buf. */
const char *report_rule_id(const struct policy_rule_info *rule, char *buf, size_t size);

json_t *report_rule_part(const struct debar_match *match, const struct report_context *context);

/*
 * A key as text: hex without the padding, or the words of the rule where the key is a hash of them.
 * @rule: of the book, or NULL. Returns @buf of at least POLICY_VALUE_MAX.
 */
const char *report_key_value(const struct debar_key *key, const struct policy_rule_info *rule,
			     char *buf, size_t size);

/* Text for a terminal: whatever could move the cursor or the eye is written as \xNN or \u{NNNN}. */
char *report_printable(const char *utf8);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * The part of YAML that a policy may use, as a stream of events with positions: one document of
 * mappings, sequences and scalars. Anchors, aliases, tags, merge keys and directives are errors
 * here, so nothing behind this file can meet them, and nothing ever nests deeper than it asks for.
 */
#ifndef DEBAR_POLICY_PARSE_YAML_H
#define DEBAR_POLICY_PARSE_YAML_H

#include <stdbool.h>
#include <stddef.h>

#include <yaml.h>

struct policy_error;

struct yaml {
	yaml_parser_t parser;
	yaml_event_t event; /* the current one */
	const char *file;
	struct policy_error *error;
};

/* Start on @text, which must outlive the stream. 0 or -ENOMEM. */
int yaml_open(struct yaml *yaml, const char *text, size_t len, const char *file,
	      struct policy_error *reterr);
void yaml_close(struct yaml *yaml);

/* Move to the next event. */
int yaml_next(struct yaml *yaml);

/* Where the current event begins. */
unsigned int yaml_line(const struct yaml *yaml);
unsigned int yaml_column(const struct yaml *yaml);

/* An error at the current event. */
__attribute__((format(printf, 2, 3))) int yaml_fail(struct yaml *yaml, const char *format, ...);

static inline bool yaml_is(const struct yaml *yaml, yaml_event_type_t type)
{
	return yaml->event.type == type;
}

/* The text of the current scalar. */
static inline const char *yaml_text(const struct yaml *yaml)
{
	return (const char *)yaml->event.data.scalar.value;
}

static inline size_t yaml_len(const struct yaml *yaml)
{
	return yaml->event.data.scalar.length;
}

/* Unquoted? */
static inline bool yaml_plain(const struct yaml *yaml)
{
	return yaml->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
}

#endif

/* SPDX-License-Identifier: MIT */
/*
 * What the parsers of the parts of a policy share: the stream they read from, mappings by a table
 * of keys, and scalars of the few types there are. A parser is called with the stream on the first
 * event of its value and leaves it on the last.
 */
#ifndef DEBAR_POLICY_PARSE_H
#define DEBAR_POLICY_PARSE_H

#include "policy/model.h"
#include "policy/parse_yaml.h"
#include "policy/words.h"

#define PARSE_KEYS_MAX 24

/* A file to include, found while its includer was being read. */
struct parse_include {
	const char *path;
	struct policy_place place;
};

struct parse {
	struct policy *policy;
	const struct policy_reader *reader;
	struct policy_error *error;
	struct yaml *yaml;
	const char *file;
	uint8_t ban; /* index of the ban being read */
	struct policy_ban *draft;
	unsigned int depth;	   /* files that include one another */
	const struct parse *outer; /* the includer, or NULL */
	size_t include_count, include_room;
	struct parse_include *includes;
	bool has_rules;
};

struct parse_key {
	const char *name;
	int (*parse)(struct parse *p, const char *name, void *object);
};

/* Where each key of a mapping was found; line 0: it was not. */
struct parse_seen {
	struct policy_place at; /* the mapping */
	struct policy_place keys[PARSE_KEYS_MAX];
};

int parse_mapping(struct parse *p, const char *what, const struct parse_key *keys, size_t count,
		  void *object, struct parse_seen *ret_seen);

/* Call @item for each element; an empty sequence is an error. */
int parse_sequence(struct parse *p, const char *name,
		   int (*item)(struct parse *p, const char *name, void *object), void *object);

/* The current event is a scalar with something in it. */
int parse_scalar(struct parse *p, const char *name);

/* A scalar of 1 to @max bytes without line breaks, kept as it is. */
int parse_string(struct parse *p, const char *name, size_t max, const char **ret_text);

/* Prose: line breaks and runs of spaces become one space. */
int parse_prose(struct parse *p, const char *name, size_t max, const char **ret_text);

int parse_word(struct parse *p, const char *name, const struct words *words, int *ret_word);
int parse_action(struct parse *p, const char *name, uint8_t *ret_action);
int parse_instant(struct parse *p, const char *name, int64_t *ret_utc);

/* A path beside the file that names it, joined to that file's directory. */
int parse_beside(struct parse *p, const char *name, const char **ret_path);

/* The parts. @object is what each says. */
int parse_rules(struct parse *p, const char *name, void *object);
int parse_exceptions(struct parse *p, const char *name, void *object);
int parse_certificate(struct parse *p, const char *name, struct rule_value *ret_value);
int parse_ban_id(struct parse *p, const char *name, void *ban);
int parse_authorities(struct parse *p, const char *name, void *object);
int parse_phases(struct parse *p, const char *name, void *ban);

/* A list's entries. Errors of reading it stand at @place, errors in it at its own lines. */
int parse_list(struct parse *p, struct range *range, const struct policy_place *place);

static inline struct policy_place parse_place(const struct parse *p)
{
	return (struct policy_place){ p->file, yaml_line(p->yaml), yaml_column(p->yaml) };
}

#endif

/* SPDX-License-Identifier: MIT */
/* Mappings, sequences and scalars: what every part of a policy is made of. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "policy/parse.h"
#include "policy/text.h"

static int unknown_key(struct parse *p, const char *what, const struct parse_key *keys,
		       size_t count)
{
	const char *names[PARSE_KEYS_MAX], *nearest;
	const struct words words = { count, names };
	char shown[64];

	text_shorten(yaml_text(p->yaml), yaml_len(p->yaml), shown, sizeof(shown));
	if (strcmp(shown, "<<") == 0)
		return yaml_fail(p->yaml, "merge keys (<<) are not allowed; write the keys out");
	for (size_t i = 0; i < count; i++)
		names[i] = keys[i].name;
	nearest = words_nearest(&words, shown);
	if (nearest)
		return yaml_fail(p->yaml, "unknown key \"%s\" in %s; did you mean \"%s\"?", shown,
				 what, nearest);
	return yaml_fail(p->yaml, "unknown key \"%s\" in %s", shown, what);
}

/* The current event is a key: which one? */
static int find_key(struct parse *p, const char *what, const struct parse_key *keys, size_t count,
		    struct parse_seen *seen, size_t *ret_key)
{
	if (!yaml_is(p->yaml, YAML_SCALAR_EVENT))
		return yaml_fail(p->yaml, "a key of %s must be a word", what);
	for (size_t i = 0; i < count; i++) {
		if (strlen(keys[i].name) != yaml_len(p->yaml) ||
		    strcmp(keys[i].name, yaml_text(p->yaml)) != 0)
			continue;
		if (seen->keys[i].line)
			return yaml_fail(p->yaml, "\"%s\" is given twice, first on line %u",
					 keys[i].name, seen->keys[i].line);
		seen->keys[i] = parse_place(p);
		*ret_key = i;
		return 0;
	}
	return unknown_key(p, what, keys, count);
}

int parse_mapping(struct parse *p, const char *what, const struct parse_key *keys, size_t count,
		  void *object, struct parse_seen *ret_seen)
{
	struct parse_seen seen = { .at = parse_place(p) };
	size_t key = 0;
	int err;

	if (!yaml_is(p->yaml, YAML_MAPPING_START_EVENT))
		return yaml_fail(p->yaml, "%s must be a mapping, \"key: value\" lines", what);
	for (;;) {
		err = yaml_next(p->yaml);
		if (err)
			return err;
		if (yaml_is(p->yaml, YAML_MAPPING_END_EVENT))
			break;
		err = find_key(p, what, keys, count, &seen, &key);
		if (!err)
			err = yaml_next(p->yaml);
		if (!err)
			err = keys[key].parse(p, keys[key].name, object);
		if (err)
			return err;
	}
	*ret_seen = seen;
	return 0;
}

int parse_sequence(struct parse *p, const char *name,
		   int (*item)(struct parse *p, const char *name, void *object), void *object)
{
	struct policy_place at = parse_place(p);
	bool any = false;
	int err;

	if (!yaml_is(p->yaml, YAML_SEQUENCE_START_EVENT))
		return yaml_fail(p->yaml, "\"%s\" must be a list, lines that begin with \"- \"",
				 name);
	for (;; any = true) {
		err = yaml_next(p->yaml);
		if (err)
			return err;
		if (yaml_is(p->yaml, YAML_SEQUENCE_END_EVENT))
			break;
		err = item(p, name, object);
		if (err)
			return err;
	}
	if (!any)
		return policy_fail(p->error, at.file, at.line, at.column,
				   "\"%s\" is empty; remove it or fill it", name);
	return 0;
}

int parse_scalar(struct parse *p, const char *name)
{
	const char *text;

	if (yaml_is(p->yaml, YAML_SEQUENCE_START_EVENT))
		return yaml_fail(p->yaml, "\"%s\" must be a single value, not a list", name);
	if (yaml_is(p->yaml, YAML_MAPPING_START_EVENT))
		return yaml_fail(p->yaml, "\"%s\" must be a single value, not a mapping", name);
	text = yaml_text(p->yaml);
	if (!yaml_len(p->yaml) ||
	    (yaml_plain(p->yaml) && (strcmp(text, "~") == 0 || strcmp(text, "null") == 0 ||
				     strcmp(text, "Null") == 0 || strcmp(text, "NULL") == 0)))
		return yaml_fail(p->yaml, "\"%s\" has no value", name);
	/* A double-quoted scalar can hold what the text itself cannot. */
	for (size_t i = 0; i < yaml_len(p->yaml); i++)
		if ((unsigned char)text[i] < 0x20 && text[i] != '\n' && text[i] != '\t')
			return yaml_fail(p->yaml, "\"%s\" has a control character in it", name);
	return text_check(text, yaml_len(p->yaml), p->file, p->error) ?
		       yaml_fail(p->yaml, "\"%s\" has a control character in it", name) :
		       0;
}

static int too_long(struct parse *p, const char *name, size_t max)
{
	return yaml_fail(p->yaml, "\"%s\" is longer than %zu bytes", name, max);
}

int parse_string(struct parse *p, const char *name, size_t max, const char **ret_text)
{
	int err = parse_scalar(p, name);

	if (err)
		return err;
	if (memchr(yaml_text(p->yaml), '\n', yaml_len(p->yaml)))
		return yaml_fail(p->yaml, "\"%s\" must be one line", name);
	if (yaml_len(p->yaml) > max)
		return too_long(p, name, max);
	*ret_text = model_string(p->policy, yaml_text(p->yaml), yaml_len(p->yaml));
	return *ret_text ? 0 : -ENOMEM;
}

int parse_prose(struct parse *p, const char *name, size_t max, const char **ret_text)
{
	size_t len;
	int err = parse_scalar(p, name);

	if (err)
		return err;
	len = text_fold((char *)p->yaml->event.data.scalar.value, yaml_len(p->yaml));
	if (!len)
		return yaml_fail(p->yaml, "\"%s\" has no value", name);
	if (len > max)
		return too_long(p, name, max);
	*ret_text = model_string(p->policy, yaml_text(p->yaml), len);
	return *ret_text ? 0 : -ENOMEM;
}

int parse_word(struct parse *p, const char *name, const struct words *words, int *ret_word)
{
	char shown[64], all[256];
	const char *nearest;
	int word = 0, err = parse_scalar(p, name);

	if (err)
		return err;
	word = words_find(words, yaml_text(p->yaml));
	if (word >= 0) {
		*ret_word = word;
		return 0;
	}
	text_shorten(yaml_text(p->yaml), yaml_len(p->yaml), shown, sizeof(shown));
	nearest = words_nearest(words, shown);
	if (nearest)
		return yaml_fail(p->yaml, "\"%s\" is not a value of \"%s\"; did you mean \"%s\"?",
				 shown, name, nearest);
	return yaml_fail(p->yaml, "\"%s\" is not a value of \"%s\"; it is %s", shown, name,
			 words_all(words, all, sizeof(all)));
}

int parse_action(struct parse *p, const char *name, uint8_t *ret_action)
{
	int word = 0, err = parse_word(p, name, &words_actions, &word);

	if (!err)
		*ret_action = (uint8_t)word;
	return err;
}

int parse_instant(struct parse *p, const char *name, int64_t *ret_utc)
{
	const char *words;
	char shown[64];
	int err = parse_scalar(p, name);

	if (err)
		return err;
	if (!policy_instant_parse(yaml_text(p->yaml), ret_utc, &words))
		return 0;
	return yaml_fail(p->yaml, "\"%s\": %s",
			 text_shorten(yaml_text(p->yaml), yaml_len(p->yaml), shown, sizeof(shown)),
			 words);
}

/* NULL, or why a path may not be named from a policy. */
static const char *beside_words(const char *path)
{
	if (path[0] == '/')
		return "is absolute; it must lie beside the policy";
	for (const char *at = path; at; at = strchr(at, '/')) {
		at += *at == '/';
		if (strncmp(at, "..", 2) == 0 && (!at[2] || at[2] == '/'))
			return "leaves the policy's directory; it must lie beside the policy";
	}
	return NULL;
}

int parse_beside(struct parse *p, const char *name, const char **ret_path)
{
	const char *path, *words, *slash = strrchr(p->file, '/');
	size_t dir = slash ? (size_t)(slash + 1 - p->file) : 0;
	char *joined;
	int err = parse_string(p, name, 255, &path);

	if (err)
		return err;
	words = beside_words(path);
	if (words)
		return yaml_fail(p->yaml, "\"%s\" %s", path, words);
	joined = model_alloc(p->policy, dir + strlen(path) + 1);
	if (!joined)
		return -ENOMEM;
	memcpy(joined, p->file, dir);
	memcpy(joined + dir, path, strlen(path) + 1);
	*ret_path = joined;
	return 0;
}

/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "policy/model.h"
#include "policy/parse_yaml.h"

int yaml_open(struct yaml *yaml, const char *text, size_t len, const char *file,
	      struct policy_error *reterr)
{
	/* libyaml skips a byte order mark only when it may guess the encoding, which it may not. */
	size_t mark = len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;

	*yaml = (struct yaml){ .file = file, .error = reterr };
	if (!yaml_parser_initialize(&yaml->parser))
		return -ENOMEM;
	yaml_parser_set_encoding(&yaml->parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&yaml->parser, (const unsigned char *)text + mark, len - mark);
	return 0;
}

void yaml_close(struct yaml *yaml)
{
	yaml_event_delete(&yaml->event);
	yaml_parser_delete(&yaml->parser);
}

unsigned int yaml_line(const struct yaml *yaml)
{
	return (unsigned int)yaml->event.start_mark.line + 1;
}

unsigned int yaml_column(const struct yaml *yaml)
{
	return (unsigned int)yaml->event.start_mark.column + 1;
}

int yaml_fail(struct yaml *yaml, const char *format, ...)
{
	char text[sizeof(yaml->error->text)];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return policy_fail(yaml->error, yaml->file, yaml_line(yaml), yaml_column(yaml), "%s", text);
}

/* What libyaml found wrong, in one line. Its commonest complaint deserves plainer words. */
static int broken(struct yaml *yaml)
{
	const yaml_parser_t *parser = &yaml->parser;
	const char *problem = parser->problem ? parser->problem : "cannot be read";
	unsigned int line = (unsigned int)parser->problem_mark.line + 1;
	unsigned int column = (unsigned int)parser->problem_mark.column + 1;

	if (parser->error == YAML_MEMORY_ERROR)
		return -ENOMEM;
	if (strstr(problem, "cannot start any token") || strstr(problem, "tab character"))
		return policy_fail(yaml->error, yaml->file, line, column,
				   "not YAML: %s (tabs cannot indent; a value that begins with a "
				   "special character needs quotes)",
				   problem);
	return policy_fail(yaml->error, yaml->file, line, column, "not YAML: %s%s%s", problem,
			   parser->context ? ", " : "", parser->context ? parser->context : "");
}

static int refuse_node(struct yaml *yaml, const unsigned char *anchor, const unsigned char *tag)
{
	if (anchor)
		return yaml_fail(yaml, "anchors (&%s) are not allowed; write the value out",
				 (const char *)anchor);
	if (tag)
		return yaml_fail(yaml, "tags (!) are not allowed; remove it");
	return 0;
}

static int refuse(struct yaml *yaml)
{
	const yaml_event_t *event = &yaml->event;

	switch (event->type) {
	case YAML_ALIAS_EVENT:
		return yaml_fail(yaml, "aliases (*%s) are not allowed; write the value out",
				 (const char *)event->data.alias.anchor);
	case YAML_SCALAR_EVENT:
		return refuse_node(yaml, event->data.scalar.anchor, event->data.scalar.tag);
	case YAML_SEQUENCE_START_EVENT:
		return refuse_node(yaml, event->data.sequence_start.anchor,
				   event->data.sequence_start.tag);
	case YAML_MAPPING_START_EVENT:
		return refuse_node(yaml, event->data.mapping_start.anchor,
				   event->data.mapping_start.tag);
	case YAML_DOCUMENT_START_EVENT:
		if (event->data.document_start.version_directive ||
		    event->data.document_start.tag_directives.start !=
			    event->data.document_start.tag_directives.end)
			return yaml_fail(yaml, "directives (%%) are not allowed; remove it");
		return 0;
	default:
		return 0;
	}
}

int yaml_next(struct yaml *yaml)
{
	yaml_event_delete(&yaml->event);
	if (!yaml_parser_parse(&yaml->parser, &yaml->event))
		return broken(yaml);
	return refuse(yaml);
}

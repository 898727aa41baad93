/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "loader/report.h"
#include "policy/cleanup.h"
#include "policy/digest.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/*
 * What an event of each hook is called. ECS allows the type "denied" only with the category
 * intrusion_detection, or for the network.
 */
static const struct {
	const char *action;
	const char *kernel; /* the hook in the kernel's words; NULL: none, debar itself */
	const char *category;
	const char *type; /* NULL: as the outcome has it */
} hooks[] = {
	[DEBAR_HOOK_NONE] = { "unknown", NULL, "process", NULL },
	[DEBAR_HOOK_EXEC] = { "exec", "bprm_check_security", "process", NULL },
	[DEBAR_HOOK_MMAP] = { "mmap", "mmap_file", "library", NULL },
	[DEBAR_HOOK_MPROTECT] = { "mprotect", "file_mprotect", "library", NULL },
	[DEBAR_HOOK_MODULE] = { "module", "kernel_read_file", "driver", NULL },
	[DEBAR_HOOK_FIRMWARE] = { "firmware", "kernel_read_file", "driver", NULL },
	[DEBAR_HOOK_RUNNING] = { "running", NULL, "process", "info" },
	[DEBAR_HOOK_CONNECT] = { "connect", "connect", "network", NULL },
	[DEBAR_HOOK_SENDMSG] = { "sendmsg", "sendmsg", "network", NULL },
	[DEBAR_HOOK_DNS] = { "dns", "cgroup_skb", "network", NULL },
	[DEBAR_HOOK_TLS] = { "tls", "cgroup_skb", "network", NULL },
	[DEBAR_HOOK_HTTP] = { "http", "cgroup_skb", "network", NULL },
	[DEBAR_HOOK_QUIC] = { "quic", "cgroup_skb", "network", NULL },
	[DEBAR_HOOK_KILL] = { "kill", NULL, "process", "end" },
	[DEBAR_HOOK_GUARD] = { "guard", "guard", "configuration", NULL },
	[DEBAR_HOOK_POLICY] = { "policy", NULL, "configuration", "change" },
	[DEBAR_HOOK_PHASE] = { "phase", NULL, "configuration", "change" },
};
_Static_assert(COUNT(hooks) == DEBAR_HOOK_MAX, "a hook has no words");

static const struct {
	const char *name;
	const char *words; /* completes "because ..." */
} reasons[] = {
	[DEBAR_BECAUSE_RULE] = { "rule", "a rule names it" },
	[DEBAR_BECAUSE_NOHASH] = { "nohash", "it cannot be hashed and a rule could match" },
	[DEBAR_BECAUSE_OVERSIZE] = { "oversize",
				     "it is too large to hash and a ban says oversize: deny" },
	[DEBAR_BECAUSE_UNCLASSIFIED] = { "unclassified",
					 "it is not classified and a ban says unclassified: deny" },
	[DEBAR_BECAUSE_OVERFLOW] = { "overflow", "it has more keys than are kept" },
	[DEBAR_BECAUSE_NOSTATE] = { "nostate", "it becomes code without having been seen as code" },
	[DEBAR_BECAUSE_BUSY] = { "busy", "somebody writes to it" },
	[DEBAR_BECAUSE_TORN] = { "torn", "new policies overtook the decision" },
	[DEBAR_BECAUSE_BUFFER] = { "buffer", "it comes from memory, not from a file" },
	[DEBAR_BECAUSE_MALFORMED] = { "malformed", "it cannot be parsed as DNS" },
	[DEBAR_BECAUSE_GUARD] = { "guard", "the guard keeps it off" },
};
_Static_assert(COUNT(reasons) == DEBAR_BECAUSE_MAX, "a reason has no words");

/* What the guard refused. */
static const struct {
	const char *name, *words;
} acts[] = {
	[DEBAR_ACT_MAP] = { "map", "a map of debar's" },
	[DEBAR_ACT_PROGRAM] = { "program", "a program of debar's" },
	[DEBAR_ACT_LINK] = { "link", "a link of debar's" },
	[DEBAR_ACT_PIN] = { "pin", "a pin of debar's" },
	[DEBAR_ACT_MOUNT] = { "mount", "the mounts of debar's pins" },
	[DEBAR_ACT_SIGNAL] = { "signal", "a signal to debar" },
	[DEBAR_ACT_LIMIT] = { "limit", "limits or a priority for debar" },
	[DEBAR_ACT_TRACE] = { "trace", "the memory of debar or of init" },
	[DEBAR_ACT_CODE] = { "code", "writing to debar's code" },
	[DEBAR_ACT_SWITCH] = { "switch", "kernel.ftrace_enabled" },
	[DEBAR_ACT_MODULE] = { "module", "loading a module" },
	[DEBAR_ACT_KEXEC] = { "kexec", "loading another kernel" },
	[DEBAR_ACT_MEM] = { "mem", "the kernel's memory" },
	[DEBAR_ACT_LOCKDOWN] = { "lockdown", "changing the running kernel" },
};
_Static_assert(COUNT(acts) == DEBAR_ACT_MAX, "an act of the guard has no words");

static const struct {
	const char *outcome, *type;
} outcomes[] = {
	[DEBAR_OUTCOME_UNKNOWN] = { "unknown", "info" },
	[DEBAR_OUTCOME_AUDITED] = { "success", "allowed" },
	[DEBAR_OUTCOME_DENIED] = { "failure", "denied" },
};
_Static_assert(COUNT(outcomes) == DEBAR_OUTCOME_MAX, "an outcome has no words");

const char *report_action_name(enum debar_hook hook)
{
	return hook < DEBAR_HOOK_MAX ? hooks[hook].action : NULL;
}

const char *report_hook_name(enum debar_hook hook)
{
	return hook < DEBAR_HOOK_MAX ? hooks[hook].kernel : NULL;
}

const char *report_because_name(enum debar_because because)
{
	return because < DEBAR_BECAUSE_MAX ? reasons[because].name : NULL;
}

const char *report_because_words(enum debar_because because)
{
	return because < DEBAR_BECAUSE_MAX ? reasons[because].words : NULL;
}

json_t *report_instant(int64_t utc)
{
	time_t seconds = utc / 1000000000 - (utc % 1000000000 < 0);
	int milli = (int)((utc - (int64_t)seconds * 1000000000) / 1000000);
	char day[32], text[48];
	struct tm tm;

	if (!gmtime_r(&seconds, &tm) || !strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &tm))
		return NULL;
	snprintf(text, sizeof(text), "%s.%03dZ", day, milli);
	return json_string(text);
}

/* Who asked in gate mode. */
static const char *hook_word(const struct debar_event *event, const struct report_context *context)
{
	if (!context->gate || !hooks[event->hook].kernel)
		return hooks[event->hook].kernel;
	return event->hook == DEBAR_HOOK_EXEC ? "fanotify_open_exec" : "fanotify_open";
}

json_t *report_event_part(enum debar_hook hook, enum debar_outcome outcome)
{
	bool decided = outcome != DEBAR_OUTCOME_UNKNOWN;
	const char *type;

	if (hook >= DEBAR_HOOK_MAX || outcome >= DEBAR_OUTCOME_MAX)
		return NULL;
	type = hooks[hook].type ? hooks[hook].type : outcomes[outcome].type;
	return json_pack("{s:s, s:[s,s*], s:[s], s:s, s:s}", "kind", decided ? "alert" : "event",
			 "category", hooks[hook].category, decided ? "intrusion_detection" : NULL,
			 "type", type, "action", hooks[hook].action, "outcome",
			 outcomes[outcome].outcome);
}

json_t *report_process_part(const struct debar_actor *actor, const struct report_context *context)
{
	json_t *executable = NULL, *parent = NULL;

	if (context->executable)
		executable = report_string(context->executable, strlen(context->executable));
	if (actor->ppid)
		parent = json_pack("{s:i}", "pid", (int)actor->ppid);
	return json_pack("{s:i, s:o*, s:o*, s:o}", "pid", (int)actor->pid, "parent", parent,
			 "executable", executable, "name",
			 report_string(actor->comm, sizeof(actor->comm)));
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* The rule of the event; false when the book cannot tell. */
static bool rule_find(const struct debar_match *match, const struct report_context *context,
		      struct policy_rule_info *ret_rule)
{
	return context->book && !policy_book_rule(context->book, match->rule, ret_rule);
}

const char *report_rule_id(const struct policy_rule_info *rule, char *buf, size_t size)
{
	snprintf(buf, size, "%s/%s:%u", rule->ban, base_name(rule->place.file), rule->place.line);
	return buf;
}

json_t *report_rule_part(const struct debar_match *match, const struct report_context *context)
{
	char id[POLICY_VALUE_MAX], name[POLICY_VALUE_MAX + 32];
	struct policy_rule_info rule;
	json_t *json_name;
	size_t quoted;

	if (!rule_find(match, context, &rule)) {
		snprintf(id, sizeof(id), "#%u", match->rule);
		return json_pack("{s:s}", "id", id);
	}
	report_rule_id(&rule, id, sizeof(id));
	/* The text of a policy has quotes round some values; a name needs none. */
	quoted = rule.value[0] == '"';
	snprintf(name, sizeof(name), "%s%s%.*s", policy_matcher_name(rule.matcher),
		 rule.value[0] ? " " : "", (int)(strlen(rule.value) - 2 * quoted),
		 rule.value + quoted);
	json_name = rule.note ? report_string(rule.note, strlen(rule.note)) :
				report_string(name, sizeof(name));
	return json_pack("{s:o, s:o, s:s}", "id", report_string(id, sizeof(id)), "name", json_name,
			 "ruleset", rule.ban);
}

/* Padding is told from a digest that ends in zeroes by its length: usual digests end here. */
static size_t unpadded(const uint8_t *value, size_t len)
{
	static const size_t usual[] = { 8, 16, 20 };
	size_t used = len;

	while (used && !value[used - 1])
		used--;
	for (size_t i = 0; i < COUNT(usual); i++)
		if (used <= usual[i])
			return usual[i];
	return len;
}

const char *report_key_value(const struct debar_key *key, const struct policy_rule_info *rule,
			     char *buf, size_t size)
{
	size_t len = sizeof(key->value);
	char hex[2 * sizeof(key->value) + 1];

	switch ((enum debar_key_kind)key->kind) {
	case DEBAR_KEY_AUTHENTICODE_SHA1:
		len = 20;
		break;
	case DEBAR_KEY_BUILDID:
	case DEBAR_KEY_CERT_KEYID:
		len = unpadded(key->value, len);
		break;
	case DEBAR_KEY_PACKAGE:
	case DEBAR_KEY_PATH:
		if (!rule || !rule->value[0])
			break;
		snprintf(buf, size, "%s", rule->value);
		return buf;
	default:
		break;
	}
	snprintf(buf, size, "%s", digest_encode(key->value, len, hex));
	return buf;
}

static json_t *matched_part(const struct debar_event *event, const struct policy_rule_info *rule)
{
	const char *kind = policy_key_kind_name(event->key.kind);
	char value[POLICY_VALUE_MAX];

	report_key_value(&event->key, rule, value, sizeof(value));
	return json_pack("{s:s, s:o}", "kind", kind ? kind : "unknown", "value",
			 report_string(value, sizeof(value)));
}

static json_t *debar_part(const struct debar_event *event, const struct report_context *context)
{
	json_t *part = json_pack("{s:I, s:s*, s:s*, s:I, s:i}", "generation",
				 (json_int_t)event->generation, "hook", hook_word(event, context),
				 "mode", context->mode, "lost", (json_int_t)context->lost, "count",
				 context->count ? (int)context->count : 1);
	struct policy_rule_info rule;
	char place[POLICY_VALUE_MAX];
	bool known;

	if (!part)
		return NULL;
	if (event->error)
		json_object_set_new(part, "errno", json_integer(event->error));
	if (event->because != DEBAR_BECAUSE_RULE) {
		json_object_set_new(part, "because", json_string(reasons[event->because].name));
		if (event->because == DEBAR_BECAUSE_GUARD && event->match.rule < DEBAR_ACT_MAX)
			json_object_set_new(part, "guard",
					    json_string(acts[event->match.rule].name));
		return part;
	}
	if (event->key.kind == DEBAR_KEY_NONE)
		return part;
	known = rule_find(&event->match, context, &rule);
	json_object_set_new(part, "matched", matched_part(event, known ? &rule : NULL));
	if (known) {
		snprintf(place, sizeof(place), "%s:%u:%u", rule.place.file, rule.place.line,
			 rule.place.column);
		json_object_set_new(part, "place", report_string(place, sizeof(place)));
	}
	return part;
}

static json_t *file_part(const struct debar_event *event, const struct report_context *context)
{
	json_t *part = json_object(), *subject;
	char hex[2 * sizeof(event->digest) + 1];

	if (event->path[0])
		json_object_set_new(part, "path", report_string(event->path, sizeof(event->path)));
	if (event->inode) {
		json_object_set_new(part, "size", json_integer((json_int_t)event->file_size));
		json_object_set_new(part, "inode", json_sprintf("%llu", event->inode));
		json_object_set_new(
			part, "device",
			json_sprintf("%u:%u", event->device >> 20, event->device & 0xfffff));
	}
	if (event->has_digest)
		json_object_set_new(
			part, "hash",
			json_pack("{s:s}", "sha256",
				  digest_encode(event->digest, sizeof(event->digest), hex)));
	if (context->subject) {
		subject = report_string(context->subject, strlen(context->subject));
		json_object_set_new(part, "code_signature",
				    json_pack("{s:o}", "subject_name", subject));
	}
	if (json_object_size(part))
		return part;
	json_decref(part);
	return NULL;
}

int report_json(const struct debar_event *event, const struct report_context *context,
		char **ret_line)
{
	cleanup(json_decrefp) json_t *json = NULL;
	json_t *rule = NULL, *container = NULL;
	const char *message = NULL;

	if (event->size != sizeof(*event) || event->hook >= DEBAR_HOOK_MAX ||
	    event->outcome >= DEBAR_OUTCOME_MAX || event->because >= DEBAR_BECAUSE_MAX)
		return -EPROTO;
	if (event->because == DEBAR_BECAUSE_RULE && event->key.kind != DEBAR_KEY_NONE)
		rule = report_rule_part(&event->match, context);
	if (context->container)
		container = json_pack("{s:s}", "id", context->container);
	if (event->because == DEBAR_BECAUSE_GUARD && event->match.rule < DEBAR_ACT_MAX)
		message = acts[event->match.rule].words;
	json = json_pack("{s:o, s:{s:s}, s:o, s:o, s:{s:o}, s:o*, s:o*, s:o*, s:o, s:s*}",
			 "@timestamp", report_instant(event->when), "ecs", "version",
			 REPORT_ECS_VERSION, "event",
			 report_event_part(event->hook, event->outcome), "process",
			 report_process_part(&event->actor, context), "user", "id",
			 json_sprintf("%u", event->actor.uid), "file", file_part(event, context),
			 "container", container, "rule", rule, "debar", debar_part(event, context),
			 "message", message);
	if (!json)
		return -ENOMEM;
	*ret_line = json_dumps(json, JSON_COMPACT);
	return *ret_line ? 0 : -ENOMEM;
}

/* The ring's memory is not cleared: what is behind the end of a string is of an older record. */
static void string_copy(char *to, const char *from, size_t size)
{
	size_t len = strnlen(from, size);

	memset(to, 0, size);
	memcpy(to, from, len);
}

void report_essence(const struct debar_event *event, struct debar_event *ret_essence)
{
	struct debar_event e = *event;

	e.when = 0;
	e.actor.pid = e.actor.ppid = 0;
	string_copy(e.actor.comm, event->actor.comm, sizeof(e.actor.comm));
	string_copy(e.path, event->path, sizeof(e.path));
	string_copy(e.cgroup[0], event->cgroup[0], sizeof(e.cgroup[0]));
	string_copy(e.cgroup[1], event->cgroup[1], sizeof(e.cgroup[1]));
	*ret_essence = e;
}

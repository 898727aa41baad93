/* SPDX-License-Identifier: MIT */
/* One event, as a program and as a person read it; and bytes that others chose. */
#include "loader/report.h"

#include <errno.h>
#include <stdlib.h>

#include "policy/cleanup.h"
#include "tests/unit/tap.h"

#define DIGEST "cf124a7d00112233445566778899aabbccddeeff00112233445566778899aabb"
#define OTHER "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const char policy_text[] = "ban: kaspersky\n"
				  "rules:\n"
				  "  - sha256: " DIGEST "\n"
				  "    note: kesl.deb\n"
				  "  - sha256: " OTHER "\n";

static int read_text(void *ctx, const char *path, size_t max, char **ret_text, size_t *ret_len,
		     struct policy_error *reterr)
{
	(void)ctx, (void)path, (void)max, (void)reterr;
	*ret_text = strdup(policy_text);
	*ret_len = strlen(policy_text);
	return *ret_text ? 0 : -ENOMEM;
}

static struct policy_book *book_make(void)
{
	static const struct policy_reader reader = { .read = read_text };
	struct policy_error error = {};
	struct policy_book *book = NULL;
	struct policy *policy = NULL;
	char *bytes = NULL;
	size_t len;

	if (policy_new(&policy) || policy_add(policy, &reader, "etc/kaspersky.yaml", &error) ||
	    policy_book_write(policy, &bytes, &len) || policy_book_read(bytes, len, &book))
		printf("# %s\n", error.text);
	free(bytes);
	policy_free(policy);
	return book;
}

static struct debar_event event_make(void)
{
	struct debar_event event = {
		.size = sizeof(event),
		.generation = 7,
		.when = 1795468397123456789,
		.actor = { .cgroup = 42, .pid = 412, .ppid = 400, .uid = 1000, .comm = "bash" },
		.key = { .kind = DEBAR_KEY_SHA256,
			 .value = { 0xcf, 0x12, 0x4a, 0x7d, 0x00, 0x11 } },
		.device = 8 << 20 | 1,
		.inode = 131,
		.file_size = 4096,
		.hook = DEBAR_HOOK_EXEC,
		.outcome = DEBAR_OUTCOME_DENIED,
		.has_digest = 1,
		.error = 1,
		.digest = { 0xcf, 0x12 },
		.path = "/opt/kaspersky/kesl",
		.cgroup = { "docker-" ID ".scope", "system.slice" },
	};

	return event;
}

static const struct report_context plain = { .mode = "enforce", .count = 1 };

/* The JSON of an event, parsed; text of the whole in *ret_line when that is wanted. */
static json_t *render(const struct debar_event *event, const struct report_context *context,
		      char **ret_line)
{
	cleanup(cleanup_free) char *line = NULL;
	json_t *json = NULL;

	if (!report_json(event, context, &line))
		json = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
	if (ret_line)
		*ret_line = take(line);
	return json;
}

static const char *at(const json_t *json, const char *a, const char *b, const char *c)
{
	json = json_object_get(json, a);
	if (b)
		json = json_object_get(json, b);
	if (c)
		json = json_object_get(json, c);
	return json_string_value(json);
}

static void is_text(const json_t *json, const char *want, const char *what)
{
	cleanup(cleanup_free) char *text = NULL;

	tap_int(report_text(json, false, &text), 0, what);
	tap_str(text, want, "in these words");
}

/* The whole object, so that a field that appears or goes is seen. */
static void whole(const struct policy_book *book)
{
	struct debar_event event = event_make();
	struct report_context context = { .book = book,
					  .executable = "/usr/bin/bash",
					  .container = ID,
					  .mode = "enforce",
					  .lost = 3,
					  .count = 12 };
	cleanup(cleanup_free) char *line = NULL;
	cleanup(json_decrefp) json_t *json = render(&event, &context, &line);

	tap_str(line,
		"{\"@timestamp\":\"2026-11-23T21:13:17.123Z\",\"ecs\":{\"version\":\"8.11.0\"},"
		"\"event\":{\"kind\":\"alert\",\"category\":[\"process\",\"intrusion_detection\"],"
		"\"type\":[\"denied\"],\"action\":\"exec\",\"outcome\":\"failure\"},"
		"\"process\":{\"pid\":412,\"parent\":{\"pid\":400},\"executable\":\"/usr/bin/bash\","
		"\"name\":\"bash\"},\"user\":{\"id\":\"1000\"},"
		"\"file\":{\"path\":\"/opt/kaspersky/kesl\",\"size\":4096,\"inode\":\"131\","
		"\"device\":\"8:1\",\"hash\":{\"sha256\":\"cf12000000000000000000000000000000000000"
		"000000000000000000000000\"}},\"container\":{\"id\":\"" ID "\"},"
		"\"rule\":{\"id\":\"kaspersky/kaspersky.yaml:3\",\"name\":\"kesl.deb\","
		"\"ruleset\":\"kaspersky\"},\"debar\":{\"generation\":7,"
		"\"hook\":\"bprm_check_security\",\"mode\":\"enforce\",\"lost\":3,\"count\":12,"
		"\"errno\":1,\"matched\":{\"kind\":\"sha256\",\"value\":\"cf124a7d0011000000000000"
		"0000000000000000000000000000000000000000\"},"
		"\"place\":\"etc/kaspersky.yaml:3:5\"}}",
		"a denied exec, every field");
	is_text(json,
		"2026-11-23T21:13:17Z  denied   exec      /opt/kaspersky/kesl  rule "
		"kaspersky/kaspersky.yaml:3 \"kesl.deb\" (sha256 cf124a7d0011...)  by bash[412] "
		"uid 1000 container 0123456789ab  x12",
		"and as a line");
}

static void rules(const struct policy_book *book)
{
	struct report_context context = { .book = book, .mode = "enforce" };
	struct debar_event event = event_make();
	json_t *json;

	event.match.rule = 1;
	json = render(&event, &context, NULL);
	tap_str(at(json, "rule", "name", NULL), "sha256 " OTHER,
		"a rule without a note has its value");
	json_decref(json);

	event.match.rule = 99;
	json = render(&event, &context, NULL);
	tap_str(at(json, "rule", "id", NULL), "#99", "a rule the book has not is a number");
	tap_str(at(json, "rule", "ruleset", NULL), NULL, "and of no ban that we would guess");
	json_decref(json);

	json = render(&event, &plain, NULL);
	tap_str(at(json, "rule", "id", NULL), "#99", "so are all rules without a book");
	json_decref(json);
}

static void outcomes(void)
{
	struct debar_event event = event_make();
	json_t *json;

	event.outcome = DEBAR_OUTCOME_AUDITED;
	event.error = 0;
	json = render(&event, &plain, NULL);
	tap_str(at(json, "event", "outcome", NULL), "success", "an audited act was a success");
	tap_str(json_string_value(
			json_array_get(json_object_get(json_object_get(json, "event"), "type"), 0)),
		"allowed", "and allowed");
	tap_ok(!json_object_get(json_object_get(json, "debar"), "errno"), "without an errno");
	json_decref(json);

	event.outcome = DEBAR_OUTCOME_DENIED;
	event.because = DEBAR_BECAUSE_OVERSIZE;
	event.has_digest = 0;
	json = render(&event, &plain, NULL);
	tap_str(at(json, "debar", "because", NULL), "oversize",
		"a refusal without a rule says why");
	tap_ok(!json_object_get(json, "rule"), "and names no rule");
	tap_ok(!json_object_get(json_object_get(json, "file"), "hash"), "nor a digest it has not");
	is_text(json,
		"2026-11-23T21:13:17Z  denied   exec      /opt/kaspersky/kesl  because it is too "
		"large to hash and a ban says oversize: deny  by bash[412] uid 1000",
		"and in words");
	json_decref(json);

	event = (struct debar_event){ .size = sizeof(event),
				      .hook = DEBAR_HOOK_MODULE,
				      .because = DEBAR_BECAUSE_BUFFER,
				      .actor.pid = 1 };
	json = render(&event, &plain, NULL);
	tap_str(at(json, "event", "outcome", NULL), "unknown", "nothing was decided: unknown");
	tap_ok(!json_object_get(json, "file"), "no file: no file");
	json_decref(json);
}

static void actions(void)
{
	struct debar_event event = event_make();

	for (unsigned int hook = 0; hook < DEBAR_HOOK_MAX; hook++) {
		json_t *json;

		event.hook = (__u8)hook;
		json = render(&event, &plain, NULL);
		tap_str(at(json, "event", "action", NULL), report_action_name(hook),
			"every hook has an action");
		json_decref(json);
	}
	for (unsigned int i = 0; i < DEBAR_BECAUSE_MAX; i++)
		tap_ok(report_because_name(i) && report_because_words(i), "every reason has words");
	tap_ok(!report_action_name(DEBAR_HOOK_MAX) && !report_because_name(DEBAR_BECAUSE_MAX) &&
		       !report_because_words(DEBAR_BECAUSE_MAX),
	       "and no more than that");
}

static void keys(void)
{
	static const struct {
		enum debar_key_kind kind;
		size_t len;
		size_t hex;
	} cases[] = {
		{ DEBAR_KEY_SHA256, 1, 64 },
		{ DEBAR_KEY_SHA256, 0, 64 },
		{ DEBAR_KEY_AUTHENTICODE_SHA1, 3, 40 },
		{ DEBAR_KEY_BUILDID, 20, 40 },
		{ DEBAR_KEY_BUILDID, 19, 40 },
		{ DEBAR_KEY_BUILDID, 16, 32 },
		{ DEBAR_KEY_BUILDID, 8, 16 },
		{ DEBAR_KEY_BUILDID, 32, 64 },
		{ DEBAR_KEY_CERT_KEYID, 20, 40 },
		{ DEBAR_KEY_PATH, 32, 64 },
		{ DEBAR_KEY_KIND_MAX, 32, 64 },
	};
	struct policy_rule_info rule = { .value = "/opt/kaspersky/" };
	struct debar_key key = { .kind = DEBAR_KEY_PATH };
	char buf[POLICY_VALUE_MAX];

	tap_str(report_key_value(&key, &rule, buf, sizeof(buf)), "/opt/kaspersky/",
		"what is a hash of words is told in words");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		memset(key.value, 0, sizeof(key.value));
		memset(key.value, 0xab, cases[i].len);
		key.kind = (__u8)cases[i].kind;
		tap_int((long long)strlen(report_key_value(&key, NULL, buf, sizeof(buf))),
			(long long)cases[i].hex, "a key is as long as what it is of");
	}
}

static void hostile(void)
{
	static const struct {
		const char *bytes, *json, *text;
	} cases[] = {
		{ "plain", "plain", "plain" },
		{ "gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f" },
		{ "a\nb", "a\nb", "a\\x0ab" },
		{ "\033[2Jgone", "\033[2Jgone", "\\x1b[2Jgone" },
		{ "\xff\xfe", "\\xff\\xfe", "\\xff\\xfe" },
		{ "cut\xe2\x82", "cut\\xe2\\x82", "cut\\xe2\\x82" },
		{ "\xc0\xaf", "\\xc0\\xaf", "\\xc0\\xaf" },		  /* overlong */
		{ "\xed\xa0\x80", "\\xed\\xa0\\x80", "\\xed\\xa0\\x80" }, /* a surrogate */
		{ "\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80", "\\xf4\\x90\\x80\\x80" },
		{ "\xc2\x9b"
		  "2J",
		  "\xc2\x9b"
		  "2J",
		  "\\x9b2J" }, /* a control character */
		{ "\xe2\x80\xae"
		  "exe",
		  "\xe2\x80\xae"
		  "exe",
		  "\\u{202e}exe" },				       /* right to left */
		{ "x\xe2\x80\x8by", "x\xe2\x80\x8by", "x\\u{200b}y" }, /* not seen at all */
		{ "", "", "" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		cleanup(json_decrefp) json_t *json = report_string(cases[i].bytes, 64);
		cleanup(cleanup_free) char *text = report_printable(json_string_value(json));

		tap_str(json_string_value(json), cases[i].json, "bytes as JSON has them");
		tap_str(text, cases[i].text, "and as a terminal may have them");
	}
}

/* A name that fills its field has no end of its own. */
static void unended(void)
{
	struct debar_event event = event_make();
	cleanup(json_decrefp) json_t *json = NULL;

	memset(event.path, 'p', sizeof(event.path));
	memset(event.actor.comm, 'c', sizeof(event.actor.comm));
	json = render(&event, &plain, NULL);
	tap_int((long long)strlen(at(json, "file", "path", NULL)), DEBAR_PATH_LEN,
		"a path that fills");
	tap_int((long long)strlen(at(json, "process", "name", NULL)), DEBAR_COMM_LEN,
		"a comm that fills");
}

static void refusals(void)
{
	struct debar_event good = event_make(), event;
	char *line = NULL;

	event = good, event.size--;
	tap_int(report_json(&event, &plain, &line), -EPROTO, "another size is another version");
	event = good, event.hook = DEBAR_HOOK_MAX;
	tap_int(report_json(&event, &plain, &line), -EPROTO, "there is no such hook");
	event = good, event.outcome = DEBAR_OUTCOME_MAX;
	tap_int(report_json(&event, &plain, &line), -EPROTO, "there is no such outcome");
	event = good, event.because = DEBAR_BECAUSE_MAX;
	tap_int(report_json(&event, &plain, &line), -EPROTO, "there is no such reason");
	tap_ok(!line, "and nothing is handed out");
	for (const char *const *bad = (const char *const[]){ "[]", "{}", "{\"event\":7}",
							     "{\"event\":{\"action\":[]}}", NULL };
	     *bad; bad++) {
		cleanup(json_decrefp) json_t *json = json_loads(*bad, 0, NULL);

		tap_int(report_text(json, false, &line), -EINVAL, "what is no event has no line");
	}
	tap_int(report_text(NULL, false, &line), -EINVAL, "nor has nothing");
}

static void essence(void)
{
	struct debar_event a = event_make(), b = event_make(), ea, eb;

	b.when++;
	b.actor.pid++;
	memset(b.path + strlen(b.path) + 1, 'x', 20);
	memset(b.actor.comm + 5, 'x', 3);
	report_essence(&a, &ea);
	report_essence(&b, &eb);
	tap_ok(memcmp(&ea, &eb, sizeof(ea)) == 0,
	       "time, pid and what is behind a string do not count");
	b.path[1] = 'O';
	report_essence(&b, &eb);
	tap_ok(memcmp(&ea, &eb, sizeof(ea)) != 0, "the path does");
	b = a, b.outcome = DEBAR_OUTCOME_AUDITED;
	report_essence(&b, &eb);
	tap_ok(memcmp(&ea, &eb, sizeof(ea)) != 0, "the outcome does");
	b = a, b.actor.uid++;
	report_essence(&b, &eb);
	tap_ok(memcmp(&ea, &eb, sizeof(ea)) != 0, "who it was does");
}

/* What the network's hooks tell: name, addresses, and what of the name the rule means. */
static void network(const struct policy_book *book)
{
	struct report_context context = { .book = book, .mode = "enforce", .count = 1 };
	struct debar_net_event event = {
		.size = sizeof(event),
		.generation = 7,
		.when = 1795468397123456789,
		.actor = { .pid = 412, .ppid = 400, .uid = 1000, .comm = "curl" },
		.remote = { .family = 4, .bytes = { 9, 9, 9, 9 } },
		.port = 53,
		.local_port = 40000,
		.protocol = 17,
		.hook = DEBAR_HOOK_DNS,
		.outcome = DEBAR_OUTCOME_DENIED,
		.error = 1,
		.flags = DEBAR_NETEV_NAME,
		.name_len = 16,
		.matched = 4,
		.name = "\3w.w\3bad\7example",
	};
	struct debar_net_event other = event, a, b;
	cleanup(cleanup_free) char *line = NULL;
	cleanup(json_decrefp) json_t *json = NULL;

	tap_int(report_net_json(&event, &context, &line), 0, "a denied question");
	tap_str(line,
		"{\"@timestamp\":\"2026-11-23T21:13:17.123Z\",\"ecs\":{\"version\":\"8.11.0\"},"
		"\"event\":{\"kind\":\"alert\",\"category\":[\"network\",\"intrusion_detection\"],"
		"\"type\":[\"denied\"],\"action\":\"dns\",\"outcome\":\"failure\"},"
		"\"process\":{\"pid\":412,\"parent\":{\"pid\":400},\"name\":\"curl\"},"
		"\"user\":{\"id\":\"1000\"},"
		"\"dns\":{\"question\":{\"name\":\"w\\\\.w.bad.example\"}},"
		"\"destination\":{\"ip\":\"9.9.9.9\",\"port\":53},\"network\":{\"transport\":\"udp\"},"
		"\"rule\":{\"id\":\"kaspersky/kaspersky.yaml:3\",\"name\":\"kesl.deb\","
		"\"ruleset\":\"kaspersky\"},\"debar\":{\"generation\":7,\"hook\":\"cgroup_skb\","
		"\"mode\":\"enforce\",\"lost\":0,\"count\":1,\"errno\":1,"
		"\"matched\":{\"kind\":\"domain\",\"value\":\"bad.example\"},"
		"\"place\":\"etc/kaspersky.yaml:3:5\"}}",
		"every field of it");
	json = json_loads(line, 0, NULL);
	is_text(json,
		"2026-11-23T21:13:17Z  denied   dns       w\\.w.bad.example  rule "
		"kaspersky/kaspersky.yaml:3 \"kesl.deb\" (domain bad.example)  by curl[412] uid 1000",
		"and as a line");
	other.when++, other.actor.pid++, other.local_port++, other.cookie++;
	other.name[40] = 'x';
	report_net_essence(&event, &a);
	report_net_essence(&other, &b);
	tap_ok(!memcmp(&a, &b, sizeof(a)), "another socket that asks the same is of the same row");
	other.name[1] = 'v';
	report_net_essence(&other, &b);
	tap_ok(memcmp(&a, &b, sizeof(a)), "another name is not");
	event.hook = DEBAR_HOOK_MAX;
	free(take(line));
	tap_int(report_net_json(&event, &context, &line), -EPROTO, "no such hook");
	event.hook = DEBAR_HOOK_TLS, event.name_len = 255;
	memset(event.name, 0xff, sizeof(event.name));
	tap_int(report_net_json(&event, &context, &line), 0, "labels that lead out of the record");
}

static void colours(void)
{
	struct debar_event event = event_make();
	cleanup(json_decrefp) json_t *json = render(&event, &plain, NULL);
	char *text = NULL;

	report_text(json, true, &text);
	tap_ok(text && strstr(text, "\033[31mdenied \033[0m"),
	       "a denial is red where colours are wanted");
	free(text);
}

/* A rule without a note is named by its words: the key is not said a second time. */
static void no_note(void)
{
	struct debar_event event = event_make();
	cleanup(json_decrefp) json_t *json = render(&event, &plain, NULL);
	json_t *rule = json_object_get(json, "rule");
	cleanup(cleanup_free) char *line = NULL;
	cleanup(cleanup_free) char *other = NULL;
	char name[96];

	(void)snprintf(name, sizeof(name), "sha256 %s", at(json, "debar", "matched", "value"));
	json_object_set_new(rule, "name", json_string(name));
	report_text(json, false, &line);
	tap_ok(line && strstr(line, name) && !strstr(line, "(sha256"), "a key is said once");
	json_object_set_new(rule, "name", json_string("sha256 of another"));
	report_text(json, false, &other);
	tap_ok(other && strstr(other, "another\" (sha256"), "but one that differs is said");
}

/* Whoever signs chooses the words. */
static void signer(void)
{
	struct report_context context = { .mode = "enforce",
					  .count = 1,
					  .subject = "AO \033[2J\xff\"Lab" };
	struct debar_event event = event_make();
	cleanup(json_decrefp) json_t *json = render(&event, &context, NULL);
	cleanup(json_decrefp) json_t *none = render(&event, &plain, NULL);
	char *text = NULL;

	tap_str(at(json, "file", "code_signature", "subject_name"), "AO \033[2J\\xff\"Lab",
		"who signed it");
	report_text(json, false, &text);
	tap_ok(text && strstr(text, "  signed by AO \\x1b[2J\\xff\"Lab  by bash"),
	       "is told harmlessly, before who acted");
	free(text);
	tap_ok(!at(none, "file", "code_signature", "subject_name"), "nobody is not told");
}

int main(void)
{
	struct policy_book *book = book_make();

	tap_ok(book != NULL, "a book to name rules");
	whole(book);
	rules(book);
	outcomes();
	actions();
	keys();
	hostile();
	unended();
	refusals();
	essence();
	network(book);
	colours();
	no_note();
	signer();
	policy_book_free(book);
	return tap_done();
}

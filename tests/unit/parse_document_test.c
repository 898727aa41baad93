/* SPDX-License-Identifier: MIT */
/* The document: bytes, YAML, keys, and what a ban says at its top. */
#include "tests/unit/policy_case.h"

/* clang-format off */
static const struct policy_case bytes[] = {
	ROW("empty", "", "1:1: the file is empty"),
	ROW("spaces only", "  \n\n", "1:1: the file is empty"),
	ROW("comment only", "# nothing\n", "1:1: the file is empty"),
	ROW("document marks only", "---\n...\n", "1:1: the file is empty"),
	ROW("NUL", "ban: x\0y\n", "1:7: NUL byte: this is binary data", .len = 9),
	ROW("binary", "\x7f" "ELF\x02\x01\x01", "1:1: control character U+007F"),
	ROW("invalid UTF-8", "ban: x\ntitle: \xff\n", "2:8: byte 0xff is not UTF-8"),
	ROW("overlong UTF-8", "ban: x\ntitle: \xc0\xaf\n", "2:8: byte 0xc0 is not UTF-8"),
	ROW("surrogate", "ban: x\ntitle: \xed\xa0\x80\n", "2:8: byte 0xed is not UTF-8"),
	ROW("beyond Unicode", "ban: x\ntitle: \xf4\x90\x80\x80\n", "2:8: byte 0xf4 is not UTF-8"),
	ROW("cut UTF-8", "ban: x\ntitle: \xe2\x82", "2:8: byte 0xe2 is not UTF-8"),
	ROW("Latin-1", "ban: x\ntitle: caf\xe9 x\n", "2:11: byte 0xe9 is not UTF-8"),
	ROW("UTF-16", "\xff\xfe" "b\0a\0", "1:1: byte 0xff is not UTF-8", .len = 6),
	ROW("escape character", "ban: x\ntitle: a\x1b[31m\n", "2:9: control character U+001B"),
	ROW("column counts characters", "ban: x\ntitle: \xc3\xa9\xc3\xa9\x07\n", "2:10: control character U+0007"),
	ROW("right-to-left override", "ban: x\ntitle: a\xe2\x80\xae" "b\n", "2:9: control character U+202E"),
	ROW("escaped control character", "ban: x\ntitle: \"a\\e[31m\"\n", "2:8: \"title\" has a control character"),
	ROW("escaped NUL", "ban: \"x\\0\"\n", "1:6: \"ban\" has a control character"),
	ROW("escaped direction", "ban: x\ntitle: \"a\\u202eb\"\n", "2:8: \"title\" has a control character"),
	ROW("byte order mark", "\xef\xbb\xbf" LEAST, NULL),
	ROW("carriage returns", "ban: x\r\nrules:\r\n  - sha256: " SHA_A "\r\n", NULL),
	ROW("other scripts", "ban: x\ntitle: \"\xd0\x9a\xd0\xb0\xd1\x81\"\nrules:\n  - sha256: " SHA_A "\n", NULL),
	ROW("file without its last line break", "ban: x\nrules:\n  - sha256: " SHA_A, NULL),
};

static const struct policy_case yaml[] = {
	ROW("tab", "ban: x\nrules:\n\t- sha256: y\n", "3:1: not YAML: found character that cannot start any token (tabs"),
	ROW("anchor", "ban: &a x\n", "1:6: anchors (&a) are not allowed"),
	ROW("anchor on a mapping", "ban: x\nrules: &r\n  - sha256: y\n", "2:8: anchors (&r) are not allowed"),
	ROW("alias", "ban: *a\n", "1:6: aliases (*a) are not allowed"),
	ROW("alias bomb", "a: &a [x,x,x]\nb: &b [*a,*a,*a]\nc: &c [*b,*b,*b]\n", "1:1: unknown key \"a\" in a policy"),
	ROW("alias bomb in a value", "ban: &a [x,x,x,x,x,x,x,x]\ntitle: &b [*a,*a,*a,*a]\n", "1:6: anchors (&a) are not allowed"),
	ROW("tag", "ban: !!str x\n", "1:6: tags (!) are not allowed"),
	ROW("local tag", "ban: x\nrules: !mine\n  - sha256: y\n", "2:8: tags (!) are not allowed"),
	ROW("tag on the document", "!!map\nban: x\n", "1:1: tags (!) are not allowed"),
	ROW("merge key", "ban: x\n<<: { title: y }\n", "2:1: merge keys (<<) are not allowed"),
	ROW("directive", "%YAML 1.1\n---\nban: x\n", "1:1: directives (%) are not allowed"),
	ROW("tag directive", "%TAG ! tag:x,2000:\n---\nban: x\n", "1:1: directives (%) are not allowed"),
	ROW("two documents", LEAST "---\nban: y\n", "4:1: a second document"),
	ROW("a list", "- ban: x\n", "1:1: a policy must be a mapping"),
	ROW("a word", "kaspersky\n", "1:1: a policy must be a mapping"),
	ROW("unclosed quote", "ban: \"x\n", "2:1: not YAML: found unexpected end of stream"),
	ROW("unclosed bracket", "ban: x\nrules: [\n", "3:1: not YAML: did not find expected node content"),
	ROW("unclosed rule", "ban: x\nrules: [ { sha256: \"y\"\n", "2:20: sha256: a sha256 has 64 hex digits"),
	ROW("bad indent", "ban: x\n title: y\n", "1:6: \"x title\" is not an id"),
	ROW("complex key", "? [a, b]\n: c\n", "1:3: a key of a policy must be a word"),
	ROW("document marks", "---\n" LEAST "...\n", NULL),
	ROW("flow style", "{ ban: x, rules: [ { sha256: " SHA_A " } ] }\n", NULL),
	ROW("JSON", "{ \"ban\": \"x\", \"rules\": [ { \"sha256\": \"" SHA_A "\" } ] }\n", NULL),
	ROW("folded prose", "ban: x\ntitle: >-\n  one\n  two\nrules:\n  - sha256: " SHA_A "\n", NULL),
};

static const struct policy_case keys[] = {
	ROW("unknown key", LEAST "colour: red\n", "4:1: unknown key \"colour\" in a policy"),
	ROW("misspelt key", LEAST "titel: y\n", "4:1: unknown key \"titel\" in a policy; did you mean \"title\"?"),
	ROW("misspelt phases", LEAST "phase: y\n", "4:1: unknown key \"phase\" in a policy; did you mean \"phases\"?"),
	ROW("misspelt authorities", LEAST "authoritys: y\n", "4:1: unknown key \"authoritys\" in a policy; did you mean \"authorities\"?"),
	ROW("misspelt except", LEAST "excepts: y\n", "4:1: unknown key \"excepts\" in a policy; did you mean \"except\"?"),
	ROW("misspelt on_running", LEAST "on-running: y\n", "4:1: unknown key \"on-running\" in a policy; did you mean \"on_running\"?"),
	ROW("upper case key", "Ban: x\n", "1:1: unknown key \"Ban\" in a policy; did you mean \"ban\"?"),
	ROW("key with NUL", "\"ban\\0\": x\n", "1:1: unknown key \"ban\" in a policy"),
	ROW("long key", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa: x\n",
	  "1:1: unknown key \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa...\" in a policy"),
	ROW("ban twice", "ban: x\nban: y\n", "2:1: \"ban\" is given twice, first on line 1"),
	ROW("title twice", "ban: x\ntitle: a\ntitle: b\n", "3:1: \"title\" is given twice, first on line 2"),
	ROW("rules twice", LEAST "rules:\n  - sha256: " SHA_B "\n", "4:1: \"rules\" is given twice, first on line 2"),
	ROW("include twice", "ban: x\ninclude: a\ninclude: b\n", "3:1: \"include\" is given twice"),
	ROW("phases twice", LEAST "phases: [{from: 2024-01-01T00:00:00Z, exec: off, network: off}]\nphases: []\n", "5:1: \"phases\" is given twice"),
	ROW("authorities twice", LEAST "authorities: [{id: a, title: b}]\nauthorities: []\n", "5:1: \"authorities\" is given twice"),
	ROW("except twice", EXCEPT("{uid: 1, reason: y}") "except: []\n", "6:1: \"except\" is given twice"),
	ROW("unclassified twice", LEAST "unclassified: allow\nunclassified: deny\n", "5:1: \"unclassified\" is given twice"),
	ROW("oversize twice", LEAST "oversize: allow\noversize: deny\n", "5:1: \"oversize\" is given twice"),
	ROW("on_running twice", LEAST "on_running: kill\non_running: kill\n", "5:1: \"on_running\" is given twice"),
	ROW("on_controller_loss twice", LEAST "on_controller_loss: deny\non_controller_loss: deny\n", "5:1: \"on_controller_loss\" is given twice"),
	ROW("learn twice", LEAST "learn: true\nlearn: true\n", "5:1: \"learn\" is given twice"),
	ROW("malformed twice", LEAST "malformed: deny\nmalformed: deny\n", "5:1: \"malformed\" is given twice"),
	ROW("serial twice", LEAST "serial: 1\nserial: 2\n", "5:1: \"serial\" is given twice"),
	ROW("expires twice", LEAST "expires: 2030-01-01T00:00:00Z\nexpires: 2031-01-01T00:00:00Z\n", "5:1: \"expires\" is given twice"),
	ROW("no ban", "title: y\nrules:\n  - sha256: " SHA_A "\n", "1:1: the policy has no \"ban\""),
	ROW("nothing banned", "ban: x\n", "1:1: the policy has no \"rules\" and no \"include\""),
	ROW("empty mapping", "{}\n", "1:1: the policy has no \"rules\" and no \"include\""),
	ROW("empty rules", "ban: x\nrules: []\n", "2:8: \"rules\" is empty"),
	ROW("rules without a value", "ban: x\nrules:\n", "2:7: \"rules\" must be a list"),
	ROW("rules as a mapping", "ban: x\nrules:\n  sha256: y\n", "3:3: \"rules\" must be a list"),
	ROW("rule as a word", "ban: x\nrules:\n  - sha256\n", "3:5: a rule must be a mapping"),
	ROW("rule as a list", "ban: x\nrules:\n  - - sha256: y\n", "3:5: a rule must be a mapping"),
};

static const struct policy_case values[] = {
	ROW("ban without a value", "ban:\n", "1:5: \"ban\" has no value"),
	ROW("ban null", "ban: ~\n", "1:6: \"ban\" has no value"),
	ROW("ban empty", "ban: \"\"\n", "1:6: \"ban\" has no value"),
	ROW("ban a list", "ban: [x]\n", "1:6: \"ban\" must be a single value, not a list"),
	ROW("ban a mapping", "ban: {x: y}\n", "1:6: \"ban\" must be a single value, not a mapping"),
	ROW("ban with upper case", "ban: Kaspersky\n", "1:6: \"Kaspersky\" is not an id"),
	ROW("ban with a space", "ban: a b\n", "1:6: \"a b\" is not an id"),
	ROW("ban with a slash", "ban: ../x\n", "1:6: \"../x\" is not an id"),
	ROW("ban with a dot", "ban: a.b\n", "1:6: \"a.b\" is not an id"),
	ROW("ban with a hyphen first", "ban: -x\n", "1:6: \"-x\" is not an id"),
	ROW("ban in Cyrillic", "ban: \xd0\xba\n", "1:6: \"\xd0\xba\" is not an id"),
	ROW("ban too long", "ban: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n", "1:6: \"ban\" is longer than 64 bytes"),
	ROW("ban in two lines", "ban: |\n  a\n  b\n", "1:6: \"ban\" must be one line"),
	ROW("title a list", "ban: x\ntitle: [y]\n", "2:8: \"title\" must be a single value, not a list"),
	ROW("title of spaces", "ban: x\ntitle: \"  \"\n", "2:8: \"title\" has no value"),
	ROW("unclassified unknown", LEAST "unclassified: maybe\n", "4:15: \"maybe\" is not a value of \"unclassified\"; it is allow or deny"),
	ROW("unclassified misspelt", LEAST "unclassified: dney\n", "4:15: \"dney\" is not a value of \"unclassified\"; did you mean \"deny\"?"),
	ROW("unclassified upper case", LEAST "unclassified: Allow\n", "4:15: \"Allow\" is not a value of \"unclassified\"; did you mean \"allow\"?"),
	ROW("oversize audit", LEAST "oversize: audit\n", "4:11: \"audit\" is not a value of \"oversize\"; it is allow or deny"),
	ROW("on_running unknown", LEAST "on_running: stop\n", "4:13: \"stop\" is not a value of \"on_running\"; it is report or kill"),
	ROW("on_controller_loss unknown", LEAST "on_controller_loss: panic\n", "4:21: \"panic\" is not a value of \"on_controller_loss\""),
	ROW("malformed unknown", LEAST "malformed: drop\n", "4:12: \"drop\" is not a value of \"malformed\""),
	ROW("learn yes", LEAST "learn: yes\n", "4:8: \"yes\" is not a value of \"learn\"; it is false or true"),
	ROW("learn quoted", LEAST "learn: \"true\"\n", "4:8: \"learn\" is true or false, without quotes"),
	ROW("learn empty", LEAST "learn:\n", "4:7: \"learn\" has no value"),
	ROW("serial zero", LEAST "serial: 0\n", "4:9: \"serial\" is a whole number from 1"),
	ROW("serial negative", LEAST "serial: -1\n", "4:9: \"serial\" is a whole number from 1"),
	ROW("serial hexadecimal", LEAST "serial: 0x10\n", "4:9: \"serial\" is a whole number from 1"),
	ROW("serial fraction", LEAST "serial: 1.5\n", "4:9: \"serial\" is a whole number from 1"),
	ROW("serial huge", LEAST "serial: 9999999999999999999\n", "4:9: \"serial\" is a whole number from 1, of at most 18 digits"),
	ROW("expires a day", LEAST "expires: 2030-01-01\n", "4:10: \"2030-01-01\": an instant has a time of day and a zone"),
	ROW("all of them", LEAST "title: y\nunclassified: deny\noversize: deny\non_running: kill\n"
	  "on_controller_loss: deny\nlearn: true\nmalformed: deny\nserial: 7\nexpires: 2030-01-01T00:00:00Z\n", NULL),
};
/* clang-format on */

/* Nesting a million deep is an error at its first level, and at once. */
static void deep(const char *name, const char *prefix, const char *unit, const char *want)
{
	size_t head = strlen(prefix), step = strlen(unit), count = 1000000;
	char *text = malloc(head + step * count + 1);
	struct policy_case c = { .name = name, .text = text, .want = want };

	memcpy(text, prefix, head);
	for (size_t i = 0; i < count; i++)
		memcpy(text + head + i * step, unit, step);
	text[head + step * count] = '\0';
	case_run(&c);
	free(text);
}

int main(void)
{
	CASES_RUN(bytes);
	CASES_RUN(yaml);
	CASES_RUN(keys);
	CASES_RUN(values);
	deep("a million brackets", "", "[", "1:1: a policy must be a mapping");
	deep("a million brackets in a value", "ban: ", "[", "1:6: \"ban\" must be a single value");
	deep("a million braces in a rule", "ban: x\nrules: [", "{", "2:10: a key of a rule");
	deep("a million dashes", "ban: x\nrules:\n", "- ", "3:3: a rule must be a mapping");
	deep("a million question marks", "", "? ", "1:3: a key of a policy must be a word");
	deep("a million comments", "", "#\n", "1:1: the file is empty");
	deep("a policy above the limit", "ban: x\n#", "0123456789abcdef0123456789abcdef",
	     " is too large");
	return tap_done();
}

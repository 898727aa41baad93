/* SPDX-License-Identifier: MIT */
/* Two boots that were not found good, and the next one only reports. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "loader/boots.h"

#include "tests/unit/tap.h"

/*
 * Each letter is a boot: "b" one that is not found good, "g" one that is, "r" a controller that is
 * started again in the same boot. The answer has "e" or "a" for each: what the boot did.
 */
static const struct {
	const char *boots, *did;
	unsigned int limit;
	const char *what;
} cases[] = {
	{ "gggg", "eeee", 2, "good boots enforce" },
	{ "bbb", "eea", 2, "the third after two that failed only reports" },
	{ "bgbgbb", "eeeeee", 2, "one at a time does nothing" },
	{ "bbg", "eea", 2, "" },
	{ "bbgg", "eeae", 2, "one in audit that was good: enforced again" },
	{ "bbgbbb", "eeaeea", 2, "and if that fails again, the same again" },
	{ "bbbbb", "eeaaa", 2, "one in audit that failed, too: still audit" },
	{ "bbbgb", "eeaae", 2, "until one is good" },
	{ "brrrr", "eeeee", 2, "a crash of the controller is no failed boot" },
	{ "bbbrr", "eeaaa", 2, "and does not end audit" },
	{ "bbbbbbb", "eeeeeee", 0, "unless it is not wanted" },
	{ "bbb", "eaa", 1, "or wanted after the first" },
	{ "bbbbbb", "eeeeea", 5, "or after the fifth" },
};

static void play(const char *path, size_t which)
{
	const char *boots = cases[which].boots;
	char did[16] = "", id[40] = "";
	struct boots state;

	unlink(path);
	for (size_t i = 0; boots[i]; i++) {
		if (boots[i] != 'r')
			snprintf(id, sizeof(id), "boot-%zu", i);
		boots_read(path, &state);
		if (boots_begin(&state, id, cases[which].limit) && boots_write(path, &state))
			abort();
		did[i] = state.audit ? 'a' : 'e';
		state.good = boots[i] == 'g';
		if (state.good && boots_write(path, &state))
			abort();
	}
	tap_str(did, cases[which].did, cases[which].what[0] ? cases[which].what : boots);
}

static void damaged(const char *path)
{
	static const char *const texts[] = {
		"",
		"boot",
		"boot x",
		"boot x failed y",
		"boot x failed 9 mode audit",
		"\1\2\3\n",
		"boot 0123456789012345678901234567890123456789x failed 2 mode audit end good"
	};
	struct boots boots;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		FILE *file = fopen(path, "w");

		if (!file || fputs(texts[i], file) < 0 || fclose(file))
			abort();
		boots_read(path, &boots);
		tap_ok(!boots.id[0] && !boots.failed && !boots.audit, "damage %zu is of no boot",
		       i);
		tap_ok(boots_begin(&boots, "next", 2) && !boots.audit, "and the next enforces");
	}
}

int main(void)
{
	char path[] = "/tmp/debar-boots.XXXXXX";
	int fd = mkstemp(path);
	struct boots boots = { .id = "x" };

	if (fd < 0)
		return 1;
	close(fd);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		play(path, i);
	damaged(path);
	unlink(path);
	tap_ok(boots_write("/proc/self/none/boots", &boots) < 0,
	       "where it cannot be written, that is told");
	return tap_done();
}

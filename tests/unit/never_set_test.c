/* SPDX-License-Identifier: MIT */
/* What is never refused: who gets in, and what is kept. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "loader/never_set.h"

#include "tests/unit/tap.h"

static char dir[64];

static const char *in(const char *name)
{
	static char paths[4][128];
	static unsigned int next;
	char *path = paths[next++ % 4];

	snprintf(path, sizeof(paths[0]), "%s/%s", dir, name);
	return path;
}

static void put(const char *name, const char *text)
{
	FILE *file = fopen(in(name), "w");

	if (!file || fputs(text, file) < 0 || fclose(file))
		abort();
}

/* Of "hello\n", which the file holds. */
#define HELLO_MD5 "b1946ac92492d2347c6235b4d2611184"

static struct never_offer offer(const char *name, const char *path, const char *package,
				const char *stamp, unsigned char first)
{
	struct never_offer made = {
		.name = name, .path = path, .package = package, .stamp = stamp
	};

	made.digest[0] = first;
	return made;
}

static enum never_answer answer_to(struct never_set *set, const struct never_offer *made, bool any)
{
	enum never_answer answer = NEVER_IGNORED;

	if (never_set_offer(set, made, any, dir, &answer))
		abort();
	return answer;
}

/* A set that is there: the shell of package dash, and debar of none. */
static struct never_set installed(void)
{
	struct never_set set = { .fresh = true };
	struct never_offer shell = offer("/bin/sh", "/usr/bin/dash", "dash", "1", 1);
	struct never_offer debar = offer("debar", "/usr/sbin/debar", "-", "2", 2);

	tap_ok(answer_to(&set, &shell, false) == NEVER_TAKEN,
	       "at the installation the shell is taken");
	tap_ok(answer_to(&set, &debar, false) == NEVER_TAKEN, "and what no package owns");
	set.fresh = set.changed = false;
	return set;
}

static void who_gets_in(void)
{
	struct never_set set = installed();
	char *real = strdup(in("usr/bin/dash"));
	struct never_offer same = offer("/bin/sh", real, "dash", "1", 1);
	struct never_offer touched = offer("/bin/sh", real, "dash", "3", 1);
	struct never_offer next = offer("/bin/sh", real, "dash", "4", 5);
	struct never_offer stranger = offer("/bin/sh", real, "kesl", "4", 5);
	struct never_offer nobodys = offer("/bin/sh", real, "-", "4", 5);
	struct never_offer pattern = offer("/bin/sh", real, "*", "4", 5);
	struct never_offer unknown = offer("libother.so", real, "dash", "4", 5);
	struct never_offer own = offer("debar", real, "-", "4", 6);
	char list[256];

	tap_ok(answer_to(&set, &same, false) == NEVER_KNOWN && !set.changed, "the same is known");
	tap_ok(answer_to(&set, &touched, false) == NEVER_KNOWN && set.changed,
	       "the same content in a touched file, too, and is known faster then");
	tap_ok(never_set_find(&set, "/bin/sh", "3") && !never_set_find(&set, "/bin/sh", "1"),
	       "by its stamp");
	set.changed = false;
	tap_ok(answer_to(&set, &next, false) == NEVER_STRANGE, "no list of its package: not taken");
	snprintf(list, sizeof(list), "%s  %s\n", "00000000000000000000000000000000", real + 1);
	put("dash.md5sums", list);
	tap_ok(answer_to(&set, &next, false) == NEVER_STRANGE, "another digest there: not taken");
	snprintf(list, sizeof(list), "%s  usr/bin/other\n", HELLO_MD5);
	put("dash.md5sums", list);
	tap_ok(answer_to(&set, &next, false) == NEVER_STRANGE,
	       "the digest of another file: not taken");
	snprintf(list, sizeof(list), "%s  %s\n", HELLO_MD5, real + 1);
	put("kesl.md5sums", list);
	tap_ok(answer_to(&set, &next, false) == NEVER_STRANGE, "another package's list: not taken");
	tap_ok(answer_to(&set, &stranger, false) == NEVER_STRANGE,
	       "another package's file: not taken");
	tap_ok(answer_to(&set, &nobodys, false) == NEVER_STRANGE, "nobody's file: not taken");
	tap_ok(answer_to(&set, &pattern, false) == NEVER_STRANGE,
	       "a package that is a pattern: not taken");
	tap_ok(answer_to(&set, &own, false) == NEVER_STRANGE,
	       "nobody vouches for what nobody owns");
	tap_ok(!set.changed && set.count == 2, "and the set is as it was");
	put("dash.md5sums", list);
	tap_ok(answer_to(&set, &unknown, false) == NEVER_IGNORED && set.count == 2,
	       "a name that was not there is not added, by its package neither");
	tap_ok(answer_to(&set, &next, false) == NEVER_TAKEN && set.changed, "its own list: taken");
	tap_ok(set.count == 3, "and the old one is kept");
	unlink(in("dash.md5sums"));
	next.digest[0] = 7;
	put("dash:amd64.md5sums", list);
	tap_ok(answer_to(&set, &next, false) == NEVER_TAKEN, "a list with an architecture does");
	tap_ok(answer_to(&set, &own, true) == NEVER_TAKEN,
	       "whom the administrator vouches for is taken");
	free(real);
	never_set_release(&set);
}

static void old_ones_go(void)
{
	struct never_set set = installed();

	for (unsigned int i = 0; i < 20; i++) {
		struct never_offer next = offer("/bin/sh", "/x", "dash", "s", 10 + i);

		(void)answer_to(&set, &next, true);
	}
	tap_ok(set.count == NEVER_EACH_MAX + 1, "of one name some are kept");
	tap_ok(set.entries[0].digest[0] == 2, "of the others all");
	tap_ok(set.entries[set.count - 1].digest[0] == 29 &&
		       set.entries[1].digest[0] == 30 - NEVER_EACH_MAX,
	       "and of the one the newest");
	never_set_release(&set);
}

static void kept(void)
{
	struct never_set set = installed(), again = {};
	const char *path = in("set");

	tap_ok(!never_set_read(&again, path) && again.fresh && !again.count, "no file: fresh");
	never_set_release(&again);
	tap_ok(!never_set_write(&set, path), "it is written");
	tap_ok(!never_set_read(&again, path) && !again.fresh && again.count == 2, "and read");
	tap_str(again.entries[0].name, "/bin/sh", "with names");
	tap_str(again.entries[0].package, "dash", "packages");
	tap_ok(again.entries[1].digest[0] == 2, "and digests");
	never_set_release(&again);
	tap_ok(never_set_write(&set, "/proc/self/none") < 0, "where it cannot be, that is told");
	put("set", "");
	tap_ok(!never_set_read(&again, path) && !again.fresh && !again.count,
	       "an emptied file is not fresh: nothing gets in by that");
	never_set_release(&again);
	never_set_release(&set);
}

static void damaged(void)
{
	static const char *const texts[] = {
		"x",
		"00 1 dash /bin/sh\n",
		"0000000000000000000000000000000000000000000000000000000000000000\n",
		"0000000000000000000000000000000000000000000000000000000000000000 1\n",
		"0000000000000000000000000000000000000000000000000000000000000000 1 dash\n",
		"0000000000000000000000000000000000000000000000000000000000000000 1 dash \n",
		"000000000000000000000000000000000000000000000000000000000000000g 1 dash /bin/sh\n",
	};
	struct never_set set = {};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		put("set", texts[i]);
		tap_ok(never_set_read(&set, in("set")) == -EINVAL && !set.count,
		       "damage %zu is seen", i);
	}
}

int main(void)
{
	char command[128];

	snprintf(dir, sizeof(dir), "/tmp/debar-never.XXXXXX");
	if (!mkdtemp(dir))
		return 1;
	snprintf(command, sizeof(command), "mkdir -p %s/usr/bin", dir);
	if (system(command))
		return 1;
	put("usr/bin/dash", "hello\n");
	who_gets_in();
	old_ones_go();
	kept();
	damaged();
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	if (system(command))
		return 1;
	return tap_done();
}

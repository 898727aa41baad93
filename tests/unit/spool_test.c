/* SPDX-License-Identifier: MIT */
/* The history: every line once and whole, through crashes, rotation and removal. */
#include "loader/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "policy/cleanup.h"
#include "tests/unit/tap.h"

static char dir[] = "/tmp/debar-spool.XXXXXX";

static void path_of(const char *name, char path[64])
{
	snprintf(path, 64, "%s/%s", dir, name);
}

static void empty(void)
{
	static const char *const names[] = { "events.json", "events.json.1", "events.lock" };
	char path[64];

	for (size_t i = 0; i < 3; i++) {
		path_of(names[i], path);
		unlink(path);
	}
}

/* All lines there are by now, joined with "|". */
static const char *rest(struct spool_reader *reader, char *buf, size_t size)
{
	char *line = NULL;
	size_t used = 0;

	buf[0] = '\0';
	while (spool_reader_next(reader, &line) > 0) {
		used += (size_t)snprintf(buf + used, size - used, "%s|", line);
		free(line);
		if (used >= size)
			break;
	}
	return buf;
}

static void lines(void)
{
	struct spool *spool = NULL, *second = NULL;
	struct spool_reader *reader = NULL;
	char buf[256];
	struct stat st;
	char path[64];

	tap_int(spool_reader_open(&reader, dir), 0, "no history yet is no error");
	tap_str(rest(reader, buf, sizeof(buf)), "", "and has no lines");
	tap_int(spool_open(&spool, dir, SPOOL_FILE_MAX), 0, "a writer");
	tap_int(spool_open(&second, dir, SPOOL_FILE_MAX), -EBUSY, "and no second one");
	tap_int(spool_append(spool, "{1}"), 0, "a line");
	tap_str(rest(reader, buf, sizeof(buf)), "{1}|", "that a reader from before sees");
	tap_int(spool_append(spool, "{2}"), 0, "another");
	tap_str(rest(reader, buf, sizeof(buf)), "{2}|", "that it sees alone");
	path_of("events.json", path);
	tap_ok(stat(path, &st) == 0 && (st.st_mode & 0777) == 0600, "nobody else may read it");
	spool_close(spool);
	tap_int(spool_open(&spool, dir, SPOOL_FILE_MAX), 0,
		"a writer that closed makes room for one");
	spool_close(spool);
	spool_reader_close(reader);
}

/* What a crash leaves: half a line. It must not swallow the next. */
static void crash(void)
{
	struct spool *spool = NULL;
	struct spool_reader *reader = NULL;
	char path[64], buf[256];
	int fd;

	path_of("events.json", path);
	fd = open(path, O_WRONLY | O_CREAT, 0600);
	tap_ok(write(fd, "{a}\n{half", 9) == 9, "a line and a half");
	spool_reader_open(&reader, dir);
	tap_str(rest(reader, buf, sizeof(buf)), "{a}|", "the half is not told");
	tap_ok(write(fd, "}\n", 2) == 2, "its other half");
	tap_str(rest(reader, buf, sizeof(buf)), "{half}|", "now it is");
	tap_ok(write(fd, "{cut", 4) == 4, "half a line for ever");
	close(fd);
	spool_open(&spool, dir, SPOOL_FILE_MAX);
	spool_append(spool, "{b}");
	tap_str(rest(reader, buf, sizeof(buf)), "{cut|{b}|", "does not swallow the next");
	spool_reader_close(reader);
	spool_close(spool);
}

static void rotation(void)
{
	struct spool *spool = NULL;
	struct spool_reader *early = NULL, *late = NULL;
	char buf[4096], line[16], want[4096] = "";

	spool_open(&spool, dir, 100);
	spool_reader_open(&early, dir);
	for (int i = 0; i < 30; i++) {
		snprintf(line, sizeof(line), "{%07d}", i);
		tap_int(spool_append(spool, line), 0, "a line that may rotate the file");
		strcat(strcat(want, line), "|");
		if (i == 5)
			tap_str(rest(early, buf, sizeof(buf)), want,
				"a reader that stopped before it");
		if (i == 15)
			tap_str(rest(early, buf, sizeof(buf)), want + 60,
				"goes on in the next file");
	}
	tap_str(rest(early, buf, sizeof(buf)), want + 160, "and the next");
	spool_reader_open(&late, dir);
	tap_str(rest(late, buf, sizeof(buf)), want + 100,
		"a late reader has the old file and the new");
	spool_reader_close(early);
	spool_reader_close(late);
	spool_close(spool);
}

static void removal(void)
{
	struct spool *spool = NULL;
	struct spool_reader *reader = NULL;
	char path[64], buf[256];

	spool_open(&spool, dir, SPOOL_FILE_MAX);
	spool_append(spool, "{gone}");
	path_of("events.json", path);
	unlink(path);
	tap_int(spool_append(spool, "{after}"), 0, "a removed history is begun again");
	spool_reader_open(&reader, dir);
	tap_str(rest(reader, buf, sizeof(buf)), "{after}|", "with what comes after");
	spool_reader_close(reader);
	spool_close(spool);
}

static void refusals(void)
{
	struct spool *spool = NULL;
	struct spool_reader *reader = NULL;
	char path[64], target[64];
	struct stat st;

	tap_int(spool_open(&spool, "/nowhere", 1), -ENOENT, "no directory, no writer");
	tap_int(spool_reader_open(&reader, "/nowhere"), -ENOENT, "and no reader");
	path_of("events.json", path);
	path_of("victim", target);
	tap_ok(symlink(target, path) == 0, "somebody put a link there");
	tap_int(spool_open(&spool, dir, 1), -ELOOP, "it is not followed to write");
	tap_int(spool_reader_open(&reader, dir), -ELOOP, "nor to read");
	tap_ok(stat(target, &st) < 0, "and its target is not made");
	tap_ok(!spool && !reader, "nothing was handed out");
}

int main(void)
{
	static void (*const cases[])(void) = { lines, crash, rotation, removal, refusals };

	if (!mkdtemp(dir))
		return 1;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		cases[i]();
		empty();
	}
	rmdir(dir);
	return tap_done();
}

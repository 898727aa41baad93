/* SPDX-License-Identifier: MIT */
/* Databases of packages: this machine's, one of a container that means no good, one that rpm made. */
#include <fcntl.h>

#include "loader/identity/package.h"
#include "loader/packages.h"
#include "tests/unit/tap.h"
#include "tests/unit/tools.h"

/* Every program of this machine against dpkg's own files, as far as dpkg-query can say it. */
static void test_dpkg(void)
{
	static const char ask[] =
		"for d in /usr/bin /usr/sbin; do find $d -maxdepth 1 -type f; done | sort | head -n 400 | "
		"while read -r f; do echo \"$f ${f#/usr}\"; done | xargs dpkg-query -S 2>/dev/null | "
		"grep -v '^diversion '";
	struct packages *packages;
	char *said, *line, *next;
	size_t asked = 0, same = 0;
	bool changed;
	int root = open("/", O_PATH | O_DIRECTORY);

	if (!have("dpkg-query")) {
		tap_skip("comparison with dpkg-query", "it is not installed");
		close(root);
		return;
	}
	said = strdup(output("%s", ask));
	packages_new(&packages, root);
	tap_ok(!packages_refresh(packages, &changed) && changed, "dpkg's database is read");
	tap_ok(!packages_refresh(packages, &changed) && !changed, "and not again until it changes");
	for (line = said; (next = strchr(line, '\n')); line = next + 1) {
		const char *names[4];
		char *path = strstr(line, ": "), real[4096];
		size_t count, i;

		*next = '\0';
		if (!path)
			continue;
		*path = '\0';
		path += 2;
		line[strcspn(line, ":,")] = '\0';
		/* as the kernel names it; what is diverted, dpkg-query does not follow */
		if (!realpath(path, real) || strstr(real, "pg_config"))
			continue;
		asked++;
		count = package_owners(packages_table(packages), real, names, 4);
		for (i = 0; i < count && i < 4; i++)
			same += !strcmp(names[i], line);
	}
	tap_ok(asked > 50 && same == asked, "dpkg-query -S says the same of %zu of %zu files", same,
	       asked);
	packages_free(packages);
	free(said);
	close(root);
}

static void write_text(const char *name, const char *text)
{
	char path[600];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/%s", scratch, name);
	file = fopen(path, "wb");
	if (file) {
		fputs(text, file);
		fclose(file);
	}
}

static const char *owner(const struct packages *packages, const char *path)
{
	const char *names[1];

	return package_owners(packages_table(packages), path, names, 1) ? names[0] : "nobody";
}

/* The root of a container that means no good. */
static void test_hostile_root(void)
{
	struct packages *packages;
	bool changed;
	int root;

	(void)output("cd %s && mkdir -p c/usr/bin c/var/lib/dpkg/info c/var/lib/rpm c/data && "
		     "ln -s usr/bin c/bin && ln -s ../../../../../../etc c/usr/escape && "
		     "ln -s / c/all && ln -s data c/opt && ln -s loop c/loop",
		     scratch);
	write_text("c/var/lib/dpkg/info/acme.list", "/bin/acme\n/opt/acme/agent\n");
	root = openat(AT_FDCWD, output("printf %%s %s/c", scratch), O_PATH | O_DIRECTORY);
	packages_new(&packages, root);
	tap_ok(!packages_refresh(packages, &changed) && changed, "a container's database is read");
	tap_str(owner(packages, "/usr/bin/acme"), "acme", "through its own merged /usr");
	tap_str(owner(packages, "/data/acme/agent"), "acme", "and through its own links");
	write_text("c/var/lib/dpkg/info/new.list", "/usr/bin/new\n");
	tap_ok(!packages_refresh(packages, &changed) && changed, "a new package is seen");
	tap_str(owner(packages, "/usr/bin/new"), "new", "and owns its file");
	(void)output("cd %s/c/var/lib/dpkg/info && ln -s /../../../../../etc/passwd link.list && "
		     "mkdir dir.list",
		     scratch);
	tap_ok(packages_refresh(packages, &changed) && !changed,
	       "a list that is a directory is refused");
	tap_str(owner(packages, "/usr/bin/new"), "new", "and the table that was there stays");
	(void)output("cd %s/c/var/lib/dpkg/info && rmdir dir.list && mkfifo fifo.list", scratch);
	tap_ok(packages_refresh(packages, &changed) && !changed, "a FIFO is refused, nobody waits");
	(void)output("rm %s/c/var/lib/dpkg/info/fifo.list", scratch);
	write_text("c/var/lib/rpm/rpmdb.sqlite", "SQLite format 3, or so it says");
	tap_ok(!packages_refresh(packages, &changed) && packages_problem(packages),
	       "a damaged RPM database is told, and the rest is read");
	packages_free(packages);
	close(root);
}

/* A database that rpm itself made. */
static void test_rpm(void)
{
	struct packages *packages;
	bool changed;
	int root;

	if (!have("rpm")) {
		tap_skip("an RPM database", "rpm is not installed");
		return;
	}
	(void)output(
		"mkdir -p %s/r/var/lib/rpm && rpm --root %s/r --dbpath /var/lib/rpm -i --nodeps "
		"--justdb --nosignature $PWD/%s 2>&1",
		scratch, scratch, SAMPLE "rpm/plain.rpm");
	root = openat(AT_FDCWD, output("printf %%s %s/r", scratch), O_PATH | O_DIRECTORY);
	packages_new(&packages, root);
	tap_ok(!packages_refresh(packages, &changed) && !packages_problem(packages),
	       "a database that rpm made is read");
	tap_str(owner(packages, "/opt/acme/f"), "acme-agent", "and its package owns its file");
	packages_free(packages);
	close(root);
}

int main(void)
{
	scratch_make();
	test_dpkg();
	test_hostile_root();
	test_rpm();
	scratch_remove();
	return tap_done();
}

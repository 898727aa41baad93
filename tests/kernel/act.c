// SPDX-License-Identifier: MIT
/*
 * One act that makes code of a file, each by another way. Exits with the status of what ran, 0 when
 * something was mapped; says the kernel's word on stderr and exits with 111 when it was refused.
 *
 *   act WAY FILE [MORE]
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/memfd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define REFUSED 111

#ifndef AT_EXECVE_CHECK
#define AT_EXECVE_CHECK 0x10000
#endif

static int refused(const char *what)
{
	fprintf(stderr, "act: %s: %s\n", what, strerror(errno));
	return REFUSED;
}

static int open_file(const char *file, int flags)
{
	int fd = open(file, flags | O_CLOEXEC);

	if (fd < 0)
		exit(refused(file));
	return fd;
}

/* Status of a child that becomes the file behind @fd. */
static int exec_fd(int fd, const char *name)
{
	char *const argv[] = { (char *)name, NULL }, *const envp[] = { NULL };
	int status;
	pid_t child = fork();

	if (!child) {
		syscall(SYS_execveat, fd, "", argv, envp, AT_EMPTY_PATH);
		_exit(refused(name));
	}
	waitpid(child, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void copy_into(int to, const char *file)
{
	int from = open_file(file, O_RDONLY);
	struct stat st;
	off_t done = 0;

	fstat(from, &st);
	while (done < st.st_size)
		if (sendfile(to, from, &done, st.st_size - done) <= 0)
			exit(refused("copy"));
	fchmod(to, 0755);
	close(from);
}

static int way_exec(const char *file, const char *more)
{
	(void)more;
	return exec_fd(open_file(file, O_PATH), file);
}

/* Through /proc/self/fd, as a program started by shells and runtimes without fexecve. */
static int way_procfd(const char *file, const char *more)
{
	int fd = open(file, O_RDONLY), status;
	char path[64];
	pid_t child;

	(void)more;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	child = fork();
	if (!child) {
		execl(path, file, NULL);
		_exit(refused(path));
	}
	waitpid(child, &status, 0);
	return WEXITSTATUS(status);
}

/* Its creator's descriptor stays open for writing, as it may on a memfd. */
static int way_memfd(const char *file, const char *more)
{
	int fd = memfd_create("copy", MFD_CLOEXEC);

	(void)more;
	copy_into(fd, file);
	return exec_fd(fd, "memfd");
}

static int way_sealed(const char *file, const char *more)
{
	int fd = memfd_create("copy", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	(void)more;
	copy_into(fd, file);
	fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
	return exec_fd(fd, "sealed memfd");
}

/* A memfd that ran as @more first, and was then filled with @file in place. */
static int way_swapped(const char *file, const char *more)
{
	int fd = memfd_create("copy", MFD_CLOEXEC);

	copy_into(fd, more);
	if (exec_fd(fd, "memfd"))
		return 1;
	if (ftruncate(fd, 0) || lseek(fd, 0, SEEK_SET))
		return 1;
	copy_into(fd, file);
	return exec_fd(fd, "swapped memfd");
}

/* @more: the directory. Opened again read-only: the one that wrote would be busy. */
static int way_tmpfile(const char *file, const char *more)
{
	int fd = open(more, O_TMPFILE | O_RDWR | O_CLOEXEC, 0755), again;
	char path[64];

	if (fd < 0)
		return refused(more);
	copy_into(fd, file);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	again = open_file(path, O_RDONLY);
	close(fd);
	return exec_fd(again, "O_TMPFILE");
}

static int way_deleted(const char *file, const char *more)
{
	int fd = open(more, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0755), again;

	if (fd < 0)
		return refused(more);
	copy_into(fd, file);
	again = open_file(more, O_RDONLY);
	close(fd);
	unlink(more);
	return exec_fd(again, "deleted");
}

/* AT_EXECVE_CHECK of 6.14: would it be allowed? */
static int way_check(const char *file, const char *more)
{
	char *const argv[] = { (char *)file, NULL }, *const envp[] = { NULL };

	(void)more;
	if (syscall(SYS_execveat, AT_FDCWD, file, argv, envp, AT_EXECVE_CHECK))
		return refused("AT_EXECVE_CHECK");
	return 0;
}

/* ---- mappings ----------------------------------------------------------------------------- */

static int map_then(const char *file, int open_flags, int prot, int flags, int then)
{
	int fd = open_file(file, open_flags);
	void *at = mmap(NULL, 4096, prot, flags, fd, 0);

	if (at == MAP_FAILED)
		return refused("mmap");
	close(fd);
	if (then && mprotect(at, 4096, then))
		return refused("mprotect");
	return 0;
}

static int way_mmap(const char *file, const char *more)
{
	(void)more;
	return map_then(file, O_RDONLY, PROT_READ | PROT_EXEC, MAP_PRIVATE, 0);
}

/* Opened, read to its end, and mapped once @more is gone. */
static int way_mmap_later(const char *file, const char *more)
{
	int fd = open_file(file, O_RDONLY);
	char buf[65536];

	while (read(fd, buf, sizeof(buf)) > 0)
		;
	while (!access(more, F_OK))
		usleep(50000);
	if (mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0) == MAP_FAILED)
		return refused("mmap");
	return 0;
}

static int way_mmap_shared(const char *file, const char *more)
{
	(void)more;
	return map_then(file, O_RDONLY, PROT_READ | PROT_EXEC, MAP_SHARED, 0);
}

static int way_direct(const char *file, const char *more)
{
	(void)more;
	return map_then(file, O_RDONLY | O_DIRECT, PROT_READ | PROT_EXEC, MAP_PRIVATE, 0);
}

static int way_mprotect(const char *file, const char *more)
{
	(void)more;
	return map_then(file, O_RDONLY, PROT_READ, MAP_PRIVATE, PROT_READ | PROT_EXEC);
}

static int way_mprotect_shared(const char *file, const char *more)
{
	(void)more;
	return map_then(file, O_RDONLY, PROT_READ, MAP_SHARED, PROT_READ | PROT_EXEC);
}

static int way_dlopen(const char *file, const char *more)
{
	(void)more;
	if (dlopen(file, RTLD_NOW))
		return 0;
	fprintf(stderr, "%s\n", dlerror());
	return REFUSED;
}

/* @more times, to make as many events; says how many of them were refused. */
static int way_often(const char *file, const char *more)
{
	int fd = open_file(file, O_RDONLY), count = 0;

	for (long n = strtol(more, NULL, 0); n > 0; n--) {
		void *at = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);

		if (at == MAP_FAILED)
			count++;
		else
			munmap(at, 4096);
	}
	printf("%d\n", count);
	return 0;
}

/* @more contents of their own, each mapped once, in @file. */
static int way_flood(const char *file, const char *more)
{
	int fd = open(file, O_CREAT | O_RDWR | O_CLOEXEC, 0755);

	for (long n = strtol(more, NULL, 0); n > 0; n--) {
		void *at;
		int again;

		if (fd < 0 || pwrite(fd, &n, sizeof(n), 0) != sizeof(n))
			return refused(file);
		close(fd);
		again = open_file(file, O_RDONLY);
		at = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, again, 0);
		if (at == MAP_FAILED)
			return refused("mmap");
		munmap(at, 4096);
		close(again);
		fd = open(file, O_RDWR | O_CLOEXEC);
	}
	return 0;
}

/* Two files of one length, mapped: what is stored in @to is in its file, and no call tells of it. */
struct stores {
	void *to;
	const void *from;
	size_t size;
};

static struct stores map_stores(const char *to, const char *from)
{
	int to_fd = open_file(to, O_RDWR), from_fd = open_file(from, O_RDONLY);
	struct stat st;
	void *target, *bytes;

	fstat(from_fd, &st);
	target = mmap(NULL, st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, to_fd, 0);
	bytes = mmap(NULL, st.st_size, PROT_READ, MAP_SHARED, from_fd, 0);
	if (target == MAP_FAILED || bytes == MAP_FAILED)
		exit(refused("mmap"));
	close(to_fd);
	close(from_fd);
	return (struct stores){ target, bytes, st.st_size };
}

/* The bytes of @file become those of @more, by stores alone. */
static int way_overwrite(const char *file, const char *more)
{
	struct stores s = map_stores(file, more);

	memcpy(s.to, s.from, s.size);
	return 0;
}

/* Asked about while a writer is there, changed by a store that nobody sees, and let alone by him. */
static int way_stored(const char *file, const char *more)
{
	struct stores s = map_stores(file, more);

	if (exec_fd(open_file(file, O_PATH), file) != REFUSED)
		return 1;
	memcpy(s.to, s.from, s.size);
	munmap(s.to, s.size);
	return exec_fd(open_file(file, O_PATH), file);
}

/* Under a lease that nobody ends, taken by a user: who opens the file waits for 45 seconds. */
static int way_lease(const char *file, const char *more)
{
	int fd = open_file(file, O_RDONLY);

	(void)more;
	signal(SIGIO, SIG_IGN);
	if (fcntl(fd, F_SETLEASE, F_WRLCK))
		exit(refused("lease"));
	return exec_fd(open_file(file, O_PATH), file);
}

/* As wine loads a program: private and writable first, executable when it is relocated. */
static int way_mprotect_write(const char *file, const char *more)
{
	(void)more;
	return map_then(file, O_RDONLY, PROT_READ | PROT_WRITE, MAP_PRIVATE, PROT_READ | PROT_EXEC);
}

/* READ_IMPLIES_EXEC turns a plain mapping into code. */
static int way_personality(const char *file, const char *more)
{
	(void)more;
	if (syscall(SYS_personality, 0x0400000) < 0)
		return refused("personality");
	return map_then(file, O_RDONLY, PROT_READ, MAP_PRIVATE, 0);
}

/* ---- modules ------------------------------------------------------------------------------ */

/* @more: flags; 4 is a compressed one. */
static int way_finit(const char *file, const char *more)
{
	int flags = more ? atoi(more) : 0;

	return syscall(SYS_finit_module, open_file(file, O_RDONLY), "", flags) ?
		       refused("finit_module") :
		       0;
}

static int way_init(const char *file, const char *more)
{
	int fd = open_file(file, O_RDONLY);
	struct stat st;
	void *at;

	(void)more;
	fstat(fd, &st);
	at = mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	return syscall(SYS_init_module, at, st.st_size, "") ? refused("init_module") : 0;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*go)(const char *file, const char *more);
	} ways[] = {
		{ "exec", way_exec },
		{ "procfd", way_procfd },
		{ "memfd", way_memfd },
		{ "sealed", way_sealed },
		{ "swapped", way_swapped },
		{ "tmpfile", way_tmpfile },
		{ "deleted", way_deleted },
		{ "check", way_check },
		{ "mmap", way_mmap },
		{ "mmap-later", way_mmap_later },
		{ "mmap-shared", way_mmap_shared },
		{ "direct", way_direct },
		{ "mprotect", way_mprotect },
		{ "mprotect-shared", way_mprotect_shared },
		{ "mprotect-write", way_mprotect_write },
		{ "dlopen", way_dlopen },
		{ "overwrite", way_overwrite },
		{ "stored", way_stored },
		{ "lease", way_lease },
		{ "often", way_often },
		{ "flood", way_flood },
		{ "personality", way_personality },
		{ "finit", way_finit },
		{ "init", way_init },
	};

	for (size_t i = 0; argc > 2 && i < sizeof(ways) / sizeof(ways[0]); i++)
		if (!strcmp(argv[1], ways[i].name))
			return ways[i].go(argv[2], argc > 3 ? argv[3] : NULL);
	fprintf(stderr, "usage: act WAY FILE [MORE]\n");
	return 2;
}

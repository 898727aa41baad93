// SPDX-License-Identifier: MIT
/*
 * What just-in-time compilers and loaders do with memory and with files that are memory by name only.
 * All of it has to go on under a policy that denies. Prints one TAP line each.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/memfd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PAGE 4096
#define HUGE_PAGE (2UL << 20)
#define SPARSE (2UL << 30)

#define RX (PROT_READ | PROT_EXEC)
#define RW (PROT_READ | PROT_WRITE)

/* mov eax, 42; ret */
static const unsigned char code[] = { 0xb8, 42, 0, 0, 0, 0xc3 };

static bool works(void *at)
{
	return ((int (*)(void))at)() == 42;
}

/* .NET: reserved without rights, one view to write, one to run. */
static bool double_mapping(size_t size)
{
	int fd = memfd_create("doublemapper", MFD_CLOEXEC);
	char *run, *write;

	if (fd < 0 || ftruncate(fd, size))
		return false;
	run = mmap(NULL, PAGE, PROT_NONE, MAP_SHARED, fd, 0);
	write = mmap(NULL, PAGE, RW, MAP_SHARED, fd, 0);
	if (run == MAP_FAILED || write == MAP_FAILED)
		return false;
	memcpy(write, code, sizeof(code));
	return !mprotect(run, PAGE, RX) && works(run);
}

static bool dotnet(void)
{
	return double_mapping(PAGE);
}

static bool dotnet_sparse(void)
{
	return double_mapping(SPARSE);
}

/* The same, executable from the start. */
static bool memfd_direct(void)
{
	int fd = memfd_create("jit", MFD_CLOEXEC);
	char *run, *write;

	if (fd < 0 || ftruncate(fd, SPARSE))
		return false;
	write = mmap(NULL, PAGE, RW, MAP_SHARED, fd, 0);
	run = mmap(NULL, PAGE, RX, MAP_SHARED, fd, 0);
	if (write == MAP_FAILED || run == MAP_FAILED)
		return false;
	memcpy(write, code, sizeof(code));
	return works(run);
}

/* PHP's opcache: shared memory of no file, switched between writing and running. */
static bool php(void)
{
	char *at = mmap(NULL, PAGE, RW | PROT_EXEC, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED || mprotect(at, PAGE, RW))
		return false;
	memcpy(at, code, sizeof(code));
	return !mprotect(at, PAGE, RX) && works(at) && !mprotect(at, PAGE, RW | PROT_EXEC);
}

static bool anonymous(void)
{
	char *at = mmap(NULL, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	memcpy(at, code, sizeof(code));
	return !mprotect(at, PAGE, RX) && works(at);
}

/* libffi: a file in a temporary directory, already unlinked, still open for writing. */
static bool libffi_in(const char *directory)
{
	char path[64], *run, *write;
	int fd;

	snprintf(path, sizeof(path), "%s/ffiXXXXXX", directory);
	fd = mkostemp(path, O_CLOEXEC);
	if (fd < 0 || unlink(path) || ftruncate(fd, PAGE))
		return false;
	run = mmap(NULL, PAGE, RX, MAP_SHARED, fd, 0);
	write = mmap(NULL, PAGE, RW, MAP_SHARED, fd, 0);
	if (run == MAP_FAILED || write == MAP_FAILED)
		return false;
	memcpy(write, code, sizeof(code));
	return works(run);
}

static bool libffi_tmpfs(void)
{
	return libffi_in("/dev/shm");
}

static bool libffi_ext4(void)
{
	return libffi_in("/mnt/ext4");
}

/* wine: a program's file, private, relocated by stores, then made executable. */
static bool wine_in(const char *directory)
{
	char path[64], *at;
	int fd;

	snprintf(path, sizeof(path), "%s/peXXXXXX", directory);
	fd = mkostemp(path, O_CLOEXEC);
	if (fd < 0 || write(fd, code, sizeof(code)) != sizeof(code))
		return false;
	close(fd);
	chmod(path, 0644);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	at = mmap(NULL, PAGE, RW, MAP_PRIVATE, fd, 0);
	unlink(path);
	if (at == MAP_FAILED)
		return false;
	at[PAGE - 1] = 1;
	return !mprotect(at, PAGE, RX) && works(at);
}

static bool wine_tmpfs(void)
{
	return wine_in("/dev/shm");
}

static bool wine_ext4(void)
{
	return wine_in("/mnt/ext4");
}

/* Mapped whole to be read, then code of it made executable: a linker that is not glibc's. */
static bool read_then_run(void)
{
	char *at = NULL;
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	at = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0);
	return at != MAP_FAILED && !mprotect(at, PAGE, RX);
}

static bool huge_pages(void)
{
	char *at = mmap(NULL, HUGE_PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);

	if (at == MAP_FAILED)
		return errno == ENOMEM; /* none are reserved: nothing of ours refused it */
	memcpy(at, code, sizeof(code));
	return !mprotect(at, HUGE_PAGE, RX) && works(at);
}

static bool huge_memfd(void)
{
	int fd = memfd_create("huge", MFD_CLOEXEC | MFD_HUGETLB);
	char *run, *write;

	if (fd < 0 || ftruncate(fd, HUGE_PAGE))
		return false;
	write = mmap(NULL, HUGE_PAGE, RW, MAP_SHARED, fd, 0);
	if (write == MAP_FAILED)
		return errno == ENOMEM;
	run = mmap(NULL, HUGE_PAGE, RX, MAP_SHARED, fd, 0);
	memcpy(write, code, sizeof(code));
	return run != MAP_FAILED && works(run);
}

/* System V shared memory is a tmpfs of the kernel's. */
static bool shm_open_rx(void)
{
	int fd = open("/dev/shm/jit-test", O_CREAT | O_RDWR | O_CLOEXEC, 0600);
	char *run, *write;

	unlink("/dev/shm/jit-test");
	if (fd < 0 || ftruncate(fd, PAGE))
		return false;
	write = mmap(NULL, PAGE, RW, MAP_SHARED, fd, 0);
	memcpy(write, code, sizeof(code));
	run = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	return run != MAP_FAILED && !mprotect(run, PAGE, RX) && works(run);
}

int main(void)
{
	static const struct {
		const char *what;
		bool (*go)(void);
	} patterns[] = {
		{ "anonymous memory, written then run", anonymous },
		{ ".NET: a memfd mapped twice, mprotect", dotnet },
		{ ".NET: a memfd of 2 GB, mapped twice, mprotect", dotnet_sparse },
		{ "a memfd of 2 GB mapped executable", memfd_direct },
		{ "PHP: shared anonymous memory, switched", php },
		{ "libffi: an unlinked file on tmpfs", libffi_tmpfs },
		{ "libffi: an unlinked file on ext4", libffi_ext4 },
		{ "wine: a private file on tmpfs, written then run", wine_tmpfs },
		{ "wine: a private file on ext4, written then run", wine_ext4 },
		{ "a program mapped to be read, then run", read_then_run },
		{ "huge pages, written then run", huge_pages },
		{ "a memfd of huge pages", huge_memfd },
		{ "shared memory by name, mprotect", shm_open_rx },
	};

	for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
		errno = 0;
		if (patterns[i].go())
			printf("works %s\n", patterns[i].what);
		else
			printf("fails %s: %s\n", patterns[i].what, strerror(errno));
		fflush(stdout);
	}
	return 0;
}

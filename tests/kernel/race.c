// SPDX-License-Identifier: MIT
/*
 * A writer changes a program between a banned and an allowed content while others run and map it.
 *
 *   race make FILE CONTENT [note]              CONTENT is banned or allowed
 *   race exec FILE HOW N [BENEATH]             executes it until N were decided
 *   race mmap FILE HOW N [BENEATH]             N rounds; each is checked when the writer is quiet
 *   race early FILE BENEATH                    a writer who was there before, and is gone: one run
 *
 * HOW is write, mmap or truncate, or write+ or mmap+, which make each content one that nobody has seen;
 * the writer writes to BENEATH, where that is given: the same file in a layer of an overlay. One line
 * says what came of it, in words that the test reads.
 *
 * The program exits with its own last byte: 0 is what the banned content does, so that the banned one
 * can be made by cutting the file and growing it again. With a note, that byte is also the last of its
 * build-id, dd..dd00 or dd..dd41; such a file cannot be made by truncate, which takes the note away.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/kernel/run_once.h"

#define SIZE 8192
#define BASE 0x400000
#define BANNED 0
#define ALLOWED 65

struct image {
	Elf64_Ehdr head;
	Elf64_Phdr load, note;
	unsigned char code[20];
};

/* The last bytes of the program. */
struct note {
	Elf64_Nhdr head;
	char name[4];
	unsigned char build_id[20];
};

/* movzx edi, byte [BASE + SIZE - 1]; mov eax, 60; syscall */
static const unsigned char code[20] = {
	0x0f, 0xb6, 0x3c, 0x25, 0xff, 0x1f, 0x40, 0x00, 0xb8, 60, 0, 0, 0, 0x0f, 0x05,
};

static void make_note(struct image *image, struct note *note)
{
	image->head.e_phnum = 2;
	image->note = (Elf64_Phdr){ .p_type = PT_NOTE,
				    .p_flags = PF_R,
				    .p_offset = SIZE - sizeof(*note),
				    .p_vaddr = BASE + SIZE - sizeof(*note),
				    .p_filesz = sizeof(*note),
				    .p_memsz = sizeof(*note),
				    .p_align = 4 };
	note->head = (Elf64_Nhdr){ .n_namesz = 4, .n_descsz = 20, .n_type = NT_GNU_BUILD_ID };
	memcpy(note->name, "GNU", 4);
	memset(note->build_id, 0xdd, sizeof(note->build_id));
}

static void make(const char *file, char last, bool note)
{
	static char bytes[SIZE];
	struct image *image = (void *)bytes;
	int fd = open(file, O_CREAT | O_TRUNC | O_WRONLY, 0755);

	memcpy(image->head.e_ident, ELFMAG, SELFMAG);
	image->head.e_ident[EI_CLASS] = ELFCLASS64;
	image->head.e_ident[EI_DATA] = ELFDATA2LSB;
	image->head.e_ident[EI_VERSION] = EV_CURRENT;
	image->head.e_type = ET_EXEC;
	image->head.e_machine = EM_X86_64;
	image->head.e_version = EV_CURRENT;
	image->head.e_entry = BASE + offsetof(struct image, code);
	image->head.e_phoff = offsetof(struct image, load);
	image->head.e_ehsize = sizeof(Elf64_Ehdr);
	image->head.e_phentsize = sizeof(Elf64_Phdr);
	image->head.e_phnum = 1;
	image->load = (Elf64_Phdr){ .p_type = PT_LOAD,
				    .p_flags = PF_R | PF_X,
				    .p_vaddr = BASE,
				    .p_filesz = SIZE,
				    .p_memsz = SIZE,
				    .p_align = 4096 };
	memcpy(image->code, code, sizeof(code));
	if (note)
		make_note(image, (void *)(bytes + SIZE - sizeof(struct note)));
	bytes[SIZE - 1] = last;
	if (fd < 0 || write(fd, bytes, SIZE) != SIZE)
		perror(file), exit(2);
	close(fd);
}

/* False when the file was busy: somebody runs it. */
static bool toggle(const char *file, const char *how, char last)
{
	static long serial;
	bool fresh = strchr(how, '+');
	int fd;
	char *at;

	serial = serial ? serial + 1 : getpid() * 1000000L;

	if (*how == 't' && last == BANNED)
		return !truncate(file, SIZE / 2) &&
		       !truncate(file, SIZE); /* half of it cannot run */
	fd = open(file, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return false;
	if (*how == 'm') {
		at = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		if (fresh)
			memcpy(at + SIZE / 2, &serial, sizeof(serial));
		at[SIZE - 1] = last;
		munmap(at, SIZE);
	} else if (fresh && pwrite(fd, &serial, sizeof(serial), SIZE / 2) != sizeof(serial)) {
		perror("pwrite");
	} else if (pwrite(fd, &last, 1, SIZE - 1) != 1) {
		perror("pwrite");
	}
	close(fd);
	return true;
}

/* What the two sides know of each other. */
struct shared {
	_Atomic int go;	     /* the other side works while it is 1 */
	_Atomic long rounds; /* of the other side */
	long mapped;
	long refused;
};

static struct shared *shared;

static void pause_us(long us)
{
	nanosleep(&(struct timespec){ .tv_nsec = us * 1000 }, NULL);
}

static pid_t start(void (*work)(const char *file, const char *how), const char *file,
		   const char *how)
{
	pid_t child = fork();

	if (child)
		return child;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	srand(1);
	for (;;) {
		if (shared->go)
			work(file, how);
		else
			pause_us(100);
		shared->rounds++;
	}
}

/* Let the other side end the round it is in. */
static void quiet(void)
{
	long round = shared->rounds;

	shared->go = 0;
	while (shared->rounds < round + 2)
		pause_us(100);
}

/* Mostly closed: what has a writer is busy for everybody. */
static void write_round(const char *file, const char *how)
{
	static bool banned;

	if (toggle(file, how, banned ? ALLOWED : BANNED))
		banned = !banned;
	pause_us(rand() % 1500);
}

static void map_round(const char *file, const char *how)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	void *at = mmap(NULL, SIZE, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);

	(void)how;
	if (at == MAP_FAILED) {
		shared->refused++;
	} else {
		shared->mapped++;
		munmap(at, SIZE);
	}
	close(fd);
}

static void race_exec(const char *file, const char *how, long n, const char *beneath)
{
	long allowed = 0, banned = 0, refused = 0, busy = 0, killed = 0, quietly = 0;
	pid_t writer = start(write_round, beneath, how);
	int tries;

	shared->go = 1;
	while (allowed + banned + refused < n) {
		int got = run_once(file);

		allowed += got == ALLOWED;
		banned += got == BANNED;
		refused += got == -EPERM;
		busy += got == -ETXTBSY;
		killed += got == -EFAULT;
		if (got != ALLOWED && got != BANNED && got != -EPERM && got != -ETXTBSY &&
		    got != -EFAULT)
			printf("unexpected=%d\n", got), exit(2);
	}
	quiet();
	kill(writer, SIGKILL);
	waitpid(writer, NULL, 0);
	/* Whatever was remembered in the race must not speak for the banned content. */
	for (tries = 0; tries < 3; tries++) {
		toggle(beneath, how, BANNED);
		quietly += run_once(file) == BANNED;
	}
	printf("decided=%ld allowed=%ld refused=%ld busy=%ld killed=%ld banned=%ld quiet=%ld\n",
	       allowed + banned + refused, allowed, refused, busy, killed, banned, quietly);
}

static void race_mmap(const char *file, const char *how, long n, const char *beneath)
{
	pid_t mapper = start(map_round, file, how);
	long banned = 0, round;

	for (round = 0; round < n; round++) {
		int fd;
		char *at;

		while (!toggle(beneath, how, ALLOWED))
			pause_us(100);
		shared->go = 1;
		pause_us(rand() % 3000);
		while (!toggle(beneath, how, BANNED))
			pause_us(100);
		pause_us(rand() % 1000);
		quiet();
		fd = open(file, O_RDONLY | O_CLOEXEC);
		at = mmap(NULL, SIZE, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
		if (at != MAP_FAILED) {
			banned += at[SIZE - 1] == BANNED;
			munmap(at, SIZE);
		}
		close(fd);
	}
	kill(mapper, SIGKILL);
	waitpid(mapper, NULL, 0);
	printf("rounds=%ld banned=%ld mapped=%ld refused=%ld\n", n, banned, shared->mapped,
	       shared->refused);
}

/*
 * It is run while a writer who opened it before has it mapped, which fails; then he stores into it and
 * goes, and no hook sees either. Mapped first, since fanotify holds a program, but not a library.
 */
static void race_early(const char *file, const char *beneath)
{
	int fd = open(beneath, O_RDWR | O_CLOEXEC), busy, mapped, then;
	char *at = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (at == MAP_FAILED)
		perror(beneath), exit(2);
	at[SIZE - 1] = ALLOWED; /* no later store moves the times */
	busy = run_once(file);
	at[SIZE - 1] = BANNED;
	munmap(at, SIZE);
	close(fd);
	fd = open(file, O_RDONLY | O_CLOEXEC);
	mapped = mmap(NULL, SIZE, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0) != MAP_FAILED;
	close(fd);
	then = run_once(file);
	printf("busy=%d mapped=%d then=%d\n", busy, mapped, then);
}

int main(int argc, char **argv)
{
	const char *beneath = argc > 5 ? argv[5] : argc > 2 ? argv[2] : NULL;

	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	if (argc >= 4 && !strcmp(argv[1], "make"))
		make(argv[2], *argv[3] == 'b' ? BANNED : ALLOWED, argc == 5);
	else if (argc >= 5 && !strcmp(argv[1], "exec"))
		race_exec(argv[2], argv[3], atol(argv[4]), beneath);
	else if (argc >= 5 && !strcmp(argv[1], "mmap"))
		race_mmap(argv[2], argv[3], atol(argv[4]), beneath);
	else if (argc == 4 && !strcmp(argv[1], "early"))
		race_early(argv[2], argv[3]);
	else
		return 2;
	return 0;
}

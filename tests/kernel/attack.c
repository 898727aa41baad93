/* SPDX-License-Identifier: MIT */
/*
 * What root can try on debar's objects, one line an attempt: "refused NAME: why" or "WORKED NAME".
 * `attack PID` also tries what ends or takes over that process; `attack kernel MODULE` only what
 * changes the kernel. Order matters: what would take the most away comes last.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/io.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>
#include <linux/bpf.h>
#include <linux/fs.h>

#define PINS "/sys/fs/bpf/debar"

static void tell(const char *name, long result)
{
	if (result < 0)
		printf("refused %s: %s\n", name, strerror(errno));
	else
		printf("WORKED %s\n", name);
	fflush(stdout);
}

static long bpf(int cmd, union bpf_attr *attr)
{
	return syscall(SYS_bpf, cmd, attr, sizeof(*attr));
}

static long pin_get(const char *name, unsigned int flags)
{
	char path[512];
	union bpf_attr attr = { .file_flags = flags };

	snprintf(path, sizeof(path), PINS "/%s", name);
	attr.pathname = (unsigned long)path;
	return bpf(BPF_OBJ_GET, &attr);
}

/* Every pin: to open it, to remove it, to give it another name. */
static void pins(void)
{
	long get = -1, read_only = -1, gone = -1, renamed = -1;
	DIR *dir = opendir(PINS);
	struct dirent *entry;
	char path[512];
	int count = 0, error = 0;

	while (dir && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		count++;
		snprintf(path, sizeof(path), PINS "/%s", entry->d_name);
		if (pin_get(entry->d_name, 0) >= 0)
			get = 0;
		if (pin_get(entry->d_name, BPF_F_RDONLY) >= 0)
			read_only = 0;
		if (!rename(path, "/sys/fs/bpf/renamed"))
			renamed = 0;
		error = errno;
		if (!unlink(path))
			gone = 0;
	}
	errno = error;
	printf("# %d pins\n", count);
	tell("opening a pin", get);
	tell("opening a pin read-only", read_only);
	tell("renaming a pin", renamed);
	tell("removing a pin", gone);
}

static bool is_debars(int fd, bool link)
{
	struct bpf_link_info link_info = {};
	struct bpf_prog_info prog_info = {};
	struct bpf_map_info map_info = {};
	union bpf_attr attr = {};

	attr.info.bpf_fd = fd;
	attr.info.info_len = link ? sizeof(link_info) : sizeof(map_info);
	attr.info.info = link ? (unsigned long)&link_info : (unsigned long)&map_info;
	if (bpf(BPF_OBJ_GET_INFO_BY_FD, &attr))
		return false;
	if (!link)
		return !strncmp(map_info.name, "debar", 5);
	attr = (union bpf_attr){ .prog_id = link_info.prog_id };
	fd = bpf(BPF_PROG_GET_FD_BY_ID, &attr);
	if (fd < 0)
		return true; /* nobody else's programs are refused */
	attr = (union bpf_attr){};
	attr.info.bpf_fd = fd;
	attr.info.info_len = sizeof(prog_info);
	attr.info.info = (unsigned long)&prog_info;
	return fd >= 0 && !bpf(BPF_OBJ_GET_INFO_BY_FD, &attr) &&
	       !strncmp(prog_info.name, "debar", 5);
}

/* Every map or link of the system by number: is one of debar's among those that can be had? */
static void ids(const char *name, int next, int get, bool link)
{
	union bpf_attr attr = {};
	unsigned int id = 0;
	long had = -1;

	for (;;) {
		attr = (union bpf_attr){ .start_id = id };
		if (bpf(next, &attr))
			break;
		id = attr.next_id;
		attr = (union bpf_attr){ .map_id = id };
		attr.map_id = bpf(get, &attr);
		if ((int)attr.map_id >= 0 && is_debars(attr.map_id, link))
			had = 0;
	}
	errno = ENOENT;
	tell(name, had);
}

static bool is_debars_program(int fd)
{
	struct bpf_prog_info info = {};
	union bpf_attr attr = {};

	attr.info.bpf_fd = fd;
	attr.info.info_len = sizeof(info);
	attr.info.info = (unsigned long)&info;
	return !bpf(BPF_OBJ_GET_INFO_BY_FD, &attr) && !strncmp(info.name, "debar", 5);
}

/* With a program one can put another in the place of one of its functions. */
static void programs(void)
{
	union bpf_attr attr = {};
	unsigned int id = 0;
	long had = -1;
	int fd;

	for (;;) {
		attr = (union bpf_attr){ .start_id = id };
		if (bpf(BPF_PROG_GET_NEXT_ID, &attr))
			break;
		id = attr.next_id;
		attr = (union bpf_attr){ .prog_id = id };
		fd = bpf(BPF_PROG_GET_FD_BY_ID, &attr);
		if (fd >= 0 && is_debars_program(fd))
			had = 0;
	}
	errno = ENOENT;
	tell("programs by number", had);
}

/* Programs of the root cgroup, taken off without naming them, or with others in their place. */
static void cgroup(void)
{
	static const struct {
		const char *name;
		int type;
	} types[] = {
		{ "BPF_PROG_DETACH of egress", BPF_CGROUP_INET_EGRESS },
		{ "BPF_PROG_DETACH of connect4", BPF_CGROUP_INET4_CONNECT },
		{ "BPF_PROG_DETACH of sysctl", BPF_CGROUP_SYSCTL },
	};
	int root = open("/sys/fs/cgroup", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	union bpf_attr attr;
	size_t i;

	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		attr = (union bpf_attr){};
		attr.target_fd = root;
		attr.attach_type = types[i].type;
		tell(types[i].name, bpf(BPF_PROG_DETACH, &attr));
	}
}

static void directory(void)
{
	mkdir("/sys/fs/bpf/other", 0700);
	tell("exchanging the directory", syscall(SYS_renameat2, AT_FDCWD, "/sys/fs/bpf/other",
						 AT_FDCWD, PINS, RENAME_EXCHANGE));
	tell("renaming over the directory", rename("/sys/fs/bpf/other", PINS));
	rmdir("/sys/fs/bpf/other");
	tell("renaming the directory", rename(PINS, "/sys/fs/bpf/elsewhere"));
	tell("removing the directory", rmdir(PINS));
	tell("making something in it", mkdir(PINS "/mine", 0700));
}

/* Descriptors of another process that can be opened again and are the BPF system's. */
static long descriptors(const char *dir)
{
	DIR *list = opendir(dir);
	struct dirent *entry;
	char path[512], link[256];
	long had = -1;
	ssize_t len;

	while (list && (entry = readdir(list))) {
		snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name);
		len = readlink(path, link, sizeof(link) - 1);
		link[len < 0 ? 0 : len] = '\0';
		if (strstr(link, "bpf") && open(path, O_RDWR | O_NONBLOCK) >= 0)
			had = 0;
	}
	errno = ENXIO;
	return had;
}

/* Files that another process has code from. */
static long code(const char *dir)
{
	DIR *list = opendir(dir);
	struct dirent *entry;
	char path[512], link[256];
	int error = 0;
	ssize_t len;

	while (list && (entry = readdir(list))) {
		snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name);
		len = readlink(path, link, sizeof(link) - 1);
		link[len < 0 ? 0 : len] = '\0';
		if (len <= 0 || strstr(link, "(deleted)") || strstr(link, "locale") ||
		    !strstr(link, "lib"))
			continue;
		if (open(link, O_RDWR | O_CLOEXEC) >= 0)
			return 0;
		error = errno;
	}
	errno = error;
	return -1;
}

static void controller(pid_t pid)
{
	struct iovec local = { .iov_base = &(char[8]){}, .iov_len = 8 };
	struct iovec remote = { .iov_base = (void *)0x400000, .iov_len = 8 };
	const struct rlimit none = {};
	const struct sched_param idle = {};
	int pidfd = syscall(SYS_pidfd_open, pid, 0);
	cpu_set_t one;
	char path[64];

	CPU_ZERO(&one);
	CPU_SET(0, &one);
	tell("kill -9", kill(pid, SIGKILL));
	tell("kill -STOP", kill(pid, SIGSTOP));
	tell("kill -TERM", kill(pid, SIGTERM));
	tell("kill -SEGV", kill(pid, SIGSEGV));
	tell("tgkill", syscall(SYS_tgkill, pid, pid, SIGKILL));
	tell("pidfd_send_signal", syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0));
	tell("rt_sigqueueinfo", sigqueue(pid, SIGKILL, (union sigval){}));
	tell("prlimit", syscall(SYS_prlimit64, pid, RLIMIT_NOFILE, &none, NULL));
	tell("sched_setscheduler", sched_setscheduler(pid, SCHED_IDLE, &idle));
	tell("sched_setaffinity", sched_setaffinity(pid, sizeof(one), &one));
	tell("setpriority", setpriority(PRIO_PROCESS, pid, 19));
	tell("PTRACE_ATTACH", ptrace(PTRACE_ATTACH, pid, 0, 0));
	tell("PTRACE_SEIZE", ptrace(PTRACE_SEIZE, pid, 0, 0));
	tell("pidfd_getfd", syscall(SYS_pidfd_getfd, pidfd, 3, 0));
	tell("process_vm_readv", process_vm_readv(pid, &local, 1, &remote, 1, 0));
	tell("process_vm_writev", process_vm_writev(pid, &local, 1, &remote, 1, 0));
	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	tell("/proc/PID/mem", open(path, O_RDWR));
	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	tell("/proc/PID/fd", descriptors(path));
	snprintf(path, sizeof(path), "/proc/%d/map_files", pid);
	tell("writing to the controller's code", code(path));
}

/* Who is init may stop the controller. Not PTRACE_ATTACH: where it works it leaves init stopped. */
static void init(void)
{
	tell("PTRACE_SEIZE of init", ptrace(PTRACE_SEIZE, 1, 0, 0));
	tell("/proc/1/mem", open("/proc/1/mem", O_RDWR));
}

static void mounts(void)
{
	int tree = open("/sys/fs/bpf", O_PATH | O_CLOEXEC);

	mkdir("/tmp/moved", 0700);
	tell("umount of the bpf file system", umount2("/sys/fs/bpf", 0));
	tell("umount -f", umount2("/sys/fs/bpf", MNT_FORCE));
	tell("umount with MNT_EXPIRE", umount2("/sys/fs/bpf", MNT_EXPIRE));
	tell("umount -l", umount2("/sys/fs/bpf", MNT_DETACH));
	tell("umount -l of /sys", umount2("/sys", MNT_DETACH));
	tell("mount --move", mount("/sys/fs/bpf", "/tmp/moved", NULL, MS_MOVE, NULL));
	tell("mount --move by another path",
	     mount("/sys/../sys/./fs/bpf", "/tmp/moved", NULL, MS_MOVE, NULL));
	tell("mount --move of /sys", mount("/sys", "/tmp/moved", NULL, MS_MOVE, NULL));
	tell("move_mount", syscall(SYS_move_mount, tree, "", AT_FDCWD, "/tmp/moved", 4));
	tell("move_mount of /sys",
	     syscall(SYS_move_mount, AT_FDCWD, "/sys", AT_FDCWD, "/tmp/moved", 0));
}

static void switches(void)
{
	int fd = open("/proc/sys/kernel/ftrace_enabled", O_WRONLY | O_CLOEXEC);

	tell("kernel.ftrace_enabled = 0", write(fd, "0\n", 2));
	mkdir("/tmp/proc", 0700);
	if (mount("proc", "/tmp/proc", "proc", 0, NULL))
		return;
	fd = open("/tmp/proc/sys/kernel/ftrace_enabled", O_WRONLY | O_CLOEXEC);
	tell("the same on another proc", write(fd, "0", 1));
	umount2("/tmp/proc", MNT_DETACH);
}

/* What changes the running kernel: the guard refuses it only where it was named. */
static void kernel(const char *module)
{
	tell("finit_module", syscall(SYS_finit_module, open(module, O_RDONLY), "", 0));
	syscall(SYS_delete_module, "dummy", O_NONBLOCK);
	tell("kexec_load", syscall(SYS_kexec_load, 0, 0, NULL, 0));
	tell("/dev/mem", open("/dev/mem", O_RDWR));
	tell("/proc/kcore", open("/proc/kcore", O_RDONLY));
	tell("ioperm", ioperm(0x80, 1, 1));
}

int main(int argc, char **argv)
{
	if (argc > 2 && !strcmp(argv[1], "kernel")) {
		kernel(argv[2]);
		return 0;
	}
	if (argc > 1) {
		controller(atoi(argv[1]));
		init();
	}
	ids("maps by number", BPF_MAP_GET_NEXT_ID, BPF_MAP_GET_FD_BY_ID, false);
	ids("links by number", BPF_LINK_GET_NEXT_ID, BPF_LINK_GET_FD_BY_ID, true);
	programs();
	cgroup();
	switches();
	pins();
	directory();
	mounts();
	return 0;
}

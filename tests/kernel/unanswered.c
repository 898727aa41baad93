// SPDX-License-Identifier: MIT
/*
 * unanswered FILE MOUNT SILENT: a file server, such as any user can be in a namespace of their own. It
 * serves FILE, for reading, as MOUNT/1, MOUNT/2 and so on, each with so many more zeroes at its end. Once the file SILENT exists, it takes up
 * debar's requests to open and never answers them: whoever sent one waits, whatever signal comes.
 * The requests are those of <linux/fuse.h>, version 7.31.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define FOR_AN_HOUR 3600

static int fuse, content;
static const char *silent;

static void reply(const struct fuse_in_header *to, int error, const void *data, size_t len)
{
	struct fuse_out_header header = { .len = sizeof(header) + len,
					  .error = -error,
					  .unique = to->unique };
	struct iovec parts[] = { { &header, sizeof(header) }, { (void *)data, len } };

	if (writev(fuse, parts, len ? 2 : 1) < 0 && errno != ENOENT)
		perror("unanswered: writev");
}

/* Inode 1 is the root; N + 1 is the file named N. */
static struct fuse_attr attr_of(uint64_t inode)
{
	struct fuse_attr attr = { .ino = inode, .nlink = 1, .mode = S_IFDIR | 0755, .mtime = 1 };
	struct stat st;

	attr.uid = getuid();
	attr.gid = getgid();
	if (inode == FUSE_ROOT_ID || fstat(content, &st))
		return attr;
	attr.mode = S_IFREG | 0755;
	attr.size = st.st_size + inode - 1;
	attr.blocks = (attr.size + 511) / 512;
	return attr;
}

static void look_up(const struct fuse_in_header *in, const char *name)
{
	struct fuse_entry_out entry = { .generation = 1,
					.entry_valid = FOR_AN_HOUR,
					.attr_valid = FOR_AN_HOUR };
	unsigned long number = strtoul(name, NULL, 10);

	if (!number)
		return reply(in, ENOENT, NULL, 0);
	entry.nodeid = number + 1;
	entry.attr = attr_of(entry.nodeid);
	reply(in, 0, &entry, sizeof(entry));
}

static void open_file(const struct fuse_in_header *in)
{
	struct fuse_open_out opened = { .fh = 1 };
	char path[64], name[16] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%u/comm", in->pid);
	file = fopen(path, "re");
	if (file) {
		(void)!fgets(name, sizeof(name), file);
		fclose(file);
	}
	if (strncmp(name, "debar", 5) != 0 || access(silent, F_OK))
		reply(in, 0, &opened, sizeof(opened));
}

static void read_file(const struct fuse_in_header *in, const struct fuse_read_in *wanted)
{
	static char data[1 << 20];
	uint64_t size = attr_of(in->nodeid).size, len = 0;

	if (wanted->offset < size && wanted->size <= sizeof(data)) {
		len = size - wanted->offset;
		len = len < wanted->size ? len : wanted->size;
		memset(data, 0, len);
		if (pread(content, data, len, wanted->offset) < 0)
			return reply(in, EIO, NULL, 0);
	}
	reply(in, 0, data, len);
}

static void answer(const struct fuse_in_header *in)
{
	struct fuse_init_out init = {
		.major = 7, .minor = 31, .max_readahead = 65536, .max_write = 65536
	};
	struct fuse_attr_out attr = { .attr_valid = FOR_AN_HOUR, .attr = attr_of(in->nodeid) };
	struct fuse_statfs_out fs = { .st = { .bsize = 4096, .namelen = 255 } };
	struct fuse_open_out opened = { .fh = 1 };

	switch (in->opcode) {
	case FUSE_INIT:
		return reply(in, 0, &init, sizeof(init));
	case FUSE_LOOKUP:
		return look_up(in, (const char *)(in + 1));
	case FUSE_GETATTR:
		return reply(in, 0, &attr, sizeof(attr));
	case FUSE_OPENDIR:
		return reply(in, 0, &opened, sizeof(opened));
	case FUSE_OPEN:
		return open_file(in);
	case FUSE_READ:
		return read_file(in, (const void *)(in + 1));
	case FUSE_STATFS:
		return reply(in, 0, &fs, sizeof(fs));
	case FUSE_RELEASE:
	case FUSE_RELEASEDIR:
	case FUSE_FLUSH:
		return reply(in, 0, NULL, 0);
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
	case FUSE_INTERRUPT:
		return; /* want no answer */
	default:
		return reply(in, ENOSYS, NULL, 0);
	}
}

int main(int argc, char **argv)
{
	static char buffer[1 << 20] __attribute__((aligned(8)));
	char options[128];

	if (argc != 4)
		return 2;
	silent = argv[3];
	content = open(argv[1], O_RDONLY | O_CLOEXEC);
	fuse = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	snprintf(options, sizeof(options),
		 "fd=%d,rootmode=40755,user_id=%u,group_id=%u,allow_other", fuse, getuid(),
		 getgid());
	if (content < 0 || fuse < 0 ||
	    mount("unanswered", argv[2], "fuse.unanswered", 0, options)) {
		perror("unanswered");
		return 1;
	}
	if (fork())
		return 0;
	setsid();
	for (;;) {
		ssize_t len = read(fuse, buffer, sizeof(buffer));

		if (len >= (ssize_t)sizeof(struct fuse_in_header))
			answer((void *)buffer);
		else if (len < 0 && errno != EINTR && errno != ENOENT)
			return 0; /* unmounted */
	}
}

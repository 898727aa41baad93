/* SPDX-License-Identifier: MIT */
/* The names that engines give cgroups, and names that only look alike. */
#include "loader/container.h"

#include <errno.h>
#include <sys/stat.h>

#include "tests/unit/tap.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define OTHER "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"
#define POD "pod7f0d9c5e_1c9a_4c52_9c0f_2d9b8a8f1c3e"

static const struct {
	const char *path;
	const char *id; /* NULL: no container */
} cases[] = {
	/* engines, with systemd's names and without */
	{ "/system.slice/docker-" ID ".scope", ID },
	{ "/docker/" ID, ID },
	{ "docker/" ID, ID },
	{ "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-" POD
	  ".slice/cri-containerd-" ID ".scope",
	  ID },
	{ "/kubepods/besteffort/" POD "/" ID, ID },
	{ "/kubepods.slice/kubepods-" POD ".slice/crio-" ID ".scope", ID },
	{ "/kubepods/burstable/" POD "/crio-" ID, ID },
	{ "/machine.slice/libpod-" ID ".scope", ID },
	{ "/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" ID ".scope", ID },
	{ "/libpod_parent/libpod-" ID, ID },
	{ "/system.slice/nerdctl-" ID ".scope", ID },
	{ "/system.slice/kubepods-" POD ".slice:cri-containerd:" ID, ID },
	{ "/lxc.payload.web1", "web1" },
	/* below a container */
	{ "libpod-" ID ".scope/container", ID },
	{ "/system.slice/docker-" ID ".scope/init.scope", ID },
	{ "/system.slice/docker-" ID ".scope/system.slice/sshd.service", ID },
	/* a container in a container: the inner one */
	{ "/docker/" OTHER "/docker/" ID, ID },
	/* none */
	{ "", NULL },
	{ "/", NULL },
	{ "/init.scope", NULL },
	{ "/system.slice/ssh.service", NULL },
	{ "/system.slice/docker.service", NULL },
	{ "/user.slice/user-1000.slice/session-2.scope", NULL },
	{ "/machine.slice/libpod-conmon-" ID ".scope", NULL },
	{ "/kubepods/burstable/" POD "/crio-conmon-" ID, NULL },
	{ "/kubepods/burstable/" POD, NULL },
	/* almost: a digit less, a digit more, capitals, no border */
	{ "/docker/0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde", NULL },
	{ "/docker/" ID "0", NULL },
	{ "/docker/0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef", NULL },
	{ "/system.slice/docker" ID ".scope", NULL },
	{ "/system.slice/docker-" ID ".service", NULL },
	{ "/system.slice/docker-" ID ".scope.scope", NULL },
	{ "/lxc.payload.", NULL },
	{ "/lxc.payload." ID "0", NULL },
};

static void names(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char id[CONTAINER_ID_MAX + 1] = "untouched";
		bool found = container_id(cases[i].path, id);

		tap_ok(found == (cases[i].id != NULL), "%s: %s", cases[i].path,
		       cases[i].id ? "a container" : "no container");
		tap_str(id, cases[i].id ? cases[i].id : "untouched", "and its id");
	}
}

/* On whatever machine this runs: its own root and the process's cgroup, if there is cgroup v2. */
static void paths(void)
{
	static const char *const nowhere[] = { "/proc", "/nowhere", NULL };
	static const char *const usual[] = { "/sys/fs/cgroup", "/sys/fs/cgroup/unified", NULL };
	int cgroups = container_open_cgroups(usual);
	char path[4096];
	struct stat st;
	int err;

	tap_int(container_open_cgroups(nowhere), -ENOENT,
		"what is no cgroup v2 is not taken for one");
	if (cgroups < 0) {
		tap_skip("the path of a cgroup", "cgroup v2 is not mounted here");
		return;
	}
	tap_ok(fstat(cgroups, &st) == 0, "the root has an id");
	err = container_cgroup_path(cgroups, st.st_ino, path, sizeof(path));
	if (err == -EPERM) {
		tap_skip("the path of a cgroup", "needs CAP_DAC_READ_SEARCH");
		return;
	}
	tap_int(err, 0, "the root's path is found");
	tap_str(path, "/", "and is /");
	tap_int(container_cgroup_path(cgroups, st.st_ino, path, 1), -ENAMETOOLONG,
		"a path that does not fit is an error");
	tap_ok(container_cgroup_path(cgroups, 0xffffffffffffULL, path, sizeof(path)) < 0,
	       "no cgroup has this id");
}

int main(void)
{
	names();
	paths();
	return tap_done();
}

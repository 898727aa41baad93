// SPDX-License-Identifier: MIT
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "loader/control.h"
#include "loader/lock.h"
#include "policy/cleanup.h"

#define ANSWER_SECONDS 60 /* a policy of a million rules takes a few */
#define REQUEST_SECONDS 1 /* a client that is silent may not stop the controller */

static const struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = RUN_DIR "/control" };

static void wait_at_most(int fd, int seconds)
{
	struct timeval limit = { .tv_sec = seconds };

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
}

int control_listen(void)
{
	cleanup(cleanup_fd) int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	unlink(address.sun_path);
	if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) ||
	    chmod(address.sun_path, 0600) || listen(fd, 8))
		return -errno;
	return take_fd(fd);
}

int control_accept(int listener, struct control_request *ret_request)
{
	cleanup(cleanup_fd) int client = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	struct ucred peer;
	socklen_t len = sizeof(peer);

	if (client < 0)
		return -errno;
	wait_at_most(client, REQUEST_SECONDS);
	if (getsockopt(client, SOL_SOCKET, SO_PEERCRED, &peer, &len) || peer.uid)
		return -EPERM;
	if (recv(client, ret_request, sizeof(*ret_request), 0) != sizeof(*ret_request))
		return -EBADMSG;
	return take_fd(client);
}

void control_answer(int client, int result)
{
	(void)send(client, &result, sizeof(result), MSG_NOSIGNAL);
}

int control_ask(const struct control_request *request)
{
	cleanup(cleanup_fd) int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	int result;

	if (fd < 0)
		return -errno;
	wait_at_most(fd, ANSWER_SECONDS);
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) ||
	    send(fd, request, sizeof(*request), MSG_NOSIGNAL) != sizeof(*request))
		return -errno;
	if (recv(fd, &result, sizeof(result), 0) != sizeof(result))
		return -ETIMEDOUT;
	return result;
}

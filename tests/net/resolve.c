// SPDX-License-Identifier: MIT
/* Ask the C library for a name: linked with musl by resolvers.sh. */
#include <netdb.h>
#include <stdio.h>

int main(int argc, char **argv)
{
	struct addrinfo *list;
	int error = argc == 2 ? getaddrinfo(argv[1], NULL, NULL, &list) : EAI_NONAME;

	puts(error ? gai_strerror(error) : "resolved");
	return !!error;
}

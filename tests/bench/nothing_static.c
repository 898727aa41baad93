// SPDX-License-Identifier: MIT
/* The static program that is timed: nothing is mapped but itself. */
int main(void)
{
	return 0;
}

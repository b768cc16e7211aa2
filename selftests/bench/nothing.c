// SPDX-License-Identifier: GPL-2.0
/* The program that the row fork-exec-exit runs. */
int main(void)
{
	return 0;
}

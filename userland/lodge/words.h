/* SPDX-License-Identifier: GPL-2.0 */
/* A command line in a file: words, with the shell's quotes and nothing else of the shell. */
#ifndef LODGE_WORDS_H
#define LODGE_WORDS_H

char **words_split(const char *text, const char **why);

#endif

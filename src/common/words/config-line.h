/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The lines of modprobe.d, and their words, as libkmod 34 cuts them. lkmd plans by them and lkmd-loader checks what it
 * is told by them, so both cut with the same knife.
 */

char *config_line_next(char **pos, char *end, unsigned *ret_n_lines);
char *config_word_next(char **rest);

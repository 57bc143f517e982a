/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * ConfigLine: the lines of modprobe.d, and their words, as libkmod 34 cuts them. lkmd makes its plans from
 * them, and lkmd-loader checks requests against them, so both use this.
 */

char *config_line_next(char **pos, char *end, unsigned *ret_n_lines);
char *config_word_next(char **rest);

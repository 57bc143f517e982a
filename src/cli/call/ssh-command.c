/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * SshCommand: a command line to type here that runs words on another machine. ssh(1) joins its arguments with blanks
 * and has the shell there divide them again, so what needs quotes needs them twice. Owns nothing.
 */

#include "cli/call/ssh-command.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>

#include "common/base/util.h"

/* Means itself to any shell; what is beyond ASCII does too. */
static bool is_plain(unsigned char c) {
        return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c >= 0x80 ||
               (c != '\0' && strchr("_-./:@%+=,", c));
}

static bool is_plain_word(const char *word) {
        for (const char *p = word; *p; p++)
                if (!is_plain((unsigned char) *p))
                        return false;
        return *word != '\0';
}

/* As one word of a shell, in the quotes that are read most easily. */
static void print_word(FILE *f, const char *word) {
        const char *quote = is_plain_word(word)         ? ""
                            : !strchr(word, '\'')      ? "'"
                            : strpbrk(word, "\"$`\\!") ? NULL
                                                       : "\"";

        if (quote) {
                fprintf(f, "%s%s%s", quote, word, quote);
                return;
        }
        (void) fputc('\'', f);
        for (const char *p = word; *p; p++)
                if (*p == '\'')
                        (void) fputs("'\\''", f);
                else
                        (void) fputc(*p, f);
        (void) fputc('\'', f);
}

/* The words for the shell over there. */
static int join(const char *const *words, size_t n_words, bool *ret_plain, char **ret) {
        _cleanup_(freep) char *text = NULL;
        size_t size;
        FILE *f = open_memstream(&text, &size);

        if (!f)
                return -ENOMEM;
        *ret_plain = true;
        for (size_t i = 0; i < n_words; i++) {
                if (i > 0)
                        (void) fputc(' ', f);
                print_word(f, words[i]);
                *ret_plain = *ret_plain && is_plain_word(words[i]);
        }
        if (fclose(f) != 0)
                return -ENOMEM;
        *ret = STEAL_PTR(text);
        return 0;
}

/**
 * ssh_words_join() - one argument for ssh that the shell there divides into these words again
 *
 * Return: 0; -ENOMEM.
 */
int ssh_words_join(const char *const *words, size_t n_words, char **ret) {
        bool plain;

        assert(words && ret);

        return join(words, n_words, &plain, ret);
}

/**
 * ssh_command_new() - "ssh HOST WORD...", quoted for both shells
 *
 * Return: 0; -ENOMEM.
 */
int ssh_command_new(const char *host, const char *const *words, size_t n_words, char **ret) {
        _cleanup_(freep) char *there = NULL, *command = NULL;
        bool plain;
        size_t size;
        FILE *f;
        int r;

        assert(host && words && ret);

        r = join(words, n_words, &plain, &there);
        if (r < 0)
                return r;
        f = open_memstream(&command, &size);
        if (!f)
                return -ENOMEM;
        (void) fputs("ssh ", f);
        print_word(f, host);
        (void) fputc(' ', f);
        if (plain)
                (void) fputs(there, f);
        else
                print_word(f, there);
        if (fclose(f) != 0)
                return -ENOMEM;
        *ret = STEAL_PTR(command);
        return 0;
}

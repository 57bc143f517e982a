/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * LintAcceptReading: acceptances from comments and from lint.d.
 *
 *      # lkmd: accept KIND REASON      in modprobe.d, above the line that it is about
 *      KIND FILE SUBJECT REASON        in lint.d, FILE and SUBJECT are globs
 */

#include "cli/offline/lint-accept-reading.h"

#include <assert.h>
#include <fcntl.h>

#include "common/base/paths.h"
#include "common/base/read-file.h"
#include "common/words/config-line.h"

#define BLANKS " \t"
#define COMMENT_HEAD "lkmd:"
#define FILE_SIZE_MAX (1U << 20)

static int complain(Lint *l, const char *file, unsigned line, const char *instead, const char *text,
                    const char *word) {
        Finding finding = { FINDING_BAD_ACCEPTANCE, file, line, 0, instead, NULL };

        return lint_report(l, &finding, "this accepts nothing: %s%s%s%s", text, word ? " '" : "", word ?: "",
                           word ? "'" : "");
}

/* Return: 1 with *ret; 0 after a finding. */
static int read_kind(Lint *l, const char *word, const char *file, unsigned line, FindingKind *ret) {
        _cleanup_(freep) char *instead = NULL;
        const char *nearest;
        int r;

        *ret = finding_kind_from_string(word);
        if (*ret >= 0)
                return 1;
        nearest = finding_kind_nearest(word);
        if (asprintf(&instead,
                     nearest ? "%s, if that is what is meant" : "the word in brackets behind a finding%s",
                     nearest ?: "") < 0) {
                instead = NULL;
                return -ENOMEM;
        }
        r = complain(l, file, line, instead, "there is no kind of finding called", word);
        return r;
}

/* ------------------------------------------------------------------------------------------------- comments */

static int read_comment(AcceptanceList *a, Lint *l, const char *file, unsigned line, char *text) {
        FindingKind kind;
        char *word;
        int r;

        text++;                         /* '#' */
        word = config_word_next(&text);
        if (!word || !streq(word, COMMENT_HEAD))
                return 0;
        word = config_word_next(&text);
        if (!word || !streq(word, "accept"))
                return complain(l, file, line, "# lkmd: accept KIND REASON", "the word behind lkmd: is not",
                                "accept");
        word = config_word_next(&text);
        if (!word)
                return complain(l, file, line, "# lkmd: accept KIND REASON", "it names no kind of finding",
                                NULL);
        r = read_kind(l, word, file, line, &kind);
        if (r <= 0)
                return r;
        text += strspn(text, BLANKS);
        if (*text == '\0')
                return complain(l, file, line, "# lkmd: accept KIND REASON", "it gives no reason", NULL);
        return acceptance_list_add(a, kind, NULL, NULL, text, file, line);
}

/**
 * acceptances_read_line() - a line of modprobe.d that is not empty
 *
 * Several comments may stand above one line.
 */
int acceptances_read_line(Lint *l, const char *file, unsigned line, const char *text) {
        _cleanup_(freep) char *copy = NULL;
        AcceptanceList *a = &l->acceptances;

        assert(l && file && text);

        if (*text == '#') {
                copy = strdup(text);
                return copy ? read_comment(a, l, file, line, copy) : -ENOMEM;
        }
        return acceptance_list_place(a, file, line);
}

/* ---------------------------------------------------------------------------------------------------- lint.d */

static int read_line(AcceptanceList *a, Lint *l, const char *file, unsigned line, char *text) {
        static const char form[] = "KIND FILE SUBJECT REASON";
        char *word, *files, *subjects;
        FindingKind kind;
        int r;

        if (*text == '#' || !(word = config_word_next(&text)))
                return 0;
        r = read_kind(l, word, file, line, &kind);
        if (r <= 0)
                return r;
        files = config_word_next(&text);
        subjects = config_word_next(&text);
        text += strspn(text, BLANKS);
        if (!files || !subjects || *text == '\0')
                return complain(l, file, line, form, "it lacks a file, a subject or a reason", NULL);
        return acceptance_list_add(a, kind, files, streq(subjects, "*") ? NULL : subjects, text, file, line);
}

static int read_one(AcceptanceList *a, Lint *l, const char *path) {
        _cleanup_(closep) int fd = read_file_open(path);
        _cleanup_(freep) char *text = NULL;
        char *pos, *line;
        size_t size;
        unsigned n_lines, n = 1;
        int r;

        r = fd < 0 ? fd : read_file(fd, FILE_SIZE_MAX, &text, &size);
        if (r == -ENOMEM)
                return r;
        if (r < 0) {
                Finding finding = { FINDING_NOT_READ, path, 0, 0, NULL, NULL };

                return lint_report(l, &finding, "what is accepted here is not known: %s", strerror(-r));
        }
        for (pos = text; r >= 0 && (line = config_line_next(&pos, text + size, &n_lines)); n += n_lines)
                r = read_line(a, l, path, n, line);
        return r;
}

static int is_conf(const struct dirent *e) {
        return e->d_name[0] != '.' && endswith(e->d_name, ".conf");
}

/* @higher: a directory whose files hide those of the same name here; NULL: none. */
static int read_dir(AcceptanceList *a, Lint *l, const char *dir, const char *higher) {
        struct dirent **entries = NULL;
        int n = scandir(dir, &entries, is_conf, alphasort), r = 0;

        for (int i = 0; i < n; i++) {
                _cleanup_(freep) char *path = NULL, *hiding = NULL;

                if (asprintf(&path, "%s/%s", dir, entries[i]->d_name) < 0)
                        path = NULL;
                if (higher && asprintf(&hiding, "%s/%s", higher, entries[i]->d_name) < 0)
                        hiding = NULL;
                if (!path || !hiding != !higher)
                        r = -ENOMEM;
                if (r >= 0 && !(hiding && access(hiding, F_OK) == 0))
                        r = read_one(a, l, path);
                free(entries[i]);
        }
        free(entries);
        return r;
}

/**
 * acceptances_read_dirs() - those of the administrator, and of the distribution
 */
int acceptances_read_dirs(Lint *l) {
        const char *root = secure_getenv(LKMD_POLICY_ROOT_ENV) ?: "";
        _cleanup_(freep) char *etc = NULL, *lib = NULL;
        AcceptanceList *a = &l->acceptances;
        int r;

        assert(l);

        if (asprintf(&etc, "%s" LKMD_SYSCONF_DIR "/lkmd/" LKMD_LINT_DIR, root) < 0)
                etc = NULL;
        if (asprintf(&lib, "%s" LKMD_LIB_DIR "/" LKMD_LINT_DIR, root) < 0)
                lib = NULL;
        if (!etc || !lib)
                return -ENOMEM;
        r = read_dir(a, l, etc, NULL);
        return r < 0 ? r : read_dir(a, l, lib, etc);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * ProposalInput: see proposal-input.h. Such files are collected by hand and of many kinds, also within one, so each
 * line is taken for what it looks like. Owns nothing.
 */

#include "cli/verbs/proposal-input.h"

#include <assert.h>
#include <unistd.h>

#include "common/base/limits.h"
#include "common/base/module-name.h"
#include "common/base/read-file.h"
#include "common/base/text.h"
#include "common/device/modalias-subsystem.h"
#include "common/plan/plan-builder.h"

#define BLANKS " \t\r"
#define CAPITALS "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"
#define NAME_CHARACTERS "abcdefghijklmnopqrstuvwxyz" CAPITALS DIGITS "_-"

typedef struct Input {
        Proposal *proposal;
        const Index *index;
        const char *path;               /* as given */
        unsigned line;
        size_t n_unmatched;
        ProblemList *problems;
} Input;

/* "hosts/db1.txt:12", fit to be a comment. */
static int describe_place(const Input *in, char **ret) {
        _cleanup_(freep) char *place = NULL;

        if (asprintf(&place, "%s:%u", streq(in->path, "-") ? "standard input" : in->path, in->line) < 0) {
                place = NULL;
                return -ENOMEM;
        }
        return text_escape(place, ret);
}

static int complain(const Input *in, const char *line) {
        char shown[TEXT_SHOWN_MAX];

        text_show(line, shown);
        return problem_list_add(in->problems, in->path, in->line,
                                "\"%s\" is no line of lsmod, no modalias and no name of a module", shown);
}

/* Also of a module that this kernel does not have: another one may. */
static int take_name(Input *in, char *name, const char *line) {
        _cleanup_(freep) char *place = NULL;
        int r;

        if (strspn(name, NAME_CHARACTERS) != strlen(name) || strlen(name) > MODULE_NAME_MAX ||
            !module_name_normalize_in_place(name))
                return complain(in, line);
        r = describe_place(in, &place);
        return r < 0 ? r : proposal_add(in->proposal, PROPOSAL_LISTED, NULL, name, place);
}

/* A name of the bus where no subsystem follows from the modalias, so that rules are still grouped. */
static int subsystem_of(const char *modalias, char **ret) {
        const char *known = modalias_subsystem(modalias);

        *ret = known ? strdup(known) : strndup(modalias, strcspn(modalias, ":"));
        return *ret ? 0 : -ENOMEM;
}

static int take_modalias(Input *in, const char *modalias) {
        const PlanRequest request = { .key = modalias, .mode = PLAN_AUTOLOAD };
        _cleanup_(freep) char *place = NULL, *subsystem = NULL;
        _cleanup_(plan_freep) Plan *plan = NULL;
        int r;

        r = plan_new(&plan, in->index, &request);
        if (r < 0)
                return r == -ENOMEM ? r : complain(in, modalias);
        in->n_unmatched += plan->n_matches == 0;
        r = describe_place(in, &place);
        if (r >= 0)
                r = subsystem_of(modalias, &subsystem);
        for (size_t i = 0; r >= 0 && i < plan->n_steps; i++) {
                const PlanStep *step = plan->steps + i;

                if (step->action != PLAN_BUILTIN)
                        r = proposal_add(in->proposal,
                                         step->reason == PLAN_REQUESTED ? PROPOSAL_DEVICE : PROPOSAL_NEEDED,
                                         subsystem, step->module, place);
        }
        return r;
}

/* The modalias in a line "MODALIAS=..." of a uevent, or "E: MODALIAS=..." of udevadm; "": a line of them that says something else. */
static const char *read_property(const char *line) {
        const char *name = line;

        if (strspn(line, CAPITALS) == 1 && line[1] == ':' && line[2] == ' ')
                name = line + 3;
        if (strncmp(name, "MODALIAS=", strlen("MODALIAS=")) == 0)
                return name + strlen("MODALIAS=");
        if (name != line || name[strspn(name, CAPITALS DIGITS "_")] == '=')
                return "";
        return NULL;
}

static bool begins_with_number(const char *text) {
        size_t n = strspn(text, DIGITS);

        return n > 0 && (text[n] == '\0' || strchr(BLANKS, text[n]));
}

/* @line: is changed. */
static int take_line(Input *in, char *line) {
        const char *property, *second;
        char *end;
        size_t n;

        line += strspn(line, BLANKS);
        for (end = line + strlen(line); end > line && strchr(BLANKS, end[-1]);)
                *--end = '\0';
        if (line[0] == '\0' || line[0] == '#')
                return 0;
        property = read_property(line);
        if (property)
                return property[0] ? take_modalias(in, property) : 0;

        n = strcspn(line, BLANKS);
        second = line + n + strspn(line + n, BLANKS);
        if (second[0] == '\0')
                return strchr(line, ':') ? take_modalias(in, line) : take_name(in, line, line);
        if (strncmp(line, "Module", n) == 0 && strncmp(second, "Size", strlen("Size")) == 0)
                return 0;               /* the head of lsmod */
        if (!begins_with_number(second))
                return complain(in, line);
        line[n] = '\0';
        return take_name(in, line, line);
}

static int take_text(Input *in, char *text, size_t size) {
        int r = 0;

        if (memchr(text, '\0', size))
                return problem_list_add(in->problems, in->path, 0, "it is no text");
        for (char *line = text; r >= 0 && line; in->line++) {
                char *end = strchr(line, '\n');

                if (end)
                        *end++ = '\0';
                r = take_line(in, line);
                line = end;
        }
        return r;
}

int proposal_add_file(Proposal *p, const Index *index, const char *path, size_t *n_unmatched,
                      ProblemList *problems) {
        Input in = { .proposal = p, .index = index, .path = path, .line = 1, .problems = problems };
        _cleanup_(freep) char *text = NULL;
        _cleanup_(closep) int fd = -EBADF;
        size_t size;
        int r;

        assert(p && index && path && n_unmatched && problems);

        fd = streq(path, "-") ? dup(STDIN_FILENO) : read_file_open(path);
        r = fd < 0 ? fd : read_file(fd, PROPOSAL_FILE_MAX, &text, &size);
        if (r < 0)
                return r == -ENOMEM
                               ? r
                               : problem_list_add(problems, path, 0, "it cannot be read: %s", strerror(-r));
        r = take_text(&in, text, size);
        *n_unmatched += in.n_unmatched;
        return r;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * lkmctl: takes the command line apart by the verbs and options of commands.inc, runs one verb, and exits with
 * its status.
 */

#include <assert.h>
#include <fcntl.h>
#include <getopt.h>
#include <locale.h>
#include <signal.h>

#include "cli/call/failure.h"
#include "cli/call/run-there.h"
#include "cli/call/run.h"
#include "cli/commands.h"
#include "cli/kmod/tool.h"
#include "cli/verbs/verbs.h"
#include "common/base/util.h"

#define LONG_OPTION_BASE 0x100          /* above all letters: index into options[] */

typedef struct Arguments {
        char **words;                   /* verb and arguments, borrowed from argv */
        unsigned n_words;
        bool given[N_OPTIONS];          /* of each option */
        char *wrong;                    /* the first thing that is wrong */
        char *const *argv;              /* as given */
        int end;                        /* index in it of the "--" behind which there are words only, or of the NULL */
} Arguments;

static void arguments_clear(Arguments *a) {
        free(a->words);
        free(a->wrong);
}

static void _printf_(2, 3) arguments_wrong(Arguments *a, const char *format, ...) {
        va_list ap;

        if (a->wrong)
                return;
        va_start(ap, format);
        if (vasprintf(&a->wrong, format, ap) < 0)
                a->wrong = NULL;
        va_end(ap);
}

static const Option *option_find(int code) {
        for (const Option *o = options; o->name; o++)
                if (code == LONG_OPTION_BASE + (int) (o - options) || (o->letter && code == o->letter))
                        return o;
        return NULL;
}

/* Return: 0, also with something wrong noted; -ENOMEM. */
static int take_option(Arguments *a, Run *run, const Option *o, const char *value) {
        int r = o->set((char *) run + o->offset, value);

        if (r == -EINVAL)
                arguments_wrong(a, "--%s does not take '%s': it is %s", o->name, value, o->expects);
        else if (r < 0)
                return r;
        a->given[o - options] = true;
        return 0;
}

static void no_such_option(Arguments *a, const char *argument) {
        const char *nearest = option_find_nearest(argument);

        if (nearest)
                arguments_wrong(a, "there is no option %s, did you mean '--%s'?", argument, nearest);
        else
                arguments_wrong(a, "there is no option %s", argument);
}

/* What getopt_long(3) needs to know of the options. */
static void describe_options(struct option longs[static N_OPTIONS + 1], char *shorts) {
        shorts = stpcpy(shorts, "-:");  /* words in place; ':' for a missing argument */
        for (const Option *o = options; o->name; o++) {
                *longs++ = (struct option) {
                        .name = o->name,
                        .has_arg = !o->value           ? no_argument
                                   : o->value_optional ? optional_argument
                                                       : required_argument,
                        .val = LONG_OPTION_BASE + (int) (o - options),
                };
                if (o->letter) {
                        *shorts++ = o->letter;
                        if (o->value)
                                *shorts++ = ':';
                }
        }
        *longs = (struct option) {};
        *shorts = '\0';
}

/**
 * take_arguments() - sort the command line into options and words
 *
 * It is read to its end even if the first word is wrong, so that --json applies to the error.
 *
 * Return: 0, also with something wrong noted; -ENOMEM.
 */
static int take_arguments(Arguments *a, Run *run, int argc, char **argv) {
        struct option longs[N_OPTIONS + 1];
        char shorts[2 * N_OPTIONS + 3];
        int code, r = 0;

        a->words = calloc((size_t) argc + 1, sizeof(*a->words));
        if (!a->words)
                return -ENOMEM;

        describe_options(longs, shorts);
        opterr = 0;
        while (r >= 0 && (code = getopt_long(argc, argv, shorts, longs, NULL)) >= 0)
                if (code == 1)
                        a->words[a->n_words++] = optarg;
                else if (code == ':')
                        arguments_wrong(a, "the option %s wants a value", argv[optind - 1]);
                else if (code == '?' && optopt >= LONG_OPTION_BASE)
                        arguments_wrong(a, "the option --%s takes no value", options[optopt - LONG_OPTION_BASE].name);
                else if (code == '?' && optopt)
                        arguments_wrong(a, "there is no option -%c", optopt);
                else if (code == '?')
                        no_such_option(a, argv[optind - 1]);
                else
                        r = take_option(a, run, option_find(code), optarg);
        a->argv = argv;
        a->end = optind > 1 && streq(argv[optind - 1], "--") ? optind - 1 : argc;
        while (optind < argc)                   /* behind "--" */
                a->words[a->n_words++] = argv[optind++];
        return r;
}

/* The verb, and how many words its name has. NULL: there is none, which is noted. */
static const Verb *take_verb(Arguments *a, unsigned *ret_n_words) {
        const char *word = a->n_words > 0 ? a->words[0] : "status", *next = a->n_words > 1 ? a->words[1] : NULL;
        _cleanup_(freep) char *both = NULL;
        const char *nearest, *said = word;
        const Verb *v;

        v = verb_find(word, next, ret_n_words);
        if (v) {
                *ret_n_words = MIN(*ret_n_words, a->n_words);
                return v;
        }

        if (verb_find(word, NULL, ret_n_words)) {       /* it is the second word that is wrong */
                if (asprintf(&both, "%s %s", word, next) < 0)
                        both = NULL;
                said = both ?: word;
        }
        nearest = verb_find_nearest(said);
        if (nearest)
                arguments_wrong(a, "there is no verb '%s', did you mean '%s'?", said, nearest);
        else
                arguments_wrong(a, "there is no verb '%s'", said);
        return NULL;
}

static void arguments_wrong_option(Arguments *a, const Option *o, const Verb *v) {
        if (o->scope == SCOPE_VERBS)
                arguments_wrong(a, "'%s' takes no --%s, that is for: %s", v->name, o->name, o->verbs);
        else if (v->treeless)
                arguments_wrong(a, "'%s' is not about modules, it takes no --%s", v->name, o->name);
        else if (v->offline)
                arguments_wrong(a, "'%s' does not ask lkmd but reads files, it takes no --%s", v->name, o->name);
        else
                arguments_wrong(a, "'%s' asks lkmd, it takes no --%s", v->name, o->name);
}

static void check_arguments(Arguments *a, const Verb *v, unsigned n_args) {
        const char *space = v->arguments ? " " : "", *arguments = v->arguments ?: "";

        for (const Option *o = options; o->name; o++)
                if (a->given[o - options] && !option_is_of(o, v))
                        arguments_wrong_option(a, o, v);

        if (n_args < v->min_args)
                arguments_wrong(a, "something is missing: lkmctl %s%s%s", v->name, space, arguments);
        else if (n_args > v->max_args)
                arguments_wrong(a, "too many arguments: lkmctl %s%s%s", v->name, space, arguments);
}

/* Without a verb it is status. */
static int dispatch(Run *run, Arguments *a) {
        unsigned n_own = 0;             /* words that are the verb */
        const Verb *v = take_verb(a, &n_own);
        unsigned n_args = a->n_words - n_own;
        char hint[64] = "lkmctl help";
        int r = 0;

        if (run->version && !a->wrong)
                return verb_version(run, NULL, 0);
        if (run->help && !a->wrong)
                return verb_help(run, a->words, n_own);

        if (v) {
                check_arguments(a, v, n_args);
                (void) snprintf(hint, sizeof(hint), "lkmctl help %s", v->name);
        }
        if (a->wrong)
                return failure_print_own(&run->out, CLIENT_ERROR_USAGE, hint, "%s", a->wrong);
        if (!v)
                return -ENOMEM;
        if (v->looks && run->out.host)
                return run_there(&run->out, run->out.host, a->argv, a->end);
        if (v->paged && !run->follow)
                r = output_begin(&run->out, !run->no_pager, !v->verbatim);
        if (r >= 0 && !v->offline)
                r = client_new(&run->client, &run->out, run->out.host);
        if (r < 0)
                return r;
        return v->run(run, a->words + n_own, n_args);
}

/* Otherwise a socket or file would get the number of a standard stream that the caller closed. */
static void open_missing_streams(void) {
        int fd;

        do
                fd = open("/dev/null", O_RDWR);
        while (fd >= 0 && fd <= STDERR_FILENO);
        if (fd >= 0)
                (void) close(fd);
}

int main(int argc, char **argv) {
        _cleanup_(arguments_clear) Arguments arguments = {};
        const Tool *tool = tool_find(argv[0]);
        Run run = {};
        int r, q;

        if (tool)
                return tool_run(tool, argc, argv);
        open_missing_streams();
        (void) setlocale(LC_CTYPE, "");         /* for widths of characters; numbers stay as they are */
        (void) signal(SIGPIPE, SIG_IGN);        /* EPIPE is handled where it is written */
        output_init(&run.out);

        r = take_arguments(&arguments, &run, argc, argv);
        run.out.json = run.json;
        run.out.quiet = run.quiet;
        run.out.full = run.full;
        output_set_colour(&run.out, run.color);
        run.out.host = run.host;
        if (r >= 0)
                r = dispatch(&run, &arguments);
        if (r < 0 && r != -EPIPE)
                r = failure_print_own(&run.out, CLIENT_ERROR_LOCAL, NULL, "%s", strerror(-r));

        q = output_flush();
        if (q < 0 && q != -EPIPE && r <= 0) {
                (void) fprintf(stderr, "lkmctl: cannot write the answer: %s\n", strerror(-q));
                r = STATUS_FAILED;
        }
        client_free(run.client);
        free(run.config.paths);
        free(run.policy.paths);
        free(run.from.paths);
        output_done(&run.out);
        return r == -EPIPE ? STATUS_DONE : r;   /* the reader has closed the pipe */
}

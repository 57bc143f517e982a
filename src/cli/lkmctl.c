/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * lkmctl: takes the command line apart by the tables in commands.c, runs one verb, and exits with its
 * status.
 */

#include <assert.h>
#include <fcntl.h>
#include <getopt.h>
#include <locale.h>
#include <signal.h>

#include "cli/call/failure.h"
#include "cli/commands.h"
#include "cli/verbs/verbs.h"
#include "common/base/nearest-name.h"

#define OPTIONS_MAX 32U
#define LONG_OPTION_BASE 0x100          /* above all letters: index into options[] */

typedef struct Arguments {
        char **words;                   /* verb and arguments, borrowed from argv */
        unsigned n_words;
        bool given[OPTIONS_MAX];        /* of each option */
        char *wrong;                    /* the first thing that is wrong */
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

static void take_option(Arguments *a, Run *run, const Option *o, const char *value) {
        const char *wrong = o->set(run, value);

        if (wrong)
                arguments_wrong(a, "--%s does not take '%s': %s", o->name, value, wrong);
        a->given[o - options] = true;
}

/**
 * take_arguments() - sort the command line into options and words
 *
 * All of it is looked at even if the first word is wrong, so that a complaint comes in the form that --json
 * asks for.
 *
 * Return: 0, also with something wrong noted; -ENOMEM.
 */
static int take_arguments(Arguments *a, Run *run, int argc, char **argv) {
        struct option longs[OPTIONS_MAX] = {};
        char shorts[2 * OPTIONS_MAX + 3] = "-:", *p = shorts + 2; /* words in place; ':' for a missing argument */
        int code;

        a->words = calloc((size_t) argc + 1, sizeof(*a->words));
        if (!a->words)
                return -ENOMEM;

        for (const Option *o = options; o->name; o++) {
                assert((size_t) (o - options) < OPTIONS_MAX - 1);
                longs[o - options] = (struct option) {
                        .name = o->name,
                        .has_arg = o->argument,
                        .val = LONG_OPTION_BASE + (int) (o - options),
                };
                if (o->letter) {
                        *p++ = o->letter;
                        if (o->argument == required_argument)
                                *p++ = ':';
                }
        }

        opterr = 0;
        while ((code = getopt_long(argc, argv, shorts, longs, NULL)) >= 0)
                if (code == 1)
                        a->words[a->n_words++] = optarg;
                else if (code == ':')
                        arguments_wrong(a, "the option %s wants a value", argv[optind - 1]);
                else if (code == '?' && optopt >= LONG_OPTION_BASE)
                        arguments_wrong(a, "the option --%s takes no value", options[optopt - LONG_OPTION_BASE].name);
                else if (code == '?' && optopt)
                        arguments_wrong(a, "there is no option -%c", optopt);
                else if (code == '?')
                        arguments_wrong(a, "there is no option %s", argv[optind - 1]);
                else
                        take_option(a, run, option_find(code), optarg);
        while (optind < argc)                   /* behind "--" */
                a->words[a->n_words++] = argv[optind++];
        return 0;
}

static const char *verb_name(size_t i) {
        return verbs[i].name;
}

/* The verb, and how many words are its name. NULL: there is none, which is noted. */
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
        nearest = nearest_name(said, verb_name);
        if (nearest)
                arguments_wrong(a, "there is no verb '%s', did you mean '%s'?", said, nearest);
        else
                arguments_wrong(a, "there is no verb '%s'", said);
        return NULL;
}

static void arguments_wrong_option(Arguments *a, const Option *o, const Verb *v) {
        if (o->scope == SCOPE_VERB)
                arguments_wrong(a, "'%s' takes no --%s, that is for: %s", v->name, o->name, o->verb);
        else if (v->treeless)
                arguments_wrong(a, "'%s' is not about modules, it takes no --%s", v->name, o->name);
        else if (v->offline)
                arguments_wrong(a, "'%s' does not ask lkmd but reads files, it takes no --%s", v->name, o->name);
        else
                arguments_wrong(a, "'%s' asks lkmd, it takes no --%s", v->name, o->name);
}

static void check_arguments(Arguments *a, const Verb *v, unsigned n_args) {
        const char *space = v->arguments[0] ? " " : "";

        for (const Option *o = options; o->name; o++)
                if (a->given[o - options] && !option_is_of(o, v))
                        arguments_wrong_option(a, o, v);

        if (n_args < v->min_args)
                arguments_wrong(a, "something is missing: lkmctl %s%s%s", v->name, space, v->arguments);
        else if (n_args > v->max_args)
                arguments_wrong(a, "too many arguments: lkmctl %s%s%s", v->name, space, v->arguments);
}

/* Without a verb: how is it doing? */
static int dispatch(Run *run, Arguments *a) {
        unsigned n_own = 0;             /* words that are the verb */
        const Verb *v = take_verb(a, &n_own);
        unsigned n_args = a->n_words - n_own;
        char hint[64] = "lkmctl help";

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
        if (!v->offline) {
                int r = client_new(&run->client, &run->out, run->out.host);

                if (r < 0)
                        return r;
        }
        return v->run(run, a->words + n_own, n_args);
}

/* So that no socket or file of ours gets the number of a standard stream that the caller closed. */
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
        Run run = {};
        int r, q;

        open_missing_streams();
        (void) setlocale(LC_CTYPE, "");         /* widths and letters; numbers stay as they are */
        (void) signal(SIGPIPE, SIG_IGN);        /* it is an error of writing like others */
        output_init(&run.out);

        r = take_arguments(&arguments, &run, argc, argv);
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
        free(run.config_paths);
        free(run.policy_paths);
        output_done(&run.out);
        return r == -EPIPE ? STATUS_DONE : r;   /* the reader had enough */
}
